"""Around a cancellation: the coupon that is offered before it, the reasons that are asked after it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Catalog, Coupon, Discount, Money, Refusal, Tell
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.changes.retention import tell
from server.billing.rules.canceling import may_tell
from server.brands.features import CancellationReason, Features, Retention, SubscriptionCancel
from tests.support.ledger_accounts import AT_ONCE, AT_PERIOD_END, NOW, day, eur, price
from tests.support.pages import offer, retain
from tests.support.plans import bought, only

STAY = Coupon("STAY", percent_off="30", duration="repeating", duration_in_months=3)
CATALOG = Catalog(coupons={"STAY": STAY})
OFFERING = Features(subscription_cancel=SubscriptionCancel(retention=Retention("STAY")))
ASKING = Features()


def test_the_coupon_is_offered_with_what_it_saves():
    found = offer(bought(price()), "sub_1", CATALOG, OFFERING, NOW)
    assert (found.coupon, found.before.total, found.after.total) == (STAY, eur(3100), eur(2170))


def test_who_accepts_stays_with_the_coupon():
    it = bought(price())
    after = retain(it, "sub_1", CATALOG, OFFERING, NOW)
    assert only(after).cancel_at is None
    assert (only(after).discounts[0].coupon, only(after).discounts[0].end_at) == (STAY, day(2026, 6, 16, 12))
    assert after.upcoming[0].total == eur(2170)
    assert retain(after, "sub_1", CATALOG, OFFERING, NOW) is after


def test_the_coupon_is_offered_in_the_currency_of_the_subscription():
    dollars = replace(STAY, percent_off="", amount_off=Money(500, "USD"), other_amounts=(eur(400),))
    found = offer(bought(price()), "sub_1", Catalog(coupons={"STAY": dollars}), OFFERING, NOW)
    assert (found.coupon.amount_off, found.after.total) == (eur(400), eur(2700))
    assert retain(bought(price()), "sub_1", Catalog(coupons={"STAY": dollars}), OFFERING, NOW).upcoming[0].total == eur(
        2700
    )


@pytest.mark.parametrize(
    ("changes", "coupon", "features"),
    [
        ({}, STAY, ASKING),
        ({}, None, OFFERING),
        ({}, replace(STAY, products=("prod_2",)), OFFERING),
        ({}, replace(STAY, redeem_by=NOW), OFFERING),
        ({}, replace(STAY, max_redemptions=1, times_redeemed=1), OFFERING),
        ({"discounts": (Discount("di", STAY),)}, STAY, OFFERING),
        ({"retained": "STAY"}, STAY, OFFERING),
    ],
)
def test_nothing_is_offered_where_it_gives_nothing_or_was_taken_before(changes, coupon, features):
    it = bought(price(), **changes)
    catalog = Catalog(coupons={"STAY": coupon} if coupon else {})
    assert offer(it, "sub_1", catalog, features, NOW) is None
    assert retain(it, "sub_1", catalog, features, NOW) in (Refusal("no_offer"), it)


@pytest.mark.parametrize(
    ("sold", "offered"),
    [
        (price(interval="year"), False),
        (price("0"), False),
        (price("0", usage="metered"), True),
    ],
)
def test_a_coupon_that_leaves_the_next_charge_as_it_is_is_not_offered(sold, offered):
    found = offer(bought(sold), "sub_1", CATALOG, OFFERING, NOW)
    assert (found is not None) is offered


@pytest.mark.parametrize(
    ("changes", "why"), [({"cancel_at": day(2026, 4, 1)}, "already_ending"), ({"status": "canceled"}, "ended")]
)
def test_what_cannot_be_canceled_is_not_kept_with_a_coupon(changes, why):
    it = bought(price(), **changes)
    assert offer(it, "sub_1", CATALOG, OFFERING, NOW) is None
    assert retain(it, "sub_1", CATALOG, OFFERING, NOW) == Refusal(why)
    assert retain(it, "sub_2", CATALOG, OFFERING, NOW) == Refusal("not_found")


@pytest.fixture(params=[AT_PERIOD_END, AT_ONCE])
def canceled(request):
    return cancel(bought(price()), "sub_1", request.param, NOW)


def test_the_reason_and_the_words_are_kept(canceled):
    assert may_tell(only(canceled), ASKING, NOW) is None
    after = tell(canceled, "sub_1", Tell("other", "  I am moving\nabroad. "), ASKING, NOW)
    assert (only(after).feedback, only(after).comment) == ("other", "I am moving\nabroad.")
    assert may_tell(only(after), ASKING, NOW) == Refusal("not_asked")
    assert tell(after, "sub_1", Tell("unused", ""), ASKING, NOW) is after


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (("boredom", ""), Refusal("unknown_reason")),
        (("", "words"), Refusal("unknown_reason")),
        (("too_complex", ""), Refusal("unknown_reason")),
        (("other", "x" * 501), Refusal("comment_too_long", "500")),
    ],
)
def test_odd_reasons_are_refused(canceled, told, why):
    options = CancellationReason(options=("other", "unused"))
    features = Features(subscription_cancel=SubscriptionCancel(cancellation_reason=options))
    assert tell(canceled, "sub_1", Tell(*told), features, NOW) == why
    assert tell(canceled, "sub_2", Tell(*told), features, NOW) == Refusal("not_found")


def test_five_hundred_characters_are_kept(canceled):
    assert only(tell(canceled, "sub_1", Tell("other", "é" * 500), ASKING, NOW)).comment == "é" * 500


def test_nobody_is_asked_who_did_not_cancel():
    assert tell(bought(price()), "sub_1", Tell("other"), ASKING, NOW) == Refusal("not_asked")


def test_nobody_is_asked_where_the_brand_does_not_ask(canceled):
    silent = Features(subscription_cancel=SubscriptionCancel(cancellation_reason=CancellationReason(enabled=False)))
    assert tell(canceled, "sub_1", Tell("other", ""), silent, NOW) == Refusal("not_asked")


def test_nobody_is_asked_long_after_the_end():
    ended = cancel(bought(price()), "sub_1", AT_ONCE, NOW)
    assert may_tell(only(ended), ASKING, NOW + timedelta(hours=25)) == Refusal("not_asked")
    ending = cancel(bought(price()), "sub_1", AT_PERIOD_END, NOW)
    assert may_tell(only(ending), ASKING, NOW + timedelta(hours=25)) is None


def test_who_comes_back_leaves_no_reason_behind():
    it = bought(price())
    told = tell(cancel(it, "sub_1", AT_PERIOD_END, NOW), "sub_1", Tell("other", "Hm"), ASKING, NOW)
    assert resume(told, "sub_1", AT_PERIOD_END, NOW) == it
