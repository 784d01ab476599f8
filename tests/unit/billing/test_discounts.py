"""Promotion codes within a change: valid, and each way not to be."""

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount, Money, Move, PromotionCode, Refusal
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.rules.discounts import canonical
from server.brands.features import Schedule
from tests.support.ledger_accounts import NOW, account, day, eur, item, price, subscription
from tests.support.pages import apply, preview
from tests.support.plans import bought, only, terms

SMALL, LARGE = price(), price("6200", id="price_2", product="prod_2")
HALF = Coupon("half", percent_off="50", duration="forever")


def with_code(coupon=HALF, *others, **code):
    promo = PromotionCode("promo_1", "Spring-25", coupon.id, **code)
    return terms(SMALL, LARGE, coupons=[coupon], codes=[promo, *others], proration_behavior="always_invoice")


def shown(sold, it=None, text="spring-25", plan="price_2"):
    return preview(it or bought(SMALL), "sub_1", Move(plan, code=text), sold, NOW)


@pytest.mark.parametrize("text", ["Spring-25", "SPRING-25", "  spring-25 \n"])
def test_a_code_counts_whatever_its_case_and_the_spaces_around_it(text):
    assert shown(with_code(), text=text).discount.coupon == HALF


def test_what_is_compared_is_folded_and_not_endless():
    assert canonical(" STRASSE ") == canonical("straße")
    assert len(canonical("x" * 10_000)) == 200


@pytest.mark.parametrize(
    ("coupon", "code", "why"),
    [
        ({}, {"active": False}, "code_inactive"),
        ({"valid": False}, {}, "code_inactive"),
        ({}, {"expires_at": NOW}, "code_expired"),
        ({"redeem_by": NOW}, {}, "code_expired"),
        ({}, {"max_redemptions": 3, "times_redeemed": 3}, "code_used_up"),
        ({"max_redemptions": 1, "times_redeemed": 1}, {}, "code_used_up"),
        ({"products": ("prod_1",)}, {}, "code_wrong_product"),
        ({"percent_off": "", "amount_off": Money(500, "USD")}, {}, "code_wrong_currency"),
        ({}, {"first_time": True}, "code_first_time_only"),
        ({}, {"minimum": eur(6201)}, "code_minimum_amount"),
        ({}, {"minimum": Money(1, "USD")}, "code_wrong_currency"),
        ({}, {"customer": "cus_2"}, "code_unknown"),
    ],
)
def test_each_way_not_to_count_has_its_own_word(coupon, code, why):
    found = shown(with_code(replace(HALF, **coupon), **code))
    assert found == Refusal(why, "6201 EUR" if why == "code_minimum_amount" else "")


@pytest.mark.parametrize(
    ("coupon", "code"),
    [
        ({"products": ("prod_2",)}, {}),
        ({"max_redemptions": 4, "times_redeemed": 3}, {"max_redemptions": 2, "times_redeemed": 1}),
        ({"redeem_by": day(2026, 3, 17)}, {"expires_at": day(2026, 3, 17)}),
        ({}, {"minimum": eur(6200)}),
        ({}, {"customer": "cus_1"}),
    ],
)
def test_what_just_holds_counts(coupon, code):
    assert shown(with_code(replace(HALF, **coupon), **code)).discount is not None


DOLLARS = replace(HALF, percent_off="", amount_off=Money(500, "USD"), other_amounts=(Money(90, "GBP"), eur(400)))


def test_a_code_takes_off_what_its_coupon_says_in_the_currency_of_the_subscription():
    found = shown(with_code(DOLLARS))
    assert (found.discount.coupon.amount_off, found.next_charge.total) == (eur(400), eur(5800))


@pytest.mark.parametrize(("least", "why"), [(6200, ""), (6201, "code_minimum_amount")])
def test_the_minimum_of_a_code_is_the_one_of_the_subscriptions_currency(least, why):
    found = shown(with_code(minimum=Money(1, "USD"), other_minimums=(eur(least),)))
    assert (found == Refusal(why, "6201 EUR")) if why else found.discount


