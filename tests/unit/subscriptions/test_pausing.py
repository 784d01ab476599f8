"""Pausing, ending a pause early, and starting an ended subscription again. Row S14 of the portal's features."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Uncertain
from server.billing.model.documents import encode_account
from server.brands.features import Features
from tests.support.accounts import END, NOW, START, account, card, eur, invoice, item, keep, price, subscription
from tests.support.client import forms_in
from tests.support.rendered import words
from tests.support.selling import BIG, at_the_counter, buyer, sell, stored
from tests.support.world import World

pytestmark = pytest.mark.anyio
CARD = "/harbour/my/subscriptions/sub_1"
PAUSE, UNPAUSE, RESTART = f"{CARD}/pause", f"{CARD}/unpause", f"{CARD}/restart"
BOTH = pytest.mark.parametrize("fragment", [False, True])
FORM = {"key": "k" * 20, "customer": "cus_jenny", "cycles": "1", "price": "price_1"}


def over(**changed):
    return subscription(status="canceled", canceled_at=START, ended_at=START + timedelta(days=3), **changed)


async def first(world):
    return (await stored(world)).subscriptions[0]


@BOTH
async def test_s14_a_pause_of_the_chosen_length_begins_when_the_paid_time_ends(shop, fragment):
    browser = await at_the_counter(shop)
    page = await browser.get(PAUSE, fragment=fragment)
    assert "2 billing periods March 15, 2026 to May 15, 2026" in words(page.text)
    done = await browser.fill(page, fragment=fragment, cycles="2")
    assert "Your subscription pauses on March 15, 2026 It continues on May 15, 2026." in words(done.text)
    assert (await first(shop)).pause_resumes_at == END.replace(month=5)


async def test_s14_it_is_not_said_to_be_paused_while_the_paid_time_goes_on(shop):
    browser = await at_the_counter(shop)
    await browser.fill(await browser.get(PAUSE), cycles="2")
    assert "You paused it from March 15, 2026 to May 15, 2026." in words((await browser.get(CARD)).text)
    shop.clock.at = END + timedelta(days=1)
    await shop.log_in(browser)
    assert "You paused it until May 15, 2026." in words((await browser.get(CARD)).text)


async def test_s14_a_card_that_has_expired_is_no_failure_while_nothing_is_charged(shop):
    browser = await at_the_counter(shop, buyer(payment_methods=(card(exp_month=1, exp_year=2026),)))
    await browser.fill(await browser.get(PAUSE))
    text = words((await browser.get(CARD)).text)
    assert "Your payment after the pause will fail" in text
    assert "Your next payment will fail" not in text


async def test_s14_a_pause_longer_than_allowed_is_told(shop):
    browser = await at_the_counter(shop)
    page = await browser.get(PAUSE)
    for cycles in ("4", "12", "0", "-1", "many", ""):
        answer = await browser.fill(page, cycles=cycles)
        assert answer.status_code == 422
        assert "Choose how long to pause." in words(answer.text)
    assert not (await first(shop)).pause_behavior


@BOTH
async def test_s14_a_pause_can_be_ended_early(shop, fragment):
    browser = await at_the_counter(shop)
    await browser.fill(await browser.get(PAUSE))
    page = await browser.get(UNPAUSE, fragment=fragment)
    assert "Nothing is due now." in words(page.text)
    assert "Your pause is undone. Nothing else changed." in words((await browser.fill(page, fragment=fragment)).text)
    assert not (await first(shop)).pause_behavior


async def test_s14_a_pause_ended_after_the_paid_time_says_what_is_charged(shop):
    browser = await at_the_counter(shop)
    await browser.fill(await browser.get(PAUSE), cycles="3")
    shop.clock.at = END + timedelta(days=10)
    await shop.log_in(browser)
    page = await browser.get(UNPAUSE)
    assert "Continue and pay €14.50" in words(page.text)
    assert "The pause is over." in words((await browser.fill(page)).text)
    assert (await stored(shop)).invoices[0].amount_paid.amount == 1450


async def test_s14_an_old_page_of_a_pause_charges_nothing_unseen(shop):
    browser = await at_the_counter(shop)
    await browser.fill(await browser.get(PAUSE), cycles="3")
    page = await browser.get(UNPAUSE)
    assert "Continue without a pause" in words(page.text)
    shop.clock.at = END + timedelta(days=10)
    await shop.log_in(browser)
    again = await browser.fill(page)
    assert again.status_code == 409
    assert "The price has changed" in words(again.text)
    assert "Continue and pay €14.50" in words(again.text)
    assert (await first(shop)).pause_behavior
    assert "The pause is over." in words((await browser.fill(again)).text)


async def test_s14_pausing_twice_pauses_once(shop):
    browser = await at_the_counter(shop)
    page, other_tab = await browser.get(PAUSE), await browser.get(PAUSE)
    await browser.fill(page)
    was = await first(shop)
    for again in (page, other_tab):
        assert "This subscription is paused" in words((await browser.fill(again, cycles="3")).text)
    assert await first(shop) == was


async def test_s14_what_cannot_be_paused_says_why(shop):
    sent = subscription("sub_2", collection_method="send_invoice")
    late = subscription("sub_3", status="past_due")
    browser = await at_the_counter(shop, account(sent, late))
    for id_, says in (("sub_2", "paid by invoice"), ("sub_3", "pause it only while it is active and paid")):
        page = PAUSE.replace("sub_1", id_)
        assert says in words((await browser.get(page)).text)
        assert (await browser.post(page, data=FORM)).status_code == 409


async def test_s14_a_pause_of_the_business_is_not_ended_here(shop):
    browser = await at_the_counter(shop, account(subscription(pause_behavior="void", pause_resumes_at=END)))
    assert "Harbour Coffee can end the pause" in words((await browser.get(UNPAUSE)).text)
    assert (await browser.post(UNPAUSE, data=FORM)).status_code == 409


async def test_s14_there_is_no_pause_to_end(shop):
    browser = await at_the_counter(shop)
    assert "There is nothing to undo" in words((await browser.post(UNPAUSE, data=FORM)).text)


# --- restart -------------------------------------------------------------------------------------------------------------


@BOTH
async def test_s14_an_ended_subscription_starts_again_at_its_price(shop, fragment):
    browser = await at_the_counter(shop, account(over()))
    page = await browser.get(RESTART, fragment=fragment)
    assert "Restart and pay €14.50" in words(page.text)
    done = await browser.fill(page, fragment=fragment)
    assert "Your subscription is active again" in words(done.text)
    new, old = (await stored(shop)).subscriptions
    assert (new.status, new.items[0].price.id, old.restarted_as) == ("active", "price_1", new.id)


@BOTH
async def test_s14_who_has_nothing_to_pay_with_is_led_to_add_it(shop, fragment):
    browser = await at_the_counter(shop, account(over(), payment_methods=()))
    page = await browser.get(RESTART, fragment=fragment)
    assert "You have no payment method yet." in words(page.text)
    assert "Restart and pay" not in words(page.text)
    assert "Your bank may ask you" not in words(page.text)
    assert 'href="/harbour/my/payment-methods/add"' in page.text


async def test_s14_a_price_that_went_is_replaced_by_the_current_ones(shop):
    gone = over(items=(item(price=price(id="price_gone", product="prod_gone")),))
    browser = await at_the_counter(shop, account(gone))
    page = await browser.get(RESTART)
    assert "€29.00 now" in words(page.text)
    assert "€149.00 now" in words(page.text)
    await browser.fill(page, price="price_big")
    assert (await first(shop)).items[0].price.id == "price_big"


async def test_s14_starting_again_twice_starts_once(shop):
    browser = await at_the_counter(shop, account(over()))
    page, other_tab = await browser.get(RESTART), await browser.get(RESTART)
    await browser.fill(page)
    for again in (page, other_tab):
        assert "It was already restarted" in words((await browser.fill(again)).text)
    assert len((await stored(shop)).subscriptions) == 2


async def test_s14_an_old_page_of_a_price_charges_nothing_unseen(shop):
    browser = await at_the_counter(shop, account(over()))
    page = await browser.get(RESTART)
    assert "Restart and pay €14.50" in words(page.text)
    richer = encode_account(replace(await stored(shop), balance=eur(-450)))
    await shop.store.write(lambda transaction: transaction.count("UPDATE account SET document = :it", {"it": richer}))
    again = await browser.fill(page)
    assert again.status_code == 409
    assert "The price has changed" in words(again.text)
    assert "Restart and pay €10.00" in words(again.text)
    assert len((await stored(shop)).subscriptions) == 1
    await browser.fill(again)
    assert (await stored(shop)).invoices[0].amount_paid.amount == 1000


async def test_s14_a_price_that_is_not_sold_starts_nothing(shop):
    browser = await at_the_counter(shop, account(over()))
    await sell(shop, price(id="price_secret", unit_amount="1"))
    answer = await browser.fill(await browser.get(RESTART), price="price_secret")
    assert answer.status_code == 409
    assert "Nothing was changed It is no longer offered." in words(answer.text)
    assert len((await stored(shop)).subscriptions) == 1


async def test_s14_what_is_owed_of_the_time_before_is_told_before_a_new_start(shop):
    browser = await at_the_counter(shop, account(over(), invoices=(invoice("in_1", "open"),)))
    assert "The invoice for €14.50 is still due." in words((await browser.get(RESTART)).text)


async def test_s14_what_runs_is_not_started_again(shop):
    browser = await at_the_counter(shop)
    assert "This page was out of date" in words((await browser.get(RESTART)).text)
    await browser.post(RESTART, data=FORM)
    assert len((await stored(shop)).subscriptions) == 1


async def test_s14_a_payment_that_fails_starts_nothing(shop):
    poor = account(over(), payment_methods=(card(behavior="card_declined"),))
    browser = await at_the_counter(shop, poor)
    answer = await browser.fill(await browser.get(RESTART))
    assert answer.status_code == 409
    said = words(answer.text)
    assert "The bank declined the payment." in said
    assert "Nothing was changed" in said
    assert "Your payment methods" in said
    assert len((await stored(shop)).subscriptions) == 1


@BOTH
async def test_s14_what_the_bank_wants_confirmed_leads_there_and_is_told_before(shop, fragment):
    asks = account(over(), payment_methods=(card(behavior="requires_action"),))
    browser = await at_the_counter(shop, asks)
    page = await browser.get(RESTART, fragment=fragment)
    assert "Your bank may ask you to confirm it" in words(page.text)
    question = await at_the_bank(browser, await browser.fill(page, fragment=fragment))
    assert "It was already restarted" in words((await browser.fill(page, fragment=fragment)).text)
    begun, old = (await stored(shop)).subscriptions
    assert (begun.status, old.restarted_as) == ("incomplete", begun.id)
    for _ in range(2):
        await browser.fill(question, outcome="complete")
    assert [each.status for each in (await stored(shop)).subscriptions] == ["active", "canceled"]
    assert [each.amount_paid.amount for each in (await stored(shop)).invoices] == [1450]


async def test_s14_the_end_of_a_pause_that_the_bank_asks_about_leads_there(shop):
    browser = await at_the_counter(shop, buyer(payment_methods=(card(behavior="requires_action"),)))
    await browser.fill(await browser.get(PAUSE), cycles="3")
    assert "Your bank may ask" not in words((await browser.get(UNPAUSE)).text)  # nothing is due yet
    shop.clock.at = END + timedelta(days=10)
    await shop.log_in(browser)
    page = await browser.get(UNPAUSE)
    assert "Your bank may ask you to confirm it" in words(page.text)
    question = await at_the_bank(browser, await browser.fill(page))
    assert (await first(shop)).status == "past_due"
    assert "Confirm the payment with your bank." in words((await browser.get(CARD)).text)
    await browser.fill(question, outcome="complete")
    assert ((await first(shop)).status, (await first(shop)).pause_behavior) == ("active", "")
    assert (await stored(shop)).invoices[0].amount_paid.amount == 1450


async def at_the_bank(browser, answer):
    """The page that the answer leads to."""
    where = answer.headers.get("location") or answer.headers["hx-redirect"]
    assert "/sandbox/" in where
    return await browser.get(where)


# --- all of them ---------------------------------------------------------------------------------------------------------


async def test_without_a_good_key_the_page_before_comes_again(shop):
    paused = subscription("sub_2", pause_behavior="void", pause_resumes_at=END, paused_at=NOW)
    browser = await at_the_counter(shop, account(subscription(), paused, replace(over(), id="sub_3")))
    was = await shop.rows("account")
    for path in (PAUSE, UNPAUSE.replace("sub_1", "sub_2"), RESTART.replace("sub_1", "sub_3")):
        answer = await browser.fill(await browser.get(path), key="")
        assert answer.status_code == 422
        assert "Please confirm again" in words(answer.text)
    assert await shop.rows("account") == was


async def test_a_form_of_another_account_is_refused(shop):  # threat 53
    browser = await at_the_counter(shop)
    for path in (PAUSE, UNPAUSE, RESTART):
        answer = await browser.post(path, data=FORM | {"customer": "cus_other"})
        assert answer.status_code == 409
        assert "You are now logged in to another account" in words(answer.text)


async def test_nobody_pauses_what_is_anothers(shop):  # threat 75
    await keep(shop, account(subscription("sub_sam"), id="cus_sam", email="sam@example.com"))
    browser = await at_the_counter(shop)
    for path in (PAUSE, UNPAUSE, RESTART):
        theirs = await browser.post(path.replace("sub_1", "sub_sam"), data=FORM)
        nothing = await browser.post(path.replace("sub_1", "sub_none"), data=FORM)
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.content == nothing.content


async def test_where_it_is_not_offered_there_is_no_such_page(sqlite_store, clock):
    browser = await at_the_counter(World(sqlite_store, clock, features=Features()))
    for path in (PAUSE, RESTART):
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(path, data=FORM)).status_code == 404


async def test_s14_no_answer_is_repeated_with_the_same_key_and_the_same_length(shaky_shop, told):
    browser = await at_the_counter(shaky_shop)
    page = await browser.get(PAUSE)
    for each in told:
        each.error, each.late = Uncertain(), True
    uncertain = await browser.fill(page, cycles="3")
    assert forms_in(uncertain.text)[0][1]["cycles"] == "3"
    for each in told:
        each.error = None
    assert "is paused" in words((await browser.fill(uncertain)).text)


async def test_a_session_that_ended_on_the_way_comes_back_with_the_length(shop):
    browser = await at_the_counter(shop, buyer(subscription(items=(item(price=BIG),))))
    page = await browser.get(PAUSE, fragment=True)
    shop.clock.forward(hours=2)
    answer = await browser.fill(page, fragment=True, cycles="3")
    code_form = await browser.fill(answer, fragment=True, follow=True)
    again = await browser.fill(code_form, fragment=True, follow=True, code=await shop.code())
    assert forms_in(again.text)[0][1]["cycles"] == "3"
