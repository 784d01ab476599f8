"""`sync`: what it brings, that it goes on where it stopped, and what its check finds."""

from __future__ import annotations

import asyncio

import pytest

from server.billing import Unavailable
from server.billing.stripe import asked_syncs
from server.billing.stripe.leases import Lease
from server.billing.stripe.syncing import Busy, seen, sync
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.app import KEY
from tests.stripe.faults import Fault
from tests.support.accounts import account

pytestmark = pytest.mark.anyio


def quiet(*_):
    pass


def v1(world):
    return [each for each in world.tables["customer"].values() if not each.get("customer_account")]


async def test_everybody_is_in_the_directory_and_all_that_is_sold_in_the_catalog(billing, stripe_world, store, clock):
    done = await sync(billing, clock, quiet)
    everybody = stripe_world.tables["customer"].values()
    assert done.read == len(everybody)
    found = dict(await store.read("SELECT id, active FROM customer"))
    assert set(found) == {each.get("customer_account") or each["id"] for each in everybody}
    active = {"active", "trialing", "past_due"}
    for each in v1(stripe_world):
        wanted = any(row["status"] in active for row in stripe_world.of(each["id"], "subscription"))
        assert found[each["id"]] == wanted
    catalog = await billing.copied_catalog.copy()
    for kind in ("product", "price", "coupon", "tax_rate"):
        assert {id_ for its, id_ in catalog.entries if its == kind} == set(stripe_world.tables[kind])


