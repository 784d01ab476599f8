"""What the ledger, or the copy of a Stripe account, has to tell a customer by mail. Pure types.

A `Notice` is one mail that is due; its `Event` holds things as they were at that moment and waits in the outbox, encoded,
until the mail is made.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing.model.account import PaymentMethod, Subscription, Upcoming
from server.billing.model.invoice import Invoice
from server.formats.money import Money

LINES_IN_A_MAIL = 20
"""At most this many lines of an invoice go into its mail."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a mail is made of: things as they were at that moment. What a kind has no use for is left out."""

    at: datetime
    """When it happened."""
    state: str = ""
    """Which of the kind's cases; see the table."""
    invoice: Invoice | None = None
    """At most `LINES_IN_A_MAIL` of its lines."""
    subscription: Subscription | None = None
    before: Subscription | None = None
    """As it was before the change."""
    upcoming: Upcoming | None = None
    """What is charged next, and when."""
    method: PaymentMethod | None = None
    """What that is taken from, or what the mail is about."""
    credit: Money | None = None
    """What was given back and comes off the next invoice."""
    debt: Money | None = None
    """What is still to be paid of a subscription that ends, or has ended."""
    names: tuple[str, ...] = ()
    """What the subscriptions that it concerns are for."""
    after_last: str = ""
    """What the last failed try does to the subscription: `cancel`, `unpaid` or `past_due`; empty: nobody says."""
    last_try_at: datetime | None = None
    """When the last try will be; None: it is over, or nobody says."""


class Notice(msgspec.Struct, frozen=True):
    """One mail that is due."""

    kind: str
    name: str
    """The same for the same event, and no other's among the customer's."""
    until: datetime
    """From then on it is not sent any more."""
    event: Event
    days: int = 0
    """A reminder of one of several choices: how many days ahead. The brand wants one of them."""


def encode(event: Event) -> bytes:
    return msgspec.msgpack.encode(event)


def decode(data: bytes) -> Event:
    return msgspec.msgpack.decode(data, type=Event)
