"""Pausing at Stripe, ending a pause, and beginning an ended subscription again."""

from __future__ import annotations

import pytest

from server.billing import Cancel, Pause, Refusal, Refused, Restart, Stale, Unpause
from server.formats.money import Money
from tests.contract.stripe_standin.shop import DAY, MAY, NOON
from tests.contract.stripe_writes.counter import CANCEL_NOW, Killed, features

pytestmark = pytest.mark.anyio
JUNE = MAY + 31 * DAY


async def paused(counter, shop, **more):
    subscription = shop.subscribe()
    shop.advance(NOON)
    await counter.do(subscription, Pause(cycles=1), **more)
    return subscription


async def test_a_paused_period_costs_nothing_and_the_next_one_is_paid(any_counter, shop):
    subscription = await paused(any_counter, shop)
    found = (await any_counter.billing.account("cus_a", any_counter.now)).subscriptions[0]
    assert (found.status, found.pause_behavior, found.paused_at) == ("active", "void", any_counter.now)
    assert 0 < JUNE - int(found.pause_resumes_at.timestamp()) <= 60
    assert (await any_counter.billing.history("cus_a"))[0].kind == "subscription.paused"
    writes = any_counter.wrote()
    await any_counter.do(subscription, Pause(cycles=1))
    assert any_counter.wrote() == writes
    shop.advance(MAY + 7200)
    assert shop.invoice(subscription).status == "void"
    shop.advance(JUNE + 7200)
    assert (shop.invoice(subscription).status, shop.invoice(subscription).total) == ("paid", 3000)
    found = (await any_counter.billing.refetch("cus_a", any_counter.now)).subscriptions[0]
    assert (found.pause_behavior, found.paused_at) == ("", None)


async def test_a_pause_longer_than_allowed_or_of_the_business_is_refused(counter, shop):
    subscription = shop.subscribe()
    with pytest.raises(Refused, match="too_many_cycles"):
        await counter.do(subscription, Pause(cycles=99))
    shop.update(subscription, pause_collection={"behavior": "void"}, metadata={"postern_paused_at": "1775000000"})
    await counter.billing.refetch("cus_a", counter.now)
    with pytest.raises(Refused, match="paused_by_business"):
        await counter.billing.apply(counter.by(), subscription.id, Unpause())
    shop.update(subscription, pause_collection="")
    shop.client.v1.subscriptions.pause(subscription.id, {"type": "subscription"})
    await counter.billing.refetch("cus_a", counter.now)
    preview = await counter.billing.preview(counter.by(), subscription.id, Unpause())
    assert preview == Refusal("paused_by_business")
    assert counter.wrote() == []


async def test_a_pause_ends_without_a_charge_while_the_running_period_is_paid(any_counter, shop):
    subscription = await paused(any_counter, shop)
    shown = await any_counter.billing.preview(any_counter.by(), subscription.id, Unpause())
    assert shown.charge is None
    account = await any_counter.do(subscription, Unpause())
    found = account.subscriptions[0]
    assert (found.pause_behavior, found.paused_at, len(account.invoices)) == ("", None, 1)
    writes = any_counter.wrote()
    by = any_counter.by()
    await any_counter.billing.apply(by, subscription.id, Unpause())
    assert any_counter.wrote() == writes
    shop.advance(MAY + 7200)
    assert shop.invoice(subscription).status == "paid"


async def test_ended_in_a_period_that_nobody_paid_a_new_one_begins_and_is_charged_as_shown(any_counter, shop):
    subscription = await paused(any_counter, shop)
    shop.advance(MAY + 5 * DAY)
    await any_counter.billing.refetch("cus_a", any_counter.now)
    shown = await any_counter.billing.preview(any_counter.by(), subscription.id, Unpause())
    assert (shown.charge.due, shown.method.id) == (Money(3000, "EUR"), "pm_good")
    shop.advance(MAY + 5 * DAY + 600)
    answer = await any_counter.billing.apply(any_counter.by(), subscription.id, Unpause(), shown=shown.fingerprint)
    found = answer.account.subscriptions[0]
    assert (found.pause_behavior, answer.account.invoices[0].total) == ("", Money(3000, "EUR"))
    assert answer.account.invoices[0].status == "paid"
    assert int(found.items[0].current_period_start_at.timestamp()) == MAY + 5 * DAY + 600


async def test_a_price_that_changed_since_the_page_ends_no_pause(counter, shop):
    subscription = await paused(counter, shop)
    shop.advance(MAY + 5 * DAY)
    await counter.billing.refetch("cus_a", counter.now)
    shown = await counter.billing.preview(counter.by(), subscription.id, Unpause())
    shop.world.tables["price"]["price_basic"].update(unit_amount=4000, unit_amount_decimal="4000")
    writes = counter.wrote()
    answer = await counter.billing.apply(counter.by(), subscription.id, Unpause(), shown=shown.fingerprint)
    assert isinstance(answer, Stale)
    assert answer.preview.charge.due == Money(4000, "EUR")
    assert counter.wrote() == writes


