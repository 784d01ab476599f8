"""How what was staged becomes accounts: references resolved, records merged into what the ledger has. See `import_files`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled
from server.billing.ledger.sums.invoicing import prefix_of, with_invoices
from server.billing.model.account import (
    Account,
    Coupon,
    Customer,
    Discount,
    Invoice,
    PaymentMethod,
    Price,
    Product,
    PromotionCode,
    Subscription,
    TaxId,
    TaxRate,
)
from server.billing.stripe import mapping, mapping_catalog, mapping_invoices
from server.billing.stripe.reading import MappingError
from server.formats.email import EmailMistake, canonical
from server.formats.money import Money
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


def _named(each: Staged, work: Callable[[], T]) -> T:
    """Do it; a mistake in the record is refused with its place."""
    try:
        return work()
    except MappingError as error:
        raise each.place.refusal(error.problem, error.path) from None


class Catalog:
    """What references by id lead to: what this import brings, else what the ledger has from earlier ones."""

    def __init__(self, staging: Staging, into: Rows) -> None:
        self._staging, self._into = staging, into
        self._find = cache(self._look_up)

    def write(self) -> None:
        """Check and store everything that belongs to nobody."""
        for each in self._staging.catalog():
            self._into.put_catalog(each.kind, each.id, self._mapped(each))

    def product(self, product_id: str) -> Product | None:
        return self._of(Product, "product", product_id)

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
        if staged is not None:
            return self._mapped(staged)
        document = self._into.catalog(kind, identity)
        return msgspec.msgpack.decode(document, type=_SHAPES[kind]) if document else None

    def _mapped(self, each: Staged) -> msgspec.Struct:
        if each.kind == "price":
            return _named(each, lambda: mapping_catalog.price(msgspec.msgpack.decode(each.document), self))
        if each.kind == "discount":
            return _named(each, lambda: mapping_catalog.discount(msgspec.msgpack.decode(each.document), self))
        found: msgspec.Struct = msgspec.msgpack.decode(each.document, type=_SHAPES[each.kind])
        return found


class Merging:
    """Merges one customer's records after the other into the ledger."""

    def __init__(self, into: Rows, catalog: Catalog, now: datetime) -> None:
        self._into, self._catalog, self._now = into, catalog, now
        self.objects: Counter[str] = Counter()
        self.unreachable = 0

    def merge(self, together: Sequence[Staged]) -> str:
        """All records of one customer; `new`, `changed` or `unchanged`."""
        changed = [each for each in together if self._is_news(each)]
        if not changed:
            return "unchanged"
        seen = self._into.account(together[0].owner)
        account = self._with_customer(seen.account if seen else None, changed)
        account, invoices = self._with_things(account, changed)
        self._check_methods(account, changed)
        # What lies behind this moment was told by whoever billed before: nobody is reminded of it again.
        account = replace(account, as_of=max(account.as_of, self._now))
        self._into.put_account(seen, settled(account), invoices)
        for each in changed:
            self._into.remember(each)
            self.objects[each.kind] += 1
        self.unreachable += isinstance(canonical(account.customer.email), EmailMistake)
        return "changed" if seen else "new"

    def _is_news(self, each: Staged) -> bool:
        before = self._into.imported(each)
        if before is None:
            return True
        whose, digest = before
        if whose != each.owner:
            raise each.place.refusal(
                f"{each.kind} {each.id} belongs to {whose} in the ledger, got {each.owner}", "$.customer"
            )
        return digest != each.digest

    def _with_customer(self, base: Account | None, changed: Sequence[Staged]) -> Account:
        """The account with the customer that came; without one, the one that is there."""
        came = next((each for each in changed if each.kind == "customer"), None)
        if came is None:
            if base is None:
                problem = f"customer {changed[0].owner} is neither in these files nor in the ledger"
                raise changed[0].place.refusal(problem, "$.customer")
            return base
        customer, balance = msgspec.msgpack.decode(came.document, type=tuple[Customer, Money | None])
        if base is None:
            return Account(customer=customer, as_of=self._now, balance=balance)
        # Stripe sends tax ids only where they were asked for, and the ledger may have numbered invoices since.
        number = max(customer.next_invoice_sequence, base.customer.next_invoice_sequence)
        tax_ids = customer.tax_ids or base.customer.tax_ids
        customer = replace(customer, next_invoice_sequence=number, tax_ids=tax_ids)
        return replace(base, customer=customer, balance=balance)

    def _with_things(self, account: Account, changed: Sequence[Staged]) -> tuple[Account, list[Invoice]]:
        methods = {each.id: each for each in account.payment_methods}
        tax_ids = {each.id: each for each in account.customer.tax_ids}
        subscriptions = {each.id: each for each in account.subscriptions}
        invoices: list[Invoice] = []
        for each in changed:
            if each.kind == "payment_method":
                methods[each.id] = msgspec.msgpack.decode(each.document, type=PaymentMethod)
            elif each.kind == "tax_id":
                tax_ids[each.id] = msgspec.msgpack.decode(each.document, type=TaxId)
            elif each.kind == "subscription":
                subscriptions[each.id] = self._subscription(each)
            elif each.kind == "invoice":
                invoices += self._invoice(each)
        newest = sorted(methods.values(), key=lambda each: (each.created_at, each.id), reverse=True)
        account = replace(
            account,
            customer=_numbering_on(replace(account.customer, tax_ids=tuple(tax_ids.values())), invoices),
            payment_methods=tuple(newest),
            subscriptions=tuple(subscriptions.values()),
        )
        return with_invoices(account, invoices), invoices

    def _subscription(self, each: Staged) -> Subscription:
        raw: Any = msgspec.msgpack.decode(each.document)
        return _named(each, lambda: mapping.subscription(raw, self._catalog))

    def _invoice(self, each: Staged) -> list[Invoice]:
        """Drafts are never shown; a page of Stripe's for the invoice is not this ledger's."""
        raw: Any = msgspec.msgpack.decode(each.document)
        _, invoice = _named(each, lambda: mapping_invoices.invoice(raw, self._catalog))
        return [] if invoice.status == "draft" else [replace(invoice, hosted=False)]

    def _check_methods(self, account: Account, changed: Sequence[Staged]) -> None:
        known = {"", *(each.id for each in account.payment_methods)}
        wanted = {each.id: each.default_payment_method for each in account.subscriptions}
        wanted[account.customer.id] = account.customer.default_payment_method
        for each in changed:
            method = wanted.get(each.id, "") if each.kind in ("customer", "subscription") else ""
            if method not in known:
                problem = f"payment method {method} is neither in these files nor in the ledger"
                raise each.place.refusal(problem, _method_path(each))


def _numbering_on(customer: Customer, invoices: Sequence[Invoice]) -> Customer:
    """No number is given twice, also where an export lacks the customer's `next_invoice_sequence`."""
    prefix = f"{customer.invoice_prefix or prefix_of(customer)}-"
    ends = [each.number.removeprefix(prefix) for each in invoices if each.number.startswith(prefix)]
    used = [int(end) for end in ends if re.fullmatch(r"[0-9]{1,12}", end)]
    return replace(customer, next_invoice_sequence=max([customer.next_invoice_sequence, *(each + 1 for each in used)]))


def _method_path(each: Staged) -> str:
    if each.kind == "subscription":
        return "$.default_payment_method"
    return "$.invoice_settings.default_payment_method"
