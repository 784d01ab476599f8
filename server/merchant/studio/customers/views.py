"""What the studio shows of customers: who was looked for, and one of them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from server.access.directory import Explained
from server.access.other_sessions import Open
from server.features.entries import Entry
from server.mail.outbox import Record
from server.merchant.searching import Found, Off
from server.merchant.studio.settings.views import Told
from server.rendering.views import View


class Search(View, frozen=True):
    """A field to look for customers, and who was found."""

    layout: ClassVar[str] = "brand"

    found: Found | None = None
    """None: nothing was looked for."""


class Customer(View, frozen=True):
    """One customer, as the merchant sees them."""

    layout: ClassVar[str] = "brand"

    customer: Explained
    mails: tuple[Record, ...]
    """The last ones, newest first: those about the customer, and codes asked for with the address."""
    sessions: tuple[Open, ...]
    entries: tuple[Entry, ...]
    """What was done in the account, newest first."""
    off: tuple[Off, ...] = ()
    """Kinds of mail that the customer has switched off."""
    disabled_by_billing: bool = False
    disabled_by_operator: bool = False
    as_of: datetime | None = None
    """Of what the server holds of the account; None: it has nothing yet."""
    acts: tuple[Told, ...] = ()
    """What operators did about the customer, newest first."""
    done: str = ""
    """`ended`, `gone`, `all_ended`, `disabled` or `enabled`; empty: nothing was done."""


class Reason(View, frozen=True):
    """Asks again why somebody wants to look at the portal as a customer."""

    layout: ClassVar[str] = "brand"

    id: str
    name: str
    mistake: str
    """`empty` or `long`."""
    reason: str = ""


class Look(View, frozen=True):
    """The portal as a customer sees it, in a frame."""

    layout: ClassVar[str] = "brand"

    id: str
    name: str
    n: int
    """Of the act of the history."""
    reason: str
    page: str
    url: str
    """Of what the frame shows."""
    pages: tuple[tuple[str, str], ...]
    """Path and label of each that can be shown."""
