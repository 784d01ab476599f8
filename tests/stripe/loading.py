"""Fills a world with Stripe-shaped records, such as those of the sample customers, as if Stripe had made them.

An export nests what the API keeps apart (payments in invoices, discounts in subscriptions): here it is taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any

from server.publishing import samples
from tests.stripe.defaults import DEFAULTS
from tests.stripe.loading_payments import load_payment
from tests.stripe.money.pricing import as_decimal, with_decimals
from tests.stripe.world import Json, World, belongs_to, twin_of


def load_samples(world: World, brand: str, now: datetime) -> None:
    load(world, samples.records(brand, now))


def load(world: World, records: Iterable[Json]) -> None:
    """Catalog first, then each customer before what is theirs: the order of the samples."""
    latest = []
    for record in records:
        row = deepcopy(record)
        row = _LOADERS.get(row["object"], _plain)(world, row)
        if row.get("latest_invoice"):
            latest.append(row)
    for row in latest:
        if row["latest_invoice"] not in world.tables["invoice"]:
            row["latest_invoice"] = None


def _plain(world: World, row: Json) -> Json:
    if row.get("customer_account"):
        row["customer"] = twin_of(row["customer_account"])
    return world.add(row.pop("object"), **row)


def _customer(world: World, row: Json) -> Json:
    row["invoice_settings"] = {"default_payment_method": None, **row.get("invoice_settings", {})}
    return _plain(world, row)


def _account(world: World, row: Json) -> Json:
    row["created"] = row["created"].replace("+00:00", "Z")
    account = world.put({**deepcopy(DEFAULTS["v2.core.account"]), **row})
    configuration = account.get("configuration") or {}
    customer = {"applied": True, **(configuration.get("customer") or {})}
    account["configuration"] = {**configuration, "customer": customer}
    billing = customer.get("billing") or {}
    identity = row.get("identity") or {}
    address = (identity.get("business_details") or identity.get("individual") or {}).get("address") or {}
    world.add(
        "customer", id=twin_of(row["id"]), customer_account=row["id"], email=row["contact_email"], name=row["display_name"],
        invoice_settings={"default_payment_method": billing.get("default_payment_method")},
        address={"city" if name == "town" else name: value for name, value in address.items()} or None,
        invoice_prefix=row["id"][-8:].upper(),
    )  # fmt: skip
    return account


def _price(world: World, row: Json) -> Json:
    with_decimals(row)
    for tier in row.get("tiers", ()):
        with_decimals(tier)
    recurring = row.get("recurring") or {}
    row.setdefault("type", "recurring" if recurring else "one_time")
    if recurring.get("usage_type") == "metered":
        recurring["meter"] = recurring.get("meter", "mtr_standin")
    return _plain(world, row)


def _product(world: World, row: Json) -> Json:
    return _plain(world, {"updated": world.now, **row})


def _method(world: World, row: Json) -> Json:
    if row["type"] == "card":
        row["card"] = {"funding": "credit", "country": "US", "fingerprint": f"fp{row['id'][-12:]}", **row["card"]}
    else:
        kind = row["type"]
        row[kind] = row[kind] if kind in _KNOWN else None
        if row[kind] is None:
            del row[kind]
    behavior = row.get("metadata", {}).pop("portal_behavior", None)
    return _plain(world, row | ({"_behavior": behavior} if behavior else {}))


_KNOWN = frozenset({"card", "us_bank_account", "paypal", "sepa_debit", "link", "cashapp"})


def _subscription(world: World, row: Json) -> Json:
    for item in row["items"]["data"]:
        item.update(
            price=item["price"]["id"], subscription=row["id"], created=row["created"], object="subscription_item"
        )
        for key, value in DEFAULTS["subscription_item"].items():
            item.setdefault(key, deepcopy(value))
    row["default_tax_rates"] = [_rate(world, rate) for rate in row.get("default_tax_rates", ())]
    row["start_date"] = row["created"]
    row["discounts"] = [_discount(world, each, row) for each in row.get("discounts", ())]
    if row.get("status") == "canceled":
        row["cancellation_details"] = {"reason": "cancellation_requested"}
    return _plain(world, row)


def _rate(world: World, rate: Json) -> str:
    if rate["id"] not in world.tables["tax_rate"]:
        _plain(world, dict(rate))
    return str(rate["id"])


def _discount(world: World, discount: Json, row: Json) -> str:
    world.put({**discount, **belongs_to(row["customer"]), "subscription": row["id"]})
    return str(discount["id"])


def _invoice(world: World, row: Json) -> Json:
    payments = row.pop("payments", {"data": []})["data"]
    owner = row.get("customer") or twin_of(row["customer_account"])
    if old := row.pop("subscription", None):  # as an export of an older version names it
        row["parent"] = {"type": "subscription_details", "subscription_details": {"subscription": old}}
    subscription = ((row.get("parent") or {}).get("subscription_details") or {}).get("subscription")
    row["lines"]["data"] = [_line(world, line, row) for line in row["lines"]["data"]]
    for amount in row.get("total_discount_amounts", ()):
        found = amount["discount"]
        world.put({**found, **belongs_to(owner), "start": row["created"], "invoice": row["id"]})
        amount["discount"] = found["id"]
    row["total_taxes"] = [_tax(tax, row["subtotal"]) for tax in row.get("total_taxes", ())]
    row = {"period_start": row["created"], "period_end": row["created"], **row}
    row["hosted_invoice_url"] = f"{world.base}/i/{row['id']}"
    row["invoice_pdf"] = f"{world.base}/i/{row['id']}/pdf"
    row["attempted"], row["attempt_count"] = bool(payments), len(payments)
    if row.get("due_date"):
        row["collection_method"] = "send_invoice"
    made = _plain(world, row)
    made["_subscription"] = subscription
    for payment in payments:
        load_payment(world, payment, made, owner)
    return made


def _line(world: World, line: Json, invoice: Json) -> Json:
    kept: Json = {**deepcopy(DEFAULTS["line_item"]), "livemode": False, "invoice": invoice["id"], **line}
    kept["subtotal"] = line["amount"]
    if line.get("pricing"):
        price = line["pricing"]["price_details"]["price"]
        found = world.tables["price"].get(price)
        kept["pricing"] = {
            "type": "price_details",
            "price_details": {"price": price, "product": found["product"] if found else "prod_unknown"},
            "unit_amount_decimal": as_decimal(line["amount"]),
        }
    details = (line.get("parent") or {}).get("subscription_item_details")
    if details:
        details.setdefault("subscription_item", "si_imported")
    kept["discount_amounts"] = []
    kept["taxes"] = [_tax(tax, line["amount"]) for tax in line.get("taxes", ())]
    return kept


def _tax(tax: Json, taxable: int) -> Json:
    return {"taxability_reason": "standard_rated", "taxable_amount": taxable, **tax}


def _credit_note(world: World, row: Json) -> Json:
    lines = row["lines"]["data"]
    row["lines"] = {
        **row["lines"],
        "url": f"/v1/credit_notes/{row['id']}/lines",
        "data": [_note_line(each) for each in lines],
    }
    row["refunds"] = [
        {"payment_record_refund": None, "refund": f"re_{row['id']}", "type": "refund", **each}
        for each in row["refunds"]
    ]
    row["total_taxes"] = [
        {"type": "tax_rate_details", **_tax(tax, row["subtotal"])} for tax in row.get("total_taxes", ())
    ]
    for tax in row["total_taxes"]:
        tax["tax_rate_details"] = {"tax_rate": _rate(world, tax["tax_rate_details"]["tax_rate"])}
    return _plain(world, {"pdf": f"{world.base}/i/{row['invoice']}/pdf", **row})


def _note_line(line: Json) -> Json:
    return {
        "discount_amount": 0, "discount_amounts": [], "livemode": False, "pretax_credit_amounts": [], "tax_rates": [],
        "taxes": [], "type": "custom_line_item", **line,
    }  # fmt: skip


def _code(world: World, row: Json) -> Json:
    row["restrictions"] = {"first_time_transaction": False, **row.get("restrictions", {})}
    return _plain(world, row)


_LOADERS: dict[str, Callable[[World, Json], Any]] = {
    "customer": _customer, "v2.core.account": _account, "price": _price, "product": _product, "promotion_code": _code,
    "payment_method": _method, "subscription": _subscription, "invoice": _invoice,
    "credit_note": _credit_note,
}  # fmt: skip
