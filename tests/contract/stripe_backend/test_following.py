"""Events keep the copies right: doubled, shuffled, lost, and with several processes at work."""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import suppress
from random import Random

import httpx
import pytest
from msgspec.structs import replace

from server.billing import rows
from server.billing.stripe import events
from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.billing.stripe.syncing import sync
from tests.contract.stripe_backend.busy import OPERATIONS, Day
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.app import KEY
from tests.stripe.asgi import App
from tests.stripe.faults import Fault
from tests.stripe.world import belongs_to

pytestmark = pytest.mark.anyio


def some(world, count=1):
    rows = [each["id"] for each in world.tables["customer"].values() if not each.get("customer_account")]
    return rows[:count]


def rename(world, clock, customer, name):
    row = world.customer(customer)
    row["name"] = name
    world.tell("customer.updated", row)


async def rounds(billing, stripe_world, clock, how_many=2):
    """So many rounds of the worker, half a minute apart."""
    for _ in range(how_many):
        clock.forward(seconds=31)
        stripe_world.clock.ahead += 31
        await billing.follow(clock())


async def name_of(billing, customer, clock):
    return (await billing.account(customer, clock())).customer.name


async def test_what_changed_at_stripe_is_in_the_copy_after_the_next_round(billing, stripe_world, clock):
    (customer,) = some(stripe_world)
    await billing.account(customer, clock())
    await billing.follow(clock())
    rename(stripe_world, clock, customer, "Changed")
    await rounds(billing, stripe_world, clock, 1)
    assert await name_of(billing, customer, clock) == "Changed"


async def test_many_events_of_one_customer_are_one_fetch(billing, stripe_world, standin, clock):
    (customer,) = some(stripe_world)
    await billing.account(customer, clock())
    await billing.follow(clock())
    for number in range(20):
        rename(stripe_world, clock, customer, f"Name {number}")
    before = standin.count("customer.retrieve")
    await rounds(billing, stripe_world, clock, 1)
    assert standin.count("customer.retrieve") == before + 1
    assert await name_of(billing, customer, clock) == "Name 19"


async def test_events_in_any_order_leave_the_same_state(quick, stripe_world, clock, sqlite_store):  # threat 92
    (customer,) = some(stripe_world)
    await quick.account(customer, clock())
    told = []
    stripe_world.told.append(told.append)
    for number in range(5):
        rename(stripe_world, clock, customer, f"Name {number}")
    for order in itertools.permutations(told):
        await sqlite_store.write(lambda transaction: transaction.count("DELETE FROM stripe_event"))
        for each in order:
            found = events.Event(each["id"], each["created"], False, each["type"], each["data"])
            await events.take_in(sqlite_store, BRAND, [found], is_live=False, now=clock())
        await quick.follow(clock.forward(seconds=2))
        assert await name_of(quick, customer, clock) == "Name 4"


async def test_an_event_that_comes_twice_has_one_effect(store, billing, stripe_world, standin, clock):  # threats 89, 91
    (customer,) = some(stripe_world)
    event = events.Event(
        "evt_1", int(clock().timestamp()), False, "customer.updated", {"object": {"object": "customer", "id": customer}}
    )
    assert await events.take_in(store, BRAND, [event, event], is_live=False, now=clock()) == 1
    await billing.follow(clock())
    before = standin.count()
    assert await events.take_in(store, BRAND, [event], is_live=False, now=clock()) == 0
    await billing.follow(clock.forward(seconds=5))
    assert standin.count() == before


@pytest.mark.parametrize("changed", [{"livemode": True}, {"account": "acct_other"}])
async def test_an_event_of_another_mode_or_account_touches_nothing(store, clock, changed):  # threat 93
    head = {"id": "evt_1", "created": 1, "livemode": False, "type": "customer.updated"}
    event = events.Event(**head | changed, data={"object": {"object": "customer", "id": "cus_1"}})
    assert await events.take_in(store, BRAND, [event], is_live=False, now=clock()) == 1
    assert await events.waiting(store, BRAND) == (0, None)


async def test_a_change_while_the_account_is_read_is_read_once_more(store, clock):
    touch = events.Touch("customer", "cus_1")
    await store.write(lambda transaction: events.mark(transaction, BRAND, touch, clock()))
    (taken,) = await events.take(store, BRAND, clock(), 5)
    assert await events.take(store, BRAND, clock(), 5) == []  # nobody else reads it meanwhile
    await store.write(lambda transaction: events.mark(transaction, BRAND, touch, clock()))
    await events.done(store, BRAND, taken, clock())
    (again,) = await events.take(store, BRAND, clock.forward(seconds=2), 5)
    await events.done(store, BRAND, again, clock())
    assert await events.waiting(store, BRAND) == (0, None)


