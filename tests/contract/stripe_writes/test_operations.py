"""A write has one effect, whatever happens on the way: answers that are lost, processes that die, forms sent twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.billing import Cancel, NotFound, Refused, Resume, Tell, Unavailable, Uncertain
from tests.contract.stripe_standin.shop import NOON
from tests.contract.stripe_writes.counter import CANCEL_NOW, Killed, features
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio
UPDATE, CANCEL = "subscription.update", "subscription.cancel"


async def test_the_same_form_twice_has_one_effect(any_counter, shop):
    subscription = shop.subscribe()
    await any_counter.do(subscription, Cancel(), key="form")
    await any_counter.do(subscription, Resume())
    before = len(any_counter.wrote())
    again = await any_counter.billing.apply(any_counter.by("form"), subscription.id, Cancel(), shown="old")
    assert again.account.subscriptions[0].cancel_at is None
    assert len(any_counter.wrote()) == before
    with pytest.raises(Refused, match="key_reused"):
        await any_counter.billing.apply(any_counter.by("form"), subscription.id, Resume())


@pytest.mark.parametrize("fault", ["lost", "cut", "500_done", "shape"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_took_effect_without_an_answer_is_done(counter, shop, fault, at_once):
    """The account shows it, so the customer reads the truth at once."""
    if at_once:
        counter.features = features(subscription_cancel=CANCEL_NOW)
    subscription = shop.subscribe()
    shop.advance(NOON)
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    name = CANCEL if at_once else UPDATE
    shop.standin.faults.append(Fault(fault, name))
    answer = await counter.billing.apply(counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    found = answer.account.subscriptions[0]
    assert found.status == "canceled" if at_once else found.cancel_at
    assert shop.standin.faults[-1].times == 0
    lines = await counter.billing.history("cus_a")
    assert [each.kind for each in lines] == ["subscription.canceled"]
    assert await counter.later(minutes=1) == 0


@pytest.mark.parametrize("fault", ["500", "html"])
async def test_what_took_no_effect_and_had_no_answer_is_sent_again_with_its_key(any_counter, shop, fault):
    subscription = shop.subscribe()
    preview = await any_counter.billing.preview(any_counter.by(), subscription.id, Cancel())
    shop.standin.faults.append(Fault(fault, UPDATE))
    with pytest.raises(Uncertain):
        await any_counter.billing.apply(any_counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    assert await any_counter.later(seconds=10) == 0
    assert await any_counter.later(minutes=1) == 1
    assert (await any_counter.billing.account("cus_a", any_counter.now)).subscriptions[0].cancel_at
    first, second = any_counter.keys_sent()
    assert first == second
    assert await any_counter.later(minutes=2) == 0


async def test_too_many_requests_are_nothing_done_and_the_form_may_come_again(counter, shop):
    subscription = shop.subscribe()
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    shop.standin.faults.append(Fault("429", UPDATE))
    with pytest.raises(Unavailable):
        await counter.billing.apply(counter.by("form"), subscription.id, Cancel(), shown=preview.fingerprint)
    assert await counter.later(minutes=1) == 0
    answer = await counter.billing.apply(counter.by("form"), subscription.id, Cancel(), shown=preview.fingerprint)
    assert answer.account.subscriptions[0].cancel_at


async def test_a_refusal_is_the_answer_to_the_same_form(counter, shop):
    subscription = shop.subscribe()
    await counter.do(subscription, Cancel())
    gone = shop.world.tables["subscription"].pop(subscription.id)
    by = counter.by("form")
    wanted = counter.billing._plan  # the account is read before: here it vanishes after that

    async def plan(*given):
        shop.world.tables["subscription"][subscription.id] = gone
        steps = await wanted(*given)
        del shop.world.tables["subscription"][subscription.id]
        return steps

    counter.billing._plan = plan
    for _ in range(2):
        with pytest.raises((Refused, NotFound)):
            await counter.billing.apply(by, subscription.id, Tell("unused"))
    assert len(set(counter.keys_sent())) == len(counter.keys_sent())


POINTS = ["before", "after", "read", "store"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_process_that_dies_anywhere_leaves_one_effect(any_counter, shop, point, at_once):
    counter = any_counter
    if at_once:
        counter.features = features(subscription_cancel=CANCEL_NOW)
    subscription = shop.subscribe()
    shop.advance(NOON)
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    counter.wire.kill_before, counter.wire.kill_after = int(point == "before"), int(point == "after")
    counter.wire.dies_on_read = point == "read"
    if point == "store":

        async def dies(*_):
            raise Killed

        counter.billing._done = dies
    with pytest.raises(Killed):
        await counter.billing.apply(counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    counter.begun()
    assert await counter.later(minutes=1) == 1
    assert await counter.later(minutes=2) == 0
    assert len(counter.wrote()) == 1
    assert len(set(counter.keys_sent())) <= 1
    found = (await counter.billing.account("cus_a", counter.now)).subscriptions[0]
    assert found.status == "canceled" if at_once else found.cancel_at
    assert shop.customer_row.get("balance", 0) == (-1500 if at_once else 0)
    assert [each.kind for each in await counter.billing.history("cus_a")] == ["subscription.canceled"]


async def test_what_stripe_forgot_is_not_sent_again(counter, shop):
    subscription = shop.subscribe()
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    shop.standin.faults.append(Fault("500", UPDATE))
    with pytest.raises(Uncertain):
        await counter.billing.apply(counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    sent = len(counter.keys_sent())
    assert await counter.later(hours=23, minutes=1) == 1
    assert len(counter.keys_sent()) == sent
    assert await counter.later(hours=24) == 0


async def test_the_same_form_from_two_tabs_at_once_has_one_effect(counter, shop):
    subscription = shop.subscribe()
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    shop.standin.faults.append(Fault("late", UPDATE, seconds=0.2))
    by = counter.by("form")

    async def send():
        return await counter.billing.apply(by, subscription.id, Cancel(), shown=preview.fingerprint)

    answers = await asyncio.gather(send(), send(), return_exceptions=True)
    assert not [each for each in answers if isinstance(each, Refused)]
    await counter.later(minutes=1)
    assert len(counter.wrote()) == 1
    assert (await counter.billing.account("cus_a", counter.now + timedelta(seconds=1))).subscriptions[0].cancel_at
    assert [each.kind for each in await counter.billing.history("cus_a")] == ["subscription.canceled"]
