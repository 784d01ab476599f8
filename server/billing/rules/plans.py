"""What a subscription may be changed to, when the change takes effect, and why not. Pure.

`may_change` needs no catalog and serves a card; `target` and `timing` are asked again by the change itself. The words
of a `Refusal`:

    disabled_by_configuration, nothing_to_change_to     the brand does not offer it, or nothing for this one
    ended, ending                                       it is over, or its end is decided: take that back first
    payment_due, paused, collection_paused              first its way out (`remedies`)
    several_items, usage_based, sent_invoice, scheduled_by_business, not_recurring, unknown_status    only to be canceled
    no_change, price_not_offered, forbidden_by_rule, cancellation_not_offered
    quantity_not_adjustable, quantity_too_small, quantity_too_large                                   with the limit
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import msgspec

from server.billing.model.account import ENDED, Catalog, Item, Price, Recurring, Subscription
from server.billing.model.amounts import exact_amount, has_amount, is_metered
from server.billing.model.change import Move, Plan
from server.billing.model.errors import Refusal
from server.brands.features import AdjustableQuantity, Features, Product, SubscriptionUpdate

MOST = 10**15
"""Minor units that a period may cost at most: sums of many still fit 64 bits."""
_DAYS = {"day": Fraction(1), "week": Fraction(7), "month": Fraction(1461, 48), "year": Fraction(1461, 4)}
_WAITS = {
    **dict.fromkeys(("past_due", "unpaid", "incomplete"), "payment_due"),
    "paused": "paused",
}


class Option(msgspec.Struct, frozen=True):
    """A price that the subscription may have."""

    price: Price
    current: bool
    quantity: int
    """What a form begins with."""
    adjustable: bool
    minimum: int
    maximum: int
    when: str
    """`now` or `period_end`, for this quantity."""
    cancels: bool
    """It costs nothing, so moving to it counts as a cancellation."""


class Timing(msgspec.Struct, frozen=True):
    deferred_by: str = ""
    """What puts it off until the period ends; empty: it is made at once."""
    cancels: bool = False


def may_change(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why nothing of its plan can be changed; None: something can."""
    rule = features.subscription_update
    come = subscription.cancel_at is not None and subscription.cancel_at <= now
    reason = ""
    if subscription.status in ENDED or come:
        reason = "ended"
    elif not rule.enabled or not rule.default_allowed_updates:
        reason = "disabled_by_configuration"
    elif subscription.status not in {"active", "trialing"}:
        reason = _WAITS.get(subscription.status, "unknown_status")
    elif subscription.cancel_at:
        reason = "ending"
    elif subscription.pause_behavior:
        reason = "collection_paused"
    elif subscription.awaiting:
        reason = "awaiting_payment"
    else:
        reason = _kind_of(subscription) or _nothing_to(subscription.items[0], rule)
    return Refusal(reason) if reason else None


def _kind_of(subscription: Subscription) -> str:
    """Why subscriptions of its kind can only be canceled."""
    if len(subscription.items) != 1:
        return "several_items"
    if is_metered(subscription.items[0].price):
        return "usage_based"
    if subscription.collection_method == "send_invoice":
        return "sent_invoice"
    if subscription.schedule:
        return "scheduled_by_business"
    recurring = subscription.items[0].price.recurring
    return "" if recurring and recurring.interval in _DAYS else "not_recurring"


def _nothing_to(item: Item, rule: SubscriptionUpdate) -> str:
    updates = rule.default_allowed_updates
    others = {price for each in rule.products for price in each.prices} - {item.price.id}
    sold = _sold(rule, item.price.id)
    adjusts = "quantity" in updates and sold is not None and sold.adjustable_quantity.enabled
    return "" if adjusts or "promotion_code" in updates or ("price" in updates and others) else "nothing_to_change_to"


def may_use_code(features: Features) -> bool:
    return "promotion_code" in features.subscription_update.default_allowed_updates


def options(subscription: Subscription, catalog: Catalog, features: Features, now: datetime) -> tuple[Option, ...]:
    """The prices to choose from: the present one first, then in the order of the configuration."""
    if may_change(subscription, features, now):
        return ()
    prices = [subscription.items[0].price, *_others(subscription, catalog, features)]
    found = (_option(each, subscription, features) for each in prices)
    return tuple(each for each in found if each)


def forbidden(subscription: Subscription, catalog: Catalog, features: Features, now: datetime) -> tuple[Price, ...]:
    """The prices that are sold, but not to a customer with this plan."""
    if may_change(subscription, features, now):
        return ()
    others = _others(subscription, catalog, features)
    return tuple(each for each in others if _option(each, subscription, features) is None)


def _others(subscription: Subscription, catalog: Catalog, features: Features) -> list[Price]:
    """Those that are sold beside the present one, in the order of the configuration."""
    rule, item = features.subscription_update, subscription.items[0]
    if "price" not in rule.default_allowed_updates:
        return []
    listed = (catalog.prices.get(price) for each in rule.products for price in each.prices)
    return [each for each in listed if each and each.id != item.price.id and is_sold(each, subscription.currency)]


def _option(price: Price, subscription: Subscription, features: Features) -> Option | None:
    item, limits = subscription.items[0], _limits(features.subscription_update, price.id)
    current = price.id == item.price.id
    quantity = item.quantity if current else _clamped(item.quantity, limits)
    moment = Timing() if current else timing(subscription, Plan(price, quantity), features)
    if isinstance(moment, Refusal):
        return None
    return Option(
        price=price,
        current=current,
        quantity=quantity,
        adjustable=limits is not None,
        minimum=limits.minimum if limits else quantity,
        maximum=limits.maximum if limits else quantity,
        when="period_end" if moment.deferred_by else "now",
        cancels=moment.cancels,
    )


