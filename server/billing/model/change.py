"""What a customer may ask for, and what the port answers: actions, their previews, and what came of them.

An action is a value. `Preview` says what one would mean now, in money and dates; its fingerprint goes back with the form,
and `apply` makes exactly what was shown, or answers `Stale` with what it would mean by now.

    action                       preview            what it does
    Cancel                       Cancellation       ends the subscription, as the configuration says
    Resume                       -                  takes back an end that has not come yet
    Move                         PlanChange         another plan, quantity, or a promotion code
    UndoMove                     -                  takes back a move that waits for the period's end, or for its payment
    Pause, Unpause               -, Unpausing       asks for no money for some periods; ends that early
    Restart                      Restarts           begins an ended subscription again, as a new one
    Retain                       RetentionOffer     takes the coupon that is offered before a cancellation
    Tell                         -                  says why it was canceled
    Unpin                        -                  charges the subscription to the default payment method again
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from server.billing.model.account import Account, Coupon, Discount, Payment, PaymentMethod, Price, Scheduled, Upcoming
from server.billing.model.invoice import Address, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax
from server.formats.money import Money


class Cancel(msgspec.Struct, frozen=True):
    """End it, at once or at the period's end: the configuration decides."""


class Resume(msgspec.Struct, frozen=True):
    """Take back an end that has not come yet."""


class Move(msgspec.Struct, frozen=True):
    """Another plan; whatever is left out stays as it is."""

    price: str = ""
    """The id of a price."""
    quantity: int | None = None
    code: str = ""
    """A promotion code, as typed."""


class UndoMove(msgspec.Struct, frozen=True):
    """Take back a move that waits for the period's end, or for its payment."""


class Pause(msgspec.Struct, frozen=True):
    cycles: int
    """How many periods after the running one ask for no money."""


class Unpause(msgspec.Struct, frozen=True):
    """End the customer's own pause now."""


class Restart(msgspec.Struct, frozen=True):
    """Begin an ended subscription again."""

    price: str = ""
    """The id of the price; a preview without one answers every price that may be chosen."""


class Retain(msgspec.Struct, frozen=True):
    """Stay, with the coupon that is offered before a cancellation."""


class Tell(msgspec.Struct, frozen=True):
    """Why it was canceled."""

    reason: str
    """A word of `cancellation_reason.options`."""
    comment: str = ""
    """The customer's own words."""


class Unpin(msgspec.Struct, frozen=True):
    """Charge it to the default payment method again."""


Action: TypeAlias = Cancel | Resume | Move | UndoMove | Pause | Unpause | Restart | Retain | Tell | Unpin


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


class PlanChange(msgspec.Struct, frozen=True):
    """What a `Move` means, worked out by the code that then bills it."""

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
    set_off: Money | None = None
    """The part of the credit that comes off what is still owed of the subscription instead."""
    fingerprint: str = ""
    """Goes back with the form: where other numbers than these hold by then, the change is not made."""


class Cancellation(msgspec.Struct, frozen=True):
    """What `Cancel` means at this moment."""

    at_once: bool
    ends_at: datetime
    """When everything of it stops; with `at_once`, now."""
    credit: Money | None = None
    """What goes to the customer's balance, taxes included: with `at_once` for the unused time. None: nothing."""
    set_off: Money | None = None
    """What comes off invoices of the subscription that are still open. None: nothing."""
    lines: tuple[InvoiceLine, ...] = ()
    """The lines of the last invoice: that credit, and what waited for the next one."""
    taxes: tuple[InvoiceTax, ...] = ()
    due: Money | None = None
    """What is still to be paid with it, where what waited is more than the credit."""
    fingerprint: str = ""
    """Goes back with the form: where it would be another cancellation by then, nothing is canceled."""


class Unpausing(msgspec.Struct, frozen=True):
    """What `Unpause` means at this moment."""

    charge: Charge | None = None
    """What is charged now; None: nothing, since the running period is paid."""
    method: PaymentMethod | None = None
    """What pays for it."""
    fingerprint: str = ""
    """Goes back with the form: where something else would be charged by then, the pause goes on."""


class NewStart(msgspec.Struct, frozen=True):
    """One price at which an ended subscription can begin again."""

    price: Price
    quantity: int
    charge: Charge
    """What is charged now."""
    period_ends_at: datetime
    """When the period that it pays for ends."""
    fingerprint: str = ""
    """Goes back with the form: where something else would be charged by then, nothing begins."""


class Restarts(msgspec.Struct, frozen=True):
    """What `Restart` means at this moment, for each price that may be chosen."""

    options: tuple[NewStart, ...]
    method: PaymentMethod | None = None
    """What pays for it."""


class RetentionOffer(msgspec.Struct, frozen=True):
    """What `Retain` means at this moment: a coupon for customers who stay."""

    coupon: Coupon
    before: Upcoming | None
    """The next charge without it."""
    after: Upcoming | None
    """The next charge with it."""
    fingerprint: str = ""
    """Goes back with the form: where the coupon would be another one by then, none is given."""


Preview: TypeAlias = Cancellation | PlanChange | Unpausing | Restarts | RetentionOffer


class Done(msgspec.Struct, frozen=True):
    """The action was carried out, now or by an earlier request with the same key."""

    account: Account


class Stale(msgspec.Struct, frozen=True):
    """The numbers changed since the page was shown; nothing was done."""

    account: Account
    preview: Preview
    """What the action would mean by now."""


class Paying(msgspec.Struct, frozen=True):
    """What came of asking for the money of an invoice."""

    account: Account
    invoice: Invoice
    payment: Payment
    """`paid`, `failed` with its decline code, or `open`: it waits for the customer's confirmation."""
    confirm_at: str = ""
    """Where the customer confirms it: a page of the provider's, ours where the ledger plays one."""


# Billing details. None of these structs has an e-mail address: it is changed by `change_email` alone, once it was proved.


class Contact(msgspec.Struct, frozen=True):
    """The fields of the contact form, in its order; None: this one is not to be changed.

    Pages, rules, history and backends go through them by name. `Customer`, Stripe's customer and `allowed_updates` use
    the same names."""

    name: str | None = None
    phone: str | None = None


CONTACT = Contact.__struct_fields__


class BillingAddress(msgspec.Struct, frozen=True):
    address: Address


class Shipping(msgspec.Struct, frozen=True):
    """With every field empty: there is no shipping address any more."""

    name: str = ""
    phone: str = ""
    address: Address = Address()


Update: TypeAlias = Contact | BillingAddress | Shipping
