"""A change of plan: what is asked for, and what it would mean."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing.model.account import Account, Discount, PaymentMethod, Price, Scheduled, Upcoming
from server.billing.model.invoice import InvoiceDiscount, InvoiceLine, InvoiceTax
from server.formats.money import Money


class Change(msgspec.Struct, frozen=True):
    """What a customer asks for; whatever is left out stays as it is."""

    price: str = ""
    """The id of a price."""
    quantity: int | None = None
    code: str = ""
    """A promotion code, as typed."""


class Plan(msgspec.Struct, frozen=True):
    price: Price
    quantity: int


class Charge(msgspec.Struct, frozen=True):
    """An invoice as it will be."""

    lines: tuple[InvoiceLine, ...]
    discounts: tuple[InvoiceDiscount, ...]
    taxes: tuple[InvoiceTax, ...]
    subtotal: Money
    total: Money
    """Negative: it becomes credit in the balance."""
    due: Money
    """What is collected."""
    balance_applied: Money | None = None
    """Credit (negative) or debt (positive) of the balance that went into it."""


class Preview(msgspec.Struct, frozen=True):
    """What a change means, worked out by the code that then bills it."""

    subscription: str
    before: Plan
    after: Plan
    at_once: bool
    applies_at: datetime
    """With `at_once`, now."""
    due_now: Money
    credited: Money
    """What goes to the balance now."""
    period_ends_at: datetime
    """When the running period ends after the change."""
    token: str
    """Goes back with the form: with other numbers than these the change is not made."""
    deferred_by: str = ""
    """`rule`, `decreasing_item_amount`, `shortening_interval`, `cancellation` or empty."""
    charge: Charge | None = None
    """What is invoiced now."""
    pending: tuple[InvoiceLine, ...] = ()
    """Lines that wait for the next invoice."""
    next_charge: Upcoming | None = None
    next_lines: tuple[InvoiceLine, ...] = ()
    """The lines of the next charge."""
    ends_trial: bool = False
    trial_ends_at: datetime | None = None
    """When the trial ends that goes on."""
    discount: Discount | None = None
    """What the promotion code gives."""
    cancels: bool = False
    """It costs nothing from then on, and so it counts as a cancellation."""
    replaces: Scheduled | None = None
    """An earlier change that was to come and that this one takes the place of."""
    method: PaymentMethod | None = None
    """What pays for it."""


class Changed(msgspec.Struct, frozen=True):
    """The answer to a change."""

    account: Account
    preview: Preview | None = None
    """Something else happened since the page was shown: nothing was changed, and this is what it would mean now."""


class Cancellation(msgspec.Struct, frozen=True):
    """What a cancellation at this moment means."""

    at_once: bool
    ends_at: datetime
    """When everything of it stops; with `at_once`, now."""
    credit: Money | None = None
    """What goes to the customer's balance, taxes included: with `at_once` for the unused time. None: nothing."""
    lines: tuple[InvoiceLine, ...] = ()
    """The lines of the last invoice: that credit, and what waited for the next one."""
    taxes: tuple[InvoiceTax, ...] = ()
    due: Money | None = None
    """What is still to be paid with it, where what waited is more than the credit."""
    token: str = ""
    """Goes back with the form: what would be another cancellation than this is not made."""


class Canceled(msgspec.Struct, frozen=True):
    """The answer to a cancellation."""

    account: Account
    cancellation: Cancellation | None = None
    """Something else happened since the page was shown: nothing was changed, and this is what it would mean now."""
