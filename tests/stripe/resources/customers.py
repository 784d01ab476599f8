"""Customers: found by an address exactly as it is written, found by `search`, changed, deleted."""

from __future__ import annotations

import re

from tests.stripe.errors import invalid, missing
from tests.stripe.listing import matching, paged
from tests.stripe.rendering import page
from tests.stripe.routing import Call, serves
from tests.stripe.updating import merged, update
from tests.stripe.world import Json

_TERM = re.compile(
    r"""^(?P<field>email|name|phone|metadata\[['"](?P<key>[^'"]+)['"]\])\s*(?P<how>[:~])\s*['"](?P<text>.*)['"]$"""
)


@serves("get", "/v1/customers")
def customers(call: Call) -> Json:
    """The address is compared as it is written: another case is another address."""
    rows = [row for row in call.world.tables["customer"].values() if not row.get("deleted")]
    return paged(call, matching(call, rows, "email"), "/v1/customers")


@serves("get", "/v1/customers/search")
def search(call: Call) -> Json:
    """One term: `email:"…"` without regard to case, `email~"…"` for a part, or `metadata["key"]:"value"`."""
    term = _TERM.match(call.params["query"].strip())
    if term is None:
        raise invalid("We were unable to parse your search query.", param="query")
    wanted = term["text"].casefold()
    found = []
    for row in call.world.tables["customer"].values():
        value = str((row["metadata"].get(term["key"]) if term["key"] else row.get(term["field"])) or "").casefold()
        if not row.get("deleted") and (wanted in value if term["how"] == "~" else value == wanted):
            found.append(row)
    found = found[::-1][: call.params.get("limit", 10)]
    return {**page(found, "/v1/customers/search"), "object": "search_result", "next_page": None}


@serves("post", "/v1/customers")
def create(call: Call) -> Json:
    row = call.world.add("customer")
    row["invoice_prefix"] = row["id"][-8:].upper()
    merged(row, call.params, "invoice_settings")
    call.world.tell("customer.created", row)
    return row


@serves("get", "/v1/customers/{}")
def retrieve(call: Call) -> Json:
    return call.world.get("customer", call.ids[0])


@serves("post", "/v1/customers/{}")
def change(call: Call) -> Json:
    row = call.world.customer(call.ids[0])
    method = (call.params.get("invoice_settings") or {}).get("default_payment_method")
    if method:
        found = call.world.get("payment_method", method, param="invoice_settings[default_payment_method]")
        if found.get("customer") != row["id"]:
            raise invalid(f"The customer does not have a payment method with the ID {method}. The payment method must be "
                          "attached to the customer.", param="invoice_settings[default_payment_method]",
                          code="resource_missing")  # fmt: skip
    return update(call, row, "customer.updated", "invoice_settings")


@serves("delete", "/v1/customers/{}")
def delete(call: Call) -> Json:
    from tests.stripe.billing.ending import end

    row = call.world.get("customer", call.ids[0])
    if row.get("deleted"):
        raise missing("customer", row["id"])
    for subscription in call.world.of(row["id"], "subscription"):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end(call.world, subscription, reason="cancellation_requested")
    call.world.tell("customer.deleted", row)
    row["deleted"] = True
    return row


@serves("get", "/v1/customers/{}/balance_transactions")
def balance_transactions(call: Call) -> Json:
    owner = call.world.customer(call.ids[0])
    rows = call.world.of(owner["id"], "customer_balance_transaction")
    return paged(call, rows, f"/v1/customers/{owner['id']}/balance_transactions")


@serves("get", "/v1/customers/{}/payment_methods")
def payment_methods(call: Call) -> Json:
    owner = call.world.customer(call.ids[0])
    rows = matching(call, call.world.of(owner["id"], "payment_method"), "type")
    return paged(call, rows, f"/v1/customers/{owner['id']}/payment_methods")
