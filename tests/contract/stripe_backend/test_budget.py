"""One bucket of requests for all processes, and who goes first when it is nearly empty."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from server.billing import Unavailable
from server.billing.stripe import budget
from server.billing.stripe.budget import INTERACTIVE, REFETCH, SYNC, Budget
from server.billing.stripe.client import Client
from tests.stripe.app import KEY
from tests.stripe.asgi import App
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio


async def taken(bucket, now, urgency, most=200):
    """How many requests of this kind may be sent now."""
    token = budget.urgency.set(urgency)
    try:
        count = 0
        while count < most and await bucket.take(now):
            count += 1
        return count
    finally:
        budget.urgency.reset(token)


async def test_the_bucket_fills_at_its_rate_whoever_takes_from_it(store, clock):
    one, two = Budget(store, "harbour", 10), Budget(store, "harbour", 10)
    assert await taken(one, clock(), REFETCH) == 10
    assert await taken(two, clock(), REFETCH) == 0
    clock.forward(seconds=0.5)
    assert await taken(two, clock(), REFETCH) == 5
    clock.forward(hours=1)
    assert await taken(one, clock(), REFETCH) == 10  # never more than full


async def test_who_waits_for_a_page_comes_before_who_reads_again_and_sync_is_last(store, clock):
    bucket = Budget(store, "harbour", 10)
    assert await taken(bucket, clock(), SYNC) == 5
    assert await taken(bucket, clock(), REFETCH) == 5
    assert await taken(bucket, clock(), INTERACTIVE) == 20


async def test_after_a_429_it_fills_at_half_the_rate_for_a_minute(store, clock):
    bucket = Budget(store, "harbour", 10)
    await taken(bucket, clock(), REFETCH)
    await bucket.slow_down(clock())
    clock.forward(seconds=1)
    assert await taken(bucket, clock(), REFETCH) == 5
    clock.forward(seconds=60)
    await taken(bucket, clock(), REFETCH)
    clock.forward(seconds=1)
    assert await taken(bucket, clock(), REFETCH) == 10


async def test_32_at_once_take_no_more_than_there_are(store, clock):
    bucket = Budget(store, "harbour", 10)
    token = budget.urgency.set(REFETCH)
    found = await asyncio.gather(*(bucket.take(clock()) for _ in range(32)))
    budget.urgency.reset(token)
    assert sum(found) == 10


async def test_a_429_of_stripes_slows_the_bucket_down(sqlite_store, standin):
    pace = Budget(sqlite_store, "harbour", 10)
    client = Client(KEY, base="http://stripe.test", transport=httpx.ASGITransport(App(standin)), pace=pace)
    standin.faults.append(Fault("429", times=1))
    with pytest.raises(Unavailable):
        await client.get("/v1/customers", limit=1)
    assert (await sqlite_store.read("SELECT slow_until FROM stripe_budget"))[0][0] > 0
    await client.close()
