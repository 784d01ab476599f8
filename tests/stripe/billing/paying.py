"""Payments of invoices: whether the method pays, is declined or wants the customer, and what follows from that."""

from __future__ import annotations

from tests.stripe.errors import Refusal, declined, invalid, needs_action
from tests.stripe.rendering import shown
from tests.stripe.world import Json, World, belongs_to, owner_of

_BY_LAST4 = {
    "0002": "generic_decline", "0341": "generic_decline", "9995": "insufficient_funds", "0069": "expired_card",
    "0127": "incorrect_cvc", "3184": "requires_action", "3220": "requires_action", "3155": "requires_action",
}  # fmt: skip
_RETRIES = (3, 5, 7)
"""Days after a failed attempt until the next; after the last one the subscription ends."""
_DAY = 86_400


def ask_for(world: World, invoice: Json) -> None:
    """The payment that an open invoice waits for."""
    of = belongs_to(owner_of(invoice) or "")
    intent = world.add("payment_intent", **of, amount=invoice["amount_due"], currency=invoice["currency"],
                       status="requires_payment_method", client_secret=f"{invoice['id']}_secret_standin",
                       _invoice=invoice["id"])  # fmt: skip
    world.add("invoice_payment", _owner=owner_of(invoice), invoice=invoice["id"], status="open", currency=invoice["currency"],
              amount_requested=invoice["amount_due"], payment={"type": "payment_intent", "payment_intent": intent["id"]},
              status_transitions={})  # fmt: skip
    invoice["_intent"] = intent["id"]


def intent_of(world: World, invoice: Json) -> Json | None:
    """The payment that is open, or the latest one."""
    rows = [row for row in world.of(owner_of(invoice) or "", "invoice_payment") if row["invoice"] == invoice["id"]]
    if not rows:
        return None
    return world.get("payment_intent", rows[-1]["payment"]["payment_intent"])


def method_for(world: World, invoice: Json, asked: str | None = None) -> Json | None:
    """The one that is named, else the invoice's, the subscription's, the customer's."""
    owner = world.customer(owner_of(invoice) or "")
    subscription = world.find(invoice.get("_subscription") or "", "subscription") or {}
    named = (asked, invoice.get("default_payment_method"), subscription.get("default_payment_method"))
    settings = owner.get("invoice_settings") or {}
    identity = next((each for each in (*named, settings.get("default_payment_method")) if each), None)
    if identity is None:
        return None
    found = world.get("payment_method", identity, param="payment_method")
    if found.get("customer") != owner["id"]:
        raise invalid(f"The payment method {identity} does not belong to the Customer you are trying to charge.",
                      param="payment_method")  # fmt: skip
    return found


def behavior_of(method: Json) -> str:
    """`works`, `requires_action` or a decline code: what the method was made for, else what its number is known for."""
    if method.get("_behavior"):
        return str(method["_behavior"])
    last4 = (method.get(method["type"]) or {}).get("last4", "")
    return _BY_LAST4.get(last4, "works")


def attempt(world: World, invoice: Json, asked: str | None = None) -> Refusal | None:
    """Try to collect an open invoice; returns why it did not work. Everything about the try is kept and told."""
    if intent_of(world, invoice) is None:
        ask_for(world, invoice)
    intent, method = intent_of(world, invoice) or {}, method_for(world, invoice, asked)
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if method is None:
        refusal: Refusal | None = invalid("There is no `default_payment_method` set on this Customer or Invoice. Please set a "
                                          "default payment method.", code="invoice_payment_intent_requires_payment_method")  # fmt: skip
    else:
        refusal = _charge(world, invoice, intent, method)
    if refusal is None:
        mark_paid(world, invoice)
        return None
    _failed(world, invoice, refusal, waits=intent["status"] == "requires_action")
    return refusal


def _charge(world: World, invoice: Json, intent: Json, method: Json) -> Refusal | None:
    behavior = behavior_of(method)
    intent["payment_method"] = method["id"]
    if behavior == "requires_action" and not intent.get("_confirmed"):
        intent.update(status="requires_action", last_payment_error=None)
        return needs_action(shown(world, intent))
    worked = behavior in ("works", "requires_action")
    code = "card_declined" if behavior not in ("expired_card", "incorrect_cvc") else behavior
    charge = world.add(
        "charge", **belongs_to(owner_of(invoice) or ""), amount=intent["amount"], currency=intent["currency"], paid=worked,
        amount_captured=intent["amount"] if worked else 0, captured=worked, status="succeeded" if worked else "failed",
        payment_intent=intent["id"], payment_method=method["id"], payment_method_details=details_of(method),
        receipt_url=f"{world.base}/r/{invoice['id']}" if worked else None, failure_code=None if worked else code,
    )  # fmt: skip
    intent["latest_charge"] = charge["id"]
    if worked:
        intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
        return None
    refusal = declined(behavior)
    error = {
        "type": "card_error",
        "code": code,
        "decline_code": behavior,
        "message": str(refusal),
        "charge": charge["id"],
    }
    intent.update(status="requires_payment_method", last_payment_error=error)
    return declined(behavior, shown(world, intent))


def details_of(method: Json) -> Json:
    details: Json = {"type": method["type"]}
    if method["type"] == "card":
        details["card"] = {key: method["card"].get(key) for key in ("brand", "last4", "exp_month", "exp_year")}
    return details


def mark_paid(world: World, invoice: Json) -> None:
    """The invoice is paid: its payment, its subscription, and a change that waited for it."""
    from tests.stripe.billing.waiting import came_true

    for row in world.of(owner_of(invoice) or "", "invoice_payment"):
        if row["invoice"] == invoice["id"] and row["status"] == "open":
            row.update(status="paid", amount_paid=row["amount_requested"])
            row["status_transitions"] = {"paid_at": world.now}
    invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0, attempted=True,
                   next_payment_attempt=None)  # fmt: skip
    invoice["status_transitions"] = {**invoice["status_transitions"], "paid_at": world.now}
    world.tell("invoice.paid", invoice)
    if invoice["amount_due"]:
        world.tell("invoice.payment_succeeded", invoice)
    subscription = world.find(invoice.get("_subscription") or "", "subscription")
    if subscription is None:
        return
    came_true(world, subscription, invoice)
    is_latest = subscription.get("latest_invoice") == invoice["id"]  # of several that are owed, it decides
    if subscription["status"] in ("incomplete", "past_due", "unpaid") and is_latest:
        become(world, subscription, "active")


def become(world: World, subscription: Json, status: str) -> None:
    before = {"status": subscription["status"]}
    if subscription["status"] != status:
        subscription["status"] = status
        world.tell("customer.subscription.updated", subscription, before)


def _failed(world: World, invoice: Json, refusal: Refusal, *, waits: bool) -> None:
    if invoice["collection_method"] == "charge_automatically" and invoice.get("auto_advance") and not waits:
        tries = invoice["attempt_count"]
        later = world.now + _RETRIES[tries - 1] * _DAY if tries <= len(_RETRIES) else None
        invoice["next_payment_attempt"] = later
    world.tell("invoice.payment_action_required" if waits else "invoice.payment_failed", invoice)
    subscription = world.find(invoice.get("_subscription") or "", "subscription")
    if subscription is not None and subscription["status"] == "active" and not invoice.get("_waiting"):
        become(world, subscription, "past_due")
