"""What log-in to the studio shows."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from server.rendering.views import View


class Ask(View, frozen=True):
    """Which address."""

    layout: ClassVar[str] = "visitor"

    email: str = ""
    mistake: str = ""
    """A word of `EmailMistake`, or `wrong_key`; empty: none."""
    reason: str = ""
    """Why it is asked (again): `lapsed`, `needs_key`, or empty."""
    minutes: int = 0
    """With `needs_key`: so long until it works without a key."""
    next: str = ""


class Code(View, frozen=True):
    """The code that was mailed."""

    layout: ClassVar[str] = "visitor"

    address: str
    may_resend_at: datetime
    letters: bool = False
    mistake: str = ""
    """`empty`, `no_code`, `wrong` or `too_soon`; empty: none."""
    tries_left: int = 0
    next: str = ""
