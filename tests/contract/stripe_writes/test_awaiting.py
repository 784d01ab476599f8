"""A change that the bank wants the customer to confirm: it waits, comes true when it is paid, or is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.billing import Move, Refusal, Refused, Resume, Uncertain, UndoMove
from server.formats.money import Money
from tests.contract.stripe_standin.shop import NOON
from tests.contract.stripe_writes.counter import Killed
from tests.stripe import hosted
from tests.stripe.app import Request
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio
BIG = Move(price="price_big")


async def waiting(counter, shop, move: Move = BIG, **more):
    """A subscription whose change waits for the bank; it, and its account then."""
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("3155")
    shop.advance(NOON)
    return subscription, await counter.do(subscription, move, **more)


def confirm(shop, invoice: str, word: str = "yes") -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    hosted.answer(shop.standin, Request("post", f"/i/{invoice}", "", headers, f"confirm={word}".encode()))


async def test_it_waits_with_all_as_it_was_and_comes_true_when_it_is_confirmed(any_counter, shop):
    _, account = await waiting(any_counter, shop)
    found = account.subscriptions[0]
    assert (found.status, found.items[0].price.id) == ("active", "price_basic")
    waits = found.awaiting
    assert (waits.price.id, waits.quantity) == ("price_big", 1)
    assert int(waits.until.timestamp()) == NOON + 23 * 3600
    invoice = next(each for each in account.invoices if each.id == waits.invoice)
    assert (invoice.status, invoice.amount_due) == ("open", Money(3000, "EUR"))
    assert (await any_counter.billing.history("cus_a"))[0].kind == "subscription.change_awaits"
    confirm(shop, waits.invoice)
    found = (await any_counter.billing.refetch("cus_a", any_counter.now)).subscriptions[0]
    assert (found.awaiting, found.items[0].price.id) == (None, "price_big")


async def test_it_is_paid_with_another_card(counter, shop):
    _, account = await waiting(counter, shop)
    done = await counter.billing.pay(counter.by(), account.subscriptions[0].awaiting.invoice, "pm_good")
    assert done.payment.status == "paid"
    assert done.account.subscriptions[0].items[0].price.id == "price_big"


async def test_it_is_given_up_and_nothing_is_owed(any_counter, shop):
    subscription, account = await waiting(any_counter, shop)
    invoice = account.subscriptions[0].awaiting.invoice
    assert await any_counter.billing.preview(any_counter.by(), subscription.id, Move(quantity=3)) == Refusal(
        "awaiting_payment"
    )
    shop.advance(NOON + 60)
    account = await any_counter.do(subscription, UndoMove())
    assert (account.subscriptions[0].awaiting, account.subscriptions[0].items[0].price.id) == (None, "price_basic")
    assert shop.world.tables["invoice"][invoice]["status"] == "void"
    assert (await any_counter.billing.history("cus_a"))[0].kind == "subscription.change_undone"
    writes = len(any_counter.wrote())
    await any_counter.do(subscription, UndoMove())
    assert len(any_counter.wrote()) == writes


async def test_nobody_confirms_it_and_it_is_over_after_23_hours(counter, shop):
    await waiting(counter, shop)
    shop.advance(NOON + 24 * 3600)
    found = (await counter.billing.refetch("cus_a", counter.now)).subscriptions[0]
    assert (found.awaiting, found.items[0].price.id) == (None, "price_basic")


async def test_the_same_form_twice_waits_once(counter, shop):
    subscription, account = await waiting(counter, shop, key="form")
    writes = counter.wrote()
    assert len(writes) == 1
    again = await counter.billing.apply(counter.by("form"), subscription.id, BIG, shown="old")
    assert again.account.subscriptions[0].awaiting == account.subscriptions[0].awaiting
    assert counter.wrote() == writes
    with pytest.raises(Refused, match="key_reused"):
        await counter.billing.apply(counter.by("form"), subscription.id, Resume())


@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
async def test_a_process_that_dies_on_the_way_leaves_one_change_that_waits_at_most(any_counter, shop, write, when):
    counter = any_counter
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("3155")
    shop.advance(NOON)
    shown = (await counter.billing.preview(counter.by(), subscription.id, BIG)).fingerprint
    setattr(counter.wire, when, write)
    with pytest.raises(Killed):
        await counter.billing.apply(counter.by("form"), subscription.id, BIG, shown=shown)
    counter.begun()
    await counter.later(minutes=1)
    again = await counter.billing.apply(counter.by("form"), subscription.id, BIG, shown=shown)
    assert again.account.subscriptions[0].awaiting.price.id == "price_big"
    assert [each["status"] for each in shop.world.of("cus_a", "invoice")].count("open") == 1
    assert len(counter.wrote()) == 1


async def test_an_answer_that_was_lost_is_asked_for_again_and_waits(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("3155")
    shop.advance(NOON)
    shown = (await counter.billing.preview(counter.by(), subscription.id, BIG)).fingerprint
    shop.standin.faults.append(Fault("lost", "subscription.update"))
    with pytest.raises(Uncertain):
        await counter.billing.apply(counter.by("form"), subscription.id, BIG, shown=shown)
    answer = await counter.billing.apply(counter.by("form"), subscription.id, BIG, shown=shown)
    assert answer.account.subscriptions[0].awaiting.price.id == "price_big"


async def test_what_another_process_read_just_before_the_change_hides_it_not(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("3155")
    shop.advance(NOON)
    by, worker = counter.by(), counter.billing
    shown = (await counter.begun().preview(by, subscription.id, BIG)).fingerprint
    await worker.refetch("cus_a", by.now + timedelta(seconds=1))  # the request is on its way by then
    answer = await counter.billing.apply(by, subscription.id, BIG, shown=shown)
    assert answer.account.subscriptions[0].awaiting.price.id == "price_big"
    await worker.close()
