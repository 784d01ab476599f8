"""Subscriptions: made, changed, paused, resumed, canceled."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe.billing import changing, pausing
from tests.stripe.billing.ending import end, settle
from tests.stripe.billing.invoicing import draft, pending
from tests.stripe.errors import invalid
from tests.stripe.money import discounts as off
from tests.stripe.rendering import page
from tests.stripe.routing import Call, serves
from tests.stripe.updating import merged
from tests.stripe.world import Json, World, belongs_to, owner_of

_CANCELLATION = ("cancel_at", "cancel_at_period_end")
_PLAIN = (
    "default_payment_method", "metadata", "description", "collection_method", "days_until_due", "payment_settings",
    "trial_settings", "pause_collection",
)  # fmt: skip
_AFTER_THE_END = frozenset({"metadata", "cancellation_details", "expand"})


@serves("post", "/v1/subscriptions/{}")
def change(call: Call) -> Json:
    world, params = call.world, call.params
    row = world.get("subscription", call.ids[0])
    if row["status"] in ("canceled", "incomplete_expired") and (other := params.keys() - _AFTER_THE_END):
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.", param=min(other)
        )
    if row.get("schedule") and any(name in params for name in _CANCELLATION):
        raise invalid(f"The subscription is managed by the subscription schedule `{row['schedule']}`, and updating any "
                      "cancelation behavior directly is not allowed. Please update the schedule instead.")  # fmt: skip
    _check_method(world, row, params)
    before = deepcopy(row)
    changing.update(world, row, params)
    waits = bool(row.get("pending_update"))
    merged(row, {name: params[name] for name in _PLAIN if name in params and not (waits and name == "metadata")})
    if "cancellation_details" in params:
        row["cancellation_details"] = {**row["cancellation_details"], **_texts(params["cancellation_details"])}
    set_end(world, row, params)
    world.tell("customer.subscription.updated", row, changed(before, row))
    return row


def _texts(details: Json) -> Json:
    return {name: value or None for name, value in details.items()}


def changed(before: Json, row: Json) -> Json:
    return {name: value for name, value in before.items() if not name.startswith("_") and row.get(name) != value}


def _check_method(world: World, row: Json, params: Json) -> None:
    if method := params.get("default_payment_method"):
        found = world.get("payment_method", method, param="default_payment_method")
        if found.get("customer") != row["customer"]:
            raise invalid(f"The customer does not have a payment method with the ID {method}.", code="resource_missing",
                          param="default_payment_method")  # fmt: skip


def set_end(world: World, row: Json, params: Json) -> None:
    """When it ends. A flexible subscription keeps only the moment, a classic one also that it is the period's end."""
    asked = [name for name in _CANCELLATION if name in params]
    if len(asked) == len(_CANCELLATION):
        raise invalid(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
        )
    if not asked:
        return
    ends = [item["current_period_end"] for item in row["items"]["data"]]
    moment = {"min_period_end": min(ends), "max_period_end": max(ends)}.get(
        params.get("cancel_at"), params.get("cancel_at")
    )
    if params.get("cancel_at_period_end"):
        moment = max(ends)
    if isinstance(moment, int) and moment <= world.now:
        raise invalid("`cancel_at` must be in the future.", param="cancel_at")
    decided = moment not in (None, "")
    classic = row["billing_mode"]["type"] == "classic"
    row.update(
        cancel_at=moment if decided else None, cancel_at_period_end=bool(params.get("cancel_at_period_end")) and classic,
        canceled_at=world.now if decided else None,
    )  # fmt: skip
    row["cancellation_details"] = {
        **row["cancellation_details"],
        "reason": "cancellation_requested" if decided else None,
    }
    if not decided:
        row["cancellation_details"].update(comment=None, feedback=None)


@serves("delete", "/v1/subscriptions/{}")
def cancel(call: Call) -> Json:
    world, params = call.world, call.params
    row = world.get("subscription", call.ids[0])
    if row["status"] in ("canceled", "incomplete_expired"):
        raise invalid(f"No such subscription: '{row['id']}'", param="id", code="resource_missing", status=404)
    row["cancellation_details"] = {**row["cancellation_details"], **_texts(params.get("cancellation_details", {}))}
    invoice = end(world, row, reason="cancellation_requested", prorate=params.get("prorate", False),
                  invoice_now=params.get("invoice_now", False))  # fmt: skip
    settle(world, invoice)
    return row


@serves("post", "/v1/subscriptions/{}/pause")
def pause(call: Call) -> Json:
    return _stop_or_go(call, "customer.subscription.paused", pausing.pause)


@serves("post", "/v1/subscriptions/{}/resume")
def resume(call: Call) -> Json:
    return _stop_or_go(call, "customer.subscription.resumed", pausing.resume)


def _stop_or_go(call: Call, event: str, action: object) -> Json:
    world = call.world
    row = world.get("subscription", call.ids[0])
    wanted = call.params.get("payment_behavior")
    behavior = "error_if_incomplete" if wanted == "resume_on_payment_success" else "allow_incomplete"
    with world.all_or_nothing(owner_of(row) or ""):
        before = deepcopy(row)
        invoice = action(world, row, call.params)  # type: ignore[operator]
        if invoice is not None:
            changing.collect(world, row, before, invoice, behavior)
    world.tell(event, row)
    world.tell("customer.subscription.updated", row, {"status": before["status"]})
    return row


@serves("post", "/v1/subscriptions")
def create(call: Call) -> Json:
    world, params = call.world, call.params
    owner = world.customer(params.get("customer") or params.get("customer_account") or "")
    with world.all_or_nothing(owner["id"]):
        row = new(world, owner, params)
        invoice = first_invoice(world, row, params)
        behavior = params.get("payment_behavior", "allow_incomplete")
        world.tell("customer.subscription.created", row)
        if row["collection_method"] == "charge_automatically" and row["status"] != "trialing":
            row["status"] = "incomplete"
        changing.collect(world, row, deepcopy(row), invoice, behavior)
        if invoice["status"] == "paid" and row["status"] == "incomplete":
            row["status"] = "active"
    return row


def new(world: World, owner: Json, params: Json) -> Json:
    """A subscription that has no invoice yet."""
    if not params.get("items"):
        raise invalid("Missing required param: items.", param="items", code="parameter_missing")
    currency = (
        params.get("currency")
        or world.get("price", params["items"][0].get("price", ""), param="items[0][price]")["currency"]
    )
    more = {name: params[name] for name in ("description", "days_until_due", "collection_method", "default_payment_method")
            if name in params}  # fmt: skip
    row = world.add("subscription", **belongs_to(owner["id"]), currency=currency, status="active", start_date=world.now,
                    billing_cycle_anchor=world.now, items=page([], "/v1/subscription_items"), latest_invoice=None, **more)  # fmt: skip
    if mode := (params.get("billing_mode") or {}).get("type"):
        row["billing_mode"] = {"type": mode} | (
            {"flexible": {"proration_discounts": "included"}} if mode == "flexible" else {}
        )
    row["metadata"] = dict(params.get("metadata") or {})
    row["default_tax_rates"] = list(params.get("default_tax_rates") or [])
    row["discounts"] = off.made(world, params.get("discounts"), owner, row)
    row["items"]["data"] = changing.changed_items(world, row, params["items"])
    _check_method(world, row, params)
    return row


def first_invoice(world: World, row: Json, params: Json) -> Json:
    trial = params.get("trial_end")
    if "trial_period_days" in params:
        trial = world.now + params["trial_period_days"] * 86_400
    lines = changing.begin_period(world, row, trial)
    return draft(world, row, pending(world, row), lines, reason="subscription_create")
