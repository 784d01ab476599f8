"""A change of plan at Stripe: one preview that a page shows, and the requests that make just that.

    deferred    a schedule of ours: the running period, then the new plan; Stripe makes the change
    trial       it goes on with the new plan, or ends: a period of the new plan begins and is paid
    at once     the items are changed, with the moment of the page as `proration_date`

A change at once whose payment fails is refused by Stripe and not made (`error_if_incomplete`). Where the bank wants to ask
the customer, it is asked for again as one that waits for its payment (`pending_if_incomplete`), for 23 hours at most. A
change that was to come is given up for one at once, after that worked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.model.account import Catalog, Discount, Item, Upcoming
from server.billing.model.amounts import exact_amount
from server.billing.model.change import Charge, Plan, PlanChange
from server.billing.model.errors import Refusal
from server.billing.model.periods import next_end, renews_at
from server.billing.rules.discounts import canonical, redeem
from server.billing.rules.methods import method_of
from server.billing.rules.plans import Timing, length_of, may_change, may_undo, may_use_code, target, timing
from server.billing.stripe import mapping_catalog, mapping_previews
from server.billing.stripe.asking import OURS, Asking, Planned
from server.billing.stripe.canceling import given_up, released
from server.billing.stripe.catalog import Copy
from server.billing.stripe.client import Client, Raw
from server.billing.stripe.operations import Step
from server.formats.money import Money

SCHEDULES = "/v1/subscription_schedules"


class Change(msgspec.Struct, frozen=True):
    """A change that may be made."""

    it: Asking
    plan: Plan
    timing: Timing
    discount: Discount | None

    @property
    def item(self) -> Item:
        return self.it.subscription.items[0]

    @property
    def moves(self) -> bool:
        """More than a discount changes."""
        return self.plan != Plan(self.item.price, self.item.quantity)

    @property
    def proration(self) -> str:
        """A move to nothing credits what a cancellation would."""
        features = self.it.features
        rule = features.subscription_cancel if self.timing.cancels else features.subscription_update
        return rule.proration_behavior

    @property
    def in_trial(self) -> bool:
        return self.it.subscription.status == "trialing"

    @property
    def ends_trial(self) -> bool:
        return (
            self.in_trial and self.moves and self.it.features.subscription_update.trial_update_behavior == "end_trial"
        )

    @property
    def begins_anew(self) -> bool:
        """A period of the new plan begins with it, and is invoiced at once."""
        old, new = self.item.price, self.plan.price
        was_free = exact_amount(old, self.item.quantity) == 0 and exact_amount(new, self.plan.quantity) > 0
        other_interval = length_of(old.recurring) != length_of(new.recurring)
        anchored = self.it.features.subscription_update.billing_cycle_anchor == "now"
        return self.ends_trial or (
            self.moves and not self.in_trial and (was_free or other_interval or anchored or self.timing.cancels)
        )

    @property
    def is_anchored(self) -> bool:
        """It has to be said that a new period begins: Stripe begins one by itself for another interval only."""
        anchored = self.it.features.subscription_update.billing_cycle_anchor == "now" or self.timing.cancels
        return anchored and self.begins_anew and not self.ends_trial

    def items(self) -> list[dict[str, Any]]:
        return [{"id": self.item.id, "price": self.plan.price.id, "quantity": self.plan.quantity}]

    def details(self) -> dict[str, Any]:
        """What is said of it to the preview and to the request alike."""
        if not self.moves:
            return {}
        details: dict[str, Any] = {"items": self.items(), "proration_behavior": self.proration}
        if self.proration != "none" and not self.in_trial:
            details["proration_date"] = self.it.seconds
        if self.begins_anew and self.proration == "create_prorations":
            details["proration_behavior"] = "always_invoice"
        if self.is_anchored:
            details["billing_cycle_anchor"] = {"type": "now"}
        if self.ends_trial:
            details["trial_end"] = "now"
        return details

    def discounts(self) -> dict[str, Any]:
        if self.discount is None:
            return {}
        return {"discounts": [*self.it.kept_discounts(), {"promotion_code": self.discount.redeemed}]}


async def move(it: Asking) -> Planned | Refusal:
    wanted = may_change(it.subscription, it.features, it.at) or target(
        it.subscription, it.action, it.catalog, it.features
    )
    if isinstance(wanted, Refusal):
        return wanted
    item = it.subscription.items[0]
    moves = wanted != Plan(item.price, item.quantity)
    when = timing(it.subscription, wanted, it.features) if moves else Timing()
    if isinstance(when, Refusal):
        return when
    given = _given(it, wanted, when)
    if isinstance(given, Refusal):
        return given
    if not moves and given is None:
        return Refusal("no_change")
    change = Change(it, wanted, when, given)
    return await (_later(change) if when.deferred_by else _at_once(change))


def _given(it: Asking, plan: Plan, when: Timing) -> Discount | Refusal | None:
    """What the promotion code gives; it begins with the change."""
    if not it.action.code.strip():
        return None
    if not may_use_code(it.features):
        return Refusal("code_not_allowed")
    begins = (renews_at(it.subscription) if when.deferred_by else None) or it.at
    return redeem(it.account, it.subscription, plan, it.action.code, it.catalog, at=it.at, begins=begins)


async def _at_once(change: Change) -> Planned:
    it, details = change.it, change.details()
    params = {**({"subscription_details": details} if details else {}), **change.discounts()}
    raw = await it.previewed(**params)
    renews = raw is None or (not change.begins_anew and mapping_previews.is_renewal(raw))
    found = mapping_previews.charge(raw, it.known) if raw else None
    coming = await _coming(change, raw if renews else None)
    meant = _meant(change, None if renews else found, coming)
    if renews and found and change.moves:
        meant = replace(meant, pending=tuple(each for each in found.lines if each.proration))
    asked, gives_up = {**details, **change.discounts()}, released(it.subscription) if change.moves else ()
    steps = (Step(it.path, {**asked, "payment_behavior": "error_if_incomplete"}), *gives_up)
    waits = () if gives_up else (Step(it.path, {**asked, "payment_behavior": "pending_if_incomplete"}),)
    return Planned(steps, waits if change.moves else (), meant, _seen(change, found, coming))


async def _later(change: Change) -> Planned:
    it, subscription = change.it, change.it.subscription
    coming = await _coming(change, None)
    at = change.item.current_period_end_at
    meant = replace(_meant(change, None, coming), at_once=False, applies_at=at, period_ends_at=at)
    made = f"{SCHEDULES}/{{{len(released(subscription))}.id}}"
    now = {
        "items": [{"price": change.item.price.id, "quantity": change.item.quantity}],
        "start_date": int(change.item.current_period_start_at.timestamp()),
        "end_date": int(at.timestamp()),
        "discounts": it.kept_discounts(),
        "proration_behavior": "none",
    }
    recurring = change.plan.price.recurring
    then = {
        "items": [{"price": change.plan.price.id, "quantity": change.plan.quantity}],
        "discounts": change.discounts().get("discounts", it.kept_discounts()),
        "proration_behavior": "none",
        **({"duration": {"interval": recurring.interval, "interval_count": recurring.count}} if recurring else {}),
    }
    if change.in_trial:
        now["trial_end"] = now["end_date"]
    phases = [{name: value for name, value in each.items() if value} for each in (now, then)]
    steps = (
        *released(subscription),
        Step(SCHEDULES, {"from_subscription": subscription.id}),
        # Stripe takes no phases when it makes a schedule of a subscription: they come with the update.
        Step(made, {"phases": phases, "end_behavior": "release", "proration_behavior": "none", "metadata": OURS}),
    )
    return Planned(steps, preview=meant, seen=_seen(change, None, coming))


async def _coming(change: Change, renewal: Raw | None) -> tuple[Upcoming | None, Charge | None]:
    """The next charge, and its lines: of the preview where that is the renewal, else asked for."""
    it = change.it
    raw = renewal
    if raw is None and (exact_amount(change.plan.price, change.plan.quantity) or not change.moves):
        details = {"items": change.items(), "proration_behavior": "none"} if change.moves else {}
        asked: dict[str, Any] = {"subscription_details": details} if details else {}
        raw = await it.previewed(preview_mode="recurring", **asked, **change.discounts())
    if raw is None:
        return None, None
    found = mapping_previews.charge(raw, it.known)
    return Upcoming(it.subscription.id, _next_at(change), found.total), found


def _next_at(change: Change) -> datetime:
    if change.timing.deferred_by or not change.begins_anew:
        return renews_at(change.it.subscription) or change.item.current_period_end_at
    return next_end(change.it.at, change.plan.price.recurring, change.it.at) or change.item.current_period_end_at


def _meant(change: Change, charge: Charge | None, coming: tuple[Upcoming | None, Charge | None]) -> PlanChange:
    it, subscription = change.it, change.it.subscription
    nothing = Money(0, subscription.currency)
    upcoming, lines = coming
    goes_on = change.in_trial and not change.ends_trial
    return PlanChange(
        subscription=subscription.id,
        before=Plan(change.item.price, change.item.quantity),
        after=change.plan,
        at_once=True,
        applies_at=it.at,
        deferred_by=change.timing.deferred_by,
        charge=charge,
        due_now=charge.due if charge else nothing,
        credited=max(nothing, -charge.total, key=lambda each: each.amount) if charge else nothing,
        next_charge=upcoming,
        next_lines=lines.lines if lines else (),
        period_ends_at=_next_at(change),
        ends_trial=change.ends_trial,
        trial_ends_at=subscription.trial_end_at if goes_on else None,
        discount=change.discount,
        cancels=change.timing.cancels,
        replaces=subscription.scheduled if change.moves else None,
        method=method_of(it.account, subscription),
    )


def _seen(change: Change, found: Charge | None, coming: tuple[Upcoming | None, Charge | None]) -> tuple[object, ...]:
    """What the numbers came from, and the numbers."""
    it, method = change.it, method_of(change.it.account, change.it.subscription)
    given = change.discount.redeemed if change.discount else ""
    before = change.item.price, change.item.quantity, it.subscription.scheduled, it.subscription.status
    sums = mapping_previews.seen_of(found, method), mapping_previews.seen_of(coming[1], method)
    return before, change.plan, change.timing, given, sums


async def undo(it: Asking) -> Planned | Refusal:
    refused = may_undo(it.subscription, it.features, it.by.now)
    if refused:
        return Planned() if refused.reason == "nothing_scheduled" else refused
    return Planned(given_up(it.subscription) or released(it.subscription))


async def with_code(client: Client, catalog: Catalog, known: Copy, code: str) -> tuple[Catalog, Copy]:
    """The catalog with the promotion codes that are written like this, and their coupons: Stripe counts them, so they are
    asked for now."""
    if not canonical(code):
        return catalog, known
    found = await client.list("/v1/promotion_codes", code=code.strip()[:200], limit=20)
    codes = tuple(mapping_catalog.promotion_code(each) for each in found["data"])
    coupons = dict(catalog.coupons)
    for each in {each.coupon for each in codes}:
        raw = await client.get(f"/v1/coupons/{each}", expand=["applies_to"])
        coupons[each] = mapping_catalog.coupon(raw)
    entries = {**known.entries, **{("coupon", id_): coupon for id_, coupon in coupons.items()}}
    return replace(catalog, codes=codes, coupons=coupons), Copy(entries)
