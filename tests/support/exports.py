"""Stripe-shaped objects for tests, as small as Stripe would still send them."""

from typing import Any

Json = dict[str, Any]
MARCH, APRIL = 1772323200, 1775001600  # 1 March and 1 April 2026, 00:00 UTC


def customer(identity: str = "cus_1", /, **more: Any) -> Json:
    head = {"id": identity, "object": "customer", "created": 1735689600, "email": "jenny@example.com"}
    return {**head, "name": "Jenny", "livemode": False, "metadata": {}, **more}


def account(identity: str = "acct_1", /, **more: Any) -> Json:
    head = {"id": identity, "object": "v2.core.account", "created": "2025-01-01T00:00:00.000Z"}
    return {**head, "contact_email": "jenny@example.com", "display_name": "Jenny", "livemode": False, **more}


def product(identity: str = "prod_1", /, **more: Any) -> Json:
    return {"id": identity, "object": "product", "name": "Coffee", "active": True, "livemode": False, **more}


def price(identity: str = "price_1", /, **more: Any) -> Json:
    head = {"id": identity, "object": "price", "product": "prod_1", "currency": "eur", "unit_amount": 3100}
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    return {**head, "unit_amount_decimal": "3100", "recurring": recurring, "livemode": False, **more}


def item(identity: str = "si_1", /, **more: Any) -> Json:
    head = {"id": identity, "object": "subscription_item", "price": price(), "quantity": 1}
    return {**head, "current_period_start": MARCH, "current_period_end": APRIL, **more}


def subscription(identity: str = "sub_1", /, items: list[Json] | None = None, **more: Any) -> Json:
    head = {"id": identity, "object": "subscription", "customer": "cus_1", "status": "active", "currency": "eur"}
    inside = {"object": "list", "data": [item()] if items is None else items, "has_more": False}
    return {**head, "created": MARCH, "billing_cycle_anchor": MARCH, "items": inside, "livemode": False, **more}


def method(identity: str = "pm_1", /, **more: Any) -> Json:
    card = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2040}
    head = {"id": identity, "object": "payment_method", "type": "card", "created": MARCH, "customer": "cus_1"}
    return {**head, "card": card, "livemode": False, **more}


def line(identity: str = "il_1", /, **more: Any) -> Json:
    period = {"start": MARCH, "end": APRIL}
    return {"id": identity, "object": "line_item", "amount": 3100, "currency": "eur", "description": "Coffee",
            "quantity": 1, "period": period, **more}  # fmt: skip


def invoice(identity: str = "in_1", /, **more: Any) -> Json:
    head = {"id": identity, "object": "invoice", "customer": "cus_1", "status": "paid", "number": "A-1"}
    sums = {"currency": "eur", "subtotal": 3100, "total": 3100, "amount_due": 3100, "amount_paid": 3100,
            "amount_remaining": 0}  # fmt: skip
    lines = {"object": "list", "data": [line()], "has_more": False}
    return {**head, **sums, "created": MARCH, "lines": lines, "livemode": False, **more}


def coupon(identity: str = "OFF", /, **more: Any) -> Json:
    return {"id": identity, "object": "coupon", "name": "Ten off", "percent_off": 10.5, "duration": "forever", **more}


def discount(identity: str = "di_1", /, **more: Any) -> Json:
    source = {"type": "coupon", "coupon": "OFF"}
    return {"id": identity, "object": "discount", "start": MARCH, "end": None, "source": source, **more}
