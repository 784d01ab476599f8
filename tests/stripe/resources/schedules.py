"""Schedules of running subscriptions: made from one, given phases, released, canceled."""

from __future__ import annotations

from tests.stripe.billing import phases
from tests.stripe.billing.ending import end, settle
from tests.stripe.errors import invalid
from tests.stripe.listing import paged, rows_of
from tests.stripe.routing import Call, serves
from tests.stripe.updating import merged
from tests.stripe.world import Json, belongs_to, owner_of

_OVER = ("released", "canceled", "completed")


@serves("get", "/v1/subscription_schedules")
def schedules(call: Call) -> Json:
    return paged(call, rows_of(call, "subscription_schedule"), "/v1/subscription_schedules")


@serves("post", "/v1/subscription_schedules")
def create(call: Call) -> Json:
    """With `from_subscription`, nothing else may be set: phases come with an update."""
    world, params = call.world, call.params
    if "from_subscription" not in params:
        raise invalid(
            "The stand-in makes schedules of running subscriptions only.", param="from_subscription", status=501
        )
    if other := params.keys() - {"from_subscription", "expand", "billing_mode", "metadata"}:
        raise invalid(f"You cannot set `{min(other)}` if `from_subscription` is set.", param=min(other))
    subscription = world.get("subscription", params["from_subscription"], param="from_subscription")
    if subscription.get("schedule"):
        raise invalid("You cannot migrate a subscription that is already attached to a schedule: "
                      f"`{subscription['schedule']}`.", param="from_subscription")  # fmt: skip
    if subscription["status"] in ("canceled", "incomplete", "incomplete_expired"):
        raise invalid(f"You cannot create a schedule of a subscription whose status is {subscription['status']}.",
                      param="from_subscription")  # fmt: skip
    begun = phases.from_subscription(subscription)
    row = world.add(
        "subscription_schedule", **belongs_to(owner_of(subscription) or ""), subscription=subscription["id"], phases=begun,
        billing_mode=dict(subscription["billing_mode"]), _subscription=subscription["id"], _phase=0,
        current_phase={name: begun[0][name] for name in ("start_date", "end_date")},
    )  # fmt: skip
    row["metadata"] = dict(params.get("metadata") or {})
    subscription["schedule"] = row["id"]
    world.tell("subscription_schedule.created", row)
    world.tell("customer.subscription.updated", subscription, {"schedule": None})
    return row


@serves("post", "/v1/subscription_schedules/{}")
def change(call: Call) -> Json:
    """The phases are replaced: the one that runs must be among them."""
    world, params = call.world, call.params
    row = _open(call)
    subscription = world.get("subscription", row["_subscription"])
    if "phases" in params:
        found = phases.read(world, subscription, params["phases"])
        running = row["phases"][row["_phase"]]
        if found[0]["start_date"] > world.now:
            raise invalid("The first phase must be the one that is running now.", param="phases[0][start_date]")
        row.update(phases=found, _phase=phases.current({"phases": found}, world.now))
        now = found[row["_phase"]]
        row["current_phase"] = {name: now[name] for name in ("start_date", "end_date")}
        if [_sold(item) for item in now["items"]] != [_sold(item) for item in running["items"]]:
            phases.begin(
                world,
                row,
                subscription,
                now | {"proration_behavior": params.get("proration_behavior", "create_prorations")},
            )
    merged(row, {name: params[name] for name in ("metadata", "end_behavior") if name in params})
    world.tell("subscription_schedule.updated", row)
    return row


def _sold(item: Json) -> tuple[str, int | None]:
    return item["price"], item.get("quantity")


@serves("post", "/v1/subscription_schedules/{}/release")
def release(call: Call) -> Json:
    """The subscription goes on by itself, as it is now."""
    world, row = call.world, _open(call)
    subscription = world.get("subscription", row["_subscription"])
    subscription["schedule"] = None
    row.update(status="released", released_at=world.now, released_subscription=subscription["id"], subscription=None,
               current_phase=None)  # fmt: skip
    world.tell("subscription_schedule.released", row)
    world.tell("customer.subscription.updated", subscription, {"schedule": row["id"]})
    return row


@serves("post", "/v1/subscription_schedules/{}/cancel")
def cancel(call: Call) -> Json:
    """The subscription ends with it."""
    world, row = call.world, _open(call)
    subscription = world.get("subscription", row["_subscription"])
    invoice_now, prorate = call.params.get("invoice_now", True), call.params.get("prorate", True)
    settle(world, end(world, subscription, reason="cancellation_requested", prorate=prorate, invoice_now=invoice_now))
    return row


def _open(call: Call) -> Json:
    row = call.world.get("subscription_schedule", call.ids[0])
    if row["status"] in _OVER:
        raise invalid(f"You cannot update a subscription schedule that is currently in the `{row['status']}` status.")
    return row
