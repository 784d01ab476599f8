"""Lists of subscriptions, items, invoices, lines and payments."""

from __future__ import annotations

from tests.stripe.errors import invalid
from tests.stripe.listing import matching, paged, rows_of
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json

_ENDED = ("canceled", "incomplete_expired")


@serves("get", "/v1/subscriptions")
def subscriptions(call: Call) -> Json:
    """Without `status`, all but the canceled ones."""
    status = call.params.get("status")
    rows = matching(call, rows_of(call, "subscription"), "collection_method")
    if "price" in call.params:
        rows = [row for row in rows if any(item["price"] == call.params["price"] for item in row["items"]["data"])]
    if status == "ended":
        rows = [row for row in rows if row["status"] in _ENDED]
    elif status is None:
        rows = [row for row in rows if row["status"] != "canceled"]
    elif status != "all":
        rows = [row for row in rows if row["status"] == status]
    return paged(call, rows, "/v1/subscriptions")


@serves("get", "/v1/subscription_items")
def items(call: Call) -> Json:
    subscription = call.world.get("subscription", call.params["subscription"], param="subscription")
    return paged(call, subscription["items"]["data"], "/v1/subscription_items", newest_first=False)


@serves("get", "/v1/invoices")
def invoices(call: Call) -> Json:
    rows = matching(call, rows_of(call, "invoice"), "status", "collection_method")
    if "subscription" in call.params:
        rows = [row for row in rows if row.get("_subscription") == call.params["subscription"]]
    return paged(call, rows, "/v1/invoices")


@serves("get", "/v1/invoices/{}/lines")
def lines(call: Call) -> Json:
    invoice = call.world.get("invoice", call.ids[0])
    return paged(call, invoice["lines"]["data"], f"/v1/invoices/{invoice['id']}/lines", newest_first=False)


@serves("get", "/v1/invoice_payments")
def payments(call: Call) -> Json:
    """There is no filter by customer."""
    invoice = call.params.get("invoice")
    every = [] if invoice else list(call.world.tables["invoice_payment"].values())
    if invoice is not None:
        every = call.world.of(call.world.get("invoice", invoice, param="invoice")["customer"], "invoice_payment")
    rows = matching(call, every, "invoice", "status")
    if "payment" in call.params:
        wanted = call.params["payment"]
        rows = [row for row in rows if row["payment"].get(wanted["type"]) == wanted.get(wanted["type"])]
    return paged(call, rows, "/v1/invoice_payments")


@serves("get", "/v1/invoiceitems")
def invoice_items(call: Call) -> Json:
    """`pending` are those that no invoice has taken up yet."""
    rows = matching(call, rows_of(call, "invoiceitem"), "invoice")
    if "pending" in call.params:
        if "invoice" in call.params:
            raise invalid("You may only specify one of these parameters: invoice, pending.", param="pending")
        rows = [row for row in rows if (row.get("invoice") is None) == call.params["pending"]]
    return paged(call, rows, "/v1/invoiceitems")


@serves("get", "/v1/credit_notes")
def credit_notes(call: Call) -> Json:
    return paged(call, matching(call, rows_of(call, "credit_note"), "invoice"), "/v1/credit_notes")


@serves("get", "/v1/refunds")
def refunds(call: Call) -> Json:
    return paged(call, matching(call, call.world.tables["refund"].values(), "charge", "payment_intent"), "/v1/refunds")


@serves("get", "/v1/payment_intents")
def payment_intents(call: Call) -> Json:
    return paged(call, rows_of(call, "payment_intent"), "/v1/payment_intents")


@serves("get", "/v1/charges")
def charges(call: Call) -> Json:
    return paged(call, matching(call, rows_of(call, "charge"), "payment_intent"), "/v1/charges")
