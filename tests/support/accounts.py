"""Customers' accounts for tests: whole and ordinary, until a test changes what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from server.billing import (
    Account,
    Activity,
    Billing,
    By,
    Catalog,
    Customer,
    Invoice,
    InvoiceFilter,
    InvoiceLine,
    InvoicePage,
    Item,
    Money,
    PaymentMethod,
    Price,
    Recurring,
    Subscription,
    Upcoming,
)
from server.billing.model.documents import encode_account, encode_invoice
from server.brands import Features
from server.brands.features import SubscriptionCancel
from server.store import micros
from tests.support.world import BRAND, World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""What the tests' clock says."""
START, END = datetime(2026, 2, 15, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)
"""The period that is running then."""
FEATURES = Features()
AT_ONCE = replace(FEATURES, subscription_cancel=SubscriptionCancel(mode="immediately"))
WITH_CREDIT = replace(
    FEATURES, subscription_cancel=SubscriptionCancel(mode="immediately", proration_behavior="create_prorations")
)
NO_CANCELING = replace(FEATURES, subscription_cancel=SubscriptionCancel(enabled=False))


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def price(**changed: Any) -> Price:
    return replace(Price("price_1", "prod_1", "House blend", "EUR", "1450", Recurring("month")), **changed)


def item(**changed: Any) -> Item:
    return replace(Item("si_1", price(), START, END), **changed)


def subscription(id_: str = "sub_1", status: str = "active", **changed: Any) -> Subscription:
    whole = Subscription(id_, status, "EUR", (item(),), created_at=START, billing_cycle_anchor_at=START)
    return replace(whole, **changed)


def ending(id_: str = "sub_1", **changed: Any) -> Subscription:
    return subscription(id_, cancel_at_period_end=True, cancel_at=END, canceled_at=START, **changed)


def card(id_: str = "pm_1", **changed: Any) -> PaymentMethod:
    whole = PaymentMethod(id_, "card", START, brand="visa", last4="4242", exp_month=8, exp_year=2028)
    return replace(whole, **changed)


def invoice(id_: str = "in_1", status: str = "paid", **changed: Any) -> Invoice:
    paid = status == "paid"
    whole = Invoice(
        id_,
        number=f"HC-{id_}",
        status=status,
        currency="EUR",
        created_at=START,
        subtotal=eur(1450),
        total=eur(1450),
        amount_paid=eur(1450 if paid else 0),
        amount_due=eur(0 if paid else 1450),
        lines=(InvoiceLine("il_1", "House blend", eur(1450), 1, "1450", START, END),),
        subscription="sub_1",
    )
    return replace(whole, **changed)


def lines_add_up(it: Invoice) -> bool:
    """Whether what its lines say of taxes and discounts is what the whole says."""
    taxes: dict[tuple[str, bool], int] = {}
    for tax in (*it.taxes, *(replace(each, amount=-each.amount) for line in it.lines for each in line.taxes)):
        key = (tax.percentage, tax.inclusive)
        taxes[key] = taxes.get(key, 0) + tax.amount.amount
    off = sum(each.discount.amount for each in it.lines if each.discount)
    return not any(taxes.values()) and off == sum(each.amount.amount for each in it.discounts)


def account(*subscriptions: Subscription, **changed: Any) -> Account:
    """An account that pays with its one card. `customer` changes are given as `email`, `name` and so on."""
    own = {key: changed.pop(key) for key in list(changed) if key in Customer.__struct_fields__}
    customer = Customer("cus_jenny", "jenny@example.com", START, default_payment_method="pm_1")
    whole = Account(
        replace(customer, **own),
        as_of=NOW,
        subscriptions=subscriptions,
        payment_methods=(card(),),
        upcoming=tuple(Upcoming(each.id, END, eur(1450)) for each in subscriptions if not each.cancel_at),
    )
    return replace(whole, **changed)


async def keep(world: World, it: Account, *older: Invoice, brand: str = BRAND) -> None:
    """Put the account into the world, its invoices and older ones too."""
    await world.customer(it.customer.id, it.customer.email, brand=brand, active=bool(it.subscriptions))
    document = {"brand": brand, "id": it.customer.id, "document": encode_account(it)}
    rows = [
        {
            "brand": brand,
            "id": each.id,
            "customer": it.customer.id,
            "at": micros(each.created_at),
            "document": encode_invoice(each),
        }
        for each in (*it.invoices, *older)
    ]
    await world.store.write(
        lambda transaction: (
            transaction.count(
                "UPDATE account SET document = :document WHERE brand = :brand AND customer_id = :id", document
            ),
            transaction.run_many(
                "INSERT INTO invoice (brand, id, customer_id, created_at, document) "
                "VALUES (:brand, :id, :customer, :at, :document)",
                rows,
            ),
        )
    )


class Failing:
    """A billing side over a real one, which does what it is told: `error` is raised by the verbs that change
    something, before the change or, with `late`, after it."""

    def __init__(self, real: Billing) -> None:
        self.real = real
        self.error: Exception | None = None
        self.late = False
        self.keys: list[str] = []

    async def account(self, customer_id: str, now: datetime) -> Account:
        return await self.real.account(customer_id, now)

    async def invoices(
        self, customer_id: str, *, before: str = "", limit: int = 12, only: InvoiceFilter | None = None
    ) -> InvoicePage:
        return await self.real.invoices(customer_id, before=before, limit=limit, only=only)

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        return await self.real.invoice(customer_id, invoice_id)

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        return await self.real.history(customer_id, limit=limit, skip=skip)

    async def catalog(self, features: Features, prices: Sequence[str] = ()) -> Catalog:
        return await self.real.catalog(features, prices)

    async def preview(self, by: By, subscription_id: str, action: Any) -> Any:
        return await self.real.preview(by, subscription_id, action)

    def __getattr__(self, verb: str) -> Any:
        """The verbs that change something, all alike: they are told who asks."""
        change = getattr(self.real, verb)

        async def told(by: By, *args: Any, **rest: Any) -> Any:
            self._raise(early=True, key=by.key)
            after = await change(by, *args, **rest)
            self._raise(early=False)
            return after

        return told

    def _raise(self, *, early: bool, key: str = "") -> None:
        if key:
            self.keys.append(key)
        if self.error and early != self.late:
            raise self.error
