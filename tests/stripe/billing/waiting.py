"""A change that waits for its payment (`pending_if_incomplete`): 23 hours, then it is given up and its invoice is void."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe.world import Json, World

LASTS = 23 * 3600
_CHANGES = ("items", "discounts", "billing_cycle_anchor", "trial_end", "metadata", "default_tax_rates")


def wait(world: World, subscription: Json, before: Json, invoice: Json) -> None:
    """Put the subscription back to what it was before, and remember what it is to become."""
    wanted = {name: deepcopy(subscription.get(name)) for name in (*_CHANGES, "status")}
    for name in (*_CHANGES, "status", "trial_start"):
        subscription[name] = deepcopy(before.get(name))
    invoice["_waiting"] = True
    subscription["_wanted"] = {**wanted, "invoice": invoice["id"]}
    subscription["pending_update"] = {
        "expires_at": world.now + LASTS,
        "subscription_items": wanted["items"]["data"],
        "discounts": wanted["discounts"],
    }
    world.tell("customer.subscription.updated", subscription)


def came_true(world: World, subscription: Json, invoice: Json) -> None:
    wanted = subscription.get("_wanted")
    if wanted is None or wanted["invoice"] != invoice["id"]:
        return
    del subscription["_wanted"]
    subscription.update({name: value for name, value in wanted.items() if name != "invoice"}, pending_update=None)
    invoice["_waiting"] = False
    world.tell("customer.subscription.pending_update_applied", subscription)
    world.tell("customer.subscription.updated", subscription)


def give_up(world: World, subscription: Json) -> None:
    """The pending update is over: its invoice is void."""
    wanted = subscription.pop("_wanted", None)
    subscription["pending_update"] = None
    if wanted is None:
        return
    invoice = world.get("invoice", wanted["invoice"])
    if invoice["status"] == "open":
        void(world, invoice)
    world.tell("customer.subscription.pending_update_expired", subscription)


def void(world: World, invoice: Json) -> None:
    """A balance that the invoice used is given back."""
    invoice.update(status="void", next_payment_attempt=None)
    invoice["status_transitions"] = {**invoice["status_transitions"], "voided_at": world.now}
    owner = world.customer(invoice["customer"])
    owner["balance"] = owner.get("balance", 0) + invoice["starting_balance"] - (invoice.get("ending_balance") or 0)
    for row in world.of(owner["id"], "invoice_payment"):
        if row["invoice"] == invoice["id"] and row["status"] == "open":
            row["status"] = "canceled"
    world.tell("invoice.voided", invoice)
