"""What the ledger sells: reading the part of the catalog that a change may name, and counting what is redeemed.

An export says how often a coupon was redeemed elsewhere; what is redeemed here is counted beside it, so that the same
export again takes nothing back. The count is one statement that never goes beyond the limit, however many ask at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from server.billing import Refused, rows
from server.billing.model.account import Catalog, Coupon, Discount, Price, Product, PromotionCode
from server.billing.rules.discounts import canonical
from server.brands.features import Features
from server.store import Row, Store, Transaction

_BY_CODE = """
SELECT catalog.document, redemption.used
  FROM promotion_code
  JOIN catalog ON catalog.brand = promotion_code.brand AND catalog.kind = 'promotion_code'
              AND catalog.id = promotion_code.id
  LEFT JOIN redemption ON redemption.brand = catalog.brand AND redemption.kind = catalog.kind
                      AND redemption.id = catalog.id
 WHERE promotion_code.brand = :brand AND promotion_code.code = :code
 ORDER BY promotion_code.id LIMIT 20"""
_BY_ID = """
SELECT catalog.kind, catalog.document, redemption.used
  FROM catalog
  LEFT JOIN redemption ON redemption.brand = catalog.brand AND redemption.kind = catalog.kind
                      AND redemption.id = catalog.id
 WHERE catalog.brand = :brand AND ({})"""

_REDEEM = """
INSERT INTO redemption (brand, kind, id, used) VALUES (:brand, :kind, :id, 1)
ON CONFLICT (brand, kind, id) DO UPDATE SET used = redemption.used + 1 WHERE redemption.used < :left"""
_RELEASE = """
UPDATE redemption SET used = used - 1 WHERE brand = :brand AND kind = :kind AND id = :id AND used > 0"""
_ENDLESS = 2**62

L = TypeVar("L", Coupon, PromotionCode)
_SHAPES: dict[str, type[Coupon | PromotionCode]] = {"coupon": Coupon, "promotion_code": PromotionCode}


async def read_catalog(
    store: Store, brand: str, features: Features, *, prices: Iterable[str] = (), code: str = ""
) -> Catalog:
    """What `portal.toml` names, these prices, and the promotion codes that read like `code` with their coupons."""
    found = await store.read(_BY_CODE, {"brand": brand, "code": canonical(code)}) if code.strip() else []
    codes = tuple(_counted(msgspec.msgpack.decode(document, type=PromotionCode), used) for document, used in found)
    sold = features.subscription_update.products
    wanted = {
        "product": {each.product for each in sold},
        "price": {*prices, *(price for each in sold for price in each.prices)},
        "coupon": {features.subscription_cancel.retention.coupon, *(each.coupon for each in codes)} - {""},
    }
    sql, values = _statement(wanted)
    rows = await store.read(sql, {"brand": brand, **values}) if values else []
    return _catalog(rows, codes)


async def code_of(store: Store, brand: str, promotion_code: str) -> str:
    """What customers type for the promotion code of this id; empty: there is none."""
    found = await store.read(rows.READ_CATALOG, {"brand": brand, "kind": "promotion_code", "id": promotion_code})
    return msgspec.msgpack.decode(found[0][0], type=PromotionCode).code if found else ""


def _statement(wanted: dict[str, set[str]]) -> tuple[str, dict[str, str]]:
    values: dict[str, str] = {}
    parts = []
    for kind, ids in wanted.items():
        names = {f"{kind}{place}": each for place, each in enumerate(sorted(ids))}
        if names:
            values |= names
            parts.append(f"catalog.kind = '{kind}' AND catalog.id IN ({', '.join(f':{name}' for name in names)})")
    return _BY_ID.format(" OR ".join(parts)), values


def _catalog(rows: Sequence[Row], codes: tuple[PromotionCode, ...]) -> Catalog:
    decode = msgspec.msgpack.decode
    products = [decode(document, type=Product) for kind, document, _ in rows if kind == "product"]
    prices = [decode(document, type=Price) for kind, document, _ in rows if kind == "price"]
    coupons = [_counted(decode(document, type=Coupon), used) for kind, document, used in rows if kind == "coupon"]
    return Catalog(
        products={each.id: each for each in products},
        prices={each.id: each for each in prices},
        coupons={each.id: each for each in coupons},
        codes=codes,
    )


def _counted(limited: L, used: int | None) -> L:
    return replace(limited, times_redeemed=limited.times_redeemed + (used or 0))


def redeem(transaction: Transaction, brand: str, discount: Discount) -> None:
    """Count the coupon of a new discount, and its promotion code. Raises `Refused` where somebody took the last one."""
    for kind, identity in _limited(discount):
        there = {"brand": brand, "kind": kind, "id": identity}
        found = transaction.run(rows.READ_CATALOG, there)
        if not found:
            continue
        limited = msgspec.msgpack.decode(found[0][0], type=_SHAPES[kind])
        left = limited.max_redemptions - limited.times_redeemed if limited.max_redemptions else _ENDLESS
        if left < 1 or transaction.count(_REDEEM, {**there, "left": left}) != 1:
            raise Refused("code_used_up")


def release(transaction: Transaction, brand: str, discount: Discount) -> None:
    """Take back the count of a discount that never began."""
    for kind, identity in _limited(discount):
        transaction.count(_RELEASE, {"brand": brand, "kind": kind, "id": identity})


def _limited(discount: Discount) -> list[tuple[str, str]]:
    found = [("coupon", discount.coupon.id)]
    return [*found, ("promotion_code", discount.redeemed)] if discount.redeemed else found
