"""What the first pages of the studio show: the brands, and the start of one of them."""

from __future__ import annotations

from typing import ClassVar

from server.rendering.views import View


class Brands(View, frozen=True):
    """Which brand to work on."""

    layout: ClassVar[str] = "plain"

    brands: tuple[tuple[str, str], ...]
    """Name and path of each that the operator has a role for."""
    may_add: bool = False


class Start(View, frozen=True):
    """One brand: what is left to do."""

    layout: ClassVar[str] = "brand"

    business: str
    """What the business is called; empty where the brand's files cannot be read."""
    mistakes: tuple[str, ...] = ()
    """What is wrong in the brand's files: file, line, key, and what is allowed."""
