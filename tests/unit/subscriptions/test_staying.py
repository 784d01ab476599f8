"""What is offered before a cancellation and what is asked after it. Rows S3 to S5 of the portal's features."""

import pytest

from server.billing import Unavailable
from server.brands.features import CancellationReason, Features, SubscriptionCancel
from tests.support.accounts import END, account, card, ending, invoice, keep, subscription
from tests.support.client import forms_in
from tests.support.rendered import words
from tests.support.selling import at_the_counter, buyer, stored
from tests.support.world import World

pytestmark = pytest.mark.anyio
CARD = "/harbour/my/subscriptions/sub_1"
CANCEL, RETAIN, FEEDBACK = f"{CARD}/cancel", f"{CARD}/retain", f"{CARD}/feedback"
DECLINED = f"{CANCEL}?offer=declined"
BOTH = pytest.mark.parametrize("fragment", [False, True])


async def first(world):
    return (await stored(world)).subscriptions[0]


async def why_form(browser, fragment=False):
    """The card after a cancellation, which asks why; the place of that form among its forms."""
    done = await browser.fill(await browser.get(DECLINED, fragment=fragment), fragment=fragment)
    place = next(place for place, (action, _) in enumerate(forms_in(done.text)) if action == FEEDBACK)
    return done, place


# --- S4: the offer -------------------------------------------------------------------------------------------------------


@BOTH
async def test_s4_who_takes_the_offer_keeps_the_subscription_with_the_discount(shop, fragment):
    browser = await at_the_counter(shop)
    page = await browser.get(CANCEL, fragment=fragment)
    assert "20% off the next invoice" in words(page.text)
    assert "On March 15, 2026 you pay €11.60 instead of €14.50." in words(page.text)
    done = await browser.fill(page, fragment=fragment)
    assert "Your discount applies now" in words(done.text)
    it = await first(shop)
    assert (it.cancel_at, it.discounts[0].coupon.id) == (None, "STAY")


async def test_s4_declining_leads_on_to_the_page_before_the_cancellation(shop):
    browser = await at_the_counter(shop)
    page = await browser.get(CANCEL)
    assert f'href="{DECLINED}"' in page.text
    before = await browser.get(DECLINED)
    assert forms_in(before.text)[0][0] == CANCEL
    assert "Your subscription ends on March 15, 2026" in words((await browser.fill(before)).text)


async def test_s4_who_is_overdue_is_told_that_the_debt_stays(shop):
    late = subscription(status="past_due")
    browser = await at_the_counter(shop, buyer(late, invoices=(invoice("in_1", "open"),)))
    said = words((await browser.get(CANCEL)).text)
    assert "Stay and pay less" in said
    assert "The invoice for €14.50 is still due. Nothing else changes." in said


async def test_s4_the_offer_is_made_once(shop):
    browser = await at_the_counter(shop)
    offer = await browser.get(CANCEL)
    await browser.fill(offer)
    assert forms_in((await browser.get(CANCEL)).text)[0][0] == CANCEL
    again = await browser.fill(offer)
    assert "Your discount applies now" in words(again.text)
    assert len((await first(shop)).discounts) == 1


async def test_s4_without_a_good_key_the_offer_comes_again(shop):
    browser = await at_the_counter(shop)
    answer = await browser.fill(await browser.get(CANCEL), key="")
    assert answer.status_code == 422
    assert "Please confirm again" in words(answer.text)
    assert not (await first(shop)).discounts


async def test_s4_an_offer_that_does_not_stand_gives_nothing(shop):
    browser = await at_the_counter(shop, account(ending()))
    answer = await browser.post(RETAIN, data={"key": "k" * 20, "customer": "cus_jenny"})
    assert answer.status_code == 409
    assert "This offer has ended." in words(answer.text)


# --- S3: the reasons -----------------------------------------------------------------------------------------------------


@BOTH
async def test_s3_the_reason_is_asked_after_the_cancellation_and_kept(shop, fragment):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser, fragment)
    assert "Why did you cancel? (optional)" in words(done.text)
    thanks = await browser.fill(done, fragment=fragment, form=place, reason="unused", comment="not kept with it")
    assert "Thank you for your answer" in words(thanks.text)
    it = await first(shop)
    assert (it.feedback, it.comment) == ("unused", "")
    assert "Why did you cancel?" not in words((await browser.get(FEEDBACK)).text)


async def test_s3_another_reason_takes_words_of_ones_own(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser)
    await browser.fill(done, form=place, reason="other", comment="  Moving\r\nabroad  ")
    assert (await first(shop)).comment == "Moving\nabroad"


async def test_s3_an_answer_that_cannot_be_taken_is_asked_again_with_its_words(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser)
    for form, says in (
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "weather"}, "Choose a reason."),
        ({"reason": "other", "comment": "x" * 501}, "Please write at most 500 characters."),
    ):
        answer = await browser.fill(done, form=place, **form)
        assert answer.status_code == 422
        assert says in words(answer.text)
        assert form.get("comment", "") in answer.text
    assert not (await first(shop)).feedback


