"""Takes an export's payment apart: the invoice payment, the payment intent and the charge, which the API keeps by themselves."""

from __future__ import annotations

from tests.stripe.billing.paying import details_of
from tests.stripe.world import Json, World, belongs_to


def load_payment(world: World, payment: Json, invoice: Json, owner: str) -> None:
    nested = payment["payment"]["payment_intent"]
    method = nested["payment_method"]
    paid = payment["status"] == "paid"
    amount, of = payment["amount_requested"], {**belongs_to(owner), "currency": invoice["currency"]}
    at = payment["created"]
    refunded = (nested.get("latest_charge") or {}).get("amount_refunded", 0)
    charge = world.add(
        "charge", **of, amount=amount, amount_captured=amount if paid else 0, payment_method=method["id"], created=at,
        paid=paid, status="succeeded" if paid else "failed", payment_intent=nested["id"], amount_refunded=refunded,
        refunded=refunded == amount, receipt_url=f"{world.base}/r/{invoice['id']}" if paid else None,
        payment_method_details=details_of(method),
    )  # fmt: skip
    failed = nested.get("last_payment_error")
    error = failed and {"type": "card_error", "message": "Your card was declined.", **failed}
    waits = error and error["decline_code"] == "authentication_required"
    open_as = "requires_action" if waits else "requires_payment_method"
    world.add(
        "payment_intent", **of, id=nested["id"], amount=amount, amount_received=amount if paid else 0, created=at,
        status="succeeded" if paid else open_as, payment_method=method["id"], latest_charge=charge["id"], last_payment_error=error,
    )  # fmt: skip
    kept = {**payment, "payment": {"type": "payment_intent", "payment_intent": nested["id"]}}
    world.add(kept.pop("object"), **kept, invoice=invoice["id"], _owner=owner)
