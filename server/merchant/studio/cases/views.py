"""What the studio shows of declarations that were made without logging in: which wait, and one of them."""

from __future__ import annotations

from typing import ClassVar

from server.access.declarations import Case
from server.access.directory import Explained
from server.mail.outbox import Record
from server.rendering.views import View


class Cases(View, frozen=True):
    layout: ClassVar[str] = "brand"

    waiting: tuple[Case, ...]
    """The most urgent first."""
    decided: tuple[Case, ...]
    """Newest first."""
    is_open: bool = True
    """The brand lets anybody declare something now."""


class OneCase(View, frozen=True):
    layout: ClassVar[str] = "brand"

    case: Case
    customers: tuple[Explained, ...]
    """Who has the address that was typed, the one that a log-in opens first."""
    mails: tuple[Record, ...]
    """The last ones to that address."""
    is_whole: bool = True
    """The declaration is the one that was written down."""
    mistake: str = ""
    """`empty` or `long`."""
    answer: str = ""
    done: str = ""
    """`answered`, or `late`: it was decided before; empty: nothing was done."""
