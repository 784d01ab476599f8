"""Previews: what is asked is done in a rehearsal, and the invoice that it makes is the answer.

What is due at once is that invoice. Where nothing is, it is the next renewal's, at the end of the period.
"""

from __future__ import annotations

from copy import deepcopy

from tests.stripe.billing import changing, pausing, phases, timeline
from tests.stripe.billing.ending import end
from tests.stripe.billing.invoicing import draft, pending
from tests.stripe.errors import Refusal, invalid
from tests.stripe.rendering import Shown, shown
from tests.stripe.resources.subscriptions import first_invoice, new, set_end
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json, World

_NOW_ANSWERED = frozenset({"expand", "subscription", "customer", "customer_account", "subscription_details", "discounts",
                           "schedule", "schedule_details", "preview_mode", "currency"})  # fmt: skip


@serves("post", "/v1/invoices/create_preview")
def create_preview(call: Call) -> Json:
    world, params = call.world, call.params
    if other := params.keys() - _NOW_ANSWERED:
        raise invalid(f"The stand-in previews nothing with {min(other)}.", param=min(other), status=501)
    schedule = (
        world.get("subscription_schedule", params["schedule"], param="schedule") if "schedule" in params else None
    )
    identity = params.get("subscription") or (schedule["subscription"] if schedule else None)
    subscription = world.get("subscription", identity, param="subscription") if identity else None
    owner = params.get("customer") or params.get("customer_account")
    if subscription is not None:
        owner = subscription["customer"]
    if owner is None:
        raise invalid(
            "You must provide a customer, a subscription or a schedule.", param="customer", code="parameter_missing"
        )
    owner = world.customer(owner)["id"]
    with world.rehearsal(owner):
        row = world.get("subscription", identity) if identity else _planned(world, owner, params)
        invoice = (
            _rehearsed(world, row, params) if identity else first_invoice(world, row, params["subscription_details"])
        )
        return Shown(shown(world, _as_preview(invoice), call.tree))


def _planned(world: World, owner: str, params: Json) -> Json:
    if not (params.get("subscription_details") or {}).get("items"):
        raise invalid("No upcoming invoices for customer: " + owner, code="invoice_upcoming_none", status=404)
    return new(world, world.customer(owner), {**params["subscription_details"], "discounts": params.get("discounts")})


def _rehearsed(world: World, row: Json, params: Json) -> Json:
    details = dict(params.get("subscription_details") or {})
    if row["status"] in ("canceled", "incomplete_expired"):
        raise invalid("You cannot preview the upcoming invoice for a canceled subscription.", code="invoice_upcoming_none",
                      status=404)  # fmt: skip
    at_once = _at_once(world, row, details, params)
    if at_once is not None:
        return at_once
    if "schedule_details" in params:
        schedule = world.get("subscription_schedule", row.get("schedule") or "", param="schedule")
        schedule["phases"] = phases.read(world, row, params["schedule_details"]["phases"])
    set_end(world, row, details)
    if params.get("preview_mode") == "recurring":
        for item in pending(world, row):
            world.drop(item)
    return _next(world, row)


def _at_once(world: World, row: Json, details: Json, params: Json) -> Json | None:
    """The invoice that is due now, if what is asked makes one."""
    if details.get("cancel_now"):
        made = end(world, row, reason="cancellation_requested", invoice_now=True, at=details.get("proration_date"),
                   prorate=details.get("proration_behavior", "create_prorations") != "none")  # fmt: skip
        return made or _empty(world, row)
    if "pause" in details:
        return pausing.pause(world, row, details["pause"]) or _empty(world, row)
    if "resume_at" in details:
        return pausing.resume(world, row, {**details, **_behavior(details)}) or _empty(world, row)
    asked = {name: details[name] for name in (
        "items", "proration_behavior", "proration_date", "billing_cycle_anchor", "trial_end", "default_tax_rates"
    ) if name in details}  # fmt: skip
    if "discounts" in params:
        asked["discounts"] = params["discounts"]
    return changing.change(world, row, asked)


def _behavior(details: Json) -> Json:
    return {name: details[name] for name in ("proration_behavior", "proration_date") if name in details}


def _empty(world: World, row: Json) -> Json:
    return draft(world, row, [], [], reason="upcoming")


def _next(world: World, row: Json) -> Json:
    """The next invoice that time brings: the schedule's next phase comes first where it begins at the same moment."""
    ends = min(item["current_period_end"] for item in row["items"]["data"])
    if row["status"] == "paused" or row.get("cancel_at_period_end") or (row.get("cancel_at") or ends + 1) <= ends:
        if waiting := pending(world, row):
            return draft(world, row, waiting, [], reason="upcoming", at=ends)
        raise _nothing_to_come(row)
    world.clock.ahead += max(ends - world.now, 0)
    schedule = world.find(row.get("schedule") or "", "subscription_schedule")
    if schedule is not None and phases.next_at(schedule) == ends:
        phases.go_on(world, schedule)
    if row["status"] == "canceled":
        raise _nothing_to_come(row)
    row["pause_collection"] = None
    return timeline.renew(world, row)


def _nothing_to_come(row: Json) -> Refusal:
    return invalid(f"No upcoming invoices for subscription: {row['id']}", code="invoice_upcoming_none", status=404)


def _as_preview(invoice: Json) -> Json:
    """A preview is no invoice of the account: it has no number and no pages."""
    kept = deepcopy(invoice)
    kept.update(id=f"upcoming_in_{kept['id'].removeprefix('in_')}", status="draft", number=None,
                automatically_finalizes_at=None, next_payment_attempt=None,
                ending_balance=kept["_ending_balance"])  # fmt: skip
    return kept
