"""A brand to be made."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from server.rendering.views import View


class Wrong(msgspec.Struct, frozen=True):
    field: str
    """`brand`, `called`, `color` or `logo`."""
    message: str


class New(View, frozen=True):
    """A name, a color and a logo are all that it takes."""

    layout: ClassVar[str] = "plain"

    brand: str = ""
    """The name of its folder, and the first part of its URLs."""
    called: str = ""
    color: str = "#1f6feb"
    wrong: tuple[Wrong, ...] = ()

    def error_of(self, field: str) -> str:
        return next((each.message for each in self.wrong if each.field == field), "")
