"""What the page shows from which a brand is published."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from server.merchant.studio.pages.views import Changed, Line
from server.rendering.views import View


class Kept(msgspec.Struct, frozen=True):
    """A release that can be gone back to, or is served."""

    n: int
    operator: str
    """Empty: the command line."""
    made_at: datetime
    is_served: bool


class Mistake(msgspec.Struct, frozen=True):
    """What is in the way of publishing."""

    where: str
    """File and line; empty where no file is at fault."""
    message: str


class Copy(View, frozen=True):
    """How far the copy of what is served is. Asked for once a second while it goes on."""

    url: str
    bucket: str
    """Empty: nothing is copied."""
    is_whole: bool = False
    there: int = 0
    total: int = 0
    """Files."""
    trouble: str = ""
    """Why the last attempt failed."""
    again_at: datetime | None = None
    may_publish: bool = False


class Publish(View, frozen=True):
    """What would be published, and what was."""

    layout: ClassVar[str] = "brand"

    url: str
    changed: tuple[Changed, ...] = ()
    """The keys that differ from what is served."""
    lines: tuple[Line, ...] = ()
    """The same as a patch."""
    files: tuple[str, ...] = ()
    """Other files that differ: pictures, fonts, templates, themes that it extends."""
    releases: tuple[Kept, ...] = ()
    """The newest first; none: the brand was never published."""
    fingerprint: str = ""
    """Of the files as they are."""
    may_publish: bool = False
    mistakes: tuple[Mistake, ...] = ()
    """Why nothing was published."""
    problem: str = ""
    """`stale`: somebody saved since the page was shown; `gone`: the release is not kept any more; `billing`: another
    backend bills in it."""
    done: str = ""
    """`published` or `back`."""
    copy: Copy | None = None
    """Of the brand's bucket, where it has one."""
    is_saved: bool = True
    """Nothing of the operator's own waits to be written."""

    @property
    def has_changes(self) -> bool:
        return bool(self.changed or self.files or not self.releases)
