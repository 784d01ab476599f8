"""Schedules: their phases, and what each of them makes of the subscription when it begins."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.stripe.billing import changing
from tests.stripe.billing.ending import end, settle
from tests.stripe.errors import invalid
from tests.stripe.money.periods import next_end
from tests.stripe.world import Json, World


def from_subscription(subscription: Json) -> list[Json]:
    """The one phase that a schedule of a running subscription begins with: its present period."""
    items = subscription["items"]["data"]
    return [
        phase(
            subscription, [{name: item[name] for name in ("price", "quantity") if name in item} for item in items],
            items[0]["current_period_start"], items[0]["current_period_end"],
            [{"discount": identity} for identity in subscription["discounts"]],
        )
    ]  # fmt: skip


def phase(subscription: Json, items: list[Json], start: int, end_: int, discounts: list[Json], **more: Any) -> Json:
    kept = [
        {"discounts": [], "metadata": {}, "tax_rates": [], **item, "plan": item["price"]} for item in deepcopy(items)
    ]  # fmt: skip
    return {
        "add_invoice_items": [], "currency": subscription["currency"], "discounts": discounts, "items": kept,
        "start_date": start, "end_date": end_, "proration_behavior": "create_prorations", "metadata": {}, **more,
    }  # fmt: skip


def read(world: World, subscription: Json, asked: list[Json]) -> list[Json]:
    """The phases that a request describes: each begins where the one before ended."""
    found: list[Json] = []
    start = None
    for each in asked:
        begins = each.get("start_date", start)
        begins = world.now if begins in ("now", None) else begins
        ends = _end_of(world, subscription, each, begins)
        if found and begins != found[-1]["end_date"]:
            raise invalid("The phases of a schedule must follow each other without a gap.", param="phases")
        if ends <= begins:
            raise invalid("The `end_date` of a phase must be after its `start_date`.", param="phases[0][end_date]")
        items = [{"quantity": 1, **{k: v for k, v in item.items() if v != ""}} for item in each["items"]]
        for item in items:
            world.get("price", item.get("price", ""), param="phases[items][price]")
        kept = {name: each[name] for name in ("proration_behavior", "trial_end", "billing_cycle_anchor", "description",
                                              "default_payment_method", "metadata", "collection_method") if name in each}  # fmt: skip
        found.append(phase(subscription, items, begins, ends, each.get("discounts") or [], **kept))
        start = ends
    return found


def _end_of(world: World, subscription: Json, asked: Json, start: int) -> int:
    if "end_date" in asked:
        return int(world.now if asked["end_date"] == "now" else asked["end_date"])
    if "duration" in asked:
        return next_end(start, asked["duration"], start)
    return next_end(
        subscription["billing_cycle_anchor"], world.get("price", asked["items"][0]["price"])["recurring"], start
    )


def current(schedule: Json, now: int) -> int:
    """The index of the phase that runs."""
    return max((index for index, each in enumerate(schedule["phases"]) if each["start_date"] <= now), default=0)


def next_at(schedule: Json) -> int | None:
    """The end of the running phase."""
    running = schedule.get("_phase", 0)
    return int(schedule["phases"][running]["end_date"]) if running < len(schedule["phases"]) else None


def go_on(world: World, schedule: Json) -> None:
    """The next phase begins, or the schedule is over."""
    subscription = world.get("subscription", schedule["_subscription"])
    running = schedule.get("_phase", 0) + 1
    schedule["_phase"] = running
    if running < len(schedule["phases"]):
        begin(world, schedule, subscription, schedule["phases"][running])
        return
    if schedule["end_behavior"] == "cancel":
        settle(world, end(world, subscription, reason="cancellation_requested", invoice_now=True))
        schedule.update(status="completed", completed_at=world.now, current_phase=None)
        return
    subscription["schedule"] = None
    schedule.update(status="completed" if schedule["end_behavior"] == "none" else "released", current_phase=None,
                    released_at=world.now, released_subscription=subscription["id"], subscription=None)  # fmt: skip
    world.tell("subscription_schedule.released", schedule)


def begin(world: World, schedule: Json, subscription: Json, phase_: Json) -> None:
    """At a period's end the new items are simply what is billed next; within one, the change is prorated."""
    schedule["current_phase"] = {"start_date": phase_["start_date"], "end_date": phase_["end_date"]}
    within = all(item["current_period_end"] > world.now for item in subscription["items"]["data"])
    asked = wanted_items(subscription, phase_)
    if within:
        changing.update(world, subscription, {"items": asked, "discounts": phase_["discounts"] or "",
                                              "proration_behavior": phase_["proration_behavior"]})  # fmt: skip
    else:
        swap(world, subscription, asked)
    world.tell("customer.subscription.updated", subscription, {"items": None})
    world.tell("subscription_schedule.updated", schedule)


def swap(world: World, subscription: Json, asked: list[Json]) -> None:
    """Other items from the next period on; one of another interval begins the grid again there."""
    intervals = {world.get("price", item["price"])["recurring"]["interval"] for item in subscription["items"]["data"]}
    subscription["items"]["data"] = changing.changed_items(world, subscription, asked)
    after = {world.get("price", item["price"])["recurring"]["interval"] for item in subscription["items"]["data"]}
    if after != intervals:
        subscription["billing_cycle_anchor"] = world.now


def wanted_items(subscription: Json, phase_: Json) -> list[Json]:
    """The change that makes the subscription's items those of the phase: in order, the rest is deleted."""
    rows, wanted = subscription["items"]["data"], phase_["items"]
    asked = []
    for index, item in enumerate(wanted):
        kept = {name: item[name] for name in ("price", "quantity") if name in item}
        asked.append({"id": rows[index]["id"], **kept} if index < len(rows) else kept)
    return asked + [{"id": row["id"], "deleted": True} for row in rows[len(wanted) :]]
