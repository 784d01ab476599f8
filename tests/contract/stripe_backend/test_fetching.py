"""Reading an account from Stripe into its copy: what comes, how many calls it takes, and what an odd object spoils."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import NotFound, Unavailable
from server.billing.stripe import copies
from server.billing.stripe.catalog import Copy
from server.billing.stripe.fetching import fetch, with_notes
from server.billing.stripe.mapping_credit_notes import credit_note
from server.formats.money import Money
from tests.stripe.app import KEY
from tests.stripe.faults import Fault
from tests.stripe.keys import EVERYTHING, Key
from tests.support.accounts import invoice

pytestmark = pytest.mark.anyio


def customers(world):
    return [each for each in world.tables["customer"].values() if not each.get("customer_account")]


def open_invoices(world, customer):
    return [each for each in world.of(customer, "invoice") if each["status"] == "open"]


async def test_every_sample_customer_is_read_whole(quick, stripe_world, standin, clock):
    for row in customers(stripe_world):
        account = await quick.account(row["id"], clock())
        assert account.customer.email == row["email"]
        assert len(account.subscriptions) == len(stripe_world.of(row["id"], "subscription"))
        assert len(account.payment_methods) == len(stripe_world.of(row["id"], "payment_method"))
        shown = [each for each in stripe_world.of(row["id"], "invoice") if each["status"] != "draft"]
        assert {each.id for each in account.latest_invoices} <= {each["id"] for each in shown}
        assert len(account.latest_invoices) == min(12, len(shown))


async def test_a_customer_of_the_other_api_is_read(quick, stripe_world, clock):  # L10
    for owner in stripe_world.tables["v2.core.account"]:
        account = await quick.account(owner, clock())
        assert account.customer.id == owner
        assert account.customer.email


def is_credited(world, customer):
    kinds = ("pre_payment_credit_notes_amount", "post_payment_credit_notes_amount")
    return any(each[kind] for each in world.of(customer, "invoice") for kind in kinds)


async def test_a_fetch_takes_five_calls_one_for_each_open_invoice_and_one_for_credit_notes(
    quick, stripe_world, standin, clock
):
    for row in customers(stripe_world):
        await quick.copied_catalog.copy_for(set(stripe_world.tables["price"]))
        before = standin.count()
        await quick.refetch(row["id"], clock())
        most = 5 + len(open_invoices(stripe_world, row["id"])) + is_credited(stripe_world, row["id"])
        assert standin.count() - before <= most, row["id"]


def credited(world):
    """A customer with a credit note, its invoice and it."""
    (note,) = world.tables["credit_note"].values()
    return note["customer"], note["invoice"], note


async def test_an_invoice_comes_with_its_credit_notes(billing, stripe_world, clock):  # I2
    customer, its, note = credited(stripe_world)
    account = await billing.account(customer, clock())
    ((found,),) = [each.credit_notes for each in account.invoices if each.id == its]
    assert (found.id, found.number, found.total) == (note["id"], note["number"], Money(300, "EUR"))
    assert found.refunded == Money(300, "EUR")
    assert [line.amount.amount for line in found.lines] == [300]
    await billing.read_payments(customer)
    assert [each.id for each in (await billing.invoice(customer, its)).credit_notes] == [note["id"]]


async def test_a_key_that_may_read_no_credit_notes_leaves_their_sum(stripe_world, standin, quick, clock):
    customer, its, _ = credited(stripe_world)
    standin.keys[KEY] = Key(KEY, EVERYTHING - {"credit_note_read", "credit_note_write"})
    account = await quick.account(customer, clock())
    (found,) = [each for each in account.invoices if each.id == its]
    assert (found.credit_notes, found.credited) == ((), Money(300, "EUR"))


def test_credit_notes_that_are_not_all_that_was_credited_leave_the_sum(stripe_world):
    """A newer one of them is not among the hundred that came, or one could not be read."""
    _, note = credit_note(credited(stripe_world)[2], Copy({}))
    of = replace(invoice(), credited=note.total)
    assert with_notes(of, (note,)).credit_notes == (note,)
    void = replace(note, status="void")
    assert with_notes(of, (note, void)).credit_notes == (note, void)
    for notes in ((), (void,), (replace(note, total=Money(200, "EUR")),), (note, note)):
        assert with_notes(of, notes) == of


async def test_an_account_that_is_copied_is_read_without_a_call(billing, stripe_world, standin, clock):
    row = customers(stripe_world)[0]
    fetched = await billing.account(row["id"], clock())
    standin.faults.append(Fault("refused", times=1000))
    before = standin.count()
    assert await billing.account(row["id"], clock.forward(hours=5)) == fetched
    page = await billing.invoices(row["id"])
    for each in page.invoices:
        assert (await billing.invoice(row["id"], each.id)).id == each.id
    assert await billing.history(row["id"]) == []
    assert standin.count() == before


async def test_several_tabs_at_once_wait_for_one_fetch(quick, stripe_world, standin, clock):
    row = customers(stripe_world)[0]
    found = await asyncio.gather(*(quick.account(row["id"], clock()) for _ in range(8)))
    assert len({each.customer.id for each in found}) == 1
    assert standin.count("customer.retrieve") == 1


async def test_a_customer_that_stripe_does_not_know_is_not_found(quick, clock):
    with pytest.raises(NotFound):
        await quick.account("cus_nobody", clock())


async def test_stripe_away_and_no_copy_is_unavailable(quick, stripe_world, standin, clock):
    standin.faults.append(Fault("refused", times=1000))
    with pytest.raises(Unavailable):
        await quick.account(customers(stripe_world)[0]["id"], clock())


async def test_a_fetch_that_began_earlier_replaces_nothing(billing, stripe_world, clock):
    row = customers(stripe_world)[0]
    late = clock()
    stripe_world.customer(row["id"])["name"] = "Before"
    slow = await fetch(billing.client, billing.copied_catalog, row["id"], late - timedelta(seconds=5))
    stripe_world.customer(row["id"])["name"] = "Now"
    await billing.refetch(row["id"], late)
    kept = await copies.keep(billing.store, billing.brand, slow, mail=billing.mail)
    assert kept.customer.name == "Now"
    assert (await billing.account(row["id"], late)).customer.name == "Now"


async def test_one_odd_object_spoils_nothing_else(quick, stripe_world, standin, clock, caplog):
    row = next(each for each in customers(stripe_world) if len(stripe_world.of(each["id"], "subscription")) > 1)
    odd, *others = stripe_world.of(row["id"], "subscription")
    item = odd["items"]["data"][0]
    item["current_period_end"] = item["current_period_start"] - 1
    account = await quick.account(row["id"], clock())
    assert {each.id for each in account.subscriptions} == {each["id"] for each in others}
    assert account.payment_methods
    assert odd["id"] in [getattr(each, "id", "") for each in caplog.records]


async def test_prices_come_with_their_tiers(quick, stripe_world, clock):
    tiered = {each["id"] for each in stripe_world.tables["price"].values() if each.get("tiers")}
    assert tiered
    catalog = await quick.copied_catalog.copy_for(tiered)
    assert all(catalog.price(each).tiers for each in tiered)


async def test_a_deleted_customer_ends(billing, stripe_world, store, clock):
    row = customers(stripe_world)[0]
    await billing.account(row["id"], clock())
    stripe_world.customer(row["id"])["deleted"] = True
    with pytest.raises(NotFound):
        await billing.refetch(row["id"], clock())
    for table in ("account", "customer", "invoice", "stripe_copy"):
        assert (await store.read(f"SELECT COUNT(*) FROM {table}"))[0][0] == 0, table


async def test_an_answer_of_the_other_mode_is_refused(quick, stripe_world, clock):
    row = customers(stripe_world)[0]
    row["livemode"] = True
    with pytest.raises(Unavailable):
        await quick.account(row["id"], clock())
