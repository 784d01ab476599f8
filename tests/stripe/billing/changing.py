"""Changing a subscription: its items, discounts, anchor and trial, with what is billed for it.

`change` does it and returns the invoice that is due at once, as a draft, or None; `update` also collects it, as
`payment_behavior` says. A preview calls `change` in a rehearsal.
"""

from __future__ import annotations

from copy import deepcopy

from tests.stripe.billing.invoicing import draft, finalize, pending, period_line, proration
from tests.stripe.billing.paying import attempt
from tests.stripe.billing.waiting import give_up, wait
from tests.stripe.errors import invalid
from tests.stripe.money import discounts as off
from tests.stripe.money.periods import next_end
from tests.stripe.money.pricing import amount_of
from tests.stripe.money.prorations import charge, credit, full
from tests.stripe.world import Json, World, owner_of

_MAY_WAIT = frozenset({
    "items", "discounts", "metadata", "billing_cycle_anchor", "trial_end", "trial_from_plan", "proration_behavior",
    "proration_date", "payment_behavior", "off_session", "expand",
})  # fmt: skip
_BILLED = ("items", "discounts", "billing_cycle_anchor", "trial_end", "default_tax_rates")


def update(world: World, subscription: Json, params: Json) -> None:
    """Change what is billed and collect what is due at once. Raises Stripe's refusals; then nothing has changed."""
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete" and (other := params.keys() - _MAY_WAIT):
        raise invalid(f"You cannot update {min(other)} when `payment_behavior` is set to `pending_if_incomplete`.",
                      param=min(other))  # fmt: skip
    if not params.keys() & {*_BILLED}:
        return
    with world.all_or_nothing(owner_of(subscription) or ""):
        if subscription.get("pending_update"):
            give_up(world, subscription)
        before = deepcopy(subscription)
        invoice = change(world, subscription, params)
        if invoice is not None:
            collect(world, subscription, before, invoice, behavior)


def collect(world: World, subscription: Json, before: Json, invoice: Json, behavior: str) -> None:
    """Finalize the draft and try to collect it."""
    invoice["_waiting"] = behavior == "pending_if_incomplete"
    finalize(world, invoice)
    if (
        invoice["status"] != "open"
        or invoice["collection_method"] == "send_invoice"
        or behavior == "default_incomplete"
    ):
        invoice["_waiting"] = False
        return
    refusal = attempt(world, invoice)
    if refusal is not None and behavior == "error_if_incomplete":
        raise refusal
    if refusal is not None and behavior == "pending_if_incomplete":
        wait(world, subscription, before, invoice)


def change(world: World, subscription: Json, params: Json) -> Json | None:
    at = _proration_date(world, subscription, params)
    prorates = params.get("proration_behavior", "create_prorations") != "none" and subscription["status"] != "trialing"
    before = deepcopy(subscription)
    owner = world.customer(owner_of(subscription) or "")
    if "items" in params:
        subscription["items"]["data"] = changed_items(world, subscription, params["items"])
    resets = _resets(world, subscription, before, params)
    gone = _credits(world, before, subscription, at, every=resets) if prorates else []
    if "discounts" in params:
        subscription["discounts"] = off.made(world, params["discounts"], owner, subscription)
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = params["default_tax_rates"] or []
    credits_ = [proration(world, before, item, -amount, at, unused=True) for item, amount in gone]
    if resets:
        lines = begin_period(world, subscription, params.get("trial_end"))
        return draft(world, subscription, pending(world, subscription), lines, reason="subscription_update")
    charges = _charges(world, before, subscription, at) if prorates else []
    if params.get("proration_behavior") == "always_invoice" and credits_ + charges:
        return draft(world, subscription, pending(world, subscription), [], reason="subscription_update", at=at)
    return None


def _proration_date(world: World, subscription: Json, params: Json) -> int:
    at = params.get("proration_date", world.now)
    items = subscription["items"]["data"]
    start, end = min(each["current_period_start"] for each in items), max(each["current_period_end"] for each in items)
    if "proration_date" in params and not start <= at <= end:
        raise invalid("Cannot specify `proration_date` outside of current subscription period.", param="proration_date")
    return int(at)


def changed_items(world: World, subscription: Json, asked: list[Json]) -> list[Json]:
    """The items after the changes that were asked for."""
    rows = deepcopy(subscription["items"]["data"])
    for each in asked:
        found = next((row for row in rows if row["id"] == each.get("id")), None)
        if "id" in each and found is None:
            raise invalid(
                f"Invalid subscription item: {each['id']} does not belong to {subscription['id']}.", param="items"
            )
        if each.get("deleted"):
            rows.remove(found)
        elif found is None:
            rows.append(new_item(world, subscription, each, rows[0] if rows else None))
        else:
            found.update({name: each[name] for name in ("price", "quantity", "tax_rates") if name in each})
            if "metadata" in each:
                found["metadata"] = each["metadata"] or {}
    _check_items(world, subscription, rows)
    return rows


