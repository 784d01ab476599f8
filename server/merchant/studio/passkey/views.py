"""What the pages about an operator's own passkeys show."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from server.rendering.views import View


class Known(msgspec.Struct, frozen=True):
    key: str
    name: str
    created_at: datetime
    used_at: datetime


class Passkeys(View, frozen=True):
    """The operator's passkeys, and a form for another one."""

    layout: ClassVar[str] = "plain"

    known: tuple[Known, ...]
    mistake: str = ""
    """`word`: it is not the one, or was used; `refused`: what the browser sent was not accepted; `last`: one must stay;
    empty: none."""
    done: str = ""
    """`added` or `removed`; empty: nothing was done."""
    name: str = ""
    word: str = ""