async def test_s3_five_hundred_characters_are_not_too_many(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser)
    await browser.fill(done, form=place, reason="other", comment="é" * 500)
    assert len((await first(shop)).comment) == 500


async def test_s3_answering_twice_keeps_the_first_answer(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser)
    await browser.fill(done, form=place, reason="unused")
    again = await browser.fill(done, form=place, reason="too_complex")
    assert "Thank you for your answer" in words(again.text)
    assert (await first(shop)).feedback == "unused"


async def test_s3_nobody_is_asked_who_did_not_cancel(shop):
    browser = await at_the_counter(shop)
    assert "Why did you cancel?" not in words((await browser.get(FEEDBACK)).text)
    answer = await browser.post(FEEDBACK, data={"key": "k" * 20, "customer": "cus_jenny", "reason": "unused"})
    assert "This page was out of date" in words(answer.text)
    assert not (await first(shop)).feedback


async def test_s3_the_brand_chooses_the_reasons_and_their_words(sqlite_store, clock):
    asked = SubscriptionCancel(
        cancellation_reason=CancellationReason(options=("unused", "other")), reasons_text={"unused": "100 % tea now"}
    )
    world = World(sqlite_store, clock, features=Features(subscription_cancel=asked))
    done, _ = await why_form(await at_the_counter(world))
    assert "100 % tea now" in words(done.text)
    assert "too expensive" not in words(done.text)


async def test_s3_where_the_brand_does_not_ask_nothing_is_asked(sqlite_store, clock):
    asked = SubscriptionCancel(cancellation_reason=CancellationReason(enabled=False))
    world = World(sqlite_store, clock, features=Features(subscription_cancel=asked))
    browser = await at_the_counter(world)
    done = await browser.fill(await browser.get(CANCEL))
    assert "Why did you cancel?" not in words(done.text)


async def test_s3_an_answer_stopped_by_a_dead_session_comes_back_with_its_words(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser, fragment=True)
    shop.clock.forward(hours=2)
    answer = await browser.fill(done, fragment=True, form=place, reason="other", comment="Moving abroad")
    assert answer.status_code == 401
    code_form = await browser.fill(answer, fragment=True, follow=True)
    again = await browser.fill(code_form, fragment=True, follow=True, code=await shop.code())
    assert "Please send it again" in words(again.text)
    place = next(place for place, (action, _) in enumerate(forms_in(again.text)) if action == FEEDBACK)
    assert (
        forms_in(again.text)[place][1] | {"reason": "other", "comment": "Moving abroad"}
        == forms_in(again.text)[place][1]
    )
    await browser.fill(again, fragment=True, form=place)
    assert (await first(shop)).comment == "Moving abroad"


# --- S5 and what protects all of them ------------------------------------------------------------------------------------


async def test_s5_taking_it_back_clears_the_answer(shop):
    browser = await at_the_counter(shop)
    done, place = await why_form(browser)
    thanks = await browser.fill(done, form=place, reason="unused")
    assert "Your subscription continues" in words((await browser.fill(thanks)).text)
    it = await first(shop)
    assert (it.cancel_at, it.feedback) == (None, "")


async def test_s5_an_end_on_a_date_is_taken_back_like_one_at_the_periods_end(shop):
    browser = await at_the_counter(shop, account(subscription(cancel_at=END)))
    assert "Your subscription continues" in words((await browser.fill(await browser.get(CARD))).text)
    assert (await first(shop)).cancel_at is None


async def test_a_form_of_another_account_is_refused(shop):  # threat 53
    browser = await at_the_counter(shop, account(ending()))
    was = await shop.rows("account")
    for path in (RETAIN, FEEDBACK):
        answer = await browser.post(path, data={"key": "k" * 20, "customer": "cus_other", "reason": "unused"})
        assert answer.status_code == 409
        assert "You are now logged in to another account" in words(answer.text)
    assert await shop.rows("account") == was


async def test_nobody_answers_for_another(shop):  # threat 75
    await keep(shop, account(ending("sub_sam"), id="cus_sam", email="sam@example.com"))
    browser = await at_the_counter(shop)
    form = {"key": "k" * 20, "customer": "cus_jenny", "reason": "unused"}
    for path in (RETAIN, FEEDBACK):
        theirs = await browser.post(path.replace("sub_1", "sub_sam"), data=form)
        nothing = await browser.post(path.replace("sub_1", "sub_none"), data=form)
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.content == nothing.content


async def test_s4_away_before_anything_was_sent_the_offer_can_be_taken_again(shaky_shop, told):
    browser = await at_the_counter(shaky_shop, buyer(payment_methods=(card(),)))
    page = await browser.get(CANCEL)
    for each in told:
        each.error = Unavailable()
    answer = await browser.fill(page)
    assert answer.status_code == 503
    for each in told:
        each.error = None
    assert "Your discount applies now" in words((await browser.fill(answer)).text)
