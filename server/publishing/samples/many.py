"""Customers by the hundred thousand, for the benchmarks: as JSON through the import, or straight into the rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

from server.billing import rows
from server.billing.ledger.events.renewals import due_at, settled
from server.billing.ledger.sums.invoicing import as_kept, with_invoices
from server.billing.model.account import Account, Invoice
from server.billing.model.documents import encode_account, encode_invoice
from server.billing.model.periods import add_months
from server.billing.stripe import mapping, mapping_invoices
from server.billing.stripe.reading import Nothing
from server.publishing.samples.shapes import Json, Shapes
from server.publishing.samples.wares import wares
from server.store import Store, Transaction, micros

_INVOICES = 3
_BATCH = 2_000
_DIGITS = 7
_MARK = "Q" * _DIGITS


def many(brand: str, how_many: int, now: datetime) -> Iterator[Json]:
    """This many customers with a card, a subscription and invoices, four to six records each; the catalog first."""
    shapes = Shapes(brand, now)
    for ware in wares(brand).values():
        yield shapes.product(ware)
    for number in range(how_many):
        yield from records_of(shapes, f"{number:0{_DIGITS}d}")


def records_of(shapes: Shapes, number: str, invoices: int = _INVOICES, last: str = "paid") -> Iterator[Json]:
    """One of the many: the customer, a card, a subscription and that many invoices of its last months, `last` the newest's
    status."""
    start, ware = shapes.period_start(8), wares(shapes.brand)["main"]
    customer = shapes.customer(
        "many", address_of(number), f"Customer {number}", start - timedelta(days=200), currency="eur"
    )
    customer |= {"id": f"cus_many{number}", "invoice_prefix": f"M{number}", "next_invoice_sequence": invoices + 1}
    card = {**shapes.card("many", customer["id"], "visa", "4242", (start.year + 2, 8)), "id": f"pm_many{number}"}
    yield {**customer, "invoice_settings": {"default_payment_method": card["id"]}}
    yield card
    subscription = shapes.subscription("many", customer["id"], [(ware, 1)], currency="eur", start=start)
    yield {**subscription, "id": f"sub_many{number}"}
    for index in range(invoices):
        at = add_months(start, index + 1 - invoices)
        invoice = shapes.invoice("many", customer, [(ware.name, ware.cents)], currency="eur", at=at, number=index + 1,
                                 subscription=f"sub_many{number}", method=card,
                                 status="paid" if index < invoices - 1 else last)  # fmt: skip
        yield {**invoice, "id": f"in_many{number}_{index}"}


def address_of(number: str | int) -> str:
    """The address of one of the many."""
    return f"many{int(number):0{_DIGITS}d}@example.com" if str(number).isdigit() else f"many{number}@example.com"


async def write_many(
    store: Store, brand: str, how_many: int, now: datetime, *, last: str = "paid"
) -> AsyncIterator[int]:
    """The same customers written straight into an empty ledger; yields how many there are after each batch. `last`: the
    status of each one's newest invoice.

    One account is made by the import's own mapping and encoded once; the others are its bytes with another number,
    which has the same length everywhere.
    """
    template = _Template(brand, now, last)
    for first in range(0, how_many, _BATCH):
        batch = range(first, min(first + _BATCH, how_many))
        await store.write(lambda transaction, batch=batch: template.write(transaction, batch))  # type: ignore[misc]
        yield batch.stop


class _Template:
    def __init__(self, brand: str, now: datetime, last: str) -> None:
        self.brand = brand
        account = _account(Shapes(brand, now), now, last)
        due = due_at(account)
        self.times = {"as_of": micros(now), "due_at": micros(due) if due else None}
        self.created_at = micros(account.customer.created_at)
        self.document = encode_account(account)
        self.invoices = [(each.id, micros(each.created_at), encode_invoice(each)) for each in account.invoices]

    def write(self, transaction: Transaction, numbers: range) -> None:
        marks = [f"{number:0{_DIGITS}d}" for number in numbers]
        customers = [
            {"brand": self.brand, "id": f"cus_many{mark}", "address": address_of(mark), "email": address_of(mark),
             "name": f"Customer {mark}", "created_at": self.created_at, "active": 1, "disabled": 0}
            for mark in marks
        ]  # fmt: skip
        accounts = [
            {"brand": self.brand, "customer": f"cus_many{mark}", **self.times,
             "document": self.document.replace(_MARK.encode(), mark.encode())}
            for mark in marks
        ]  # fmt: skip
        invoices = [
            {"brand": self.brand, "id": identity.replace(_MARK, mark), "customer": f"cus_many{mark}", "created_at": at,
             "document": document.replace(_MARK.encode(), mark.encode())}
            for mark in marks
            for identity, at, document in self.invoices
        ]  # fmt: skip
        transaction.run_many(rows.PUT_CUSTOMER, customers)
        transaction.run_many(rows.INSERT_ACCOUNT, accounts)
        transaction.run_many(rows.PUT_INVOICE, invoices)


def _account(shapes: Shapes, now: datetime, last: str) -> Account:
    """The account of the mark's customer, by the same mapping as an import."""
    return mapped(shapes, now, [*records_of(shapes, _MARK, last=last)])[0]


def mapped(shapes: Shapes, now: datetime, records: list[Json]) -> tuple[Account, list[Invoice]]:
    """The account of one customer's records and all of its invoices."""
    customer, card, subscription, *invoices = records
    product = shapes.product(wares(shapes.brand)["main"])
    subscription["items"]["data"][0]["price"]["product"] = product
    holder, balance = mapping.customer(customer)
    account = Account(
        customer=holder,
        as_of=now,
        subscriptions=(mapping.subscription(subscription, Nothing()),),
        payment_methods=(mapping.payment_method(card)[1],),
        balance=balance,
    )
    found = [mapping_invoices.invoice(each, Nothing())[1] for each in invoices]
    return settled(as_kept(with_invoices(account, found))), found
