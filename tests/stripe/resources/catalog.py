"""Products, prices, coupons, promotion codes and tax rates: read; a test puts them into the world itself."""

from __future__ import annotations

from tests.stripe.listing import matching, paged, rows_of
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
