"""What a customer sees of where they are logged in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from server.access.other_sessions import Before, Open
from server.rendering.views import View
from server.settings import Settings

DONE = frozenset({"ended", "gone", "others", "no_others"})
"""What the page can say that was just done."""


class Sessions(View, frozen=True):
    """Every session of the customer that is open now."""

    here: ClassVar[str] = "sessions"

    customer: str
    """Goes with every form: in a tab of another account it ends nothing."""
    this: Open | None
    """The session of this browser; None only where it ended a moment ago."""
    others: tuple[Open, ...] = ()
    """The one seen last first."""
    before: Before | None = None
    """The log-in before this one; None: there was none."""
    done: str = ""
    """What was just done: `ended`, `gone` (it had ended before), `others`, `no_others`, or nothing."""
    idle_minutes: int = 60
    """Without a request for this long, a session ends by itself."""
    hours: int = 8
    """After this long it ends in any case."""


def sessions(
    customer_id: str, opened: Sequence[Open], before: Before | None, settings: Settings, *, done: str = ""
) -> Sessions:
    return Sessions(
        customer=customer_id,
        this=next((each for each in opened if each.is_this), None),
        others=tuple(each for each in opened if not each.is_this),
        before=before,
        done=done if done in DONE else "",
        idle_minutes=settings.session_idle_minutes,
        hours=settings.session_hours,
    )
