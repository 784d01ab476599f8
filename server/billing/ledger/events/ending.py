"""How a subscription ends: what still waited is invoiced, and nothing of it is charged by itself any more. Pure.

One whose first payment is still to come never began, as at Stripe: its first invoice is void, and nothing else is billed.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.awaiting import given_up
from server.billing.ledger.sums.bills import Bill, bill
from server.billing.ledger.sums.invoicing import issue, voided, with_invoices
from server.billing.ledger.sums.upcoming import with_subscription
from server.billing.model.account import Account, Subscription


def ended(account: Account, subscription: Subscription, at: datetime) -> Account:
    """It is over; what still waited for an invoice gets one of its own."""
    if subscription.status == "incomplete":
        return never_begun(account, subscription, at)
    account, subscription = given_up(account, subscription.id), replace(subscription, awaiting=None)
    if subscription.pending:
        last = bill(subscription, (), at, subscription.pending)
        account, subscription = settle_last(account, subscription, last, at)
    asked = subscription.canceled_at or at
    changed = replace(subscription, status="canceled", ended_at=at, canceled_at=asked, scheduled=None, phases=())
    return with_subscription(not_tried_again(account, subscription.id), changed)


def never_begun(account: Account, subscription: Subscription, at: datetime) -> Account:
    """It ends before its first payment, so nothing is owed for it."""
    for each in account.invoices:
        if each.subscription == subscription.id and each.status == "open":
            account = voided(account, each)
    changed = replace(subscription, status="incomplete_expired", ended_at=at, scheduled=None, phases=())
    return with_subscription(account, changed)


def settle_last(account: Account, subscription: Subscription, last: Bill, at: datetime) -> tuple[Account, Subscription]:
    """The last invoice of a subscription that ends. It is collected during a pause too: there is no later one."""
    account, invoice = issue(account, replace(subscription, pause_behavior=""), last, at, "subscription_update")
    return account, replace(subscription, pending=(), latest_invoice=invoice.id)


def not_tried_again(account: Account, subscription_id: str) -> Account:
    """The account in which no invoice of this subscription is charged by itself; as at Stripe, where a subscription ends."""
    told = [each for each in account.invoices if each.subscription == subscription_id and each.next_attempt_at]
    return with_invoices(account, [replace(each, next_attempt_at=None) for each in told]) if told else account


def without_method(subscription: Subscription, at: datetime) -> Subscription:
    """A trial is over and there is nothing to charge: what the business chose for that."""
    if subscription.trial_without_method == "pause":
        return replace(subscription, status="paused")
    return replace(subscription, status="canceled", canceled_at=at, ended_at=at, scheduled=None, phases=())
