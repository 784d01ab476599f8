"""Changing a plan as a browser does it: choosing, the page before, confirming; and what comes when it is old, twice,
wrong or refused. Rows S6 to S11 and S13 of the portal's features."""

import re
from datetime import timedelta
from html import unescape

import pytest

from server.billing import Coupon, Discount, Move, Recurring, Refused, Scheduled, Unavailable, Uncertain
from server.brands.features import AdjustableQuantity, Product, Rule, Schedule
from server.features.subscriptions import change_views
from server.features.subscriptions.change_views import ChangeMistake, Typed
from tests.support.accounts import END, account, card, ending, eur, item, keep, price, subscription
from tests.support.client import forms_in
from tests.support.rendered import words
from tests.support.selling import BIG, SMALL, YEARLY, at_the_counter, buyer, stored

pytestmark = pytest.mark.anyio
CARD = "/harbour/my/subscriptions/sub_1"
CHANGE, CONFIRM, UNDO = f"{CARD}/change", f"{CARD}/change/confirm", f"{CARD}/change/undo"
DEFERRED = {"schedule_at_period_end": Schedule(("decreasing_item_amount",))}
BOTH = pytest.mark.parametrize("fragment", [False, True])


async def plan_of(world):
    first = (await stored(world)).subscriptions[0].items[0]
    return first.price.id, first.quantity


async def before(browser, fragment=False, **chosen):
    """The page before the change, reached as a customer does."""
    form = await browser.get(CHANGE, fragment=fragment)
    return await browser.fill(form, fragment=fragment, **{"price": "price_1", "quantity": "1"} | chosen)


# --- S6 and S7: plan, interval, quantity --------------------------------------------------------------------------------


@BOTH
async def test_s6_a_dearer_plan_is_shown_then_billed_as_shown(shop, fragment):
    browser = await at_the_counter(shop)
    page = await before(browser, fragment, price="price_big")
    # 29.00 - 14.50 for 13.5 of 28 days is 6.99.
    assert "Change and pay €6.99" in words(page.text)
    assert await plan_of(shop) == ("price_1", 1)
    done = await browser.fill(page, fragment=fragment)
    assert done.status_code == 200
    assert "Your plan has been changed" in words(done.text)
    assert await plan_of(shop) == ("price_big", 1)
    assert (await stored(shop)).invoices[0].amount_paid == eur(699)


async def test_s6_the_choice_says_what_there_is_and_marks_what_one_has(shop):
    page = await (await at_the_counter(shop)).get(CHANGE)
    said = words(page.text)
    assert "Monthly House blend Your plan €14.50 a month" in said
    assert "Big blend €29.00 a month" in said
    assert "Yearly Tasting club €149.00 a year" in said
    assert forms_in(page.text)[0][1]["price"] == "price_1"


async def test_s6_what_fewer_leave_over_is_called_a_credit(shop):
    two = subscription(items=(item(quantity=2),))
    page = await before(await at_the_counter(shop, buyer(two)))
    assert "Added to your credit" in words(page.text)


async def test_s6_an_interval_can_be_changed_too(shop):
    browser = await at_the_counter(shop)
    await browser.fill(await before(browser, price="price_year"))
    assert await plan_of(shop) == ("price_year", 1)


async def test_s6_in_place_the_form_comes_alone_and_its_answer_takes_its_place(shop):
    browser = await at_the_counter(shop)
    form = await browser.get(CHANGE, fragment=True)
    assert form.text.startswith('<section class="card" id="subscriptions-choose-plan-sub_1"')
    assert 'hx-target="#subscriptions-choose-plan-sub_1"' in form.text


async def test_s6_looking_changes_nothing(shop):
    browser = await at_the_counter(shop)
    before_it = await shop.rows("account")
    await before(browser, price="price_big")
    await browser.get(CONFIRM)
    assert await shop.rows("account") == before_it


async def test_s7_a_quantity_can_be_changed(shop):
    browser = await at_the_counter(shop)
    await browser.fill(await before(browser, quantity="3"))
    assert await plan_of(shop) == ("price_1", 3)


async def test_s7_a_quantity_outside_the_limits_is_told_in_its_field(shop):
    browser = await at_the_counter(shop)
    for typed, says in (("0", "at least 1."), ("10", "at most 9."), ("two", "as a whole number, such as 3.")):
        answer = await before(browser, price="price_big", quantity=typed)
        assert answer.status_code == 422
        assert says in words(answer.text)
        kept = forms_in(answer.text)[0][1]
        assert (kept["price"], kept["quantity"]) == ("price_big", typed)


