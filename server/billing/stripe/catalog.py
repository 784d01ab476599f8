"""The copy of what the brand sells at Stripe: products, prices with their tiers, coupons, tax rates.

An object of an account names these by id. Who is missed is asked for once and kept; one that is gone at Stripe stays, as
long as old invoices name it. Promotion codes are not copied: Stripe counts them, so they are asked for when one is typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from server.billing import Catalog, Coupon, Discount, NotFound, Price, Product, TaxRate, rows
from server.billing.stripe import mapping_catalog
from server.billing.stripe.client import Client, Raw
from server.billing.stripe.reading import MappingError, Nothing
from server.brands.features import Features
from server.store import Store, Transaction

KINDS: dict[str, tuple[str, type[Any], tuple[str, ...]]] = {
    "product": ("/v1/products", Product, ()),
    "price": ("/v1/prices", Price, ("tiers", "product")),
    "coupon": ("/v1/coupons", Coupon, ("applies_to", "currency_options")),
    "tax_rate": ("/v1/tax_rates", TaxRate, ()),
}
"""Each kind's path, its type here, and what Stripe sends only when it is asked to. In the order in which they are read."""
_READ = "SELECT kind, id, document FROM catalog WHERE brand = :brand"

Entry = Product | Price | Coupon | TaxRate


class Copy(Nothing):
    """What references by id lead to: a `Known` over the copied catalog."""

    def __init__(self, entries: Mapping[tuple[str, str], Entry]) -> None:
        self.entries = entries

    def product(self, product_id: str) -> Product | None:
        found = self.entries.get(("product", product_id))
        return found if isinstance(found, Product) else None

    def price(self, price_id: str) -> Price | None:
        found = self.entries.get(("price", price_id))
        return found if isinstance(found, Price) else None

    def coupon(self, coupon_id: str) -> Coupon | None:
        found = self.entries.get(("coupon", coupon_id))
        return found if isinstance(found, Coupon) else None

    def tax_rate(self, tax_rate_id: str) -> TaxRate | None:
        found = self.entries.get(("tax_rate", tax_rate_id))
        return found if isinstance(found, TaxRate) else None

    def discount(self, discount_id: str) -> Discount | None:  # noqa: ARG002 (Stripe has no list of them: they are expanded)
        return None


class CopiedCatalog:
    """One brand's copy in the store."""

    def __init__(self, store: Store, brand: str, client: Client) -> None:
        self.store, self.brand, self.client = store, brand, client

    async def copy(self) -> Copy:
        found = await self.store.read(_READ, {"brand": self.brand})
        return Copy({(kind, id_): _decoded(kind, document) for kind, id_, document in found if kind in KINDS})

    async def copy_for(self, prices: Iterable[str]) -> Copy:
        """The copy with these prices in it: one that is missing is asked for, once."""
        found = await self.copy()
        missing = [each for each in prices if found.price(each) is None]
        if not missing:
            return found
        await asyncio.gather(*(self.refresh("price", each) for each in missing))
        return await self.copy()

    async def refresh(self, kind: str, id_: str) -> None:
        """Read one object again. One that is gone, or odd, stays as it was."""
        path, _, expand = KINDS[kind]
        try:
            raw = await self.client.get(f"{path}/{id_}", **({"expand": list(expand)} if expand else {}))
        except NotFound:
            return
        await self.keep(kind, [raw])

    async def keep(self, kind: str, objects: Iterable[Raw]) -> int:
        """Write what Stripe sent; how many objects were odd and left out."""
        known, found, odd = await self.copy(), [], 0
        for raw in objects:
            try:
                found += [(each_kind, each.id, each) for each_kind, each in _mapped(kind, raw, known)]
            except MappingError:
                odd += 1
        values = [
            {"brand": self.brand, "kind": kind, "id": id_, "document": msgspec.msgpack.encode(each)}
            for kind, id_, each in found
        ]

        def work(transaction: Transaction) -> None:
            if values:
                transaction.run_many(rows.PUT_CATALOG, values)

        await self.store.write(work)
        return odd

    async def read(self, features: Features, prices: Iterable[str] = ()) -> Catalog:
        """What the configuration names, and these prices."""
        sold = features.subscription_update.products
        named = {price for each in sold for price in each.prices} | set(prices)
        coupon = features.subscription_cancel.retention.coupon
        found = await self.copy()
        products = [found.product(each.product) for each in sold]
        coupons = [found.coupon(coupon)] if coupon else []
        return Catalog(
            products={each.id: each for each in products if each},
            prices={each: price for each in named if (price := found.price(each))},
            coupons={each.id: each for each in coupons if each},
        )


def _mapped(kind: str, raw: Raw, known: Copy) -> list[tuple[str, Entry]]:
    """A price brings its product."""
    if raw.get("deleted"):
        return []
    if kind == "price":
        product = raw.get("product")
        extra = [("product", mapping_catalog.product(product))] if _is_whole(product) else []
        return [*extra, ("price", mapping_catalog.price(raw, known))]
    return [(kind, _MAPPED[kind](raw))]


_MAPPED: dict[str, Callable[[Raw], Entry]] = {
    "product": mapping_catalog.product,
    "coupon": mapping_catalog.coupon,
    "tax_rate": mapping_catalog.tax_rate,
}


def _is_whole(product: object) -> bool:
    return isinstance(product, dict) and not product.get("deleted")


def _decoded(kind: str, document: bytes) -> Entry:
    entry: Entry = msgspec.msgpack.decode(document, type=KINDS[kind][1])
    return entry
