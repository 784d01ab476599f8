"""What a period costs. Every sum is written out."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.billing import Coupon, Discount, Money, TaxRate, Tier
from server.billing.ledger.sums.bills import bill
from server.billing.model.amounts import amount_of, rounded, shares
from tests.support.ledger_accounts import NOW, day, eur, item, price, subscription


def off(percent: str = "", amount: Money | None = None, **more) -> Discount:
    fields = {"duration": "forever"} | more
    ends = fields.pop("end_at", None)
    starts = fields.pop("start_at", None)
    return Discount(
        id="di", coupon=Coupon(id="c", percent_off=percent, amount_off=amount, **fields), end_at=ends, start_at=starts
    )


def test_a_quantity_multiplies():
    assert amount_of(price("1250"), 3) == 3750


def test_a_fraction_of_a_cent_is_rounded_once_at_the_end():
    assert amount_of(price("0.5"), 3) == 2  # 1.5 cents


@pytest.mark.parametrize(("value", "whole"), [("0.5", 1), ("-0.5", -1), ("1.4999", 1), ("2.5", 3), ("-2.5", -3)])
def test_halves_go_away_from_zero(value, whole):
    assert rounded(Fraction(value)) == whole


@pytest.mark.parametrize(
    ("value", "whole"), [("49.9", 0), ("50", 100), ("-50", -100), ("149.9", 100), ("100", 100), ("-251", -300)]
)
def test_a_currency_without_decimals_that_is_counted_in_hundredths_keeps_them_zero(value, whole):
    assert (rounded(Fraction(value), "ISK"), rounded(Fraction(value), "UGX")) == (whole, whole)
    assert rounded(Fraction(value), "HUF") == rounded(Fraction(value))


@pytest.mark.parametrize(("value", "tens"), [("4.9", 0), ("5", 10), ("-5", -10), ("5124", 5120), ("5125", 5130)])
def test_the_last_of_three_decimals_is_zero(value, tens):
    for each in ("BHD", "JOD", "KWD", "OMR", "TND"):
        assert rounded(Fraction(value), each) == tens


def test_a_coupon_takes_off_what_can_be_paid():
    less = off(amount=Money(750, "ISK"))
    held = subscription(item(price=price("100000", currency="ISK")), currency="ISK", discounts=(less,))
    assert bill(held, held.items, NOW).total == Money(99200, "ISK")


def test_shares_of_whole_crowns_are_whole_crowns():
    assert shares(1000, [1, 1, 1], "ISK") == [300, 400, 300]


def test_every_amount_of_a_bill_in_crowns_is_whole():
    crowns = price("100000", currency="ISK"), price("33300", currency="ISK", id="price_2")
    held = subscription(
        *(item(price=each) for each in crowns), currency="ISK", discounts=(off("33.3"),),
        default_tax_rates=(TaxRate("t", "24"),),
    )  # fmt: skip
    # 1,333 less 33.3 % is 889, and 24 % of it 213
    found = bill(held, held.items, NOW)
    assert (found.total, found.discounts[0].amount) == (Money(110200, "ISK"), Money(44400, "ISK"))
    parts = [
        *found.net,
        *(tax.amount.amount for line in found.lines for tax in line.taxes),
        found.taxes[0].amount.amount,
    ]
    assert [each % 100 for each in parts] == [0] * len(parts)


TIERS = (
    Tier(up_to=5, unit_amount="1000"),
    Tier(up_to=10, unit_amount="800", flat_amount="50"),
    Tier(up_to=None, unit_amount="500"),
)


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [(0, 0), (5, 5000), (6, 5000 + 800 + 50), (10, 5000 + 4000 + 50), (12, 5000 + 4000 + 50 + 1000)],
)
def test_graduated_tiers_price_each_unit_in_its_tier(quantity, amount):
    assert amount_of(price("", billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS), quantity) == amount


@pytest.mark.parametrize(("quantity", "amount"), [(5, 5000), (6, 6 * 800 + 50), (12, 12 * 500)])
def test_volume_tiers_price_every_unit_in_the_last_tier(quantity, amount):
    assert amount_of(price("", billing_scheme="tiered", tiers_mode="volume", tiers=TIERS), quantity) == amount


@pytest.mark.parametrize(("rounding", "amount"), [("up", 300), ("down", 200)])
def test_packages_are_counted_whole(rounding, amount):
    assert amount_of(price("100", package_size=10, package_round=rounding), 25) == amount


def test_usage_that_nobody_reported_costs_nothing():
    sold = item(usage="metered", unit_amount="35", quantity=7)
    assert bill(subscription(sold), [sold], NOW).total == eur(0)


def test_a_percentage_comes_off():
    charge = bill(subscription(discounts=(off("12.5"),)), [item(unit_amount="1999")], NOW)
    assert charge.discounts[0].amount == eur(250)  # 249.875
    assert charge.total == eur(1749)


def test_an_amount_off_never_makes_the_charge_negative():
    charge = bill(subscription(discounts=(off(amount=eur(5000)),)), [item(unit_amount="1999")], NOW)
    assert (charge.discounts[0].amount, charge.total) == (eur(1999), eur(0))


def test_an_amount_in_another_currency_takes_nothing_off():
    charge = bill(subscription(discounts=(off(amount=Money(500, "USD")),)), [item()], NOW)
    assert charge.total == eur(3100)


def test_discounts_come_off_what_the_ones_before_left():
    charge = bill(subscription(discounts=(off("50"), off("10"))), [item(unit_amount="1000")], NOW)
    assert [each.amount for each in charge.discounts] == [eur(500), eur(50)]


def test_a_coupon_for_one_product_leaves_the_others_alone():
    items = [item(unit_amount="1000"), item(unit_amount="700", id="price_2", product="prod_2")]
    charge = bill(subscription(*items, discounts=(off("100", products=("prod_2",)),)), items, NOW)
    assert charge.net == (1000, 0)


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        (off("50", end_at=NOW), 3100),
        (off("50", end_at=day(2026, 3, 17)), 1550),
        (off("50", start_at=day(2026, 3, 17)), 3100),
        (off("50", duration="repeating", duration_in_months=2, start_at=day(2026, 1, 16)), 3100),
        (off("50", duration="repeating", duration_in_months=3, start_at=day(2026, 1, 16)), 1550),
    ],
)
def test_a_discount_counts_while_it_runs(discount, total):
    assert bill(subscription(discounts=(discount,)), [item()], NOW).total == eur(total)


def test_exclusive_tax_comes_on_top_of_the_discounted_amount():
    sold = subscription(discounts=(off("10"),), default_tax_rates=(TaxRate("t", "8.875", "Sales tax"),))
    charge = bill(sold, [item(unit_amount="2000")], NOW)
    assert charge.taxes[0].amount == eur(160)  # 1800 x 0.08875 = 159.75
    assert charge.total == eur(1960)


def test_inclusive_tax_is_inside():
    sold = subscription(default_tax_rates=(TaxRate("t", "19", "MwSt", inclusive=True),))
    charge = bill(sold, [item(unit_amount="11900")], NOW)
    assert (charge.taxes[0].amount, charge.total) == (eur(1900), eur(11900))


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_shares_add_up_to_the_whole(whole, weights):
    assert sum(shares(whole, weights)) == whole


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_no_share_is_more_than_one_away_from_exact(whole, weights):
    exact = [Fraction(whole * each, sum(weights)) for each in weights]
    assert all(abs(part - each) <= 1 for part, each in zip(shares(whole, weights), exact, strict=True))