def new_item(world: World, subscription: Json, asked: Json, beside: Json | None) -> Json:
    if "price" not in asked:
        raise invalid("Missing required param: items[price].", param="items", code="parameter_missing")
    price = world.get("price", asked["price"], param="items[0][price]")
    metered = (price.get("recurring") or {}).get("usage_type") == "metered"
    item = world.add("subscription_item", price=price["id"], subscription=subscription["id"])
    del world.tables["subscription_item"][item["id"]]
    item["current_period_start"] = beside["current_period_start"] if beside else world.now
    item["current_period_end"] = beside["current_period_end"] if beside else world.now
    item.update(
        {} if metered else {"quantity": asked.get("quantity", 1)}, tax_rates=asked.get("tax_rates") or [], _debits=[]
    )
    return item


def _check_items(world: World, subscription: Json, rows: list[Json]) -> None:
    if not rows:
        raise invalid("A subscription must have at least one active item.", param="items")
    prices = [world.get("price", row["price"], param="items[0][price]") for row in rows]
    for price in prices:
        if not price["active"] and all(row["price"] != price["id"] for row in subscription["items"]["data"]):
            raise invalid(
                "The price specified is inactive. This field only accepts active prices.", param="items[0][price]"
            )
        if price["currency"] != subscription["currency"]:
            raise invalid(f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
                          f"`{subscription['currency']}`.", param="items[0][price]")  # fmt: skip
        if price.get("recurring") is None:
            raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                          "`type=recurring`.", param="items[0][price]")  # fmt: skip
    if len({price["id"] for price in prices}) < len(prices):
        raise invalid("Subscription items must have different prices.", param="items")
    if subscription["billing_mode"]["type"] == "classic" and len({_interval(price) for price in prices}) > 1:
        raise invalid("Currently, all prices on a subscription must have the same `recurring.interval` and "
                      "`recurring.interval_count`.", param="items")  # fmt: skip


def _interval(price: Json) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"].get("interval_count", 1)


def _resets(world: World, subscription: Json, before: Json, params: Json) -> bool:
    """Does a new period begin now: another interval, an end of the trial, from free to paid, or because it was asked for."""
    if (params.get("billing_cycle_anchor") or {}).get("type") == "now" or "trial_end" in params:
        return True
    if subscription["status"] == "trialing":
        return False
    now_and_then = [
        {_interval(world.get("price", item["price"])) for item in each["items"]["data"]}
        for each in (before, subscription)
    ]
    return now_and_then[0] != now_and_then[1] or (_free(world, before) and not _free(world, subscription))


def _free(world: World, subscription: Json) -> bool:
    prices = [(world.get("price", item["price"]), item) for item in subscription["items"]["data"]]
    metered = any(price["recurring"].get("usage_type") == "metered" for price, _ in prices)
    return not metered and not any(amount_of(price, item.get("quantity") or 0) for price, item in prices)


def _credits(world: World, before: Json, after: Json, at: int, *, every: bool) -> list[tuple[Json, int]]:
    kept = {} if every else {item["id"]: _billed(item) for item in after["items"]["data"]}
    gone = [item for item in before["items"]["data"] if kept.get(item["id"]) != _billed(item)]
    amounts = [(item, credit(world, before, item, at)) for item in gone]
    return [(item, amount) for item, amount in amounts if amount]


def _billed(item: Json) -> tuple[str, int | None]:
    return item["price"], item.get("quantity")


def _charges(world: World, before: Json, after: Json, at: int) -> list[Json]:
    """Pending items for the rest of the period, of what is new or changed."""
    known = {item["id"]: _billed(item) for item in before["items"]["data"]}
    found = []
    for item in after["items"]["data"]:
        if known.get(item["id"]) == _billed(item):
            continue
        amount = charge(world, item, after["discounts"], at)
        item["_debits"] = [(amount, at, item["current_period_end"])]
        if amount:
            found.append(proration(world, after, item, amount, at, unused=False))
    return found


def begin_period(world: World, subscription: Json, trial_end: int | str | None = None) -> list[Json]:
    """A new period for every item begins now, or a trial that ends then; returns its lines."""
    trial = trial_end if isinstance(trial_end, int) else None
    if trial is not None and trial <= world.now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    subscription["billing_cycle_anchor"] = trial or world.now
    if trial:
        subscription.update(
            status="trialing", trial_end=trial, trial_start=subscription.get("trial_start") or world.now
        )
    elif subscription["status"] == "trialing":
        subscription.update(status="active", trial_end=world.now)
    for item in subscription["items"]["data"]:
        recurring = world.get("price", item["price"])["recurring"]
        item["current_period_start"] = world.now
        item["current_period_end"] = trial or next_end(world.now, recurring, world.now)
    return bill_items(world, subscription, subscription["items"]["data"], free=trial is not None)


def bill_items(world: World, subscription: Json, items: list[Json], *, free: bool = False) -> list[Json]:
    """The lines of these items' periods; each item remembers what it was billed."""
    lines = [period_line(world, subscription, item, free=free) for item in items]
    for item in items:
        span = item["current_period_start"], item["current_period_end"]
        item["_debits"] = [] if free else [(full(world, item, subscription["discounts"]), *span)]
    return lines
