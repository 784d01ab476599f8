"""What the first pages of the studio show: the brands, and the start of one of them."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from server.rendering.views import View


class Choice(msgspec.Struct, frozen=True):
    name: str
    business: str
    """What the business is called; empty where the brand's files cannot be read."""
    path: str


class Brands(View, frozen=True):
    """Which brand to work on."""

    layout: ClassVar[str] = "plain"

    brands: tuple[Choice, ...]
    may_add: bool = False


class Step(msgspec.Struct, frozen=True):
    """Something to do before customers come."""

    what: str
    """`address`, `contact`, `terms`, `link` or `passkey`."""
    is_done: bool
    path: str = ""
    """Where it is done; empty: the operator may not, or there is no page for it."""


class Start(View, frozen=True):
    """One brand: what is left to do, in order."""

    layout: ClassVar[str] = "brand"

    business: str
    """What the business is called; empty where the brand's files cannot be read."""
    steps: tuple[Step, ...] = ()
    mistakes: tuple[str, ...] = ()
    """What is wrong in the brand's files: file, line, key, and what is allowed."""
    unwritten: int = 0
    """How many keys the operator changed and did not write into the files."""
    link: str = ""
    """The log-in link that is active; empty: none is."""
    is_test: bool = False
    """The link is for test data."""
    wrong: int = 0
    """How many things the health page says are not fine, of those that this server finds by itself."""
    health: str = ""
    """The path of the health page."""
    cases: int = 0
    """How many declarations wait for a decision; 0 also where the operator may not see them."""
