"""What references by id lead to while an import is merged: what it brings, else what earlier ones brought."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

from server.billing.model.account import Coupon, Discount, Price, Product, PromotionCode, TaxRate
from server.billing.model.amounts import has_amount
from server.billing.stripe import legacy, mapping_catalog
from server.billing.stripe.reading import MappingError
from server.merchant.importing.reading import ImportRefused
from server.merchant.importing.report import Notes
from server.merchant.importing.rows import Rows
from server.merchant.importing.staging import Staged, Staging

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
_SHAPES: dict[str, type[msgspec.Struct]] = {
    "product": Product,
    "price": Price,
    "coupon": Coupon,
    "promotion_code": PromotionCode,
    "tax_rate": TaxRate,
    "discount": Discount,
}


def named(each: Staged, work: Callable[[], T], raw: object = None) -> T:
    """Do it; a mistake in the record (`raw`) is refused with its place."""
    try:
        return work()
    except MappingError as error:
        raise each.place.refusal(error.problem + legacy.hint(each.kind, raw), error.path) from None


class Catalog:
    """`Known`, as the mapping asks for it."""

    def __init__(self, staging: Staging, into: Rows, notes: Notes) -> None:
        self._staging, self._into, self._notes = staging, into, notes
        self._find = cache(self._look_up)

    def write(self) -> None:
        """Check and store everything that belongs to nobody."""
        for each in self._staging.catalog():
            try:
                document = self._mapped(each)
            except ImportRefused as error:
                self._staging.broken(error, each.kind)
                continue
            counts, before = self._notes.of(each.kind), self._into.catalog(each.kind, each.id)
            if before is None:
                counts.new += 1
            elif each.is_copy and each.kind == "coupon":
                continue  # what is there came by itself, and says more
            elif before == msgspec.msgpack.encode(document):
                counts.same += 1
                continue
            else:
                counts.changed += 1
            self._name(each, document)
            self._into.put_catalog(each.kind, each.id, document)

    def _name(self, each: Staged, document: msgspec.Struct) -> None:
        """What is there, and of no use as it is, or of more than was meant."""
        if isinstance(document, Price) and document.active and document.recurring and not has_amount(document):
            why = "does not say what it costs: it is not sold; export the prices with expand[]=data.tiers"
            self._notes.name("price", why, each.place.at("$"))
        if isinstance(document, PromotionCode) and document.active and self.coupon(document.coupon) is None:
            why = "its coupon is neither in these files nor in the ledger: nobody can use it"
            self._notes.name("promotion_code.promotion", why, each.place.at("$"))
        if isinstance(document, Coupon) and each.is_copy and not document.products:
            why = "may lack its products: it counts for every one; import the coupons, too, with applies_to"
            self._notes.name("coupon.applies_to", why, each.place.at("$"))

    def product(self, product_id: str) -> Product | None:
        return self._of(Product, "product", product_id)

    def price(self, price_id: str) -> Price | None:
        return self._of(Price, "price", price_id)

    def coupon(self, coupon_id: str) -> Coupon | None:
        return self._of(Coupon, "coupon", coupon_id)

    def discount(self, discount_id: str) -> Discount | None:
        return self._of(Discount, "discount", discount_id)

    def tax_rate(self, tax_rate_id: str) -> TaxRate | None:
        return self._of(TaxRate, "tax_rate", tax_rate_id)

    def promotion_code(self, promotion_code_id: str) -> str:
        found = self._of(PromotionCode, "promotion_code", promotion_code_id)
        return found.code if found else ""

    def _of(self, shape: type[S], kind: str, identity: str) -> S | None:
        found = self._find(kind, identity)
        return found if isinstance(found, shape) else None

    def _look_up(self, kind: str, identity: str) -> msgspec.Struct | None:
        staged = self._staging.one(kind, identity)
        if staged is not None and staged.is_copy and kind == "coupon" and (there := self._into.catalog(kind, identity)):
            return msgspec.msgpack.decode(there, type=Coupon)
        if staged is not None:
            try:
                return self._mapped(staged)
            except ImportRefused:  # named where it is written; what refers to it is refused for that
                return None
        document = self._into.catalog(kind, identity)
        return msgspec.msgpack.decode(document, type=_SHAPES[kind]) if document else None

    def _mapped(self, each: Staged) -> msgspec.Struct:
        if each.kind == "price":
            return named(each, lambda: mapping_catalog.price(msgspec.msgpack.decode(each.document), self))
        if each.kind == "discount":
            return named(each, lambda: mapping_catalog.discount(msgspec.msgpack.decode(each.document), self))
        found: msgspec.Struct = msgspec.msgpack.decode(each.document, type=_SHAPES[each.kind])
        return found
