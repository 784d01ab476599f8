"""Which payment methods are shown, in which order, with which marks."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from server.billing import Payment
from server.features.payment_methods import views
from tests.support.accounts import END, FEATURES, NOW, account, card, eur, invoice, subscription
from tests.support.rendered import renderer, words


@pytest.mark.parametrize(
    ("month", "year", "mark"),
    [
        (2, 2026, "expired"),
        (12, 2025, "expired"),
        (3, 2026, "soon"),
        (4, 2026, "soon"),
        (5, 2026, ""),
        (1, 2027, ""),
        (0, 0, ""),
    ],
)
def test_a_card_is_good_until_the_end_of_its_month(month, year, mark):
    assert views.expiry(card(exp_month=month, exp_year=year), NOW) == mark


def test_a_card_of_january_expires_soon_in_december():
    assert views.expiry(card(exp_month=1, exp_year=2027), datetime(2026, 12, 31, 23, tzinfo=UTC)) == "soon"


def test_the_default_comes_first():
    it = views.listing(account(payment_methods=(card("pm_2"), card("pm_1"), card("pm_3"))), FEATURES, NOW, key="k")
    assert [(each.method.id, each.is_default) for each in it.rows] == [("pm_1", True), ("pm_2", False), ("pm_3", False)]


def test_a_method_names_the_running_subscriptions_that_pin_it():
    pinned = subscription(default_payment_method="pm_2")
    over = subscription("sub_2", "canceled", default_payment_method="pm_2")
    it = views.listing(account(pinned, over, payment_methods=(card(), card("pm_2"))), FEATURES, NOW, key="k")
    assert [[pin.name for pin in each.pinned_by] for each in it.rows] == [[], ["House blend"]]


def test_a_subscription_of_several_products_or_of_none_is_named_too():
    one = subscription(default_payment_method="pm_1")
    several = replace(one, id="sub_2", items=one.items * 3)
    none = replace(one, id="sub_3", items=())
    (it,) = views.listing(account(several, none, payment_methods=(card(),)), FEATURES, NOW, key="k").rows
    assert [(pin.name, pin.more_items) for pin in it.pinned_by] == [("House blend", 2), ("", 0)]


def test_nothing_is_shown_as_nothing():
    assert views.listing(account(payment_methods=()), FEATURES, NOW, key="k").rows == ()


def row_of(*subscriptions, **changed):
    return views.listing(account(*subscriptions, **changed), FEATURES, NOW, key="k").rows[0]


@pytest.mark.parametrize(
    ("changed", "is_charged"),
    [
        ({}, True),
        ({"status": "past_due", "cancel_at": END}, True),
        ({"cancel_at": END}, False),
        ({"status": "canceled"}, False),
        ({"status": "paused"}, False),
        ({"pause_behavior": "void"}, False),
        ({"pause_behavior": "void", "pause_resumes_at": END}, True),
        ({"collection_method": "send_invoice"}, False),
    ],
)
def test_a_payment_is_said_to_fail_only_where_there_will_be_one(changed, is_charged):
    soon = {"payment_methods": (card(exp_month=3, exp_year=2026),)}
    assert row_of(subscription(**changed), **soon).is_charged is is_charged
    assert not row_of(**soon).is_charged


def tried(at, method="visa 4242", status="failed", **changed):
    payment = Payment("py_1", status, eur(1450), at, method=method, failure="insufficient_funds")
    return invoice("in_1", **{"status": "open", "payments": (payment,)} | changed)


def test_the_last_charge_that_failed_is_told_beside_what_was_charged():
    text = words(renderer().fragment(views.listing(account(invoices=(tried(NOW),)), FEATURES, NOW, key="k")))
    assert "Payment failed The last payment failed. There was not enough money in the account. Replace" in text


@pytest.mark.parametrize(
    "it",
    [
        tried(NOW, status="paid"),
        tried(NOW, status="open"),
        tried(NOW, method="visa 1111"),
        tried(datetime(2020, 1, 1, tzinfo=UTC)),
        invoice("in_1", "paid", payments=tried(NOW).payments),
        invoice("in_1", "open"),
    ],
    ids=["paid", "under way", "another card", "a card added since", "paid since", "not tried"],
)
def test_what_did_not_fail_is_not_told(it):
    assert row_of(invoices=(it,)).failure == ""
