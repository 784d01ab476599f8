"""A stand-in with the sample customers of one brand, and the official SDK in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from stripe import StripeClient

from tests.contract.stripe_standin.shop import Shop
from tests.stripe.app import Standin
from tests.stripe.client import sdk
from tests.stripe.loading import load_samples
from tests.stripe.world import World

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    world = World(int(NOW.timestamp()))
    load_samples(world, "harbour", NOW)
    return world


@pytest.fixture
def standin(world: World) -> Iterator[Standin]:
    """At the end: every request and every answer was one that the SDK's types allow."""
    standin = Standin(world)
    yield standin
    assert standin.violations == []


@pytest.fixture
def client(standin: Standin) -> StripeClient:
    return sdk(standin)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    assert shop.standin.violations == []
