"""The end of a subscription: now, at a period's end, or after the last payment failed."""

from __future__ import annotations

from tests.stripe.billing.invoicing import draft, finalize, pending, proration
from tests.stripe.billing.waiting import void
from tests.stripe.money.prorations import credit
from tests.stripe.world import Json, World, owner_of


def end(
    world: World,
    subscription: Json,
    *,
    reason: str,
    prorate: bool = False,
    invoice_now: bool = False,
    at: int | None = None,
) -> Json | None:
    """Cancel it; returns its last invoice as a draft, if there is to be one: `settle` it."""
    if subscription["status"] == "incomplete":
        subscription["canceled_at"] = world.now
        expire(world, subscription)
        return None
    moment = world.now if at is None else at
    if prorate:
        for item in subscription["items"]["data"]:
            if amount := credit(world, subscription, item, moment):
                proration(world, subscription, item, -amount, moment, unused=True)
    elif not invoice_now:
        for row in pending(world, subscription):
            if row["proration"]:
                world.drop(row)
    items = pending(world, subscription) if invoice_now else []
    invoice = draft(world, subscription, items, [], reason="subscription_update") if items else None
    for row in _others(world, subscription, invoice, "open", "draft"):
        row.update(auto_advance=False, next_payment_attempt=None)
    subscription.update(status="canceled", canceled_at=subscription.get("canceled_at") or world.now, ended_at=world.now,
                        pending_update=None, pause_collection=None)  # fmt: skip
    subscription["cancellation_details"] = {**subscription["cancellation_details"], "reason": reason}
    schedule = world.find(subscription.get("schedule") or "", "subscription_schedule")
    if schedule is not None:
        schedule.update(status="canceled", canceled_at=world.now, current_phase=None)
    world.tell("customer.subscription.deleted", subscription)
    return invoice


def expire(world: World, subscription: Json) -> None:
    """It never began: by itself after 23 hours, or canceled before."""
    from tests.stripe.billing.paying import become

    subscription["ended_at"] = world.now
    become(world, subscription, "incomplete_expired")
    for row in _others(world, subscription, None, "open"):
        void(world, row)


def _others(world: World, subscription: Json, last: Json | None, *statuses: str) -> list[Json]:
    found = world.of(owner_of(subscription) or "", "invoice")
    ours = [row for row in found if row.get("_subscription") == subscription["id"] and row is not last]
    return [row for row in ours if row["status"] in statuses]


def settle(world: World, invoice: Json | None) -> None:
    """The last invoice's credit goes to the balance; what is owed is tried once."""
    from tests.stripe.billing.paying import attempt

    if invoice is None:
        return
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        attempt(world, invoice)