FROM_THREE = Product("prod_big", ("price_big",), AdjustableQuantity(enabled=True, minimum=3, maximum=9))


@pytest.mark.parametrize("update", [{"products": (Product("prod_1", ("price_1",)), FROM_THREE)}])
async def test_s7_a_quantity_left_as_it_is_becomes_the_smallest_of_the_chosen_plan(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big")
    assert page.status_code == 200
    assert "Quantity: 3" in words(page.text)
    await browser.fill(page)
    assert await plan_of(shop) == ("price_big", 3)
    typed = await before(browser, price="price_big", quantity="2")
    assert (typed.status_code, "at least 3." in words(typed.text)) == (422, True)


@pytest.mark.parametrize("typed", ["two", "1.5", "-3", "٣", "9999999", "1 000", "0x3"])
def test_s7_a_quantity_is_a_whole_number_and_nothing_else(typed):
    assert change_views.wanted(Typed(quantity=typed)) == ChangeMistake("quantity", "quantity_not_whole")


def test_s7_no_quantity_leaves_it_as_it_is():
    assert change_views.wanted(Typed("price_big", " ")) == Move("price_big")


async def test_s6_nothing_chosen_is_told(shop):
    answer = await before(await at_the_counter(shop))
    assert answer.status_code == 422
    assert "This is your current plan" in words(answer.text)


async def test_s6_a_price_that_is_not_offered_is_refused(shop):
    browser = await at_the_counter(shop)
    answer = await before(browser, price="price_of_another_brand")
    assert answer.status_code == 422
    assert "This plan is no longer offered" in words(answer.text)


# --- S8: promotion codes -------------------------------------------------------------------------------------------------


async def test_s8_a_promotion_code_counts_in_the_page_before_and_in_the_bill(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big", promotion_code=" half50 ")
    assert "Your promotion code gives you 50% off the next invoice." in words(page.text)
    assert "Next charge: €14.50 on March 15, 2026." in words(page.text)
    await browser.fill(page)
    assert (await stored(shop)).upcoming[0].total == eur(1450)


async def test_s8_what_a_discount_took_off_a_part_of_a_period_is_said(shop):
    half = Discount("di_1", Coupon("GIFT", percent_off="50", duration="forever"))
    browser = await at_the_counter(shop, buyer(subscription(discounts=(half,))))
    # Half of 29.00 for 13.5 of 28 days.
    page = await before(browser, price="price_big")
    assert "Discount of €6.99 already applied €6.99" in words(page.text)
    await browser.fill(page)
    invoice = (await stored(shop)).invoices[0]
    assert "Discount of €6.99 already applied" in words((await browser.get(f"/harbour/my/invoices/{invoice.id}")).text)


async def test_s8_a_code_alone_is_a_change(shop):
    browser = await at_the_counter(shop)
    assert "Your plan has been changed" in words(
        (await browser.fill(await before(browser, promotion_code="HALF50"))).text
    )


async def test_s8_each_refusal_of_a_code_has_its_own_sentence(shop):
    browser = await at_the_counter(shop)
    for code, says in (
        ("NONSENSE", "That code is not valid"),
        ("SAM", "That code is not valid"),  # another customer's
        ("OLD", "This promotion code has expired."),
        ("OFF", "This promotion code is no longer in use."),
        ("GONE", "This promotion code has been used up."),
        ("FIRST", "This promotion code is for a first purchase only."),
        ("MORE", "This promotion code needs a higher amount"),
        ("OTHER", "This promotion code is for another plan."),
    ):
        answer = await before(browser, price="price_big", promotion_code=code)
        assert answer.status_code == 422
        assert says in words(answer.text)
        kept = forms_in(answer.text)[0][1]
        assert (kept["price"], kept["promotion_code"]) == ("price_big", code)


# --- S9 and S10: later, and trials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", [DEFERRED])
@BOTH
async def test_s9_a_cheaper_plan_waits_for_the_end_of_the_period_and_can_be_taken_back(shop, fragment):
    dear = subscription(items=(item(price=BIG),))
    browser = await at_the_counter(shop, account(dear))
    page = await before(browser, fragment, price="price_1")
    assert "The change applies on March 15, 2026." in words(page.text)
    assert "Nothing is due now." in words(page.text)
    done = await browser.fill(page, fragment=fragment)
    assert "Your plan changes on March 15, 2026" in words(done.text)
    assert await plan_of(shop) == ("price_big", 1)
    kept = await browser.fill(done, fragment=fragment)
    assert "You keep your current plan" in words(kept.text)
    assert (await stored(shop)).subscriptions[0].scheduled is None


async def test_s9_what_waits_does_not_lock_the_customer_out_of_canceling(shop):
    waiting = subscription(scheduled=Scheduled(END, BIG, 1, END))
    browser = await at_the_counter(shop, account(waiting))
    page = await browser.get(f"{CARD}/cancel?offer=declined")
    assert "Your subscription ends on March 15, 2026" in words((await browser.fill(page)).text)


async def test_s9_choosing_again_says_that_it_takes_the_place_of_what_waits(shop):
    waiting = subscription(scheduled=Scheduled(END, YEARLY, 1, END))
    browser = await at_the_counter(shop, buyer(waiting))
    assert "you switch to Tasting club" in words((await browser.get(CHANGE)).text)
    assert "replaces the change to Tasting club" in words((await before(browser, price="price_big")).text)


async def test_s9_there_is_nothing_to_take_back(shop):
    browser = await at_the_counter(shop)
    answer = await browser.post(UNDO, data={"key": "k" * 20, "customer": "cus_jenny"})
    assert "There is nothing to undo" in words(answer.text)


async def test_s9_taking_back_without_a_good_key_changes_nothing(shop):
    waiting = subscription(scheduled=Scheduled(END, BIG, 1, END))
    browser = await at_the_counter(shop, account(waiting))
    answer = await browser.fill(await browser.get(CARD), key="")
    assert answer.status_code == 422
    assert (await stored(shop)).subscriptions[0].scheduled


@pytest.mark.parametrize(
    ("update", "says"),
    [
        ({"trial_update_behavior": "end_trial"}, "Your trial ends with this change."),
        ({"trial_update_behavior": "continue_trial"}, "Your trial continues until March 15, 2026."),
    ],
)
async def test_s10_what_becomes_of_a_trial_is_said_before(shop, says):
    trial = subscription(status="trialing", trial_end_at=END)
    browser = await at_the_counter(shop, account(trial))
    assert says in words((await before(browser, price="price_big")).text)


# --- S11: what cannot be changed, and why --------------------------------------------------------------------------------


async def test_s11_the_page_says_why_the_plan_cannot_be_changed_and_what_can_be_done(shop):
    metered = item(price=price(recurring=Recurring("month", usage="metered")))
    cases = (
        (subscription("sub_use", items=(metered,)), "billed by use"),
        (subscription("sub_two", items=(item(), item(id="si_2"))), "has several products"),
        (subscription("sub_sent", collection_method="send_invoice", days_until_due=14), "paid by invoice"),
        (subscription("sub_later", schedule="sub_sched_1"), "has scheduled a change"),
        (subscription("sub_due", status="past_due"), "after you pay what is due"),
        (subscription("sub_off", status="paused"), "after the pause"),
        (ending("sub_end"), "undo the cancellation first"),
    )
    browser = await at_the_counter(shop, account(*(it for it, _ in cases)))
    for it, says in cases:
        card = f"/harbour/my/subscriptions/{it.id}"
        page = await browser.get(f"{card}/change")
        assert page.status_code == 200
        assert says in words(page.text)
        assert (f'href="{card}/cancel"' in page.text) == (it.cancel_at is None)
        assert says in words((await browser.get(card)).text)


async def test_s11_a_form_for_what_cannot_be_changed_changes_nothing(shop):
    browser = await at_the_counter(shop, account(subscription(collection_method="send_invoice")))
    was = await shop.rows("account")
    form = {"customer": "cus_jenny", "price": "price_big", "key": "k" * 20, "fingerprint": "x"}
    assert "paid by invoice" in words((await browser.post(CHANGE, data=form)).text)
    assert (await browser.post(CONFIRM, data=form)).status_code == 409
    assert await shop.rows("account") == was


@pytest.mark.parametrize("update", [{"rules": (Rule(("prod_1",), ("price_big",), "never"),)}])
async def test_s6_a_move_that_a_rule_forbids_is_not_offered_and_not_made(shop):
    browser = await at_the_counter(shop)
    form = await browser.get(CHANGE)
    assert "You cannot switch to Big blend here. Harbour Coffee can help you." in words(form.text)
    assert 'value="price_big"' not in form.text
    assert "You cannot switch to this plan" in words((await before(browser, price="price_big")).text)


@pytest.mark.parametrize(
    "update", [{"products": (Product("prod_1", (SMALL.id,)),), "default_allowed_updates": ("price",)}]
)
async def test_s11_where_there_is_nothing_else_it_says_so(shop):
    browser = await at_the_counter(shop)
    assert "There is no other plan to choose." in words((await browser.get(CHANGE)).text)
    assert "Change plan" not in words((await browser.get(CARD)).text)


@pytest.mark.parametrize("update", [{"enabled": False}])
async def test_where_changes_are_not_offered_there_is_no_such_page(shop):
    browser = await at_the_counter(shop)
    assert (await browser.get(CHANGE)).status_code == 404
    assert (await browser.post(CONFIRM, data={"customer": "cus_jenny"})).status_code == 404
    assert "Change plan" not in (await browser.get(CARD)).text


# --- S13: twice, late, at once -------------------------------------------------------------------------------------------


async def test_s13_confirming_twice_changes_once(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big")
    await browser.fill(page)
    was = (await stored(shop)).invoices, await shop.count("activity")
    again = await browser.fill(page)
    assert "Your plan has been changed" in words(again.text)
    assert ((await stored(shop)).invoices, await shop.count("activity")) == was


@BOTH
async def test_s13_two_tabs_with_different_changes_the_second_sees_what_it_means_now(shop, fragment):
    browser = await at_the_counter(shop)
    one = await before(browser, fragment, price="price_big")
    two = await before(browser, fragment, price="price_1", quantity="3")
    await browser.fill(one, fragment=fragment)
    answer = await browser.fill(two, fragment=fragment)
    assert answer.status_code == 409
    assert "The price has changed" in words(answer.text)
    assert await plan_of(shop) == ("price_big", 1)
    assert "Your plan has been changed" in words((await browser.fill(answer, fragment=fragment)).text)
    assert await plan_of(shop) == ("price_1", 3)


async def test_s13_a_page_of_yesterday_shows_the_numbers_of_today(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big")
    shop.clock.forward(hours=30)
    await shop.log_in(browser)
    answer = await browser.fill(page)
    assert answer.status_code == 409
    assert await plan_of(shop) == ("price_1", 1)
    await browser.fill(answer)
    assert await plan_of(shop) == ("price_big", 1)


async def test_s13_an_old_form_does_not_repeat_what_was_undone_since(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big")
    await browser.fill(page)
    await browser.fill(await before(browser, price="price_1"))
    assert "This page was out of date" in words((await browser.fill(page)).text)
    assert await plan_of(shop) == ("price_1", 1)


async def test_without_a_good_key_the_page_before_comes_again(shop):
    browser = await at_the_counter(shop)
    answer = await browser.fill(await before(browser, price="price_big"), key="short")
    assert answer.status_code == 422
    assert "Please confirm again" in words(answer.text)
    assert await plan_of(shop) == ("price_1", 1)
    assert "Your plan has been changed" in words((await browser.fill(answer)).text)


async def test_a_form_of_another_account_is_refused(shop):  # threat 53
    browser = await at_the_counter(shop)
    was = await shop.rows("account")
    for path in (CHANGE, CONFIRM, UNDO):
        answer = await browser.post(path, data={"key": "k" * 20, "customer": "cus_other", "price": "price_big"})
        assert answer.status_code == 409
        assert "You are now logged in to another account" in words(answer.text)
    assert await shop.rows("account") == was


async def test_nobody_changes_what_is_anothers(shop):  # threat 75
    await keep(shop, account(subscription("sub_sam"), id="cus_sam", email="sam@example.com"))
    browser = await at_the_counter(shop)
    form = {"key": "k" * 20, "customer": "cus_jenny", "price": "price_big"}
    for path in (CHANGE, CONFIRM, UNDO):
        theirs = await browser.post(path.replace("sub_1", "sub_sam"), data=form)
        nothing = await browser.post(path.replace("sub_1", "sub_none"), data=form)
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.content == nothing.content


@pytest.mark.parametrize("step", [0, 1])
async def test_a_session_that_ended_on_the_way_comes_back_with_what_was_chosen(shop, step):
    browser = await at_the_counter(shop)
    page = await browser.get(CHANGE, fragment=True)
    chosen = {"price": "price_big", "quantity": "2", "promotion_code": "HALF50"}
    if step:
        page, chosen = await browser.fill(page, fragment=True, **chosen), {}
    shop.clock.forward(hours=2)
    answer = await browser.fill(page, fragment=True, **chosen)
    assert answer.status_code == 401
    code_form = await browser.fill(answer, fragment=True, follow=True)
    again = await browser.fill(code_form, fragment=True, follow=True, code=await shop.code())
    assert "Big blend" in again.text
    fields = forms_in(again.text)[0][1]
    assert (fields["quantity"], fields["promotion_code"]) == ("2", "HALF50")
    await browser.fill(again, fragment=True)
    assert await plan_of(shop) == ("price_big", 2)


# --- the billing side does not do it -------------------------------------------------------------------------------------


async def test_a_payment_that_fails_is_told_with_its_reason_and_nothing_changed(shop):
    poor = buyer(payment_methods=(card(behavior="insufficient_funds"),))
    browser = await at_the_counter(shop, poor)
    answer = await browser.fill(await before(browser, price="price_big"))
    assert answer.status_code == 409
    said = words(answer.text)
    assert "There was not enough money in the account." in said
    assert "Nothing was changed" in said
    assert await plan_of(shop) == ("price_1", 1)


async def test_without_a_payment_method_the_page_before_says_so(shop):
    browser = await at_the_counter(shop, buyer(payment_methods=()))
    page = await before(browser, price="price_big")
    assert "You have no payment method yet." in words(page.text)
    assert "no payment method we can charge" in words((await browser.fill(page)).text)
    assert await plan_of(shop) == ("price_1", 1)


async def test_a_code_that_was_used_up_meanwhile_is_told_in_its_field(shaky_shop, told):
    browser = await at_the_counter(shaky_shop)
    page = await before(browser, price="price_big", promotion_code="HALF50")
    for each in told:
        each.error = Refused("code_used_up")
    answer = await browser.fill(page)
    assert answer.status_code == 422
    assert "has been used up" in words(answer.text)
    assert forms_in(answer.text)[0][1]["promotion_code"] == "HALF50"


@BOTH
async def test_away_before_anything_was_sent_it_is_repeated_with_all_that_was_chosen(shaky_shop, told, fragment):
    browser = await at_the_counter(shaky_shop)
    page = await before(browser, fragment, price="price_big", quantity="2")
    for each in told:
        each.error = Unavailable()
    answer = await browser.fill(page, fragment=fragment)
    assert answer.status_code == 503
    assert "Nothing was changed" in words(answer.text)
    for each in told:
        each.error = None
    assert "Your plan has been changed" in words((await browser.fill(answer, fragment=fragment)).text)
    assert await plan_of(shaky_shop) == ("price_big", 2)


async def test_no_answer_is_repeated_with_the_same_key_and_has_one_effect(shaky_shop, told):
    browser = await at_the_counter(shaky_shop)
    page = await before(browser, price="price_big")
    for each in told:
        each.error, each.late = Uncertain(), True
    uncertain = await browser.fill(page)
    assert "We do not know yet" in words(uncertain.text)
    for each in told:
        each.error = None
    shaky_shop.clock.at += timedelta(minutes=1)
    assert "Your plan has been changed" in words((await browser.fill(uncertain)).text)
    keys = [key for each in told for key in each.keys]
    assert keys == [forms_in(page.text)[0][1]["key"]] * 2
    assert len([each for each in await shaky_shop.rows("activity") if "subscription.changed" in each]) == 1


# --- something else -----------------------------------------------------------------------------------------------------


async def test_who_wants_to_choose_something_else_finds_what_they_had_chosen(shop):
    browser = await at_the_counter(shop)
    page = await before(browser, price="price_big", quantity="3", promotion_code="half50")
    (back,) = re.findall(r'href="([^"]+)"[^>]*>Choose another plan', page.text)
    form = await browser.get(unescape(back))
    fields = forms_in(form.text)[0][1]
    chosen = (fields["price"], fields["quantity"], fields["promotion_code"])
    assert (form.status_code, chosen) == (200, ("price_big", "3", "half50"))
    assert (await browser.fill(form)).status_code == 200
    assert await plan_of(shop) == ("price_1", 1)


async def test_nonsense_in_the_address_marks_the_plan_of_now(shop):
    browser = await at_the_counter(shop)
    form = await browser.get(f"{CHANGE}?price=%3Cscript%3E&quantity={'9' * 50}&promotion_code=%22{'x' * 500}")
    assert forms_in(form.text)[0][1]["price"] == "price_1"
    assert len(forms_in(form.text)[0][1]["promotion_code"]) == 100
