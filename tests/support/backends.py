"""The two backends behind the port, filled from the same records: what the port promises is asked of both."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import httpx

from server.billing import Account, Billing, By
from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.billing.stripe.syncing import sync
from server.brands.features import Features
from server.merchant.importing.files import import_records
from server.store import Store
from tests.stripe.app import KEY, Standin
from tests.stripe.asgi import App
from tests.stripe.billing.timeline import advance
from tests.stripe.loading import load
from tests.stripe.world import World
from tests.support.exports import Json
from tests.support.ledger_accounts import NOW
from tests.support.pages import KEYS, ledger_of

BRAND = "plain"
T = TypeVar("T")


class Asked(Billing, Protocol):
    """A backend, and who asks it: customers whose session has these features."""

    features: Features

    def by(self, customer: str = "cus_1", *, key: str = "", now: datetime, browser: str = "") -> By: ...


def allowing(billing: T, features: Features) -> T:
    """The same backend, for sessions with other features."""
    other: Any = copy.copy(billing)
    other.features = features
    return other  # type: ignore[no-any-return]


class StripeOf(Stripe):
    """As `pages.LedgerOf`. The stand-in's time is that of the newest question, and what happened until then is followed."""

    features: Features
    world: World

    def by(self, customer: str = "cus_1", *, key: str = "", now: datetime, browser: str = "") -> By:
        return By(customer, self.features, now, key, browser)

    async def account(self, customer_id: str, now: datetime) -> Account:
        if now.timestamp() > self.world.now:
            advance(self.world, int(now.timestamp()))
            await self.follow(now)
        return await super().account(customer_id, now)


class Backend:
    """`ledger` or `stripe`, over one store."""

    def __init__(self, name: str, store: Store) -> None:
        self.name, self.store = name, store
        self.standin = Standin(World(int(NOW.timestamp())))
        self._opened: list[StripeOf] = []

    async def begun(self, records: Iterable[Json], features: Features | None = None) -> Asked:
        """The backend with these records in it."""
        if self.name == "ledger":
            await self.add(records)
            return ledger_of(self.store, BRAND, features)
        client = Client(KEY, base="http://stripe.test", transport=httpx.ASGITransport(App(self.standin)))
        made = StripeOf(self.store, BRAND, client, keys=KEYS, origin="https://portal.example")
        made.features, made.world = features or Features(), self.standin.world
        self._opened.append(made)
        await self.add(records)
        return made

    async def add(self, records: Iterable[Json]) -> None:
        found = list(records)
        if self.name == "ledger":
            await import_records(self.store, BRAND, found, now=NOW)
            return
        load(self.standin.world, _with_prices(found))
        for each in self._opened:
            await sync(each, lambda: NOW, lambda *_: None)

    async def end(self) -> None:
        """Every request and every answer was one that the SDK's types allow."""
        for each in self._opened:
            await each.close()
        assert self.standin.violations == [], self.standin.violations[0]


def _with_prices(records: Sequence[Json]) -> list[Json]:
    """An export nests the prices of subscriptions; at Stripe each is an object of its own."""
    there = {each["id"] for each in records if each["object"] == "price"}
    nested: dict[str, Json] = {}
    for each in records:
        if each["object"] == "subscription":
            nested |= {item["price"]["id"]: item["price"] for item in each["items"]["data"]}
    added = [price for identity, price in nested.items() if identity not in there]
    spent = {
        each["customer"]: each["currency"]
        for each in records
        if each["object"] == "subscription" and "customer" in each
    }
    records = [
        {"currency": spent[each["id"]], **each} if each["object"] == "customer" and each["id"] in spent else each
        for each in records
    ]  # a customer there has the currency of what it is billed in
    kinds = [each["object"] for each in records]
    place = max((number for number, kind in enumerate(kinds) if kind == "product"), default=-1) + 1
    return [*records[:place], *added, *records[place:]]
