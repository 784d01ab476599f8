"""The parts that the subscriptions' views are made of: a price with its quantity, a debt, a change that is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from server.billing import Account, Invoice, Money, Price, Subscription, Upcoming
from server.billing.rules import paying


class Line(msgspec.Struct, frozen=True):
    price: Price
    quantity: int = 1
    has_quantity: bool = False
    """The quantity says something: more than one, or units with a name."""


class Debt(msgspec.Struct, frozen=True):
    """The invoice that a subscription is behind with: the newest that is owed, which brings it back."""

    invoice: str
    """Its id."""
    amount: Money
    failure: str = ""
    """Why the last payment failed: a decline code, or empty."""
    next_attempt_at: datetime | None = None
    """When it is charged again by itself."""
    due_at: datetime | None = None
    """Until when a sent invoice was to be paid."""
    others: int = 0
    """How many older invoices of the subscription are owed too."""
    total: Money | None = None
    """What is owed with those; None: there are none."""
    waits: bool = False
    """A payment waits for the customer to confirm it with the bank."""


class Awaiting(msgspec.Struct, frozen=True):
    """A change that waits for its payment."""

    name: str
    """What the plan is called."""
    line: Line
    until: datetime
    """When it is given up by itself."""
    invoice: str
    """The id of what is to be paid for it."""
    amount: Money | None = None
    may_undo: bool = False


def line_of(price: Price, quantity: int) -> Line:
    metered = price.recurring is not None and price.recurring.usage == "metered"
    return Line(price, quantity, has_quantity=not metered and (quantity != 1 or bool(price.unit_label)))


def next_charge_of(subscription: Subscription, account: Account) -> Upcoming | None:
    return next((each for each in account.upcoming if each.subscription == subscription.id), None)


def debt_of(subscription: Subscription, account: Account, now: datetime) -> Debt | None:
    """What is owed of a subscription that is behind with a payment, or was when it ended."""
    if subscription.status in paying.BEHIND:
        return debt_in(paying.owed(account, subscription), now)
    return debt_in(paying.asked_for(account, subscription), now) if subscription.status == "canceled" else None


def debt_in(owed: Sequence[Invoice], now: datetime) -> Debt | None:
    """These invoices, of which the first is asked for."""
    if not owed:
        return None
    invoice, last, again_at = owed[0], paying.last_try(owed[0]), owed[0].next_attempt_at
    return Debt(
        invoice.id,
        invoice.amount_due,
        failure=last.failure if last else "",
        next_attempt_at=again_at if again_at and again_at > now else None,
        due_at=invoice.due_at,
        others=len(owed) - 1,
        waits=paying.waiting(invoice) is not None,
        total=paying.in_all(owed) if len(owed) > 1 else None,
    )
