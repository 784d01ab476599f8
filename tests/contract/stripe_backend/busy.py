"""A busy day at Stripe: what the merchant, its back end and time do to customers, none of it through the portal."""

from __future__ import annotations

from random import Random
from typing import Any

from server.billing import Refused
from server.billing.stripe.client import Client
from tests.stripe.world import World

PRICES = ("price_basic", "price_big")


class Day:
    """Does one thing after the other, each to a customer drawn by `random`."""

    def __init__(self, world: World, client: Client, random: Random, customers: int) -> None:
        self.world, self.client, self.random = world, client, random
        self.done: dict[str, int] = {}
        recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
        world.add("product", id="prod_busy", name="Plan", updated=world.now)
        for number, price in enumerate(PRICES):
            world.add(
                "price", id=price, currency="eur", product="prod_busy", type="recurring", recurring=recurring,
                unit_amount=1000 * (number + 1), unit_amount_decimal=str(1000 * (number + 1)),
            )  # fmt: skip
        self.everybody = [self._customer(f"cus_{number:03}") for number in range(customers)]

    def _customer(self, identity: str) -> str:
        self.world.add("customer", id=identity, email=f"{identity}@example.com", name=identity)
        settings = self.world.customer(identity)["invoice_settings"]
        settings["default_payment_method"] = self._card(identity, "4242")
        return identity

    def _card(self, customer: str, last4: str) -> str:
        card = {"brand": "visa", "last4": last4, "exp_month": 8, "exp_year": 2034, "funding": "credit"}
        row = self.world.add("payment_method", type="card", card=card, customer=customer)
        self.world.tell("payment_method.attached", row)
        return str(row["id"])

    async def one(self) -> None:
        """One operation that Stripe takes."""
        while True:
            customer = self.random.choice(self.everybody)
            name, operation = self.random.choice(OPERATIONS)
            try:
                did = await operation(self, customer)
            except Refused:
                continue
            if did:
                self.done[name] = self.done.get(name, 0) + 1
                return

    async def _post(self, path: str, **params: Any) -> Any:
        return await self.client.post(path, key=f"busy {self.random.random()}", **params)

    def _drawn(self, customer: str, kind: str, **wanted: object) -> Any:
        rows = [row for row in self.world.of(customer, kind) if all(row.get(name) == to for name, to in wanted.items())]
        return self.random.choice(rows) if rows else None

    async def rename(self, customer: str) -> Any:
        return await self._post(f"/v1/customers/{customer}", name=f"Name {self.random.random()}")

    async def subscribe(self, customer: str) -> Any:
        if len(self.world.of(customer, "subscription")) > 3:
            return None
        items = [{"price": self.random.choice(PRICES), "quantity": 1}]
        return await self._post("/v1/subscriptions", customer=customer, items=items)

    async def change(self, customer: str) -> Any:
        if not (subscription := self._drawn(customer, "subscription", status="active")):
            return None
        item = {"id": subscription["items"]["data"][0]["id"], "price": self.random.choice(PRICES)}
        item["quantity"] = self.random.randint(1, 9)
        path = f"/v1/subscriptions/{subscription['id']}"
        return await self._post(path, items=[item], proration_behavior="always_invoice")

    async def cancel_later(self, customer: str) -> Any:
        subscription = self._drawn(customer, "subscription", status="active")
        return subscription and await self._post(f"/v1/subscriptions/{subscription['id']}", cancel_at_period_end=True)

    async def keep(self, customer: str) -> Any:
        subscription = self._drawn(customer, "subscription", status="active")
        return subscription and await self._post(f"/v1/subscriptions/{subscription['id']}", cancel_at="")

    async def cancel(self, customer: str) -> Any:
        if not (subscription := self._drawn(customer, "subscription", status="active")):
            return None
        path = f"/v1/subscriptions/{subscription['id']}"
        return await self.client.delete(path, key=f"busy {self.random.random()}", prorate=True, invoice_now=True)

    async def add_card(self, customer: str) -> Any:
        method = self._card(customer, self.random.choice(("4242", "4444", "0341")))
        settings = {"default_payment_method": method}
        return await self._post(f"/v1/customers/{customer}", invoice_settings=settings)

    async def remove_card(self, customer: str) -> Any:
        default = self.world.customer(customer)["invoice_settings"]["default_payment_method"]
        method = self._drawn(customer, "payment_method")
        if not method or method["id"] == default:
            return None
        return await self._post(f"/v1/payment_methods/{method['id']}/detach")

    async def pay(self, customer: str) -> Any:
        if not (invoice := self._drawn(customer, "invoice", status="open")):
            return None
        method = self._card(customer, "4242")
        return await self._post(f"/v1/invoices/{invoice['id']}/pay", payment_method=method)

    async def refund(self, customer: str) -> Any:
        charge = self._drawn(customer, "charge", status="succeeded", refunded=False)
        return charge and await self._post("/v1/refunds", charge=charge["id"], amount=100)

    async def credit(self, customer: str) -> Any:
        if not (invoice := self._drawn(customer, "invoice", status="paid")) or invoice["amount_paid"] < 500:
            return None
        return await self._post("/v1/credit_notes", invoice=invoice["id"], amount=100, credit_amount=100)

    async def move(self, customer: str) -> Any:
        address = {"line1": f"Street {self.random.randint(1, 99)}", "city": "Berlin", "country": "DE"}
        return await self._post(f"/v1/customers/{customer}", address=address)


OPERATIONS = [
    (each.__name__, each)
    for each in (
        *(Day.rename, Day.move, Day.subscribe, Day.change, Day.change, Day.cancel_later, Day.keep, Day.cancel),
        *(Day.add_card, Day.remove_card, Day.pay, Day.refund, Day.credit),
    )
]