async def test_what_one_process_left_undone_another_does(store, clock):
    touch = events.Touch("customer", "cus_1")
    await store.write(lambda transaction: events.mark(transaction, BRAND, touch, clock()))
    assert len(await events.take(store, BRAND, clock(), 5)) == 1
    assert len(await events.take(store, BRAND, clock.forward(seconds=61), 5)) == 1


async def test_of_several_processes_one_polls(store, billing, stripe_world, standin, clock):
    client = Client(KEY, base="http://stripe.test", transport=httpx.ASGITransport(App(standin)))
    other = Stripe(store, BRAND, client, keys=(b"k" * 32,), origin="https://portal.example")
    await billing.follow(clock())
    await other.follow(clock())
    assert standin.count("event.list") == 1
    await other.follow(clock.forward(seconds=95))  # the first one died
    assert standin.count("event.list") == 2
    await client.close()


async def test_how_an_invoice_was_paid_is_read_after_the_account_and_stays(billing, stripe_world, standin, clock):
    """A method's name and what went back: two calls, once for a copy and again where a charge changed."""
    charge = next(each for each in stripe_world.tables["charge"].values() if each["amount_refunded"])
    (payment,) = (
        each for each in stripe_world.tables["invoice_payment"].values()
        if each["payment"]["payment_intent"] == charge["payment_intent"]
    )  # fmt: skip
    owner = charge["customer"]

    async def paid():
        (found,) = (await billing.invoice(owner, payment["invoice"])).payments
        account = await billing.account(owner, clock())
        assert next(each for each in account.invoices if each.id == payment["invoice"]).payments == (found,)
        return found.method, found.refunded and found.refunded.amount

    await billing.account(owner, clock())
    assert await paid() == ("", None)
    await rounds(billing, stripe_world, clock, 1)
    assert await paid() == ("visa 1111", 300)
    before = standin.count()
    rename(stripe_world, clock, owner, "Changed")
    await rounds(billing, stripe_world, clock, 1)
    assert await paid() == ("visa 1111", 300)
    assert standin.count("payment_intent.list") == 1
    assert standin.count() - before <= 1 + 5 + len(
        [each for each in stripe_world.of(owner, "invoice") if each["status"] == "open"]
    )
    charge["amount_refunded"] = 1320
    stripe_world.tell("charge.refunded", charge)
    await rounds(billing, stripe_world, clock, 1)
    assert await paid() == ("visa 1111", 1320)
    assert await billing.history(owner) == []


def a_charge(world):
    """Of a paid invoice, nothing of it given back yet."""
    return next(each for each in world.tables["charge"].values() if each["paid"] and not each["amount_refunded"])


async def given_back(billing, world, customer, charge):
    (invoice,) = (
        each["invoice"] for each in world.tables["invoice_payment"].values()
        if each["payment"]["payment_intent"] == charge["payment_intent"]
    )  # fmt: skip
    (found,) = (await billing.invoice(customer, invoice)).payments
    return found.refunded.amount if found.refunded else 0


@pytest.mark.parametrize("by", ["charge", "payment_intent"])
async def test_a_refund_that_names_nobody_is_in_the_copy_after_the_next_round(billing, stripe_world, clock, by):
    charge = a_charge(stripe_world)
    customer = charge["customer"]
    await billing.account(customer, clock())
    await rounds(billing, stripe_world, clock)
    assert await given_back(billing, stripe_world, customer, charge) == 0
    charge = stripe_world.get("charge", charge["id"])  # a preview puts copies in the place of what it tried on
    charge["amount_refunded"] = 100
    whose = {by: charge["id"] if by == "charge" else charge["payment_intent"]}
    row = stripe_world.add("refund", amount=100, currency=charge["currency"], **whose, _owner=customer)
    stripe_world.tell("refund.created", row)
    await rounds(billing, stripe_world, clock, 1)
    assert await given_back(billing, stripe_world, customer, charge) == 100