def test_a_code_that_nobody_made_is_unknown():
    assert shown(with_code(), text="SUMMER") == Refusal("code_unknown")


def test_who_never_paid_may_use_a_code_for_beginners():
    trial = account(subscription(item(), status="trialing", trial_end_at=day(2026, 4, 1)))
    assert shown(with_code(first_time=True), trial).discount is not None


def test_a_coupon_that_runs_already_is_not_given_twice():
    it = bought(SMALL, discounts=(Discount("di", HALF),))
    assert shown(with_code(), it) == Refusal("code_already_applied")


def test_of_two_codes_with_the_same_text_the_one_that_counts_is_taken():
    old = PromotionCode("promo_0", "SPRING-25", "half", active=False)
    assert shown(with_code(HALF, old)).discount.redeemed == "promo_1"
    gone = shown(with_code(HALF, old, expires_at=NOW))
    assert gone == Refusal("code_expired")


def test_a_code_alone_is_a_change():
    it, sold = bought(SMALL), with_code()
    page = shown(sold, it, plan="")
    assert (page.at_once, page.due_now, page.next_charge.total) == (True, eur(0), eur(1550))
    after = apply(it, "sub_1", Move(code="spring-25"), sold, token=page.fingerprint, now=NOW).account
    assert only(after).discounts[0].promotion_code == "Spring-25"


def test_a_code_takes_the_place_of_an_earlier_one_and_not_of_what_the_business_gave():
    given = Discount("di_1", Coupon("gift", percent_off="10", duration="forever"))
    typed = Discount("di_2", Coupon("old", percent_off="20", duration="forever"), promotion_code="OLD")
    it, sold = bought(SMALL, discounts=(given, typed)), with_code()
    after = apply(
        it, "sub_1", Move(code="spring-25"), sold, token=shown(sold, it, plan="").fingerprint, now=NOW
    ).account
    assert [each.coupon.id for each in only(after).discounts] == ["gift", "half"]


@pytest.mark.parametrize(
    ("runs", "typed", "off"), [((), "spring-25", 1550), ((Discount("di", HALF),), "", 1550), ((), "", None)]
)
def test_a_prorated_charge_says_what_a_discount_took_off_it(runs, typed, off):
    """Half of March is left, and of 62.00."""
    credit, charge = shown(with_code(), bought(SMALL, discounts=runs), text=typed).charge.lines
    assert charge.included_discount == (eur(off) if off else None)
    assert (charge.amount, credit.included_discount) == (eur(3100 - (off or 0)), None)


def test_a_code_for_some_months_ends_with_them():
    months = Coupon("months", percent_off="50", duration="repeating", duration_in_months=2)
    it, sold = bought(SMALL), with_code(months)
    after = apply(
        it, "sub_1", Move(code="spring-25"), sold, token=shown(sold, it, plan="").fingerprint, now=NOW
    ).account
    _, invoices = bring_up_to_date(after, day(2026, 6, 1))
    assert [each.total for each in invoices] == [eur(1550), eur(1550), eur(3100)]  # until 16 May


def test_a_code_of_a_change_that_waits_begins_with_it():
    sold = with_code()
    sold = replace(
        sold,
        features=replace(
            sold.features,
            subscription_update=replace(
                sold.features.subscription_update, schedule_at_period_end=Schedule(("decreasing_item_amount",))
            ),
        ),
    )
    it = bought(LARGE)
    page = shown(sold, it, plan="price_1")
    after = apply(it, "sub_1", Move("price_1", code="spring-25"), sold, token=page.fingerprint, now=NOW).account
    assert (only(after).discounts, only(after).scheduled.discount.start_at) == ((), day(2026, 4, 1))
    _, invoices = bring_up_to_date(after, day(2026, 5, 1))
    assert [each.total for each in invoices] == [page.next_charge.total, eur(1550)] == [eur(1550), eur(1550)]
