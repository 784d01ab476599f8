"""Objects of older API versions with the names of today's: what changed its place or its name, as far as money needs it.

    customer       account_balance, default_card            -> balance, default_source
                   sources, cards, bank accounts            -> payment methods (`payment_method_of`)
    subscription   currency (none before 2020)              -> that of its first price
                   plan, quantity; items.data[].plan        -> items.data[].price, items.data[].quantity
                   tax_percent                              -> default_tax_rates
                   billing                                  -> collection_method
    invoice        date                                     -> created
                   lines.data[].plan                        -> lines.data[].description
                   paid, closed, forgiven                   -> status
                   tax, tax_percent                         -> total_tax_amounts
                   discount                                 -> total_discount_amounts
                   charge, payment_intent                   -> payments
    plan           amount, interval, transform_usage, …     -> price

Pure; what is not as expected is left as it is: the next reader of the object refuses it with its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
EXPORT_WITH = "export it again with the header Stripe-Version of this year"
_BANKS = {"us": "us_bank_account", "ca": "acss_debit", "au": "au_becs_debit", "gb": "bacs_debit"}


def is_old(kind: str, raw: Json) -> bool:
    """Whether an object has the shape of an API version that is years old."""
    if kind == "subscription":
        first = _first_item(raw)
        has_plan = "items" not in raw or (bool(first) and first.get("price") is None)
        return "currency" not in raw or "tax_percent" in raw or "billing" in raw or has_plan
    if kind == "invoice":
        return "created" not in raw or "status" not in raw or "closed" in raw or "billing" in raw
    return kind == "plan" or (kind == "customer" and "account_balance" in raw)


def hint(kind: str, raw: Any) -> str:
    """What a refusal says beside its reason, where the object is an old one."""
    is_so = isinstance(raw, dict) and is_old(kind, raw)
    return f" (an export of an old API version: {EXPORT_WITH})" if is_so else ""


def todays_customer(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    older = {"balance": raw.get("account_balance"), "default_source": raw.get("default_card")}
    return {**raw, **{key: each for key, each in older.items() if each is not None and raw.get(key) is None}}


def todays_subscription(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    made, items = dict(raw), raw.get("items")
    if items is None and isinstance(raw.get("plan"), dict):
        items = {"data": [{"id": f"si_{raw.get('id')}", "plan": raw["plan"], "quantity": raw.get("quantity")}]}
    if isinstance(items, dict) and isinstance(items.get("data"), list):
        found = [_todays_item(each) for each in items["data"]]
        if len(found) == 1 and isinstance(found[0], dict) and found[0].get("quantity") is None:
            found = [{**found[0], "quantity": raw.get("quantity")}]
        made["items"] = {**items, "data": found}
    if made.get("currency") is None:
        price = _first_item(made).get("price")
        made["currency"] = price.get("currency") if isinstance(price, dict) else None
        if made["currency"] is None:
            del made["currency"]
    if made.get("collection_method") is None and isinstance(raw.get("billing"), str):
        made["collection_method"] = raw["billing"]
    if made.get("collection_method", "") is None:
        del made["collection_method"]
    percent = raw.get("tax_percent")
    if percent and not made.get("default_tax_rates"):
        made["default_tax_rates"] = [{"id": "tax_percent", "percentage": percent}]
    return made


def _first_item(raw: Json) -> Json:
    items = raw.get("items")
    data = items.get("data") if isinstance(items, dict) else None
    return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}


def _todays_item(item: Any) -> Any:
    if isinstance(item, dict) and item.get("price") is None and isinstance(item.get("plan"), dict):
        return {**item, "price": price_of(item["plan"])}
    if isinstance(item, dict) and isinstance(item.get("price"), dict) and isinstance(item.get("plan"), dict):
        tiers = item["price"].get("tiers") or item["plan"].get("tiers")
        return {**item, "price": {**item["price"], "tiers": tiers}} if tiers else item
    return item


def price_of(plan: Json) -> Json:
    """A plan as the price that is in its place today, which has the same id."""
    recurring = {
        "interval": plan.get("interval"),
        "interval_count": plan.get("interval_count", 1),
        "usage_type": plan.get("usage_type", "licensed"),
    }
    same = ("id", "active", "created", "currency", "livemode", "metadata", "nickname", "billing_scheme", "tiers")
    made = {key: plan[key] for key in (*same, "tiers_mode") if plan.get(key) is not None}
    if "product" not in plan and isinstance(plan.get("name"), str):  # before 2018 a plan was its own product
        made["product"] = {"id": plan.get("id"), "object": "product", "name": plan["name"]}
    return {
        **{key: plan[key] for key in ("product",) if key in plan},
        **made,
        "object": "price",
        "unit_amount": plan.get("amount"),
        "unit_amount_decimal": plan.get("amount_decimal"),
        "recurring": recurring,
        "transform_quantity": plan.get("transform_usage"),
    }


def payment_method_of(source: Json, created: Any) -> Json:
    """A card, a bank account or a source of the time before payment methods, as the payment method with the same id."""
    is_card = source.get("object") == "card"  # whose `type` was its brand, before 2015
    kind = "card" if is_card else str(source.get("type") or source.get("object"))
    if kind == "bank_account":
        kind = _BANKS.get(str(source.get("country", "")).lower(), "us_bank_account")
    part = source.get(kind) if isinstance(source.get(kind), dict) else source
    names = ("last4", "exp_month", "exp_year", "bank_name")
    details = {name: part[name] for name in names if part and part.get(name) is not None}
    brand = part.get("brand") or (part.get("type") if is_card else None) if part else None
    if isinstance(brand, str):
        details["brand"] = {"american express": "amex", "diners club": "diners"}.get(brand.lower(), brand.lower())
    return {
        "id": source.get("id"),
        "object": "payment_method",
        "type": kind,
        "created": source.get("created") if source.get("created") is not None else created,
        "customer": source.get("customer"),
        "metadata": source.get("metadata"),
        kind: details,
    }


def todays_invoice(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    made = dict(raw)
    if "created" not in raw and "date" in raw:
        made["created"] = raw["date"]
    if raw.get("status") is None and ("closed" in raw or "paid" in raw):
        made["status"] = _status(raw)
        if "amount_paid" not in raw and made["status"] == "paid":
            made["amount_paid"] = raw.get("amount_due", 0)
    if isinstance(lines := raw.get("lines"), dict) and isinstance(lines.get("data"), list):
        made["lines"] = {**lines, "data": [_todays_line(each) for each in lines["data"]]}
    tax = raw.get("tax")
    if tax and raw.get("total_taxes") is None and raw.get("total_tax_amounts") is None:
        rate = {"id": "tax_percent", "percentage": raw["tax_percent"]} if raw.get("tax_percent") else None
        made["total_tax_amounts"] = [{"amount": tax, "tax_rate": rate}]
    if isinstance(raw.get("discount"), dict) and raw.get("total_discount_amounts") is None:
        made["total_discount_amounts"] = _taken_off(raw)
    if raw.get("payments") is None and (payment := _payment(made)):
        made["payments"] = {"data": [payment]}
    return made


def _todays_line(line: Any) -> Any:
    """Before 2019 the line of a plan had no words of its own."""
    plan = line.get("plan") if isinstance(line, dict) else None
    if isinstance(plan, dict) and not line.get("description"):
        return {**line, "description": plan.get("nickname") or plan.get("name")}
    return line


def _status(raw: Json) -> str:
    if raw.get("paid") is True:
        return "paid"
    if raw.get("forgiven") is True:
        return "uncollectible"
    return "void" if raw.get("closed") is True else "open"


def _taken_off(raw: Json) -> Sequence[Json]:
    """What the one discount took off: what is missing between the parts and the total."""
    names = ("subtotal", "tax", "amount_shipping", "total")
    subtotal, tax, shipping, total = (each if type(each) is int else 0 for each in map(raw.get, names))
    off = subtotal + tax + shipping - total
    return ({"amount": off, "discount": raw["discount"]},) if off > 0 else ()


def _payment(raw: Json) -> Json | None:
    """The one payment that an older invoice names by its charge or its payment intent."""
    intent = raw.get("payment_intent")
    charge = intent.get("latest_charge") if isinstance(intent, dict) else None
    charge = charge or raw.get("charge")
    whole = charge if isinstance(charge, dict) else {}
    if isinstance(whole.get("source"), dict) and "payment_method_details" not in whole:
        card = payment_method_of(whole["source"], None)
        whole = {**whole, "payment_method_details": {"type": card["type"], card["type"]: card[card["type"]]}}
        intent = {**intent, "latest_charge": whole} if isinstance(intent, dict) else intent
    identity = whole.get("id") or charge or (intent.get("id") if isinstance(intent, dict) else intent)
    if not isinstance(identity, str):
        return None
    if whole.get("failure_code") and not isinstance(intent, dict):
        intent = {"id": identity, "last_payment_error": {"code": whole["failure_code"]}}
    moved = raw.get("status_transitions")
    paid = whole.get("paid", raw.get("status") == "paid")
    amount = whole.get("amount", raw.get("amount_paid") if paid else raw.get("amount_due"))
    if amount is None:  # nothing was asked for
        return None
    return {
        "id": identity,
        "status": "paid" if paid is True else "open",
        "created": whole.get("created") or raw.get("created"),
        "amount_requested": amount,
        "amount_paid": amount if paid is True else None,
        "payment": {"payment_intent": intent, "charge": whole or None},
        "status_transitions": {"paid_at": moved.get("paid_at")} if isinstance(moved, dict) else None,
    }