async def test_a_pause_whose_charge_fails_goes_on(counter, shop):
    subscription = await paused(counter, shop)
    shop.advance(MAY + 5 * DAY)
    shop.pays_with("0341")
    await counter.billing.refetch("cus_a", counter.now)
    with pytest.raises(Refused, match="payment_failed"):
        await counter.do(subscription, Unpause())
    assert (await counter.billing.refetch("cus_a", counter.now)).subscriptions[0].pause_behavior == "void"


async def test_what_stripe_paused_for_want_of_a_card_goes_on_as_shown(counter, shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    shop.client.v1.subscriptions.pause(subscription.id, {"type": "subscription"})
    row = shop.world.tables["subscription"][subscription.id]
    row["status_details"]["paused"]["subscription"]["type"] = "trial_end_without_payment_method"
    shop.customer_row["balance"] = 0
    await counter.billing.refetch("cus_a", counter.now)
    shown = await counter.billing.preview(counter.by(), subscription.id, Unpause())
    account = await counter.do(subscription, Unpause())
    assert account.subscriptions[0].status == "active"
    assert account.invoices[0].total == shown.charge.total


async def ended(counter, shop):
    counter.features = features(subscription_cancel=CANCEL_NOW)
    await counter.sell()
    subscription = shop.subscribe("price_basic", 2)
    shop.advance(NOON)
    await counter.do(subscription, Cancel())
    shop.customer_row["balance"] = 0
    shop.advance(NOON + DAY)
    await counter.billing.refetch("cus_a", counter.now)
    return subscription


async def test_an_ended_subscription_begins_again_at_what_the_page_shows(any_counter, shop):
    subscription = await ended(any_counter, shop)
    options = (await any_counter.billing.preview(any_counter.by(), subscription.id, Restart())).options
    due = {each.price.id: each.charge.due.amount for each in options}
    assert due == {"price_basic": 6000, "price_big": 18000, "price_free": 0, "price_yearly": 60000}
    account = await any_counter.do(subscription, Restart(price="price_basic"))
    begun = account.subscription(account.subscription(subscription.id).restarted_as)
    assert (begun.status, begun.items[0].price.id, begun.items[0].quantity) == ("active", "price_basic", 2)
    assert (account.invoices[0].total, account.invoices[0].status) == (Money(6000, "EUR"), "paid")
    line = (await any_counter.billing.history("cus_a"))[0]
    assert (line.kind, line.data["subscription"]) == ("subscription.restarted", begun.id)
    writes = any_counter.wrote()
    await any_counter.billing.apply(any_counter.by(), subscription.id, Restart(price="price_basic"))
    assert any_counter.wrote() == writes


async def test_a_dearer_price_than_shown_or_a_card_that_fails_begins_nothing(counter, shop):
    subscription = await ended(counter, shop)
    shown = (await counter.billing.preview(counter.by(), subscription.id, Restart())).options[0]
    writes = counter.wrote()
    shop.world.tables["price"]["price_basic"].update(unit_amount=4000, unit_amount_decimal="4000")
    wanted = Restart(price="price_basic")
    answer = await counter.billing.apply(counter.by(), subscription.id, wanted, shown=shown.fingerprint)
    assert isinstance(answer, Stale)
    assert answer.preview.options[0].charge.due == Money(8000, "EUR")
    shop.pays_with("0341")
    await counter.billing.refetch("cus_a", counter.now)
    with pytest.raises(Refused, match="payment_failed"):
        await counter.do(subscription, wanted)
    with pytest.raises(Refused, match="price_not_offered"):
        await counter.billing.apply(counter.by(), subscription.id, Restart(price="price_none"))
    assert counter.wrote() == writes
    assert len(shop.world.of("cus_a", "subscription")) == 1


@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
async def test_a_process_that_dies_while_it_begins_again_leaves_one_new_subscription(any_counter, shop, write, when):
    counter = any_counter
    subscription = await ended(counter, shop)
    counter.wire.writes = 0
    setattr(counter.wire, when, write)
    with pytest.raises(Killed):
        await counter.do(subscription, Restart(price="price_basic"))
    counter.begun()
    assert await counter.later(minutes=1) == 1
    account = await counter.billing.account("cus_a", counter.now)
    assert len(account.subscriptions) == 2
    assert account.subscription(account.subscription(subscription.id).restarted_as).status == "active"
