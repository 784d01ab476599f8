"""Writing at Stripe: the backend over a small shop at the stand-in, in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from server.store import Store
from tests.contract.stripe_standin.shop import Shop
from tests.contract.stripe_writes.counter import Counter


@pytest.fixture
def shop() -> Iterator[Shop]:
    """At the end: every request and every answer was one that the SDK's types allow."""
    shop = Shop()
    yield shop
    assert shop.standin.violations == []


@pytest.fixture
async def counter(shop: Shop, sqlite_store: Store) -> AsyncIterator[Counter]:
    made = Counter(shop, sqlite_store)
    yield made
    await made.billing.close()


@pytest.fixture
async def any_counter(shop: Shop, store: Store) -> AsyncIterator[Counter]:
    """On SQLite and on PostgreSQL."""
    made = Counter(shop, store)
    yield made
    await made.billing.close()
