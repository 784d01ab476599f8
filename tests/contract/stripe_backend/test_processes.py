"""Several workers on several hosts: three processes at once on one database, and one of them is killed.

Each has its own clock, as hosts have. A lease says who polls, or syncs; what one process took and did not finish, another
does once the lease is over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from server.store import Store
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.app import Standin
from tests.stripe.asgi import App
from tests.stripe.faults import Fault
from tests.stripe.serving import listen
from tests.stripe.world import World
from tests.support.dying import Job, nursery

__all__ = ["nursery"]
pytestmark = pytest.mark.anyio
BUSY = 3


@pytest.fixture
async def url(standin: Standin) -> AsyncIterator[str]:
    server, port = await listen(App(standin))
    async with server:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def crowd(stripe_world: World) -> list[str]:
    return [stripe_world.add("customer", id=f"cus_{n:03}", email=f"c{n}@example.com")["id"] for n in range(250)]


async def test_of_three_pollers_one_is_killed_and_the_others_leave_nothing_stale(
    nursery, billing, stripe_world, standin, *, store_url, url, clock, crowd
):
    known = crowd[:12]
    for each in known:
        await billing.account(each, clock())
    await billing.follow(clock())
    for each in known:
        stripe_world.customer(each)["name"] = "Changed"
        stripe_world.tell("customer.updated", stripe_world.customer(each))
    polls, fetches = standin.count("event.list"), standin.count("customer.retrieve")
    moments = [clock() + timedelta(seconds=31 * number) for number in range(1, 6)]
    follow: dict[str, Any] = {
        "database": store_url,
        "stripe": url,
        "brand": BRAND,
        "verb": "follow",
        "moments": moments,
    }
    ended = await nursery.run(Job(**follow), Job(**follow, point="stored", number=3), Job(**follow))
    assert ended == [0, -9, 0]
    assert 1 <= standin.count("event.list") - polls <= len(moments)
    # Five are taken at once: those of the killed one, and those that are late by the clock of another.
    assert len(known) <= standin.count("customer.retrieve") - fetches <= len(known) + 10
    for each in known:
        assert (await billing.account(each, moments[-1])).customer.name == "Changed"
    assert await waiting(billing.store) == []


async def test_of_three_syncs_one_works_and_what_a_killed_one_left_another_goes_on_with(
    nursery, store, stripe_world, standin, *, store_url, url, clock, crowd
):
    sync: dict[str, Any] = {"database": store_url, "stripe": url, "brand": BRAND, "verb": "sync"}
    pages = -(-len(stripe_world.tables["customer"]) // 100)
    standin.faults.append(Fault("late", "product.list", seconds=1.5))  # the others come while it works
    ended = await nursery.run(*(Job(**sync, moments=[clock()]) for _ in range(3)))
    assert sorted(ended) == [0, BUSY, BUSY]
    assert standin.count("customer.list") == pages
    assert len(await store.read("SELECT id FROM customer")) == len(stripe_world.tables["customer"])

    in_the_last_page = nursery.stored - 3
    clock.forward(hours=1)
    assert await nursery.run(Job(**sync, moments=[clock()], point="stored", number=in_the_last_page)) == [-9]
    before = standin.count("customer.list")
    assert await nursery.run(Job(**sync, moments=[clock()])) == [BUSY]
    standin.faults.append(Fault("late", "customer.list", seconds=1.5))
    ended = await nursery.run(*[Job(**sync, moments=[clock.forward(seconds=61)])] * 2)
    assert sorted(ended) == [0, BUSY]
    assert standin.count("customer.list") - before == 1  # it went on where the killed one was


async def waiting(store: Store) -> list[Any]:
    return await store.read("SELECT kind, id FROM stripe_dirty")
