"""Paying an invoice when its customer asks for it: what is due, what came of it, what becomes of the subscription. Pure.

    worked        the invoice is paid; its subscription is well again, unless a newer invoice of it is owed as well
    failed        the try stands in the invoice's payments with its decline code, and nothing else has changed
    to confirm    the bank asks the customer first: a payment that is `open` waits for `confirm`

What is paid is what is due, never a part of it; the customer's balance has been taken into account when the invoice
was finalized and is not touched again. As in Stripe, it is the newest invoice that decides whether a subscription is
behind: paying an older one leaves `past_due`, `unpaid` and `incomplete` as they are, paying the newest ends them.
Periods that began while it was `unpaid` were never billed and stay so; the next one is.

    already_paid, void, nothing_due, not_payable    the invoice is not one to pay
    payment_method_missing                          the customer has no such payment method
    too_many_tries                                  so many failed within the hour that more would look like a thief's
    not_waiting                                     there is no payment to confirm, or another one took its place
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from server.billing.ledger.sums.invoicing import failure_of, with_invoices
from server.billing.ledger.sums.upcoming import settled, with_subscription
from server.billing.model.account import PAYABLE, Account, Invoice, Payment, PaymentMethod, Subscription
from server.billing.model.errors import Refusal
from server.billing.paying_types import Paying
from server.formats.money import Money

BEHIND = frozenset({"past_due", "unpaid", "incomplete"})
"""The statuses that a payment ends."""
MOST_TRIES = 8
"""So many may fail within `_WINDOW` before the next one is refused."""
NOT_CONFIRMED = "payment_intent_authentication_failure"
"""Stripe's code for a customer who did not confirm."""
_WINDOW = timedelta(hours=1)
_MOST_KEPT = 30
"""Failed tries that an invoice remembers: a document must not grow with them."""


def may_pay(invoice: Invoice) -> Refusal | None:
    """Why there is nothing to pay; None: it can be paid."""
    if invoice.status in ("paid", "void"):
        return Refusal("already_paid" if invoice.status == "paid" else "void")
    if invoice.status not in PAYABLE:
        return Refusal("not_payable")
    return None if invoice.amount_due.amount > 0 else Refusal("nothing_due")


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


def pay(
    account: Account,
    invoice: Invoice,
    method_id: str,
    *,
    payment_id: str,
    later: Iterable[Invoice] = (),
    now: datetime,
    present: bool = True,
) -> Paying | Refusal:
    """Ask that payment method for what is due. `later`: invoices that the account does not hold and that may be newer
    than this one. `present`: the customer is there to confirm it."""
    method = account.payment_method(method_id)
    refusal = may_pay(invoice) or _too_often(invoice, now)
    if refusal or method is None:
        return refusal or Refusal("payment_method_missing")
    failure = failure_of(method, now)
    status = "paid" if not failure else "open" if present and failure == "authentication_required" else "failed"
    payment = Payment(payment_id, status, invoice.amount_due, now, method=name_of(method), failure=failure)
    return _noted(account, invoice, payment, later)


def confirm(
    account: Account,
    invoice: Invoice,
    payment_id: str,
    *,
    failure: str = "",
    later: Iterable[Invoice] = (),
    now: datetime,
) -> Paying | Refusal:
    """The customer has confirmed the payment with the bank, or (`failure`: a decline code) it did not work."""
    payment = waiting(invoice)
    if payment is None or payment.id != payment_id:
        return may_pay(invoice) or Refusal("not_waiting")
    payment = replace(payment, status="failed" if failure else "paid", failure=failure, at=now)
    return _noted(account, invoice, replace(payment, amount=invoice.amount_due), later)


def name_of(method: PaymentMethod) -> str:
    """As in `Payment.method`."""
    return f"{method.brand or method.kind} {method.last4}".strip()


def _noted(account: Account, invoice: Invoice, payment: Payment, later: Iterable[Invoice]) -> Paying:
    """The invoice with this payment as its last one. Another that waited for a confirmation is called off."""
    before = [
        replace(each, status="canceled", failure="") if each.status == "open" else each
        for each in invoice.payments
        if each.id != payment.id
    ]
    failed = [each.id for each in before if each.status != "paid"]
    forgotten = set(failed[: max(len(failed) - _MOST_KEPT, 0)])
    invoice = replace(invoice, payments=(*(each for each in before if each.id not in forgotten), payment))
    if payment.status == "paid":
        paid, nothing = invoice.amount_paid + invoice.amount_due, Money(0, invoice.currency)
        invoice = replace(
            invoice, status="paid", paid_at=payment.at, amount_paid=paid, amount_due=nothing, next_attempt_at=None
        )
        account = _well_again(account, invoice, later, payment.at)
    if any(each.id == invoice.id for each in account.invoices):
        account = with_invoices(account, (invoice,))
    return Paying(account, invoice, payment)


def _well_again(account: Account, invoice: Invoice, later: Iterable[Invoice], now: datetime) -> Account:
    found = account.subscription(invoice.subscription)
    if found is None or found.status not in BEHIND:
        return account
    if stays_behind(account, invoice, found, now, later):
        return account
    return settled(with_subscription(account, replace(found, status="active")))


def _keeps_behind(invoice: Invoice, subscription: Subscription, now: datetime) -> bool:
    """A sent invoice has time until it is due."""
    if invoice.status != "open" or invoice.amount_due.amount <= 0:
        return False
    return subscription.collection_method != "send_invoice" or (invoice.due_at is not None and invoice.due_at <= now)


def _too_often(invoice: Invoice, now: datetime) -> Refusal | None:
    recent = [each for each in invoice.payments if each.status != "paid" and each.at > now - _WINDOW]
    return Refusal("too_many_tries") if len(recent) >= MOST_TRIES else None
