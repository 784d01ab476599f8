"""A small shop for sums that can be worked out by hand: it is the 1st of April, a month of 30 days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stripe import StripeClient

from tests.stripe.app import Standin
from tests.stripe.billing.timeline import advance
from tests.stripe.client import sdk
from tests.stripe.world import World

DAY = 86_400
APRIL = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp())
MAY = APRIL + 30 * DAY
NOON = APRIL + 15 * DAY
"""The middle of the period."""


class Shop:
    def __init__(self) -> None:
        self.world = World(APRIL)
        self.standin = Standin(self.world)
        self.client: StripeClient = sdk(self.standin)
        self.world.add("product", id="prod_plan", name="Plan", updated=APRIL)
        self.world.add("product", id="prod_seats", name="Seats", updated=APRIL)
        for name, amount in (("free", 0), ("basic", 3000), ("big", 9000)):
            self.price(name, unit_amount=amount)
        self.price(
            "yearly", unit_amount=30000, recurring={"interval": "year", "interval_count": 1, "usage_type": "licensed"}
        )
        self.customer = self.world.add("customer", id="cus_a", email="a@example.com", invoice_prefix="AAA")
        self.card("pm_good", "4242")
        self.customer["invoice_settings"]["default_payment_method"] = "pm_good"

    def price(self, name: str, **more: Any) -> None:
        recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
        head = {
            "id": f"price_{name}",
            "currency": "eur",
            "product": "prod_plan",
            "type": "recurring",
            "recurring": recurring,
        }
        self.world.add("price", **head | more)

    def card(self, identity: str, last4: str) -> None:
        card = {"brand": "visa", "last4": last4, "exp_month": 8, "exp_year": 2030, "funding": "credit"}
        self.world.add("payment_method", id=identity, type="card", card=card, customer="cus_a")

    def pays_with(self, last4: str) -> None:
        """From now on the default card is one with this number."""
        self.card(f"pm_{last4}", last4)
        self.customer_row["invoice_settings"]["default_payment_method"] = f"pm_{last4}"

    @property
    def customer_row(self) -> dict[str, Any]:
        return self.world.tables["customer"]["cus_a"]

    def subscribe(self, price: str = "price_basic", quantity: int = 1, **more: Any) -> Any:
        params: Any = {"customer": "cus_a", "items": [{"price": price, "quantity": quantity}], **more}
        return self.client.v1.subscriptions.create(params)

    def advance(self, moment: int) -> None:
        advance(self.world, moment)

    def preview(self, subscription: Any, **more: Any) -> Any:
        params: Any = {"subscription": subscription.id, **more}
        return self.client.v1.invoices.create_preview(params)

    def update(self, subscription: Any, **params: Any) -> Any:
        return self.client.v1.subscriptions.update(subscription.id, params)  # type: ignore[arg-type]

    def invoice(self, subscription: Any) -> Any:
        """The latest one."""
        found = self.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
        return found.latest_invoice


def item_of(subscription: Any) -> str:
    return str(subscription["items"].data[0].id)