async def test_a_charge_that_names_the_older_id_of_a_customer_is_read_by_the_newer(quick, stripe_world, standin, clock):
    (customer,) = stripe_world.tables["v2.core.account"]
    await quick.account(customer, clock())
    await rounds(quick, stripe_world, clock)
    before = standin.count("payment_intent.list")
    charge = stripe_world.add("charge", **belongs_to(customer), amount=1, currency="eur", amount_refunded=1)
    stripe_world.tell("charge.refunded", charge)
    await rounds(quick, stripe_world, clock, 1)
    assert standin.count("payment_intent.list") == before + 1


class Meeting:
    """A store in which two transactions have read the account before either writes it, where the database lets them."""

    def __init__(self, store):
        self._store, self.both, self.read = store, threading.Barrier(2), store.read

    async def write(self, work):
        return await self._store.write(lambda transaction: work(MeetsAnother(transaction, self.both)))


class MeetsAnother:
    def __init__(self, transaction, both):
        self._transaction, self._both = transaction, both
        self.count, self.later, self.run_many = transaction.count, transaction.later, transaction.run_many

    def run(self, sql, values=None):
        found = self._transaction.run(sql, values)
        if sql == rows.READ_ACCOUNT:
            with suppress(threading.BrokenBarrierError):
                self._both.wait(0.5)
        return found


async def test_what_is_read_of_one_account_at_once_is_all_kept(billing, stripe_world, store, clock):
    """The account and its payments, by two processes: neither writes over what the other has read."""
    charge = a_charge(stripe_world)
    customer = charge["customer"]
    await billing.account(customer, clock())
    await rounds(billing, stripe_world, clock)
    stripe_world.get("charge", charge["id"])["amount_refunded"] = 100
    stripe_world.customer(customer)["name"] = "Changed"
    billing.store = Meeting(store)
    await asyncio.gather(billing.refetch(customer, clock.forward(seconds=1)), billing.read_payments(customer))
    assert await given_back(billing, stripe_world, customer, charge) == 100
    assert await name_of(billing, customer, clock) == "Changed"


async def test_a_refund_of_nobody_or_of_another_account_stops_nothing(billing, stripe_world, store, clock):
    (customer,) = some(stripe_world)
    await billing.account(customer, clock())
    await rounds(billing, stripe_world, clock)
    nobodys = stripe_world.add("refund", amount=1, currency="eur", _owner=customer)
    stripe_world.tell("refund.created", nobodys)
    stripe_world.tell("refund.updated", {**nobodys, "id": "re_of_another"})
    rename(stripe_world, clock, customer, "Changed")
    await rounds(billing, stripe_world, clock, 1)
    assert await name_of(billing, customer, clock) == "Changed"
    assert await events.waiting(store, BRAND) == (0, None)


async def test_stripe_away_is_waited_for(billing, stripe_world, standin, clock):
    (customer,) = some(stripe_world)
    await billing.account(customer, clock())
    await billing.follow(clock())
    rename(stripe_world, clock, customer, "Changed")
    standin.faults.append(Fault("refused", times=1))
    await rounds(billing, stripe_world, clock, 1)
    assert await name_of(billing, customer, clock) != "Changed"
    await rounds(billing, stripe_world, clock, 3)
    assert await name_of(billing, customer, clock) == "Changed"


async def test_a_new_customer_is_in_the_directory_and_a_deleted_one_is_not(billing, stripe_world, store, clock):
    await billing.follow(clock())
    row = stripe_world.add("customer", id="cus_new", email="New@Example.com", name="New")
    stripe_world.tell("customer.created", row)
    await rounds(billing, stripe_world, clock, 1)
    assert await store.read("SELECT id, address, email FROM customer") == [
        ("cus_new", "new@example.com", "New@Example.com")
    ]
    stripe_world.customer("cus_new")["deleted"] = True
    stripe_world.tell("customer.deleted", stripe_world.tables["customer"]["cus_new"])
    await rounds(billing, stripe_world, clock, 1)
    assert await store.read("SELECT id FROM customer") == []


async def test_a_customer_made_a_moment_ago_is_found_by_the_address(billing, stripe_world, store, clock):
    stripe_world.add("customer", id="cus_new", email="New@Example.com")
    assert not await billing.look_for("nobody@example.com")
    assert await billing.look_for("new@example.com")
    assert await store.read("SELECT id FROM customer") == [("cus_new",)]


async def test_who_is_known_as_the_search_says_is_not_read_again(billing, stripe_world, standin):  # threats 26 to 29
    """Where Stripe has the address in capitals, the search alone finds it: no call more than for nobody's."""
    stripe_world.add("customer", id="cus_new", email="New@Example.com")
    asked = []
    for address in ("new@example.com", "new@example.com", "nobody@example.com"):
        before = standin.count()
        await billing.look_for(address)
        asked.append(standin.count() - before)
    assert asked == [3, 2, 2]


