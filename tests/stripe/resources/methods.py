"""Payment methods: attached to one customer, once; detached for good."""

from __future__ import annotations

from tests.stripe.errors import invalid
from tests.stripe.listing import matching, paged, rows_of
from tests.stripe.resources.setup import card
from tests.stripe.routing import Call, serves
from tests.stripe.updating import update
from tests.stripe.world import Json, World, belongs_to

_TEST_CARDS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002500003155",
}


@serves("get", "/v1/payment_methods")
def methods(call: Call) -> Json:
    if not call.params.get("customer") and not call.params.get("customer_account"):
        raise invalid("You must provide a customer.", param="customer", code="parameter_missing")
    return paged(call, matching(call, rows_of(call, "payment_method"), "type"), "/v1/payment_methods")


@serves("post", "/v1/payment_methods/{}")
def change(call: Call) -> Json:
    row = _attached(call)
    return update(call, row, "payment_method.updated", "card", "billing_details")


@serves("post", "/v1/payment_methods/{}/attach")
def attach(call: Call) -> Json:
    row = _of_test_mode(call.world, call.ids[0]) or call.world.get("payment_method", call.ids[0])
    owner = call.world.customer(call.params.get("customer") or call.params.get("customer_account") or "")["id"]
    if row.get("_detached"):
        raise invalid("This PaymentMethod was previously used without being attached to a Customer or was detached from a "
                      "Customer, and may not be used again.")  # fmt: skip
    if row.get("customer"):
        raise invalid("The payment method you provided has already been attached to a customer.")
    call.world.put(row | belongs_to(owner))
    row = call.world.get("payment_method", row["id"])
    call.world.tell("payment_method.attached", row)
    return row


@serves("post", "/v1/payment_methods/{}/detach")
def detach(call: Call) -> Json:
    """It is no longer anybody's default: not the customer's, not a subscription's."""
    world, row = call.world, _attached(call)
    owner = world.customer(row["customer"])
    settings = owner.get("invoice_settings") or {}
    if settings.get("default_payment_method") == row["id"]:
        settings["default_payment_method"] = None
        world.tell("customer.updated", owner, {"invoice_settings": {"default_payment_method": row["id"]}})
    for subscription in world.of(owner["id"], "subscription"):
        if subscription.get("default_payment_method") == row["id"]:
            subscription["default_payment_method"] = None
            world.tell("customer.subscription.updated", subscription, {"default_payment_method": row["id"]})
    world.drop(row)
    before = {name: row.get(name) for name in ("customer", "customer_account")}
    world.put(row | {"customer": None, "customer_account": None, "_detached": True})
    row = world.get("payment_method", row["id"])
    world.tell("payment_method.detached", row, before)
    return row


def _of_test_mode(world: World, identity: str) -> Json | None:
    """A new card for one of the names that Stripe knows in test mode."""
    number = _TEST_CARDS.get(identity)
    return world.add("payment_method", **card(number, 12, 2034)) if number else None


def _attached(call: Call) -> Json:
    row = call.world.get("payment_method", call.ids[0])
    if not row.get("customer"):
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    return row
