"""The preview of a brand, and what it can show."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from server.rendering.views import View


class Option(msgspec.Struct, frozen=True):
    value: str
    label: str


class Preview(View, frozen=True):
    """One page of the brand with the operator's draft over it, in a frame."""

    layout: ClassVar[str] = "brand"

    url: str
    """Of what the frame shows."""
    page: str
    who: str
    tag: str
    mode: str
    size: str
    """`phone` or `desktop`."""
    pages: tuple[Option, ...] = ()
    people: tuple[Option, ...] = ()
    languages: tuple[Option, ...] = ()
    unwritten: int = 0
    """How many keys the draft changes."""
    mistakes: tuple[str, ...] = ()
    """What is wrong with the draft, or with the files: the last that could be read is shown."""
