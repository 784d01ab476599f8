"""What a visitor sees on the way in. Nothing here depends on whether an address is a customer's.

Each step's form sends along where log-in leads (``next``, a name of `nextpage`) and the words of a form that a dead
session stopped (``kept.<field>``).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from server.rendering.views import View


class Ask(View, frozen=True):
    """The form for an e-mail address, which leads to a code."""

    layout: ClassVar[str] = "visitor"

    link: str
    """The token of the brand's link, which the form sends along."""
    email: str = ""
    """What the field holds: what was typed, or the address that is known already."""
    request_key: str = ""
    """What its field holds: the key in the link of a mail."""
    mistake: str = ""
    """`empty`, `not_an_address`, `wrong_key` (the request key), or empty."""
    reason: str = ""
    """`lapsed`: the code is over and a new one is needed; `needs_key`: too many codes were asked for with this address, and
    the next one needs the request key of the newest mail; `has_key`: somebody came with that key; empty: somebody came to log
    in."""
    minutes: int = 0
    """With `needs_key`: until a code is sent without it, rounded up."""
    next: str = ""
    """Where log-in leads, a name of our own table."""
    kept: dict[str, str] = msgspec.field(default_factory=dict)
    """Words of a form that a dead session stopped, carried along."""


class Again(View, frozen=True):
    """Log-in in the place of what was asked for, because the session ended meanwhile."""

    layout: ClassVar[str] = "visitor"

    link: str
    """The token of the brand's link, which the form sends along."""
    email: str = ""
    """Whose session ended, where that is known."""
    next: str = ""
    """What was asked for, a name of our own table."""
    kept: dict[str, str] = msgspec.field(default_factory=dict)
    """What was typed into the form that was refused, carried along."""


class Code(View, frozen=True):
    """The form for the code."""

    layout: ClassVar[str] = "visitor"

    address: str
    """Where the code went, if it is a customer's; an international domain in its ASCII form, so that twins show."""
    challenge: str
    """Which of the browser's challenges this is: another tab may have asked for another address."""
    sent_at: datetime
    """When the newest code was sent."""
    may_resend_at: datetime
    """From when on another one may be asked for."""
    letters: bool = False
    """For a code of fifteen letters: somebody has tried to guess this address's codes. Only a known browser is told so by
    us; in any other the visitor says so, since the mail does."""
    mistake: str = ""
    """`empty`, `no_code` (it cannot be one), `wrong`, `too_soon` (for another code), or empty."""
    tries_left: int = 5
    """How many tries this code has left; shown after a wrong one."""
    next: str = ""
    """Where log-in leads, a name of our own table."""
    kept: dict[str, str] = msgspec.field(default_factory=dict)
    """Words of a form that a dead session stopped, carried along."""


class LinkNotActive(View, frozen=True):
    """The link was deactivated, or never was one."""

    layout: ClassVar[str] = "visitor"
