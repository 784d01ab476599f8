"""What the form of a change of plan offers, and what the card says of plans, pauses and states. Pure: no portal runs."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Catalog, Move, Scheduled
from server.billing.model.invoice import Payment
from server.billing.rules.plans import options
from server.brands.features import AdjustableQuantity, Product, Schedule
from server.features.subscriptions import change_views, views
from server.features.subscriptions.change_views import FIELDS, ChangeMistake, Typed
from tests.support.accounts import END, FEATURES, NOW, START, account, card, ending, invoice, item, subscription
from tests.support.rendered import renderer, words
from tests.support.selling import BIG, SMALL, UP_TO_NINE, YEARLY, offering

CATALOG = Catalog(prices={each.id: each for each in (SMALL, BIG, YEARLY)})


def choice(features=None, it=None, **rest):
    features, it = features or offering(), it or subscription()
    return change_views.choose_plan(it, account(it), options(it, CATALOG, features, NOW), features, NOW, **rest)


def shown(it, features=None, **rest):
    return views.card(it, account(it, **rest), features or offering(), NOW)


def said(view):
    return words(renderer().fragment(view))


def test_s6_plans_stand_by_how_often_they_are_charged_the_present_one_first():
    months, years = choice().intervals
    assert [(each.price, each.current) for each in months.plans] == [("price_1", True), ("price_big", False)]
    assert (years.interval, [each.price for each in years.plans]) == ("year", ["price_year"])


def test_s6_what_was_chosen_stays_chosen():
    it = choice(typed=Typed("price_big", "4", "CODE"), mistake=ChangeMistake("promotion_code", "code_unknown"))
    assert (it.chosen, it.quantity.value, it.promotion_code) == ("price_big", "4", "CODE")


def test_s6_with_one_plan_there_is_nothing_to_choose_but_how_many():
    it = choice(offering(default_allowed_updates=("quantity",)))
    assert (it.intervals, it.quantity.maximum, it.promotion_code) == ((), 9, None)


def test_s7_limits_that_differ_are_said_with_each_plan():
    few = AdjustableQuantity(enabled=True, minimum=1, maximum=3)
    sold = (Product("prod_1", (SMALL.id,), UP_TO_NINE), Product("prod_big", (BIG.id,), few))
    it = choice(offering(products=sold))
    assert [each.maximum for each in it.intervals[0].plans] == [9, 3]
    assert it.quantity.maximum == 0


def test_s7_a_quantity_that_cannot_be_changed_is_no_field():
    assert choice(offering(default_allowed_updates=("price",))).quantity is None


def test_s9_a_plan_that_waits_says_from_when():
    it = subscription(items=(item(price=BIG),))
    plans = choice(offering(schedule_at_period_end=Schedule(("decreasing_item_amount",))), it).intervals[0].plans
    assert [each.begins_at for each in plans] == [None, END]


def test_every_mistake_has_a_sentence_of_its_own():
    sentences = {said(choice(mistake=ChangeMistake(field, reason, "3"))) for reason, field in FIELDS.items()}
    assert len(sentences) == len(FIELDS)


@pytest.mark.parametrize(
    ("it", "asked", "outcome"),
    [
        (subscription(items=(item(price=BIG),)), Move("price_big"), "changed"),
        (subscription(items=(item(quantity=3),)), Move(quantity=3), "changed"),
        (subscription(), Move(code="HALF50"), "changed"),
        (subscription(scheduled=Scheduled(END, BIG, 1, NOW)), Move("price_big"), "change_scheduled"),
        (subscription(scheduled=Scheduled(END, BIG, 1, NOW)), Move("price_year"), "stale"),
        (subscription(), Move("price_big"), "stale"),
        (subscription(), Move(quantity=3), "stale"),
    ],
)
def test_s13_what_is_said_of_a_change_is_what_is_there(it, asked, outcome):
    assert change_views.outcome(it, asked) == outcome


# --- the card ------------------------------------------------------------------------------------------------------------


def test_s9_a_change_that_waits_is_shown_and_can_be_taken_back():
    it = shown(subscription(scheduled=Scheduled(END, BIG, 2, NOW)))
    assert (it.scheduled.name, it.scheduled.at, it.scheduled.may_undo) == ("Big blend", END, True)
    assert it.may_cancel
    assert "From March 15, 2026 Big blend €29.00 a month Quantity: 2" in said(it)
    assert "Keep my current plan" in said(it)


def test_s9_a_change_by_the_business_is_shown_as_theirs():
    it = shown(subscription(schedule="sub_sched_1"))
    assert (it.has_schedule, it.scheduled, it.may_change) == (True, None, False)


def test_what_was_just_done_is_said_once():
    ended = shown(subscription(status="canceled", ended_at=NOW))
    assert said(replace(ended, announcement="ended")).count("You will not be charged for it again.") == 1
    paused = shown(subscription(pause_behavior="void", pause_resumes_at=END, paused_at=NOW))
    assert "You paused it until" not in said(replace(paused, announcement="paused"))


def test_s14_a_pause_says_whose_it_is():
    paused = subscription(pause_behavior="void", pause_resumes_at=END)
    assert "You paused it until March 15, 2026." in said(shown(replace(paused, paused_at=START - timedelta(days=1))))
    assert "You will not be charged until March 15, 2026." in said(shown(paused))
    assert shown(replace(paused, paused_at=NOW)).may_unpause
    assert not shown(paused).may_unpause


def test_s14_what_is_over_can_start_again_where_that_is_offered():
    over = subscription(status="canceled", ended_at=START)
    assert shown(over).may_restart
    assert not shown(over, FEATURES).may_restart
    assert not shown(replace(over, restarted_as="sub_2")).may_restart


@pytest.mark.parametrize(
    ("it", "says"),
    [
        (subscription(status="past_due"), "€14.50 is due Pay now"),
        (subscription(status="unpaid"), "€14.50 is due Pay now"),
        (subscription(status="incomplete"), "€14.50 is due Pay now"),
        (subscription(status="paused"), "End the pause"),
        (subscription(status="hibernating"), "Harbour Coffee can help you."),
        (subscription(status="canceled", ended_at=START), "Restart"),
        (ending(), "Keep my subscription"),
        (subscription(pause_behavior="void", pause_resumes_at=END, paused_at=NOW), "End the pause"),
    ],
)
def test_s12_every_state_offers_its_way_out(it, says):
    assert says in said(shown(it, invoices=(invoice(status="open"),)))


def test_s12_the_way_out_of_a_card_that_has_expired_is_another_one():
    old = card(exp_year=2026, exp_month=1)
    assert "Your next payment will fail The card has expired." in said(shown(subscription(), payment_methods=(old,)))
    assert "Your next payment will fail" in said(shown(subscription(), payment_methods=()))
    assert "Your next payment will fail" not in said(shown(ending(), payment_methods=()))


def test_s12_why_a_payment_failed_and_why_the_next_one_will_is_said_once_where_it_is_the_same():
    bill = invoice(status="open", next_attempt_at=END)
    failed = Payment("py_1", "failed", bill.amount_due, START, failure="insufficient_funds")
    bill = replace(bill, payments=(failed,))
    empty = card(behavior="insufficient_funds")
    told = said(shown(subscription(status="past_due"), invoices=(bill,), payment_methods=(empty,)))
    assert told.count("There was not enough money in the account.") == 1
    assert "We will try again on March 15, 2026." in told
    old = card(exp_year=2026, exp_month=1)
    told = said(shown(subscription(status="past_due"), invoices=(bill,), payment_methods=(old,)))
    assert "There was not enough money in the account. The card has expired." in told
    assert "We will try again" not in told


def names_of_cards(view):
    """What a screen reader calls the regions: the texts that `aria-labelledby` leads to."""
    html = str(renderer().fragment(view))
    named = re.findall(r'<section class="card"[^>]* aria-labelledby="([^"]*)"', html)
    texts = re.findall(r'(?s)<(\w+)[^>]* id="([^"]+-(?:title|state|short))"[^>]*>(.*?)</\1>', html)
    said_by = {id_: words(text) for _, id_, text in texts}
    return [" ".join(said_by[id_] for id_ in ids.split()) for ids in named]


def test_two_cards_of_one_plan_are_two_regions_by_name():
    later = subscription("sub_2", default_payment_method="pm_2")
    over = subscription("sub_3", status="canceled", ended_at=START)
    cards = (card(), card("pm_2", last4="0005"))
    whole = account(subscription(), later, over, payment_methods=cards)
    names = names_of_cards(views.listing(whole, offering(), NOW))
    assert [each.startswith("House blend Active €14.50 a month") for each in names] == [True, True, False]
    assert len(set(names)) == 3
    assert names_of_cards(views.listing(account(subscription()), offering(), NOW)) == ["House blend"]


def test_s12_all_is_well_and_nothing_is_said():
    assert shown(subscription()).remedies == ()


def test_s11_a_card_says_why_the_plan_stays_in_the_list_too():
    it = account(subscription(collection_method="send_invoice"))
    why = "It is paid by invoice. Harbour Coffee can change the plan for you."
    assert why in said(shown(it.subscriptions[0]))
    assert why in said(views.listing(it, offering(), NOW))


def test_s3_the_question_why_is_not_asked_long_after():
    over = subscription(status="canceled", canceled_at=NOW - timedelta(days=2), ended_at=NOW - timedelta(days=2))
    assert views.feedback_of(over, FEATURES, NOW) is None


def test_the_forms_of_one_card_have_different_keys():
    waiting = replace(ending(), scheduled=Scheduled(NOW + timedelta(days=1), BIG, 1, NOW))
    html = renderer().fragment(replace(shown(waiting), key="k" * 20, feedback=views.Feedback(("other",))))
    assert all(html.count(f'value="{"k" * 20}-{each}"') == 1 for each in ("back", "keep", "why"))