async def test_a_sync_that_was_stopped_goes_on_where_it_was(billing, stripe_world, standin, store, clock):
    for number in range(250):
        stripe_world.add("customer", id=f"cus_more{number:03}", email=f"more{number}@example.com")
    standin.faults.append(Fault("500", operation="customer.list", times=1))
    with pytest.raises(Unavailable):
        await sync(billing, clock, quiet)
    products = standin.count("product.list")
    lists = []

    def stop_after_two(what, done):
        if what == "customer":
            lists.append(done)
            if len(lists) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await sync(billing, clock, stop_after_two)
    before = standin.count("customer.list")
    done = await sync(billing, clock, quiet)
    assert standin.count("product.list") == products  # the catalog was whole
    assert standin.count("customer.list") - before == -(-len(stripe_world.tables["customer"]) // 100) - 2
    assert (
        done.read == len(stripe_world.tables["customer"]) == (await store.read("SELECT COUNT(*) FROM customer"))[0][0]
    )


async def test_a_check_repairs_what_differs_and_finds_nothing_the_second_time(billing, stripe_world, store, clock):
    customer = v1(stripe_world)[0]["id"]
    await billing.account(customer, clock())
    await sync(billing, clock, quiet)
    stripe_world.customer(customer)["name"] = "Nobody told us"
    clock.forward(seconds=1)
    done = await sync(billing, clock, quiet, check=True)
    assert (done.changed, done.accounts, done.repaired) == (1, 1, 1)
    assert (await billing.account(customer, clock())).customer.name == "Nobody told us"
    clock.forward(seconds=1)
    again = await sync(billing, clock, quiet, check=True)
    assert (again.changed, again.repaired, again.odd) == (0, 0, 0)


async def test_two_at_once_are_one(billing, store, clock):
    assert await Lease(store, BRAND, "sync", "somebody").take(clock())
    with pytest.raises(Busy):
        await sync(billing, clock, quiet)
    clock.forward(seconds=61)
    assert (await sync(billing, clock, quiet)).read


SESSION = """
INSERT INTO session (id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at)
VALUES (:hash, :brand, :customer, :address, 'login', '', 0, 0, 0)"""
CHOICE = "INSERT INTO mail_choice (brand, customer_id, kind, off_at) VALUES (:brand, :customer, 'renewal_reminder', 0)"


async def test_a_brand_that_had_a_ledger_forgets_its_accounts_and_keeps_sessions_history_and_choices(
    billing, stripe_world, store, clock
):
    from server.billing import rows
    from server.store import activities

    customer, address = v1(stripe_world)[0]["id"], v1(stripe_world)[0]["email"].lower()
    old = account(email=address)

    def work(transaction):
        whose = {"brand": BRAND, "customer": customer}
        transaction.count(rows.INSERT_ACCOUNT, rows.account_values(BRAND, old, None) | whose)
        rows.put_customer(transaction, rows.customer_values(BRAND, old) | {"id": customer})
        transaction.count(SESSION, {**whose, "hash": b"1", "address": address})
        transaction.count(CHOICE, whose)
        activities.note(transaction, BRAND, customer, "login", now=clock(), browser="Firefox")

    await store.write(work)
    await sync(billing, clock, quiet)
    assert (await billing.account(customer, clock())).customer.id == customer
    assert [each.kind for each in await billing.history(customer)] == ["login"]
    for table in ("session", "mail_choice"):
        assert await store.read(f"SELECT customer_id FROM {table}") == [(customer,)]


def ask(store, clock):
    return store.write(lambda it: asked_syncs.ask(it, BRAND, "ann@shop.example", clock()))


async def test_of_many_workers_one_does_what_an_operator_asked_for_once(billing, standin, store, clock):
    await billing.sync_asked(clock)
    assert (standin.log, (await seen(store, BRAND, clock())).state) == ([], "never")
    assert [await ask(store, clock) for _ in range(2)] == [True, False]
    assert (await seen(store, BRAND, clock())).state == "asked"
    found, go_on = asyncio.Event(), asyncio.Event()
    pages = billing.client.pages

    async def slow(path, **params):
        async for page in pages(path, **params):
            found.set()
            await go_on.wait()
            yield page

    billing.client.pages = slow
    tasks = [asyncio.create_task(billing.sync_asked(clock)) for _ in range(8)]
    await found.wait()
    assert (await seen(store, BRAND, clock())).state == "running"
    assert not await ask(store, clock)
    go_on.set()
    await asyncio.gather(*tasks)
    await billing.sync_asked(clock)
    await sync(billing, clock, quiet, only_asked=True)  # by a worker that looked while it ran
    assert standin.count("product.list") == 1
    done = await seen(store, BRAND, clock())
    assert (done.state, done.read) == ("done", (await store.read("SELECT COUNT(*) FROM customer"))[0][0])
    assert await ask(store, clock)


async def test_an_asked_sync_that_fails_says_why_and_goes_on_where_it_was(quick, standin, sqlite_store, clock):
    await ask(sqlite_store, clock)
    standin.faults.append(Fault("500", operation="customer.list", times=1))
    await quick.sync_asked(clock)
    stopped = await seen(sqlite_store, BRAND, clock())
    assert (stopped.state, stopped.kind, stopped.trouble) == ("stopped", "tax_rate", "away")
    await quick.sync_asked(clock)  # not at once
    assert (await seen(sqlite_store, BRAND, clock())).state == "stopped"
    clock.forward(seconds=31)
    await quick.sync_asked(clock)
    assert (await seen(sqlite_store, BRAND, clock())).state == "done"
    assert standin.count("product.list") == 1
    key = standin.keys.pop(KEY)
    await ask(sqlite_store, clock)
    await quick.sync_asked(clock)
    assert (await seen(sqlite_store, BRAND, clock())).trouble == "key"
    standin.keys[KEY] = key


async def test_an_asked_sync_whose_worker_died_is_taken_over(quick, sqlite_store, clock):
    await ask(sqlite_store, clock)
    assert await Lease(sqlite_store, BRAND, "sync", "of a process that was killed").take(clock())
    await quick.sync_asked(clock)
    assert (await seen(sqlite_store, BRAND, clock())).state == "running"
    clock.forward(seconds=61)
    assert (await seen(sqlite_store, BRAND, clock())).state == "asked"
    await quick.sync_asked(clock)
    assert (await seen(sqlite_store, BRAND, clock())).state == "done"
