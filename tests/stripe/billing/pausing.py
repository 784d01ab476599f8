"""Pausing and resuming a flexible subscription: unused time is credited, a new period begins when it goes on."""

from __future__ import annotations

from tests.stripe.billing.changing import begin_period
from tests.stripe.billing.invoicing import draft, pending, proration
from tests.stripe.errors import invalid
from tests.stripe.money.prorations import charge, credit
from tests.stripe.world import Json, World


def pause(world: World, subscription: Json, params: Json) -> Json | None:
    """Returns the invoice that is due at once, as a draft."""
    if subscription["billing_mode"]["type"] != "flexible":
        raise invalid("Pausing a subscription requires `billing_mode[type]=flexible`.")
    if subscription["status"] not in ("active", "trialing"):
        raise invalid(f"You cannot pause a subscription whose status is {subscription['status']}.")
    credited_from = ((params.get("bill_for") or {}).get("unused_time_from") or {}).get("type", "now")
    for item in subscription["items"]["data"]:
        at = item["current_period_start"] if credited_from == "item_current_period_start" else world.now
        if credited_from != "none" and (amount := credit(world, subscription, item, at)):
            proration(world, subscription, item, -amount, at, unused=True)
            item["_debits"] = []
    why = {"type": "subscription", "transitioned_at": world.now, "subscription": {"type": "pause_requested"}}
    subscription.update(status="paused", status_details={"paused": why})
    items = pending(world, subscription) if params.get("invoicing_behavior") == "invoice" else []
    return draft(world, subscription, items, [], reason="subscription_update") if items else None


def resume(world: World, subscription: Json, params: Json) -> Json | None:
    """Returns the invoice that is due at once, as a draft."""
    if subscription["status"] != "paused":
        raise invalid("You cannot resume a subscription that is not paused.")
    subscription.update(status="active", status_details=None)
    if (params.get("billing_cycle_anchor") or {}).get("type", "now") == "now":
        lines = begin_period(world, subscription)
        return draft(world, subscription, pending(world, subscription), lines, reason="subscription_update")
    behavior, at = params.get("proration_behavior", "create_prorations"), params.get("proration_date", world.now)
    for item in subscription["items"]["data"] if behavior != "none" else []:
        if amount := charge(world, item, subscription["discounts"], at):
            proration(world, subscription, item, amount, at, unused=False)
            item["_debits"] = [(amount, at, item["current_period_end"])]
    items = pending(world, subscription) if behavior == "always_invoice" else []
    return draft(world, subscription, items, [], reason="subscription_update") if items else None
