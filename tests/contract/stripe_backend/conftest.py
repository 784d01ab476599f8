"""The Stripe backend over a stand-in in the same process, which holds the sample customers of harbour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.billing.stripe.syncing import sync
from server.brands import Features
from server.store import Store
from tests.conftest import Clock
from tests.stripe.app import KEY, Standin
from tests.stripe.asgi import App
from tests.stripe.loading import load_samples
from tests.stripe.serving import listen
from tests.stripe.world import World
from tests.support.world import SETTINGS
from tests.support.world import World as Portals

BRAND = "harbour"


@pytest.fixture
def stripe_world(clock: Clock) -> World:
    world = World(int(clock().timestamp()))
    load_samples(world, BRAND, clock())
    return world


@pytest.fixture
def standin(stripe_world: World) -> Iterator[Standin]:
    """At the end: every request and every answer was one that the SDK's types allow."""
    standin = Standin(stripe_world)
    yield standin
    assert standin.violations == []


@pytest.fixture
async def client(standin: Standin) -> AsyncIterator[Client]:
    made = Client(KEY, base="http://stripe.test", transport=httpx.ASGITransport(App(standin)))
    yield made
    await made.close()


@pytest.fixture
def billing(store: Store, client: Client) -> Stripe:
    """On SQLite and on PostgreSQL."""
    return Stripe(store, BRAND, client, keys=(b"k" * 32,), origin="https://portal.example")


@pytest.fixture
def quick(sqlite_store: Store, client: Client) -> Stripe:
    """On SQLite, for what does not ask about the store."""
    return Stripe(sqlite_store, BRAND, client, keys=(b"k" * 32,), origin="https://portal.example")


@pytest.fixture
def features() -> Features | None:
    """What every brand offers, where a test says so in place of its own."""
    return None


@pytest.fixture
async def shop(sqlite_store: Store, client: Client, clock: Clock, features: Features | None) -> Any:
    """A portal of brands that Stripe bills, on one stand-in, with its directory filled."""

    def billing(brand: Any, store: Store) -> Stripe:
        return Stripe(store, brand.name, client, keys=(b"k" * 32,), origin="https://portal.example", base=brand.base)

    settings = msgspec.structs.replace(SETTINGS, stripe_api_base="http://stripe.test")
    world: Any = Portals(sqlite_store, clock, billing=billing, backend="stripe", settings=settings, features=features)
    world.stripe = world.state.portals[BRAND].billing
    await sync(world.stripe, clock, lambda *_: None)
    return world


@pytest.fixture
async def served(clock: Clock) -> AsyncIterator[tuple[Standin, str]]:
    """A stand-in at an address of this machine, for what makes its own client; the address."""
    standin = Standin(World(int(clock().timestamp())))
    server, port = await listen(App(standin))
    async with server:
        yield standin, f"http://127.0.0.1:{port}"
    assert standin.violations == []
