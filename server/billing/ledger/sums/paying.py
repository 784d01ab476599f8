"""Paying an invoice when its customer asks for it: what is due, what came of it, what becomes of the subscription. Pure.

    worked        the invoice is paid; its subscription is well again, unless a newer invoice of it is owed as well
    failed        the try is among the invoice's payments with its decline code, and nothing else has changed
    to confirm    the bank asks the customer first: a payment that is `open` waits for `confirm`

What is paid is what is due, never a part of it; the customer's balance has been taken into account when the invoice
was finalized and is not touched again. As in Stripe, it is the newest invoice that decides whether a subscription is
behind: paying an older one leaves `past_due`, `unpaid` and `incomplete` as they are, paying the newest ends them.
Periods that began while it was `unpaid` were never billed and stay so; the next one is.

    payment_method_missing    the customer has no such payment method
    too_many_tries            more tries failed within the hour than a customer needs: the next would look like a thief's
    not_waiting               there is no payment to confirm, or another one took its place

and the words of `rules.paying`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.awaiting import came_true
from server.billing.ledger.sums.invoicing import with_invoices
from server.billing.ledger.sums.upcoming import settled, with_subscription
from server.billing.model.account import Account, Invoice, Payment
from server.billing.model.change import Paying
from server.billing.model.errors import Refusal
from server.billing.rules.paying import BEHIND, failure_of, may_pay, name_of, stays_behind, too_often, waiting
from server.formats.money import Money

NOT_CONFIRMED = "payment_intent_authentication_failure"
"""Stripe's code for a customer who did not confirm."""


_MOST_KEPT = 30
"""Failed tries that an invoice remembers: a document must not grow with them."""


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
    refusal = may_pay(invoice) or too_often(invoice, now)
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
        account = _well_again(came_true(account, invoice), invoice, later, payment.at)
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
