"""A cancellation at once credits what its page said, to the minor unit, or it is not made."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.brands.features import SubscriptionCancel
from tests.support.accounts import eur
from tests.support.rendered import words
from tests.support.selling import at_the_counter, offering, stored
from tests.support.world import World

pytestmark = pytest.mark.anyio
CARD = "/harbour/my/subscriptions/sub_1"
CANCEL = f"{CARD}/cancel"


@pytest.fixture
def crediting(sqlite_store, clock):
    """Canceled at once, with a credit; every second of the period is worth something."""
    rule = SubscriptionCancel(mode="immediately", proration_behavior="create_prorations")
    return World(sqlite_store, clock, features=replace(offering(), subscription_cancel=rule))


async def test_s2_the_credit_is_the_one_that_the_page_said_however_long_it_was_read(crediting):
    browser = await at_the_counter(crediting)
    page = await browser.get(CANCEL)
    assert "€6.99 credit for unused time" in words(page.text)
    crediting.clock.forward(minutes=29)
    assert "€6.98 credit for unused time" in words((await browser.get(CANCEL)).text)
    answer = await browser.fill(page)
    assert "Your subscription has ended" in words(answer.text)
    after = await stored(crediting)
    assert (after.balance, after.subscriptions[0].ended_at) == (eur(-699), crediting.clock())


async def test_s13_a_page_that_is_too_old_says_the_new_credit_and_cancels_nothing(crediting):
    browser = await at_the_counter(crediting)
    page = await browser.get(CANCEL)
    crediting.clock.forward(minutes=31)
    answer = await browser.fill(page)
    assert answer.status_code == 409
    assert "so nothing was canceled" in words(answer.text)
    assert "€6.98 credit for unused time" in words(answer.text)
    assert (await stored(crediting)).subscriptions[0].status == "active"
    await browser.fill(answer)
    assert (await stored(crediting)).balance == eur(-698)


async def test_s13_a_change_in_another_tab_is_shown_before_it_is_canceled(crediting):
    browser = await at_the_counter(crediting)
    page = await browser.get(CANCEL)
    change = await browser.fill(await browser.get(f"{CARD}/change"), price="price_big")
    assert "Your plan has been changed" in words((await browser.fill(change)).text)
    answer = await browser.fill(page)
    assert (answer.status_code, "so nothing was canceled" in words(answer.text)) == (409, True)
    assert (await stored(crediting)).subscriptions[0].status == "active"
    assert "has ended" in words((await browser.fill(answer)).text)


async def test_s13_a_token_of_another_day_credits_nothing_more(crediting):  # threat 53
    browser = await at_the_counter(crediting)
    page = await browser.get(CANCEL)
    at = crediting.clock()
    for token in ("", "0.0", "x", f"{int((at - timedelta(days=9)).timestamp()) * 1_000_000}.{'0' * 32}", "9" * 40):
        answer = await browser.fill(page, fingerprint=token)
        assert answer.status_code == 409
    assert (await stored(crediting)).balance is None


async def test_an_end_at_the_periods_end_waits_for_no_minutes(world_at_end):
    browser = await at_the_counter(world_at_end)
    page = await browser.get(CANCEL)
    for _ in range(3):
        world_at_end.clock.forward(minutes=50)
        await browser.get(CARD)
    assert "Your subscription ends on" in words((await browser.fill(page)).text)


async def test_a_renewal_since_the_page_is_told_before_the_end_moves(world_at_end):
    browser = await at_the_counter(world_at_end)
    page = await browser.get(CANCEL)
    world_at_end.clock.forward(days=20)
    await world_at_end.store.write(lambda transaction: transaction.count("UPDATE account SET due_at = 0"))
    await world_at_end.log_in(browser)
    answer = await browser.fill(page)
    assert (answer.status_code, "It ends on April 15, 2026" in words(answer.text)) == (409, True)
    assert (await stored(world_at_end)).subscriptions[0].cancel_at is None


@pytest.fixture
def world_at_end(sqlite_store, clock):
    return World(sqlite_store, clock, features=replace(offering(), subscription_cancel=SubscriptionCancel()))
