"""What a subscription charges next, and when: looking ahead, without doing anything. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill, bill
from server.billing.ledger.sums.invoicing import arranged
from server.billing.ledger.sums.phases import begun_by, invoices_at
from server.billing.model.account import Account, Item, Subscription, Upcoming
from server.billing.model.amounts import is_metered
from server.billing.model.periods import begun, end_after, months_between, renews_at


def settled(account: Account) -> Account:
    """The account after a change: its subscriptions in order, and what each one charges next."""
    subscriptions = arranged(account.subscriptions)
    going_on = (each for each in subscriptions if not ends_with_trial(account, each))
    upcoming = tuple(found for each in going_on if (found := upcoming_of(account, each)))
    return replace(account, subscriptions=subscriptions, upcoming=upcoming)


def with_subscription(account: Account, changed: Subscription) -> Account:
    found = tuple(changed if each.id == changed.id else each for each in account.subscriptions)
    return replace(account, subscriptions=found)


def upcoming_of(account: Account, subscription: Subscription) -> Upcoming | None:
    """The next charge; None where the subscription ends before it, or nothing is collected then."""
    found = next_bill(account, subscription)
    if found is None:
        return None
    items = begun_by(subscription, found[0]).items
    return Upcoming(
        subscription=subscription.id,
        at=found[0],
        total=found[1].total,
        plus_usage=any(is_metered(each.price) for each in items),
        plus_tax=subscription.automatic_tax,
    )


def ends_with_trial(account: Account, subscription: Subscription) -> bool:
    """Whether the end of its trial cancels or pauses it, since there is nothing to charge."""
    if subscription.status != "trialing" or subscription.trial_without_method not in ("cancel", "pause"):
        return False
    method = subscription.default_payment_method or account.customer.default_payment_method
    return subscription.collection_method != "send_invoice" and account.payment_method(method) is None


def next_bill(account: Account, subscription: Subscription) -> tuple[datetime, Bill] | None:
    """When it is charged next, and what; a change that comes until then is counted in."""
    at = renews_at(subscription)
    if at is None or subscription.status == "unpaid":
        return None
    end, resumes = subscription.cancel_at, subscription.pause_resumes_at
    sooner = invoices_at(account, subscription, min(at, end or at))
    if sooner:
        return sooner
    if (end and end <= at) or (subscription.pause_behavior and (resumes is None or resumes > at)):
        return None
    subscription = begun_by(subscription, at, account)
    renewed, items = next_period(subscription, at)
    return at, bill(renewed, items, at, renewed.pending)


def next_period(subscription: Subscription, at: datetime) -> tuple[Subscription, list[Item]]:
    """The subscription with the period that begins at `at`, and the items that begin one. A trial's end begins all. No
    period goes beyond the subscription's end. Where all begin on a day of their own, the periods after it are counted from
    that day: a trial's end, or the end that was taken back."""
    trial_over = subscription.status == "trialing"
    items, renewed = [], []
    for item in subscription.items:
        end = end_after(subscription, item, at) if trial_over or item.current_period_end_at == at else None
        if end is None:
            items.append(item)
        else:
            items.append(begun(subscription, item, at, end))
            renewed.append(items[-1])
    anchor = subscription.billing_cycle_anchor_at
    if len(renewed) == len(items) and months_between(anchor, at) is None:
        anchor = at
    return replace(subscription, items=tuple(items), billing_cycle_anchor_at=anchor), renewed