async def test_a_search_that_is_behind_puts_no_address_of_before_back(billing, stripe_world, store, clock, monkeypatch):
    row = stripe_world.add("customer", id="cus_new", email="New@Example.com")
    assert await billing.look_for("new@example.com")
    before = {**row, "email": "old@example.com"}
    asked = billing.client.list

    async def behind(path, **params):
        return {"data": [before]} if path.endswith("search") else await asked(path, **params)

    monkeypatch.setattr(billing.client, "list", behind)
    await billing.look_for("old@example.com")
    assert await store.read("SELECT address FROM customer") == [("new@example.com",)]


async def test_a_changed_address_ends_the_sessions_of_the_old_one(billing, stripe_world, store, clock):
    (customer,) = some(stripe_world)
    account = await billing.account(customer, clock())
    session = """INSERT INTO session (id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at)
                 VALUES (:hash, :brand, :customer, :address, 'login', '', 0, 0, 0)"""
    values = {"hash": b"1", "brand": BRAND, "customer": customer, "address": account.customer.email.lower()}
    await store.write(lambda transaction: transaction.count(session, values))
    await billing.refetch(customer, clock.forward(seconds=1))
    assert len(await store.read("SELECT 1 FROM session")) == 1
    stripe_world.customer(customer)["email"] = "other@example.com"
    await billing.refetch(customer, clock.forward(seconds=1))
    assert await store.read("SELECT 1 FROM session") == []


async def test_a_copy_goes_90_days_after_the_last_log_in(billing, stripe_world, standin, store, clock):
    one, other = some(stripe_world, 2)
    for each in (one, other):
        await billing.account(each, clock())
    clock.forward(days=60)
    await billing.account(one, clock())
    clock.forward(days=31)
    await billing.follow(clock())
    assert [row[0] for row in await store.read("SELECT customer_id FROM stripe_copy")] == [one]
    assert [row[0] for row in await store.read("SELECT customer_id FROM account")] == [one]
    assert len(await store.read("SELECT 1 FROM customer")) == 2  # who may log in is not forgotten


async def test_each_operation_alone_is_followed(quick, client, stripe_world, clock):
    day = Day(stripe_world, client, Random(3), 1)
    (customer,) = day.everybody
    await sync(quick, clock, lambda *_: None)
    await quick.follow(clock())
    await quick.account(customer, clock())
    await rounds(quick, stripe_world, clock, 1)
    for name, operation in OPERATIONS:
        if name in ("change", "pay"):  # each leaves what the later ones need
            await day.add_card(customer)
        did = [await operation(day, customer) for _ in range(2 if name == "subscribe" else 1)]
        await rounds(quick, stripe_world, clock, 1)
        kept = await quick.account(customer, clock())
        clock.forward(seconds=1)
        now = await quick.refetch(customer, clock())
        assert replace(kept, as_of=now.as_of) == now, (name, did)
        assert not await quick.read_payments(customer), name


async def test_after_a_thousand_operations_with_a_bad_webhook_nothing_is_stale(
    quick, client, stripe_world, standin, clock
):
    """50 customers; plans, ends, cards, payments, refunds and details change. Of what a webhook brings 5 % are lost, the
    rest is shuffled and doubled."""
    random = Random(7)
    day = Day(stripe_world, client, random, 50)
    await sync(quick, clock, lambda *_: None)
    await quick.follow(clock())
    for each in day.everybody:
        await quick.account(each, clock())
    await rounds(quick, stripe_world, clock, 1)
    told = []
    stripe_world.told.append(told.append)
    for _ in range(1000):
        await day.one()
    assert day.done.keys() == {name for name, _ in OPERATIONS}
    came = [each for each in told if random.random() > 0.05] * 2
    random.shuffle(came)
    for raw in came:
        found = events.Event(raw["id"], raw["created"], False, raw["type"], raw["data"])
        await events.take_in(quick.store, BRAND, [found], is_live=False, now=clock())
    before = standin.count("customer.retrieve")
    await rounds(quick, stripe_world, clock, 2)
    assert standin.count("customer.retrieve") - before <= 2 * len(day.everybody)  # not one for each event
    clock.forward(seconds=1)
    done = await sync(quick, clock, lambda *_: None, check=True)
    assert (done.accounts, done.repaired, done.changed, done.odd) == (50, 0, 0, 0)
