"""Canceling and taking it back, as a browser does it: the forms, and what comes when they are old, twice or foreign."""

from datetime import timedelta

import pytest

from server.billing import Refused, Unavailable, Uncertain
from tests.support.accounts import FEATURES, Failing, account, ending, keep, subscription
from tests.support.client import forms_in
from tests.support.pages import ledger_of
from tests.support.rendered import words
from tests.support.world import World

pytestmark = pytest.mark.anyio
CARD = "/harbour/my/subscriptions/sub_1"
CANCEL, RESUME = f"{CARD}/cancel", f"{CARD}/resume"


async def logged_in(world, it=None):
    await keep(world, it or account(subscription()))
    browser = world.client()
    await world.log_in(browser)
    return browser


async def status_of(world, customer="cus_jenny"):
    """The subscription's decided end, as it is stored."""
    found = await ledger_of(world.store, "harbour", FEATURES).account(customer, world.clock())
    return found.subscriptions[0].cancel_at


async def test_the_form_cancels_and_the_card_says_until_when(world):
    browser = await logged_in(world)
    answer = await browser.fill(await browser.get(CANCEL))
    assert answer.status_code == 200
    assert "Your subscription ends on March 15, 2026" in words(answer.text)
    assert await status_of(world) is not None


async def test_in_place_the_card_comes_alone(world):
    browser = await logged_in(world)
    answer = await browser.fill(await browser.get(CANCEL, fragment=True), fragment=True)
    assert answer.text.startswith('<section class="card" id="subscriptions-card-sub_1"')


async def test_the_page_before_changes_nothing(world):  # threat 62
    browser = await logged_in(world)
    await browser.get(CANCEL)
    assert await status_of(world) is None


async def test_a_cancellation_can_be_taken_back_from_the_card(world):
    browser = await logged_in(world)
    card = await browser.fill(await browser.get(CANCEL))
    answer = await browser.fill(card)
    assert "Your subscription continues" in words(answer.text)
    assert await status_of(world) is None


async def test_canceling_twice_changes_nothing(world):
    browser = await logged_in(world)
    form = await browser.get(CANCEL)
    await browser.fill(form)
    end, done = await status_of(world), await world.count("activity")
    answer = await browser.fill(form)
    assert (answer.status_code, await status_of(world), await world.count("activity")) == (200, end, done)
    assert "It was already canceled" in words(answer.text)


async def test_a_second_tab_sees_what_the_first_did(world):
    browser = await logged_in(world)
    one, two = await browser.get(CANCEL), await browser.get(CANCEL)
    await browser.fill(one)
    assert "It was already canceled" in words((await browser.fill(two)).text)


async def test_an_old_form_does_not_cancel_what_was_taken_back_since(world):
    browser = await logged_in(world)
    form = await browser.get(CANCEL)
    await browser.fill(await browser.fill(form))
    answer = await browser.fill(form)
    assert "This page was out of date" in words(answer.text)
    assert await status_of(world) is None


@pytest.mark.parametrize("key", ["", "short", "x" * 200, "spaces in it, sixteen", "æææææææææææææææææ"])
async def test_without_a_good_key_the_page_before_comes_again(world, key):
    browser = await logged_in(world)
    answer = await browser.fill(await browser.get(CANCEL), key=key)
    assert answer.status_code == 422
    assert "Please confirm again" in words(answer.text)
    assert await status_of(world) is None
    assert (await browser.fill(answer)).status_code == 200
    assert await status_of(world) is not None


async def test_undo_without_a_good_key_shows_the_card_again(world):
    browser = await logged_in(world, account(ending()))
    answer = await browser.fill(await browser.get(CARD), key="")
    assert answer.status_code == 422
    assert await status_of(world) is not None
    assert (await browser.fill(answer)).status_code == 200
    assert await status_of(world) is None


async def test_there_is_nothing_to_take_back(world):
    browser = await logged_in(world, account(ending()))
    card = await browser.get(CARD)
    await browser.fill(card)
    assert "There is nothing to undo" in words((await browser.fill(card)).text)


async def test_canceling_what_ends_already_shows_the_card(world):
    browser = await logged_in(world, account(ending()))
    answer = await browser.get(CANCEL)
    assert "It was already canceled" in words(answer.text)
    assert forms_in(answer.text)[0][0] == RESUME


async def test_a_state_that_we_do_not_know_is_left_alone(world):
    browser = await logged_in(world, account(subscription(status="hibernating")))
    answer = await browser.post(CANCEL, data={"key": "k" * 20, "customer": "cus_jenny"})
    assert answer.status_code == 409
    assert "so we changed nothing" in words(answer.text)
    assert await status_of(world) is None


@pytest.mark.parametrize("path", [CANCEL, RESUME])
async def test_a_form_of_another_account_is_refused(world, path):  # threat 53
    browser = await logged_in(world, account(ending() if path == RESUME else subscription()))
    before = await status_of(world)
    answer = await browser.post(path, data={"key": "k" * 20, "customer": "cus_other"})
    assert answer.status_code == 409
    assert "You are now logged in to another account" in words(answer.text)
    assert await status_of(world) == before


