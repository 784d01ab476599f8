"""The page on which a customer pays an invoice: what is due, with what it can be paid, and why the last try failed.

Whether an invoice can be paid is `billing.rules.paying`'s answer, the same that the payment itself will ask for again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing import ACTIVE, Account, Invoice, Money, Payment, PaymentMethod, Subscription
from server.billing.model.names import called, name_of
from server.billing.rules import paying
from server.billing.rules.methods import is_expired, method_of
from server.brands import Features
from server.features.invoices.views import InvoiceRow, row
from server.rendering.views import View


class Way(msgspec.Struct, frozen=True):
    """One of the customer's payment methods."""

    method: PaymentMethod
    is_default: bool = False
    """What it would be charged to by itself: the subscription's own one, or the default."""
    expired: bool = False
    """It cannot be chosen."""


class ConfirmPay(View, frozen=True):
    """One invoice to pay: how much, what for, with what."""

    id: str
    """The invoice's."""
    customer: str
    """Goes along with the form: a page of another account must not pay this one."""
    key: str
    """The idempotency key of the form."""
    row: InvoiceRow
    due: Money
    """What is paid now: all that is due."""
    paid: Money | None = None
    """What was paid of it before."""
    due_at: datetime | None = None
    ways: tuple[Way, ...] = ()
    """The one that it would be charged to by itself first; expired ones last."""
    chosen: str = ""
    """The id of the payment method that is marked; empty: none can be."""
    failure: str = ""
    """Why the last try failed: a decline code."""
    failed_with: str = ""
    """What was tried last, such as `visa 4242`."""
    failed_at: datetime | None = None
    waits_with: str = ""
    """A payment with this waits for the customer's confirmation."""
    just_tried: bool = False
    """It failed now, not some time ago."""
    added: bool = False
    """The marked payment method has just been added."""
    mistake: str = ""
    """What has to be corrected: `method`, `expired`, `again`, or nothing."""
    refusal: str = ""
    """Why it was not even tried: a word of `billing.rules.paying`."""
    may_add: bool = False
    """Another payment method can be added on the way."""
    subscription: str = ""
    """What its subscription is called, where that is behind because of it."""
    is_running: bool = False
    """The subscription can be used though it is behind."""
    change: str = ""
    """The plan that its subscription changes to when it is paid."""
    stays_behind: bool = False
    """A newer invoice of that subscription is owed as well."""


def confirm_pay(
    account: Account,
    invoice: Invoice,
    features: Features,
    now: datetime,
    *,
    key: str,
    chosen: str = "",
    mistake: str = "",
    refusal: str = "",
    just_tried: bool = False,
    added: bool = False,
) -> ConfirmPay:
    subscription = account.subscription(invoice.subscription)
    behind = subscription if subscription and subscription.status in paying.BEHIND else None
    ways = ways_of(account, subscription, now)
    usable = [each.method.id for each in ways if not each.expired]
    last, change = paying.last_try(invoice), subscription.awaiting if subscription else None
    waits = paying.waiting(invoice)
    return ConfirmPay(
        id=invoice.id,
        customer=account.customer.id,
        key=key,
        row=row(invoice, now),
        due=invoice.amount_due,
        paid=invoice.amount_paid or None,
        due_at=invoice.due_at,
        ways=ways,
        chosen=next((each for each in (chosen, _waiting(ways, waits), *usable) if each in usable), ""),
        failure=last.failure if last and not waits else "",
        failed_with=last.method if last and not waits and last.failure else "",
        failed_at=last.at if last and not waits and last.failure else None,
        waits_with=waits.method if waits else "",
        just_tried=just_tried,
        added=added and chosen in usable,
        mistake=mistake,
        refusal=refusal,
        may_add=features.payment_method_update.enabled,
        subscription=name_of(behind) if behind else "",
        is_running=behind is not None and behind.status in ACTIVE,
        change=called(change.price) if change and change.invoice == invoice.id else "",
        stays_behind=behind is not None and paying.stays_behind(account, invoice, behind, now),
    )


def ways_of(account: Account, subscription: Subscription | None, now: datetime) -> tuple[Way, ...]:
    own = method_of(account, subscription) if subscription else None
    default = own.id if own else account.customer.default_payment_method
    found = [Way(each, each.id == default, is_expired(each, now)) for each in account.payment_methods]
    return tuple(sorted(found, key=lambda each: (each.expired, not each.is_default)))


def _waiting(ways: tuple[Way, ...], waits: Payment | None) -> str:
    """The method whose payment is only to be confirmed."""
    return next((each.method.id for each in ways if waits and paying.name_of(each.method) == waits.method), "")


def mistake_in(account: Account, method_id: str, now: datetime) -> str:
    """What is wrong with the choice: a word of `ConfirmPay.mistake`, or nothing."""
    method = account.payment_method(method_id)
    if method is None:
        return "method"
    return "expired" if is_expired(method, now) else ""
