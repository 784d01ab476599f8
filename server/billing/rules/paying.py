"""Whether an invoice can be paid, what is owed, and why a charge would fail. Pure.

already_paid, void, nothing_due, not_payable    the invoice is not one to pay
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from server.billing.model.account import PAYABLE, Account, Invoice, Payment, PaymentMethod, Subscription
from server.billing.model.errors import Refusal
from server.brands.features import Features
from server.formats.money import Money

BEHIND = frozenset({"past_due", "unpaid", "incomplete"})
"""The statuses that a payment ends."""


MOST_TRIES = 8
"""At most this many may fail within `_WINDOW`; the next one is refused."""


_WINDOW = timedelta(hours=1)


def may_pay(invoice: Invoice) -> Refusal | None:
    """Why there is nothing to pay; None: it can be paid."""
    if invoice.status in ("paid", "void"):
        return Refusal("already_paid" if invoice.status == "paid" else "void")
    if invoice.status not in PAYABLE:
        return Refusal("not_payable")
    return None if invoice.amount_due.amount > 0 else Refusal("nothing_due")


def waits_for_the_bank(why: Refusal | None, features: Features) -> bool:
    """Whether a change whose payment did not work waits for the customer to confirm it: only where there is a page to
    pay an invoice on."""
    return why is not None and why.reason == "payment_needs_confirmation" and features.invoice_history.enabled


def waiting(invoice: Invoice) -> Payment | None:
    """The payment that the customer has still to confirm."""
    if may_pay(invoice):
        return None
    found = (each for each in invoice.payments if each.status == "open" and each.failure == "authentication_required")
    return next(found, None)


def owed(account: Account, subscription: Subscription) -> tuple[Invoice, ...]:
    """The invoices of the subscription that are to be paid, newest first, as far as the account holds them. Written
    off ones come after those that are still asked for."""
    found = [each for each in account.invoices if each.subscription == subscription.id and may_pay(each) is None]
    return tuple(sorted(found, key=lambda each: each.status != "open"))


def asked_for(account: Account, subscription: Subscription) -> tuple[Invoice, ...]:
    """What is owed of it and was not written off."""
    return tuple(each for each in owed(account, subscription) if each.status == "open")


def in_all(invoices: Sequence[Invoice]) -> Money | None:
    """What is due of them together, in the currency of the first; None: there are none."""
    if not invoices:
        return None
    currency = invoices[0].currency
    return Money(sum(each.amount_due.amount for each in invoices if each.currency == currency), currency)


def last_try(invoice: Invoice) -> Payment | None:
    """The last payment that was asked for and not called off."""
    tried = [each for each in invoice.payments if each.status != "canceled"]
    return max(tried, key=lambda each: each.at) if tried else None


def stays_behind(
    account: Account, invoice: Invoice, subscription: Subscription, now: datetime, later: Iterable[Invoice] = ()
) -> bool:
    """Whether the subscription stays behind when this invoice of it is paid: a newer one is owed as well."""
    return any(
        each.subscription == subscription.id
        and (each.created_at, each.id) > (invoice.created_at, invoice.id)
        and _keeps_behind(each, subscription, now)
        for each in (*account.invoices, *later)
    )


def _keeps_behind(invoice: Invoice, subscription: Subscription, now: datetime) -> bool:
    """A sent invoice has time until it is due."""
    if invoice.status != "open" or invoice.amount_due.amount <= 0:
        return False
    return subscription.collection_method != "send_invoice" or (invoice.due_at is not None and invoice.due_at <= now)


def too_often(invoice: Invoice, now: datetime) -> Refusal | None:
    recent = [each for each in invoice.payments if each.status != "paid" and each.at > now - _WINDOW]
    return Refusal("too_many_tries") if len(recent) >= MOST_TRIES else None


def failure_of(method: PaymentMethod, at: datetime) -> str:
    """The decline code of a charge at `at`; empty: it works. A card works until the end of its month."""
    if method.behavior == "requires_action":
        return "authentication_required"
    if method.behavior:
        return method.behavior
    if method.exp_year and (method.exp_year, method.exp_month) < (at.year, at.month):
        return "expired_card"
    return ""


def is_owed(invoice: Invoice) -> bool:
    """Whether there is something to pay, and it can be."""
    return invoice.status in PAYABLE and invoice.amount_due.amount > 0


def name_of(method: PaymentMethod) -> str:
    """As in `Payment.method`."""
    return f"{method.brand or method.kind} {method.last4}".strip()
