"""What a subscription charges next, and when: looking ahead, without doing anything. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill, bill, joined
from server.billing.ledger.sums.invoicing import arranged
from server.billing.model.account import Account, Basis, Discount, Item, Price, Subscription, Upcoming
from server.billing.model.amounts import is_metered
from server.billing.model.periods import begun, end_after, renews_at


def settled(account: Account) -> Account:
    """The account after a change: its subscriptions in order, and what each one charges next."""
    subscriptions = arranged(account.subscriptions)
    going_on = (each for each in subscriptions if not ends_with_trial(account, each))
    upcoming = tuple(each for each in map(upcoming_of, going_on) if each)
    return replace(account, subscriptions=subscriptions, upcoming=upcoming)


def with_subscription(account: Account, changed: Subscription) -> Account:
    found = tuple(changed if each.id == changed.id else each for each in account.subscriptions)
    return replace(account, subscriptions=found)


def upcoming_of(subscription: Subscription) -> Upcoming | None:
    """The next charge; None where the subscription ends before it, or nothing is collected then."""
    found = next_bill(subscription)
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


def next_bill(subscription: Subscription) -> tuple[datetime, Bill] | None:
    """When it is charged next, and what; a change that comes with it is counted in."""
    at = renews_at(subscription)
    if at is None or subscription.status == "unpaid" or (subscription.cancel_at and subscription.cancel_at <= at):
        return None
    resumes = subscription.pause_resumes_at
    if subscription.pause_behavior and (resumes is None or resumes > at):
        return None
    subscription = begun_by(subscription, at)
    renewed, items = next_period(subscription, at)
    return at, joined(bill(renewed, items, at), renewed.pending, renewed.currency)


def next_period(subscription: Subscription, at: datetime) -> tuple[Subscription, list[Item]]:
    """The subscription with the period that begins at `at`, and the items that begin one. A trial's end begins all. No
    period goes beyond the subscription's end."""
    trial_over = subscription.status == "trialing"
    items, renewed = [], []
    for item in subscription.items:
        end = end_after(subscription, item, at) if trial_over or item.current_period_end_at == at else None
        if end is None:
            items.append(item)
        else:
            items.append(begun(subscription, item, at, end))
            renewed.append(items[-1])
    return replace(subscription, items=tuple(items)), renewed


def as_scheduled(subscription: Subscription) -> Subscription:
    """The subscription once its scheduled change has come."""
    scheduled = subscription.scheduled
    if scheduled is None:
        return subscription
    first = replace(subscription.items[0], price=scheduled.price, quantity=scheduled.quantity)
    discounts = with_discount(subscription.discounts, scheduled.discount)
    return replace(
        subscription,
        items=(first, *subscription.items[1:]),
        discounts=discounts,
        scheduled=None,
        billing_cycle_anchor_at=_anchor(subscription, scheduled.price, scheduled.at),
    )


def _anchor(subscription: Subscription, price: Price, at: datetime) -> datetime:
    """What the periods are counted from once its first item has this price: another interval counts from its own first
    period, which begins when the running one is over."""
    item = subscription.items[0]
    old, new = item.price.recurring, price.recurring
    if old and new and (old.interval, old.count) == (new.interval, new.count):
        return subscription.billing_cycle_anchor_at
    return max(at, item.current_period_end_at)


def changes_at(subscription: Subscription) -> datetime | None:
    """When the next change that was put off takes effect, the customer's or one of the schedule."""
    moments = [each.at for each in (subscription.scheduled, *subscription.phases[:1]) if each]
    return min(moments, default=None)


def begun_by(subscription: Subscription, at: datetime) -> Subscription:
    """The subscription with the changes that take effect until then."""
    while (change := changes_at(subscription)) and change <= at:
        is_own = subscription.scheduled is not None and subscription.scheduled.at == change
        subscription = as_scheduled(subscription) if is_own else _in_next_phase(subscription)
    return subscription


def _in_next_phase(subscription: Subscription) -> Subscription:
    """Running periods go on; one that a phase begins within is worth nothing to a later change."""
    phase, old = subscription.phases[0], subscription.items
    items = []
    for index, each in enumerate(phase.items):
        item = old[min(index, len(old) - 1)]
        items.append(
            replace(
                item,
                id=item.id if index < len(old) else f"{item.id}_{index}",
                price=each.price,
                quantity=each.quantity,
                discounts=each.discounts,
                tax_rates=each.tax_rates,
                basis=item.basis if item.current_period_end_at <= phase.at else Basis(net="0"),
            )
        )
    inherited = tuple(each for each in subscription.discounts if each.of_customer)
    return replace(
        subscription,
        items=tuple(items),
        discounts=phase.discounts or inherited,
        default_tax_rates=phase.default_tax_rates,
        collection_method=phase.collection_method or subscription.collection_method,
        phases=subscription.phases[1:],
        billing_cycle_anchor_at=_anchor(subscription, items[0].price, phase.at),
    )


def with_discount(discounts: tuple[Discount, ...], more: Discount | None) -> tuple[Discount, ...]:
    """A promotion code takes the place of an earlier one; what the business gave stays beside it."""
    if more is None:
        return discounts
    return (*(each for each in discounts if not each.promotion_code), more)
