"""Adding, choosing and removing payment methods, as pure functions."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.changes import methods
from server.billing.rules.methods import MOST
from server.brands import Features
from server.brands.features import PaymentMethodUpdate
from tests.support.accounts import FEATURES, NOW, START, account, card, subscription

OFF = replace(FEATURES, payment_method_update=PaymentMethodUpdate(enabled=False))
OLD = {"exp_month": 1, "exp_year": 2026}


def two(*subscriptions, **changed):
    return account(*subscriptions, payment_methods=(card(), card("pm_2")), **changed)


def default_of(it):
    return it.customer.default_payment_method


def ids(it):
    return [each.id for each in it.payment_methods]


def test_a_new_method_becomes_the_default_and_leaves_what_is_pinned():  # P3
    pinned = subscription(default_payment_method="pm_1")
    it = methods.add(two(pinned), card("pm_new"), FEATURES)
    assert default_of(it) == "pm_new"
    assert ids(it) == ["pm_new", "pm_1", "pm_2"]
    assert it.subscriptions == (pinned,)


def test_adding_the_same_one_again_changes_nothing():
    it = methods.add(two(), card("pm_new"), FEATURES)
    assert methods.add(it, card("pm_new"), FEATURES) == it


def test_a_method_that_replaces_another_takes_its_place():  # P7
    it = methods.add(two(subscription(default_payment_method="pm_2")), card("pm_new"), FEATURES, "pm_2")
    assert (ids(it), default_of(it)) == (["pm_new", "pm_1"], "pm_1")
    assert it.subscriptions[0].default_payment_method == "pm_new"
    assert default_of(methods.add(two(), card("pm_new"), FEATURES, "pm_1")) == "pm_new"


def test_what_is_to_be_replaced_may_be_gone_by_then():
    it = methods.add(two(), card("pm_new"), FEATURES, "pm_gone")
    assert (default_of(it), len(it.payment_methods)) == ("pm_new", 3)


def test_no_more_are_added_than_are_kept_but_one_can_be_replaced():
    full = account(payment_methods=tuple(card(f"pm_{number}") for number in range(MOST)))
    assert methods.add(full, card("pm_new"), FEATURES) == Refusal("too_many_methods")
    assert len(methods.add(full, card("pm_new"), FEATURES, "pm_3").payment_methods) == MOST


def test_a_default_is_chosen():  # P4
    assert default_of(methods.set_default(two(), "pm_2", FEATURES, NOW)) == "pm_2"
    old = account(payment_methods=(card(), card("pm_2", **OLD)))
    assert methods.set_default(old, "pm_2", FEATURES, NOW) == Refusal("method_expired")


def test_a_default_for_everything_takes_the_pins_of_what_still_runs():  # P3
    running, over = (subscription("sub_1", default_payment_method="pm_1"),
                     subscription("sub_2", "canceled", default_payment_method="pm_1"))  # fmt: skip
    it = methods.set_default(two(running, over), "pm_2", FEATURES, NOW, everywhere=True)
    assert [each.default_payment_method for each in it.subscriptions] == ["", "pm_1"]


@pytest.mark.parametrize(
    "status", ["active", "trialing", "past_due", "unpaid", "paused", "incomplete", "never_heard_of"]
)
def test_the_last_one_stays_while_a_subscription_is_alive(status):  # P4
    it = account(subscription(status=status))
    assert methods.remove(it, "pm_1", FEATURES, NOW) == Refusal("last_method")
    assert methods.remove(account(subscription(status=status, cancel_at=NOW)), "pm_1", FEATURES, NOW) == Refusal(
        "last_method"
    )


@pytest.mark.parametrize("subscriptions", [(), (subscription(status="canceled"),)])
def test_the_last_one_goes_where_nothing_runs(subscriptions):  # P4
    it = methods.remove(account(*subscriptions), "pm_1", FEATURES, NOW)
    assert (ids(it), default_of(it)) == ([], "")


def test_the_last_one_that_works_stays_too_and_an_expired_one_goes():
    it = account(subscription(), payment_methods=(card(), card("pm_2", **OLD)))
    assert methods.remove(it, "pm_1", FEATURES, NOW) == Refusal("last_method")
    assert ids(methods.remove(it, "pm_2", FEATURES, NOW)) == ["pm_1"]


def test_the_newest_that_works_takes_the_place_of_a_default_that_goes():  # P4
    newer, newest = START + timedelta(days=1), START + timedelta(days=2)
    three = (card(), card("pm_2"), card("pm_3", created_at=newer), card("pm_4", created_at=newest, **OLD))
    it = methods.remove(account(subscription(), payment_methods=three), "pm_1", FEATURES, NOW)
    assert default_of(it) == "pm_3"


def test_what_a_removed_one_paid_for_goes_back_to_the_default():  # P4
    it = methods.remove(two(subscription(default_payment_method="pm_2")), "pm_2", FEATURES, NOW)
    assert (it.subscriptions[0].default_payment_method, default_of(it)) == ("", "pm_1")


def test_a_subscription_goes_back_to_the_default():  # P5
    it = two(subscription(default_payment_method="pm_2"))
    free = methods.unpin(it, "sub_1", FEATURES)
    assert free.subscriptions[0].default_payment_method == ""
    assert methods.unpin(free, "sub_1", FEATURES) == free
    assert methods.unpin(two(subscription(), default_payment_method=""), "sub_1", FEATURES) == Refusal("no_default")
    assert methods.unpin(two(subscription(status="canceled")), "sub_1", FEATURES) == Refusal("ended")


def test_nothing_is_done_where_the_brand_does_not_offer_it():
    it, no = two(subscription(default_payment_method="pm_2")), Refusal("disabled_by_configuration")
    assert methods.add(it, card("pm_new"), OFF) == no
    assert methods.set_default(it, "pm_2", OFF, NOW) == no
    assert methods.remove(it, "pm_2", OFF, NOW) == no
    assert methods.unpin(it, "sub_1", OFF) == no


def test_what_is_not_there_is_not_found():
    it, nothing = two(), Refusal("not_found")
    assert methods.may_add(it, Features(), "pm_9") == nothing
    assert methods.set_default(it, "pm_9", FEATURES, NOW) == nothing
    assert methods.remove(it, "pm_9", FEATURES, NOW) == nothing
    assert methods.unpin(it, "sub_9", FEATURES) == nothing
