"""What a subscription charges next, and when: looking ahead, without doing anything. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill, bill, joined
from server.billing.ledger.sums.invoicing import arranged
from server.billing.model.account import Account, Discount, Item, Subscription, Upcoming
from server.billing.model.periods import end_after, renews_at


def settled(account: Account) -> Account:
    """The account after a change: its subscriptions in order, and what each one charges next."""
    subscriptions = arranged(account.subscriptions)
    upcoming = tuple(each for each in map(upcoming_of, subscriptions) if each)
    return replace(account, subscriptions=subscriptions, upcoming=upcoming)


def with_subscription(account: Account, changed: Subscription) -> Account:
    found = tuple(changed if each.id == changed.id else each for each in account.subscriptions)
    return replace(account, subscriptions=found)


def upcoming_of(subscription: Subscription) -> Upcoming | None:
    """The next charge; None where the subscription ends before it, or nothing is collected then."""
    found = next_bill(subscription)
    return Upcoming(subscription=subscription.id, at=found[0], total=found[1].total) if found else None


def next_bill(subscription: Subscription) -> tuple[datetime, Bill] | None:
    """When it is charged next, and what; a change that comes with it is counted in."""
    at = renews_at(subscription)
    if at is None or subscription.status == "unpaid" or (subscription.cancel_at and subscription.cancel_at <= at):
        return None
    resumes = subscription.pause_resumes_at
    if subscription.pause_behavior and (resumes is None or resumes > at):
        return None
    scheduled = subscription.scheduled
    if scheduled and scheduled.at <= at:
        subscription = as_scheduled(subscription)
    renewed, items = next_period(subscription, at)
    return at, joined(bill(renewed, items, at), renewed.pending, renewed.currency)


def next_period(subscription: Subscription, at: datetime) -> tuple[Subscription, list[Item]]:
    """The subscription with the period that begins at `at`, and the items that begin one. A trial's end begins all."""
    trial_over = subscription.status == "trialing"
    items, renewed = [], []
    for item in subscription.items:
        end = end_after(subscription, item, at) if trial_over or item.current_period_end_at == at else None
        if end is None:
            items.append(item)
        else:
            items.append(replace(item, current_period_start_at=at, current_period_end_at=end, basis=None))
            renewed.append(items[-1])
    return replace(subscription, items=tuple(items)), renewed


def as_scheduled(subscription: Subscription) -> Subscription:
    """The subscription once its scheduled change has come."""
    scheduled = subscription.scheduled
    if scheduled is None:
        return subscription
    first = replace(subscription.items[0], price=scheduled.price, quantity=scheduled.quantity)
    discounts = with_discount(subscription.discounts, scheduled.discount)
    return replace(subscription, items=(first, *subscription.items[1:]), discounts=discounts, scheduled=None)


def with_discount(discounts: tuple[Discount, ...], more: Discount | None) -> tuple[Discount, ...]:
    """A promotion code takes the place of an earlier one; what the business gave stays beside it."""
    if more is None:
        return discounts
    return (*(each for each in discounts if not each.promotion_code), more)
