"""Products, prices, coupons, promotion codes and tax rates: listed and made. Nothing of them is ever changed here."""

from __future__ import annotations

from typing import Any

from tests.stripe.listing import matching, paged, rows_of
from tests.stripe.money.pricing import with_decimals
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json


@serves("get", "/v1/products")
def products(call: Call) -> Json:
    rows = matching(call, call.world.tables["product"].values(), "active")
    ids = call.params.get("ids")
    return paged(call, [row for row in rows if ids is None or row["id"] in ids], "/v1/products")


@serves("get", "/v1/prices")
def prices(call: Call) -> Json:
    rows = matching(call, call.world.tables["price"].values(), "active", "product", "currency", "type")
    if "lookup_keys" in call.params:
        rows = [row for row in rows if row.get("lookup_key") in call.params["lookup_keys"]]
    return paged(call, rows, "/v1/prices")


@serves("get", "/v1/coupons")
def coupons(call: Call) -> Json:
    return paged(call, call.world.tables["coupon"].values(), "/v1/coupons")


@serves("get", "/v1/promotion_codes")
def promotion_codes(call: Call) -> Json:
    """A code is found whatever its letters' case."""
    code, coupon = call.params.get("code"), call.params.get("coupon")
    rows = matching(call, rows_of(call, "promotion_code"), "active")
    return paged(call, [
        row for row in rows
        if (code is None or row["code"].casefold() == code.casefold()) and (coupon is None or row["promotion"]["coupon"] == coupon)
    ], "/v1/promotion_codes")  # fmt: skip


@serves("get", "/v1/tax_rates")
def tax_rates(call: Call) -> Json:
    return paged(call, matching(call, call.world.tables["tax_rate"].values(), "active", "inclusive"), "/v1/tax_rates")


@serves("post", "/v1/products")
def create_product(call: Call) -> Json:
    return _made(call, "product", updated=call.world.now)


@serves("post", "/v1/prices")
def create_price(call: Call) -> Json:
    """Of a product that is there; the last tier's `inf` is a null in the answer."""
    call.world.get("product", call.params.get("product", ""), param="product")
    row = _made(call, "price", type="recurring" if "recurring" in call.params else "one_time")
    if row.get("recurring"):
        row["recurring"] = {"interval_count": 1, "usage_type": "licensed", **row["recurring"]}
    for tier in row.get("tiers") or []:
        tier["up_to"] = None if tier["up_to"] == "inf" else tier["up_to"]
        with_decimals(tier)
    with_decimals(row)
    return row


@serves("post", "/v1/coupons")
def create_coupon(call: Call) -> Json:
    return _made(call, "coupon")


@serves("post", "/v1/promotion_codes")
def create_promotion_code(call: Call) -> Json:
    coupon = call.params["promotion"].get("coupon", "")
    call.world.get("coupon", coupon, param="promotion[coupon]")
    row = _made(call, "promotion_code")
    row["restrictions"] = {"first_time_transaction": False, **row["restrictions"]}
    return row


@serves("post", "/v1/tax_rates")
def create_tax_rate(call: Call) -> Json:
    return _made(call, "tax_rate")


def _made(call: Call, kind: str, **more: Any) -> Json:
    row = call.world.add(kind, **{name: value for name, value in call.params.items() if name != "expand"}, **more)
    call.world.tell(f"{kind}.created", row)
    return row
