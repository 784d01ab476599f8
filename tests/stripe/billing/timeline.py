"""What time brings: renewals, trial ends, ends that were decided, phases, retries, drafts that become open.

`advance` goes from one moment at which something falls due to the next, so each thing happens at its own time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.stripe.billing import phases
from tests.stripe.billing.changing import bill_items
from tests.stripe.billing.ending import end, expire, settle
from tests.stripe.billing.invoicing import draft, finalize, pending
from tests.stripe.billing.paying import attempt
from tests.stripe.billing.waiting import give_up, void
from tests.stripe.money.periods import next_end
from tests.stripe.resources.tax_ids import verify
from tests.stripe.world import Json, World

Due = tuple[int, Callable[[World, Json], object], Json]
_RUNS = ("active", "trialing", "past_due")
_FIRST_PAYMENT_WITHIN = 23 * 3600


def advance(world: World, moment: int) -> None:
    """Move the clock to this moment; everything up to it happens."""
    while (due := min(_due(world), key=lambda each: each[0], default=None)) is not None and due[0] <= moment:
        world.clock.ahead += max(due[0] - world.now, 0)
        due[1](world, due[2])
    world.clock.ahead += max(moment - world.now, 0)


def _due(world: World) -> Iterator[Due]:
    """Of two at one moment the first comes first: a phase begins before the renewal that bills it."""
    for row in world.tables["subscription_schedule"].values():
        if row["status"] in ("active", "not_started") and (at := phases.next_at(row)) is not None:
            yield at, phases.go_on, row
    for row in world.tables["subscription"].values():
        yield from _of_subscription(row)
    for row in world.tables["invoice"].values():
        yield from _of_invoice(row)
    for row in world.tables["tax_id"].values():
        if "_answer_at" in row:
            yield row["_answer_at"], verify, row


def _of_subscription(row: Json) -> Iterator[Due]:
    if row.get("pending_update"):
        yield row["pending_update"]["expires_at"], give_up, row
    if row["status"] == "incomplete":
        yield row["created"] + _FIRST_PAYMENT_WITHIN, expire, row
    if row["status"] not in _RUNS:
        return
    if row.get("pause_collection") and row["pause_collection"].get("resumes_at"):
        yield row["pause_collection"]["resumes_at"], _collect_again, row
    ends = min(item["current_period_end"] for item in row["items"]["data"])
    if row.get("cancel_at") is not None:
        yield row["cancel_at"], _end, row
    if row.get("cancel_at_period_end"):
        yield ends, _end, row
    elif row.get("cancel_at") is None or ends < row["cancel_at"]:
        yield ends, renew, row


def _of_invoice(row: Json) -> Iterator[Due]:
    if row["status"] == "draft" and row.get("auto_advance") and row.get("automatically_finalizes_at"):
        yield row["automatically_finalizes_at"], _finalize, row
    if row["status"] == "open" and row.get("next_payment_attempt"):
        yield row["next_payment_attempt"], _try_again, row


def _collect_again(world: World, subscription: Json) -> None:
    before = subscription["pause_collection"]
    subscription["pause_collection"] = None
    world.tell("customer.subscription.updated", subscription, {"pause_collection": before})


def _end(world: World, subscription: Json) -> None:
    """An end within a period gives back what is left of it."""
    within = any(item["current_period_end"] > world.now for item in subscription["items"]["data"])
    settle(world, end(world, subscription, reason="cancellation_requested", prorate=within, invoice_now=True))


def renew(world: World, subscription: Json) -> Json:
    """The next period of every item whose period is over; returns its draft."""
    was = subscription["status"]
    over = [item for item in subscription["items"]["data"] if item["current_period_end"] <= world.now]
    for item in over:
        recurring = world.get("price", item["price"])["recurring"]
        start = item["current_period_end"]
        item.update(
            current_period_start=start,
            current_period_end=next_end(subscription["billing_cycle_anchor"], recurring, start),
        )
    if was == "trialing":
        subscription["status"] = "active"
    invoice = draft(world, subscription, pending(world, subscription), bill_items(world, subscription, over),
                    reason="subscription_cycle")  # fmt: skip
    if behavior := (subscription.get("pause_collection") or {}).get("behavior"):
        invoice["auto_advance"] = False
        if behavior != "keep_as_draft":
            finalize_uncollected(world, invoice, behavior)
    world.tell(
        "customer.subscription.updated",
        subscription,
        {"status": was} if was == "trialing" else {"latest_invoice": None},
    )
    return invoice


def finalize_uncollected(world: World, invoice: Json, behavior: str) -> None:
    """Collection is paused: nobody pays this invoice."""
    finalize(world, invoice)
    if invoice["status"] != "open":
        return
    if behavior == "void":
        void(world, invoice)
    else:
        invoice["status"] = "uncollectible"
        invoice["status_transitions"] = {**invoice["status_transitions"], "marked_uncollectible_at": world.now}
        world.tell("invoice.marked_uncollectible", invoice)


def _finalize(world: World, invoice: Json) -> None:
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        attempt(world, invoice)


def _try_again(world: World, invoice: Json) -> None:
    """After the last retry the subscription ends."""
    invoice["next_payment_attempt"] = None
    refusal = attempt(world, invoice)
    subscription = world.find(invoice.get("_subscription") or "", "subscription")
    was_last = refusal is not None and invoice.get("next_payment_attempt") is None and invoice["status"] == "open"
    if was_last and subscription is not None and subscription["status"] != "canceled":
        end(world, subscription, reason="payment_failed")
