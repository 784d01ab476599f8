"""What a brand sells, by name and price, for the controls that ask for ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from server.billing.model.catalog import Catalog, Coupon, Price
from server.rendering.filters import babel_locale, filters_of

_FILTERS = filters_of(babel_locale("en"), ZoneInfo(str(UTC)), "")


class Sold(msgspec.Struct, frozen=True):
    products: dict[str, str] = {}
    """The names of products by their ids; nothing: the catalog is empty, so ids are typed."""
    prices: dict[str, dict[str, str]] = {}
    """Of each product, its prices in words by their ids."""
    coupons: dict[str, str] = {}

    @property
    def every(self) -> dict[str, str]:
        """Products and prices in words, each product before its prices."""
        found: dict[str, str] = {}
        for product, name in self.products.items():
            found[product] = name
            found |= {price: f"{name}, {words}" for price, words in self.prices.get(product, {}).items()}
        return found

    def starts(self) -> dict[str, dict[str, Any]]:
        """The row that begins with each product: all that it costs now."""
        return {
            product: {"product": product, "prices": list(self.prices.get(product, {}))} for product in self.products
        }


def sold(catalog: Catalog) -> Sold:
    """What can be bought now; what is archived is not offered for new rows."""
    products = {each.id: each.name or each.id for each in catalog.products.values() if each.active}
    prices: dict[str, dict[str, str]] = {}
    for each in sorted(catalog.prices.values(), key=_order):
        if each.active and each.recurring and each.product in products:
            prices.setdefault(each.product, {})[each.id] = _price(each)
    named = sorted(products.items(), key=lambda each: each[1].lower())
    coupons = {each.id: _coupon(each) for each in catalog.coupons.values() if each.valid}
    return Sold({key: name for key, name in named if key in prices}, prices, coupons)


_INTERVALS = ("day", "week", "month", "year")


def _order(price: Price) -> tuple[int, int, str, str]:
    at = price.recurring
    interval = (_INTERVALS.index(at.interval), at.count) if at and at.interval in _INTERVALS else (9, 0)
    return (*interval, price.currency, price.id)


def _price(price: Price) -> str:
    amount = (
        _FILTERS["unit_price"](price.unit_amount, price.currency)
        if price.unit_amount
        else f"By tiers, {price.currency.upper()},"
    )
    unit = f" per {price.unit_label}" if price.unit_label else ""
    count = price.recurring.count if price.recurring else 1
    each = price.recurring.interval if price.recurring else ""
    every = f"a {each}" if count == 1 else f"every {count} {each}s"
    nickname = f" ({price.nickname})" if price.nickname else ""
    return f"{amount}{unit} {every}{nickname}"


def _coupon(coupon: Coupon) -> str:
    off = f"{coupon.percent_off} % off" if coupon.percent_off else ""
    if not off and coupon.amount_off:
        off = f"{_FILTERS['money'](coupon.amount_off)} off"
    return ", ".join(each for each in (coupon.name, off) if each) or coupon.id


def picks(column: str, row: Mapping[str, Any], sells: Sold, listed: Mapping[str, str]) -> dict[str, str]:
    """What a column of ids can be chosen from. `listed`: the products and prices that customers may move to."""
    if column == "product":
        return sells.products
    if column == "prices":
        product = row.get("product")
        return sells.prices.get(product, {}) if isinstance(product, str) else {}
    return dict(listed) if column == "to" else sells.every if column == "from" else {}