async def test_an_old_tab_after_another_log_in_is_told_so_and_not_that_nothing_is_there(world):  # threat 53
    await keep(world, account(subscription("sub_sam"), id="cus_sam", email="sam@example.com"))
    browser = await logged_in(world)
    old_tab = await browser.get(CANCEL)
    await world.log_in(browser, "sam@example.com")
    answer = await browser.fill(old_tab)
    assert answer.status_code == 409
    assert "another account" in words(answer.text)
    assert await status_of(world) is None


async def test_nobody_cancels_what_is_anothers(world):  # threat 75
    await keep(world, account(subscription("sub_sam"), id="cus_sam", email="sam@example.com"))
    browser = await logged_in(world)
    form = {"key": "k" * 20, "customer": "cus_jenny"}
    theirs = await browser.post("/harbour/my/subscriptions/sub_sam/cancel", data=form)
    nothing = await browser.post("/harbour/my/subscriptions/sub_none/cancel", data=form)
    assert theirs.status_code == nothing.status_code == 404
    assert theirs.content == nothing.content
    assert await status_of(world, "cus_sam") is None


async def test_a_session_that_ended_in_the_form_comes_back_to_it(world):
    browser = await logged_in(world)
    form = await browser.get(CANCEL)
    world.clock.forward(hours=2)
    answer = await browser.fill(form, fragment=True)
    assert answer.status_code == 401
    code_form = await browser.fill(answer, fragment=True, follow=True)
    again = await browser.fill(code_form, fragment=True, follow=True, code=await world.code())
    assert "Please confirm again" in words(again.text)
    assert await status_of(world) is None
    assert "Your subscription ends" in words((await browser.fill(again, fragment=True)).text)


# --- the billing side does not do it ---------------------------------------------------------------------------------


@pytest.fixture
def failing():
    return []


@pytest.fixture
def shaky(sqlite_store, clock, failing):
    """A world whose billing side fails when it is told to; the fakes are in `failing`, one a brand."""

    def make(brand, store):
        failing.append(Failing(ledger_of(store, brand.name, brand.config.features)))
        return failing[-1]

    return World(sqlite_store, clock, billing=make)


def fail(failing, error, late=False):
    for each in failing:
        each.error, each.late = error, late


async def test_a_refusal_is_told_in_words_and_nothing_changed(shaky, failing):
    browser = await logged_in(shaky)
    form = await browser.get(CANCEL)
    fail(failing, Refused("moon_in_the_wrong_phase"))
    answer = await browser.fill(form)
    assert answer.status_code == 409
    assert "does not allow this right now" in words(answer.text)
    assert "moon" not in answer.text


@pytest.mark.parametrize("fragment", [False, True])
async def test_away_before_anything_was_sent_nothing_was_changed(shaky, failing, fragment):
    browser = await logged_in(shaky)
    form = await browser.get(CANCEL)
    fail(failing, Unavailable())
    answer = await browser.fill(form, fragment=fragment)
    assert (answer.status_code, "x-portal-fragment" in answer.headers) == (503, fragment)
    assert "Nothing was changed" in words(answer.text)
    fail(failing, None)
    assert "Your subscription ends" in words((await browser.fill(answer, fragment=fragment)).text)


async def test_no_answer_is_never_told_as_nothing_happened(shaky, failing):
    browser = await logged_in(shaky)
    form = await browser.get(CANCEL)
    fail(failing, Uncertain(), late=True)
    answer = await browser.fill(form)
    assert answer.status_code == 503
    assert "We do not know yet" in words(answer.text)
    assert "Nothing was changed" not in words(answer.text)


async def test_asking_again_carries_the_same_key_and_has_one_effect(shaky, failing):
    browser = await logged_in(shaky)
    form = await browser.get(CANCEL)
    fail(failing, Uncertain())
    uncertain = await browser.fill(form)
    fail(failing, None)
    shaky.clock.forward(minutes=1)
    await browser.fill(uncertain)
    keys = [key for each in failing for key in each.keys]
    assert keys == [forms_in(form.text)[0][1]["key"]] * 2
    assert len([each for each in await shaky.rows("activity") if "subscription.canceled" in each]) == 1


async def test_an_uncertain_cancellation_that_happened_is_shown_as_it_stands(shaky, failing):
    browser = await logged_in(shaky)
    form = await browser.get(CANCEL)
    fail(failing, Uncertain(), late=True)
    uncertain = await browser.fill(form)
    fail(failing, None)
    assert "It was already canceled" in words((await browser.fill(uncertain)).text)


async def test_an_undo_that_stayed_open_is_repeated_as_an_undo(shaky, failing):
    browser = await logged_in(shaky, account(ending()))
    fail(failing, Uncertain())
    answer = await browser.fill(await browser.get(CARD))
    assert forms_in(answer.text)[0][0] == RESUME
    fail(failing, None)
    assert "Your subscription continues" in words((await browser.fill(answer)).text)


async def test_the_end_that_came_meanwhile_cannot_be_taken_back(world):
    browser = await logged_in(world, account(ending()))
    card = await browser.get(CARD)
    world.clock.at += timedelta(days=20)
    await world.log_in(browser)
    answer = await browser.fill(card)
    assert answer.status_code == 409