def target(subscription: Subscription, change: Move, catalog: Catalog, features: Features) -> Plan | Refusal:
    """The plan that is asked for. Ask `may_change` first: this takes it for granted."""
    rule, item = features.subscription_update, subscription.items[0]
    price = _price(item, change, catalog, rule)
    if price is None or not (price.id == item.price.id or is_sold(price, subscription.currency)):
        return Refusal("price_not_offered")
    limits = _limits(rule, price.id)
    moves = price.id != item.price.id
    quantity = change.quantity
    if quantity is None:
        quantity = _clamped(item.quantity, limits) if moves else item.quantity
    if quantity != item.quantity or moves:
        refused = _outside(quantity, item, limits)
        if refused:
            return refused
    if abs(exact_amount(price, quantity)) > MOST:
        return Refusal("quantity_too_large")
    return Plan(price, quantity)


def _price(item: Item, change: Move, catalog: Catalog, rule: SubscriptionUpdate) -> Price | None:
    if change.price in ("", item.price.id):
        return item.price
    offered = "price" in rule.default_allowed_updates and _sold(rule, change.price)
    return catalog.prices.get(change.price) if offered else None


def _outside(quantity: int, item: Item, limits: AdjustableQuantity | None) -> Refusal | None:
    if limits is None:
        return Refusal("quantity_not_adjustable") if quantity != item.quantity else None
    if quantity < limits.minimum:
        return Refusal("quantity_too_small", str(limits.minimum))
    return Refusal("quantity_too_large", str(limits.maximum)) if quantity > limits.maximum else None


def is_sold(price: Price, currency: str) -> bool:
    """A price that a subscription of this currency can have now. One that does not say what it costs would be free."""
    known = price.recurring is not None and price.recurring.interval in _DAYS
    return price.active and known and has_amount(price) and not is_metered(price) and price.currency == currency


def _sold(rule: SubscriptionUpdate, price: str) -> Product | None:
    return next((each for each in rule.products if price in each.prices), None)


def _limits(rule: SubscriptionUpdate, price: str) -> AdjustableQuantity | None:
    """Between what the quantity may be chosen; None: it may not."""
    sold = _sold(rule, price)
    chosen = "quantity" in rule.default_allowed_updates and sold is not None and sold.adjustable_quantity.enabled
    return sold.adjustable_quantity if chosen and sold else None


def _clamped(quantity: int, limits: AdjustableQuantity | None) -> int:
    return max(limits.minimum, min(quantity, limits.maximum)) if limits else quantity


def timing(subscription: Subscription, plan: Plan, features: Features) -> Timing | Refusal:
    """When a change to this plan takes effect. A price of zero counts as a cancellation; then a rule decides, then the
    conditions. In a trial nothing was paid that could be used up, so the conditions are not asked."""
    item, rule = subscription.items[0], features.subscription_update
    when = _ruled(item.price, plan.price, rule)
    if when == "never":
        return Refusal("forbidden_by_rule")
    cancels = exact_amount(item.price, item.quantity) > 0 and exact_amount(plan.price, plan.quantity) == 0
    if cancels and not features.subscription_cancel.enabled:
        return Refusal("cancellation_not_offered")
    deferred = ""
    if when:
        deferred = "rule" if when == "period_end" else ""
    elif cancels:
        deferred = "cancellation" if features.subscription_cancel.mode == "at_period_end" else ""
    elif subscription.status != "trialing":
        deferred = _condition(item, plan, rule.schedule_at_period_end.conditions)
    return Timing(deferred, cancels)


def _ruled(old: Price, new: Price, rule: SubscriptionUpdate) -> str:
    """What the first rule that fits says about this move; empty: none does."""
    if old.id == new.id:
        return ""
    fits = (
        each.when
        for each in rule.rules
        if {old.id, old.product} & set(each.from_) and {new.id, new.product} & set(each.to)
    )
    return next(fits, "")


def _condition(item: Item, plan: Plan, conditions: tuple[str, ...]) -> str:
    """The first condition that holds.

    `decreasing_item_amount`: a period costs less. Where the interval becomes shorter, less for the same time: a month
    costs less than a year in any case.
    """
    before, after = length_of(item.price.recurring), length_of(plan.price.recurring)
    old, new = exact_amount(item.price, item.quantity), exact_amount(plan.price, plan.quantity)
    shorter = after < before
    decreases = new * before < old * after if shorter else new < old
    holds = {"decreasing_item_amount": decreases, "shortening_interval": shorter}
    return next((each for each in holds if holds[each] and each in conditions), "")


def length_of(recurring: Recurring | None) -> Fraction:
    """Days of an interval; a year has 365.25."""
    return _DAYS[recurring.interval] * recurring.count if recurring else Fraction(0)


def may_undo(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why there is nothing that could be taken back; None: there is."""
    scheduled = subscription.scheduled
    if subscription.status in ENDED:
        return Refusal("ended")
    if subscription.awaiting is None and (scheduled is None or scheduled.at <= now):
        return Refusal("nothing_scheduled")
    return None if features.subscription_update.enabled else Refusal("disabled_by_configuration")
