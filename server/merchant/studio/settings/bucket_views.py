"""What the page shows on which a brand's bucket is named."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from server.rendering.views import View


class Kept(msgspec.Struct, frozen=True):
    """The bucket that is copied to."""

    endpoint: str
    bucket: str
    prefix: str
    key: str
    """The last four characters of the key's id."""


class Wrong(msgspec.Struct, frozen=True):
    field: str
    message: str


class Publishing(View, frozen=True):
    """Where a brand's pages are copied to when it is published."""

    layout: ClassVar[str] = "brand"

    url: str
    endpoint: str = ""
    region: str = ""
    bucket: str = ""
    prefix: str = ""
    key_id: str = ""
    kept: Kept | None = None
    folder: str = ""
    """Where each host has the pages, besides."""
    wrong: tuple[Wrong, ...] = ()
    trouble: str = ""
    """Why the bucket did not take a file."""
    done: str = ""
    """`kept` or `dropped`."""
    allow_private: bool = False

    def error_of(self, field: str) -> str:
        return next((each.message for each in self.wrong if each.field == field), "")
