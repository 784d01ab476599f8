"""What the card of a subscription says, for every state that it can be in."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount, Payment, Recurring, Scheduled
from server.features.subscriptions import views
from tests.support.accounts import (
    END,
    FEATURES,
    NO_CANCELING,
    NOW,
    START,
    account,
    card,
    ending,
    eur,
    invoice,
    item,
    price,
    subscription,
)
from tests.support.rendered import renderer, words


def shown(it, features=FEATURES, whole=None):
    return views.card(it, whole or account(it), features, NOW)


@pytest.mark.parametrize(
    ("status", "state", "badge"),
    [
        ("active", "active", "good"),
        ("trialing", "trialing", "info"),
        ("past_due", "past_due", "bad"),
        ("unpaid", "unpaid", "bad"),
        ("incomplete", "incomplete", "info"),
        ("incomplete_expired", "incomplete_expired", "quiet"),
        ("canceled", "canceled", "quiet"),
        ("paused", "paused", "info"),
        ("hibernating", "other", "quiet"),
    ],
)
def test_every_status_has_a_state_and_a_badge(status, state, badge):
    it = shown(subscription(status=status))
    assert (it.state, it.badge, it.word) == (state, badge, status)


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid", "incomplete", "paused"])
def test_what_is_alive_may_be_canceled(status):
    it = shown(subscription(status=status))
    assert it.may_cancel
    assert not it.may_resume


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
def test_what_is_over_offers_nothing_and_charges_nothing(status):
    it = shown(subscription(status=status, ended_at=START, cancel_at=START), whole=account())
    assert not it.may_cancel
    assert not it.may_resume
    assert it.method is None
    assert not it.method_problem
    assert not it.why_not
    assert it.ends_at is None
    assert it.ended_at == START


def test_an_unknown_status_is_left_alone_and_the_business_named_once():
    it = shown(subscription(status="hibernating"))
    assert not it.may_cancel
    assert words(renderer().fragment(it)).count("Harbour Coffee") == 1


def test_where_canceling_is_not_offered_the_card_says_so():
    it = shown(subscription(), NO_CANCELING)
    assert not it.may_cancel
    assert it.why_not == "disabled_by_configuration"


def test_a_decided_end_can_be_taken_back_and_nothing_else():
    it = shown(ending())
    assert (it.state, it.ends_at, it.next_charge) == ("ending", END, None)
    assert it.may_resume
    assert not it.may_cancel
    assert not it.why_not


def test_an_end_on_a_date_is_shown_as_one_at_the_periods_end():
    it = shown(subscription(cancel_at=END + timedelta(days=40)))
    assert (it.state, it.may_resume) == ("ending", True)


def test_an_overdue_subscription_that_ends_still_says_that_it_is_overdue():
    it = shown(ending(status="past_due"))
    assert (it.state, it.ends_at) == ("past_due", END)


def test_a_trial_says_until_when():
    it = shown(subscription(status="trialing", trial_end_at=END))
    assert it.trial_ends_at == END


def test_a_trial_of_the_past_is_not_mentioned():
    assert shown(subscription(trial_end_at=START)).trial_ends_at is None


def test_paused_payments_say_until_when():
    it = shown(subscription(pause_behavior="void", pause_resumes_at=END))
    assert (it.state, it.paused_until) == ("collection_paused", END)


def test_the_next_charge_is_that_of_this_subscription():  # S1
    one, two = subscription(), subscription("sub_2")
    assert shown(two, whole=account(one, two)).next_charge.subscription == "sub_2"


def test_it_is_paid_with_the_default():
    it = shown(subscription())
    assert (it.method.id, it.method_is_pinned) == ("pm_1", False)


def test_its_own_payment_method_stands_before_the_default():  # S1
    pinned = subscription(default_payment_method="pm_2")
    it = shown(pinned, whole=account(pinned, payment_methods=(card(), card("pm_2"))))
    assert (it.method.id, it.method_is_pinned) == ("pm_2", True)


def test_without_a_payment_method_there_is_a_problem():
    assert shown(subscription(), whole=account(subscription(), payment_methods=())).method_problem


def test_what_is_paid_by_invoice_needs_no_payment_method():
    by_invoice = subscription(collection_method="send_invoice", days_until_due=30)
    it = shown(by_invoice, whole=account(by_invoice, payment_methods=()))
    assert (it.by_invoice, it.days_until_due, it.method_problem) == (True, 30, False)


def test_a_discount_that_is_over_is_not_shown():  # S1
    coupon = Coupon("WELCOME", percent_off="10", duration="repeating")
    past, lasting = Discount("di_1", coupon, end_at=START), Discount("di_2", coupon, end_at=END)
    assert shown(subscription(discounts=(past, lasting))).discounts == (lasting,)


def test_several_items_are_counted_in_the_name():
    it = shown(subscription(items=(item(), item(id="si_2"), item(id="si_3"))))
    assert (it.name, it.more_items, len(it.lines)) == ("House blend", 2, 3)


def test_its_own_description_names_the_whole():
    it = shown(subscription(description="Office supply", items=(item(), item(id="si_2"))))
    assert (it.name, it.more_items) == ("Office supply", 0)


@pytest.mark.parametrize(
    ("changed", "quantity", "says"),
    [
        ({}, 1, False),
        ({}, 3, True),
        ({"unit_label": "seat"}, 1, True),
        ({"recurring": Recurring("month", usage="metered"), "unit_label": "GB"}, 1, False),
    ],
)
def test_a_quantity_is_shown_where_it_says_something(changed, quantity, says):
    it = shown(subscription(items=(item(price=price(**changed), quantity=quantity),)))
    assert it.lines[0].has_quantity is says


def test_an_overdue_one_names_the_open_invoice_and_why_it_failed():
    late = subscription(status="past_due")
    tries = (
        Payment("py_2", "failed", eur(1450), NOW, failure="insufficient_funds"),
        Payment("py_1", "failed", eur(1450), START, failure="expired_card"),
    )
    open_one = invoice("in_2", "open", payments=tries, next_attempt_at=END)
    it = shown(late, whole=account(late, invoices=(open_one, invoice())))
    assert it.debt == views.Debt("in_2", eur(1450), "insufficient_funds", END)


def test_an_open_invoice_is_no_debt_of_a_subscription_in_order():
    it = subscription()
    assert shown(it, whole=account(it, invoices=(invoice(status="open"),))).debt is None


@pytest.mark.parametrize(("status", "asked"), [("open", True), ("uncollectible", False), ("paid", False)])
def test_one_that_ended_says_what_is_still_asked_for(status, asked):
    it = subscription(status="canceled", ended_at=NOW)
    assert bool(shown(it, whole=account(it, invoices=(invoice(status=status),))).debt) is asked


def test_one_that_is_behind_says_when_it_ends_and_what_is_owed_in_all():
    late = subscription(status="past_due", cancel_at=END)
    whole = account(late, invoices=tuple(invoice(f"in_{n}", "open") for n in range(3)))
    text = words(renderer().fragment(shown(late, whole=whole)))
    assert "Ends on March 15, 2026" in text
    assert "2 older invoices are due, too. That is €43.50 in all." in text


def test_an_invoice_of_another_subscription_is_not_its_debt():
    late = subscription("sub_9", status="past_due")
    assert shown(late, whole=account(late, invoices=(invoice(status="open"),))).debt is None


def test_running_ones_stand_before_ended_ones_and_each_has_its_own_key():
    whole = account(subscription("sub_1", "canceled"), subscription("sub_2"), subscription("sub_3"))
    it = views.listing(whole, FEATURES, NOW, key="fresh")
    assert [each.id for each in it.running] == ["sub_2", "sub_3"]
    assert [each.id for each in it.ended] == ["sub_1"]
    assert len({each.key for each in (*it.running, *it.ended)}) == 3


def test_a_schedule_is_mentioned():
    assert shown(subscription(schedule="sub_sched_1")).has_schedule


def test_a_card_goes_along_with_its_customer():
    whole = account(subscription())
    it = shown(subscription(), whole=replace(whole, customer=replace(whole.customer, id="cus_other")))
    assert it.customer == "cus_other"


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("cancel", "Add a payment method to keep it Without one, your subscription ends on March 15, 2026."),
        ("pause", "Add a payment method to keep it Without one, your subscription is paused on March 15, 2026."),
        ("", "Your next payment will fail You have no payment method we can charge. Add a payment method"),
    ],
)
def test_a_trial_with_nothing_to_charge_says_what_its_end_does(after, says):
    it = subscription(status="trialing", trial_end_at=END, trial_without_method=after)
    text = words(renderer().fragment(shown(it, whole=account(it, payment_methods=()))))
    assert says in text
    assert ("will fail" in text) is (not after)


def test_a_change_that_would_come_after_the_end_is_not_told():
    at = END - timedelta(days=1)
    for moment, is_told in ((at, True), (END, False)):
        it = shown(ending(scheduled=Scheduled(moment, price(), 2, NOW)))
        assert (it.scheduled is not None) is is_told


def test_one_that_ends_is_not_said_to_have_a_payment_method_of_its_own():
    pinned = {"default_payment_method": "pm_1"}
    told = "This payment method is for this subscription only."
    assert told in words(renderer().fragment(shown(subscription(**pinned))))
    assert told not in words(renderer().fragment(shown(ending(**pinned))))
