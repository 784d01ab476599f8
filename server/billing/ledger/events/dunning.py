"""What follows a charge that failed without the customer: the tries of the schedule, and what is done after the last. Pure.

    try        the payment method of that day is charged; not one that was refused for good (`rules.dunning`)
    give up    the last try is over: the subscription is canceled, `unpaid`, or stays `past_due`, as the brand says

Giving up touches only a subscription that is `past_due`. As at Stripe, its newest invoice decides that: where a newer one
was paid, the last failure of an older one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.ending import ended
from server.billing.ledger.sums.invoicing import with_invoices
from server.billing.ledger.sums.paying import pay
from server.billing.ledger.sums.upcoming import with_subscription
from server.billing.model.account import Account, Invoice, Subscription
from server.billing.model.change import Paying
from server.billing.rules.dunning import may_try, next_try
from server.billing.rules.methods import method_of
from server.brands.dunning import Dunning


def tries_to_come(subscription: Subscription, account: Account) -> Iterator[tuple[datetime, Invoice]]:
    """A pause asks for nothing new; what was owed before it is tried all the same, as at Stripe."""
    if subscription.collection_method == "send_invoice":
        return
    for each in account.invoices:
        if each.subscription == subscription.id and each.status == "open" and each.next_attempt_at:
            yield each.next_attempt_at, each


def try_again(account: Account, subscription: Subscription, at: datetime, dunning: Dunning) -> Account:
    found = next(each for when, each in tries_to_come(subscription, account) if when == at)
    invoice = replace(found, next_attempt_at=next_try(found, dunning, at, tried=True))
    method, made = method_of(account, subscription), None
    if method and may_try(invoice, method):
        payment_id = f"inpay_{invoice.id.removeprefix('in_')}_{len(invoice.payments)}"
        made = pay(account, invoice, method.id, payment_id=payment_id, now=at, present=False)
    if not isinstance(made, Paying):
        return _given_up(with_invoices(account, (invoice,)), invoice, at, dunning)
    return _given_up(made.account, made.invoice, at, dunning)


def arranged(account: Account, invoice: Invoice, at: datetime, dunning: Dunning) -> Account:
    """The account after the first charge of an invoice failed at `at`: its next try, or what is done where there is none."""
    invoice = replace(invoice, next_attempt_at=next_try(invoice, dunning, at))
    return _given_up(with_invoices(account, (invoice,)), invoice, at, dunning)


def _given_up(account: Account, invoice: Invoice, at: datetime, dunning: Dunning) -> Account:
    subscription = account.subscription(invoice.subscription)
    if invoice.status != "open" or invoice.next_attempt_at or subscription is None or subscription.status != "past_due":
        return account
    if dunning.after_last == "cancel":
        return ended(account, subscription, at)
    status = "unpaid" if dunning.after_last == "unpaid" else "past_due"
    return with_subscription(account, replace(subscription, status=status))
