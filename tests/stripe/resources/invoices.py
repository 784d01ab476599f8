"""Invoices: paid, voided, finalized; their items; what was given back of them."""

from __future__ import annotations

from tests.stripe.billing import invoicing, paying, waiting
from tests.stripe.errors import invalid
from tests.stripe.money.pricing import as_decimal
from tests.stripe.rendering import page
from tests.stripe.routing import Call, serves
from tests.stripe.updating import update
from tests.stripe.world import Json, belongs_to, owner_of


@serves("post", "/v1/invoices/{}/pay")
def pay(call: Call) -> Json:
    world, params = call.world, call.params
    row = world.get("invoice", call.ids[0])
    if row["status"] == "draft":
        invoicing.finalize(world, row)
    if row["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if row["status"] not in ("open", "uncollectible"):
        raise invalid("Invoice is no longer payable", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        row["amount_due"] = row["amount_remaining"]
        paying.mark_paid(world, row)
        return row
    refusal = paying.attempt(world, row, params.get("payment_method"))
    if refusal is not None:
        raise refusal
    return row


@serves("post", "/v1/invoices/{}/finalize")
def finalize(call: Call) -> Json:
    row = call.world.get("invoice", call.ids[0])
    if row["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    invoicing.finalize(call.world, row)
    return row


@serves("post", "/v1/invoices/{}/void")
def void(call: Call) -> Json:
    row = call.world.get("invoice", call.ids[0])
    if row["status"] not in ("open", "uncollectible"):
        raise invalid("You can only pass in open invoices. This invoice isn't open.")
    subscription = call.world.find(row.get("_subscription") or "", "subscription")
    if subscription is not None and (subscription.get("_wanted") or {}).get("invoice") == row["id"]:
        waiting.give_up(call.world, subscription)
    else:
        waiting.void(call.world, row)
    return row


@serves("post", "/v1/invoices/{}")
def change(call: Call) -> Json:
    row = call.world.get("invoice", call.ids[0])
    if other := call.params.keys() - {"metadata", "auto_advance", "default_payment_method", "expand"}:
        raise invalid(f"Finalized invoices can't be updated in this way: {min(other)}", param=min(other))
    return update(call, row, "invoice.updated")


@serves("post", "/v1/invoiceitems")
def create_item(call: Call) -> Json:
    world, params = call.world, call.params
    owner = world.customer(params.get("customer") or params.get("customer_account") or "")
    details = {"subscription": params["subscription"]} if "subscription" in params else None
    quantity, amount = params.get("quantity", 1), params.get("amount", 0)
    row = world.add(
        "invoiceitem", **belongs_to(owner["id"]), amount=amount, currency=params.get("currency", "eur"), date=world.now,
        description=params.get("description"), period={"start": world.now, "end": world.now}, proration=False,
        quantity=quantity, quantity_decimal=as_decimal(quantity), discountable=params.get("discountable", True),
        parent={"type": "subscription_details", "subscription_details": details} if details else None, invoice=None,
    )  # fmt: skip
    world.tell("invoiceitem.created", row)
    return row


@serves("post", "/v1/credit_notes")
def create_credit_note(call: Call) -> Json:
    """A credit note of one amount: of an open invoice it lowers what is due, of a paid one it goes back to the customer."""
    world, params = call.world, call.params
    invoice = world.get("invoice", params["invoice"], param="invoice")
    amount, paid = params["amount"], invoice["status"] == "paid"
    if amount > (invoice["amount_paid"] if paid else invoice["amount_remaining"]):
        raise invalid("The credit note amount is larger than what the invoice allows.", param="amount")
    owner = world.customer(owner_of(invoice) or "")
    kind = "post_payment" if paid else "pre_payment"
    invoice[f"{kind}_credit_notes_amount"] += amount
    if not paid:
        invoice.update(amount_remaining=invoice["amount_remaining"] - amount, amount_due=invoice["amount_due"] - amount)
        intent = paying.intent_of(world, invoice)
        if intent is not None:
            intent["amount"] -= amount
        if invoice["amount_remaining"] == 0:
            paying.mark_paid(world, invoice)
    elif params.get("credit_amount"):
        owner["balance"] = owner.get("balance", 0) - params["credit_amount"]
    row = world.add(
        "credit_note", **belongs_to(owner["id"]), amount=amount, currency=invoice["currency"], invoice=invoice["id"],
        number=f"{invoice['number']}-CN-01", pdf=f"{world.base}/i/{invoice['id']}/pdf", subtotal=amount, total=amount,
        type=kind, reason=params.get("reason"), lines=page([], "/v1/credit_notes"), **{f"{kind}_amount": amount},
    )  # fmt: skip
    world.tell("credit_note.created", row)
    return row


@serves("post", "/v1/refunds")
def refund(call: Call) -> Json:
    """A payment goes back, in part or whole."""
    world, params = call.world, call.params
    if "charge" in params:
        charge = world.get("charge", params["charge"], param="charge")
    else:
        intent = world.get("payment_intent", params.get("payment_intent", ""), param="payment_intent")
        charge = world.get("charge", intent.get("latest_charge") or "", param="payment_intent")
    amount = params.get("amount", charge["amount"] - charge["amount_refunded"])
    if amount > charge["amount"] - charge["amount_refunded"]:
        raise invalid(
            "Refund amount is greater than unrefunded amount on charge.", param="amount", code="charge_already_refunded"
        )
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    row = world.add("refund", amount=amount, currency=charge["currency"], charge=charge["id"],
                    payment_intent=charge.get("payment_intent"), _owner=owner_of(charge))  # fmt: skip
    world.tell("charge.refunded", charge)
    return row
