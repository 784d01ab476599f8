"""Accounts for the ledger's tests, with the least that each question needs."""

from datetime import UTC, datetime
from typing import Any

from server.billing import Account, Customer, Item, Money, PaymentMethod, Price, Recurring, Subscription
from server.brands.features import SubscriptionCancel

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
AT_PERIOD_END = SubscriptionCancel()
AT_ONCE = SubscriptionCancel(mode="immediately")
WITH_CREDIT = SubscriptionCancel(mode="immediately", proration_behavior="create_prorations")
SWITCHED_OFF = SubscriptionCancel(enabled=False)

CARD = PaymentMethod(
    id="pm_1", kind="card", created_at=datetime(2025, 1, 1, tzinfo=UTC), brand="visa", last4="4242",
    exp_month=8, exp_year=2040,
)  # fmt: skip


def day(year: int, month: int, day_of_month: int, hour: int = 0) -> datetime:
    return datetime(year, month, day_of_month, hour, tzinfo=UTC)


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def price(unit_amount: str = "3100", interval: str = "month", count: int = 1, **more: Any) -> Price:
    fields = {"id": "price_1", "product": "prod_1", "product_name": "Coffee", "currency": "EUR"} | more
    recurring = Recurring(interval, count, fields.pop("usage", "licensed"))
    return Price(unit_amount=unit_amount, recurring=recurring, **fields)


MARCH, APRIL = day(2026, 3, 1), day(2026, 4, 1)


def item(start: datetime = MARCH, end: datetime = APRIL, quantity: int = 1, **more: Any) -> Item:
    of = more.pop("price", None) or price(**more)
    period = {"current_period_start_at": start, "current_period_end_at": end}
    return Item(id=f"si_{of.id}", price=of, quantity=quantity, **period)


def subscription(*items: Item, **more: Any) -> Subscription:
    items = items or (item(),)
    fields = {
        "id": "sub_1", "status": "active", "currency": "EUR", "created_at": day(2026, 1, 1),
        "billing_cycle_anchor_at": items[0].current_period_start_at,
    } | more  # fmt: skip
    return Subscription(items=items, **fields)


def account(*subscriptions: Subscription, **more: Any) -> Account:
    customer = more.pop("customer", None) or Customer(
        id="cus_1", email="jenny@example.com", created_at=day(2025, 1, 1), default_payment_method="pm_1",
        invoice_prefix="ABC",
    )  # fmt: skip
    return Account(customer=customer, as_of=NOW, subscriptions=subscriptions, **{"payment_methods": (CARD,)} | more)
