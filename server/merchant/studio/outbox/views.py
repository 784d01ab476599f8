"""What the studio shows of the mails: which did not leave and why, and the test mail."""

from __future__ import annotations

from typing import ClassVar

from server.mail.outbox import Record, Unsent
from server.rendering.views import View


class Outbox(View, frozen=True):
    layout: ClassVar[str] = "brand"
    here: ClassVar[str] = "mails"

    waiting: tuple[Unsent, ...]
    failed: tuple[Unsent, ...]
    done: str = ""
    """`again`, or `nothing`: it is under way already; empty: nothing was asked for."""


class Test(View, frozen=True):
    """Sends a mail to the operator, to see it in a mailbox."""

    layout: ClassVar[str] = "brand"
    here: ClassVar[str] = "mails"

    kinds: tuple[str, ...]
    languages: tuple[tuple[str, str], ...]
    """Tag and name of each."""
    sent: tuple[Record, ...]
    """What became of the last ones."""
    kind: str = ""
    done: bool = False
    mistakes: tuple[str, ...] = ()
    """Why the brand's files cannot be read."""
