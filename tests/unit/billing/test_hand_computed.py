"""Changes of plan whose sums were worked out by hand; each test writes them out. Amounts are in minor units."""

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount, InvoiceTax, Money, Move, PromotionCode, Refusal, TaxRate, Tier
from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.upcoming import settled
from server.brands.features import Schedule
from tests.support.ledger_accounts import CARD, NOW, WITH_CREDIT, account, day, eur, item, price, subscription
from tests.support.pages import apply, cancellation, preview
from tests.support.plans import bought, lines, only, terms

SMALL, LARGE = price(), price("6200", id="price_2", product="prod_2")
MONTHLY, YEARLY = price(), price("36500", "year", id="price_y", product="prod_1")
CHEAPER_LATER = Schedule(("decreasing_item_amount", "shortening_interval"))


def moved(it, change, sold, now=NOW):
    """The account after the change, and its invoice where there is one. What was shown is what is done."""
    it, _ = bring_up_to_date(it, now)
    shown = preview(it, "sub_1", change, sold, now)
    assert not isinstance(shown, Refusal), shown
    made = apply(it, "sub_1", change, sold, token=shown.fingerprint, now=now)
    assert made.preview == replace(shown, fingerprint="")
    return made.account, made.invoices[0] if made.invoices else None


def next_invoice(it, at):
    _, invoices = bring_up_to_date(it, at)
    assert invoices[-1].created_at == at
    return invoices[-1]


def test_an_upgrade_in_the_middle_of_a_month_is_invoiced_at_once():
    # 16 March, noon: 15.5 of 31 days are left. 31.00 x 1/2 back, 62.00 x 1/2 to pay.
    after, invoice = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="always_invoice"))
    assert lines(invoice) == [-1550, 3100]
    assert (invoice.total, invoice.amount_paid, invoice.status) == (eur(1550), eur(1550), "paid")
    assert next_invoice(after, day(2026, 4, 1)).total == eur(6200)


def test_an_upgrade_in_the_middle_of_a_month_waits_for_the_next_invoice():
    after, invoice = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="create_prorations"))
    assert invoice is None
    april = next_invoice(after, day(2026, 4, 1))
    assert lines(april) == [-1550, 3100, 6200]
    assert april.total == eur(7750)  # 15.50 for the rest of March, 62.00 for April
    assert next_invoice(after, day(2026, 5, 1)).total == eur(6200)


def test_an_upgrade_without_proration_costs_from_the_next_period_on():
    after, invoice = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="none"))
    assert (invoice, only(after).items[0].price) == (None, LARGE)
    assert next_invoice(after, day(2026, 4, 1)).total == eur(6200)


def test_what_was_not_charged_is_not_credited():
    # Moved to 62.00 for nothing, then canceled at once: 31.00 were paid, half of that comes back.
    after, _ = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="none"))
    assert cancellation(after, "sub_1", WITH_CREDIT, NOW).credit == eur(1550)


def test_time_on_an_invoice_that_is_still_open_is_not_charged_twice():
    # 31.00 for March are still owed in full, so half of them comes back as above; who leaves is not credited for it.
    it = bought(SMALL)
    owed = replace(it.invoices[0], status="open", amount_paid=eur(0), amount_due=eur(3100), payments=())
    it = replace(it, invoices=(owed,))
    after, _ = moved(it, Move("price_2"), terms(SMALL, LARGE, proration_behavior="create_prorations"))
    assert [each.line.amount for each in only(after).pending] == [eur(-1550), eur(3100)]
    assert cancellation(it, "sub_1", WITH_CREDIT, NOW).credit is None


def test_a_downgrade_is_deferred_to_the_end_of_the_period():
    sold = terms(SMALL, LARGE, proration_behavior="always_invoice", schedule_at_period_end=CHEAPER_LATER)
    after, invoice = moved(bought(LARGE), Move("price_1"), sold)
    assert (invoice, only(after).items[0].price, only(after).scheduled.at) == (None, LARGE, day(2026, 4, 1))
    assert after.upcoming[0].total == eur(3100)
    april = next_invoice(after, day(2026, 4, 1))
    assert lines(april) == [3100]  # nothing is credited: March was used to its end


def test_a_quantity_up_and_down_twice_in_one_period():
    # One seat is 31.00 a month, 1.00 a day. Seat-days: 6 x 1, 6 x 3, 6 x 1, 6 x 2, 7 x 1 = 49.
    sold = terms(SMALL, proration_behavior="always_invoice")
    it, first = moved(bought(SMALL), Move(quantity=3), sold, day(2026, 3, 7))  # 25 days left
    assert (lines(first), first.amount_paid) == ([-2500, 7500], eur(5000))
    it, second = moved(it, Move(quantity=1), sold, day(2026, 3, 13))  # 19 days left
    assert (lines(second), it.balance) == ([-5700, 1900], eur(-3800))
    it, third = moved(it, Move(quantity=2), sold, day(2026, 3, 19))  # 13 days left
    assert (lines(third), third.amount_paid, it.balance) == ([-1300, 2600], eur(0), eur(-2500))
    it, fourth = moved(it, Move(quantity=1), sold, day(2026, 3, 25))  # 7 days left
    assert (lines(fourth), it.balance) == ([-1400, 700], eur(-3200))
    paid = sum(each.amount_paid.amount for each in it.invoices)
    assert paid + it.balance.amount == 4900  # 31.00 + 50.00 paid, 32.00 in the balance
    april = next_invoice(it, day(2026, 4, 1))
    assert (april.total, april.balance_applied, april.amount_paid) == (eur(3100), eur(-3100), eur(0))


def test_from_monthly_to_yearly_and_back():
    sold = terms(MONTHLY, YEARLY, proration_behavior="always_invoice")
    it, there = moved(bought(MONTHLY), Move("price_y"), sold)
    assert lines(there) == [-1550, 36500]  # half of March back, a year of 365.00 from today
    assert (there.amount_paid, only(it).current_period_end_at) == (eur(34950), day(2027, 3, 16, 12))
    # 73 days later 292 of 365 days are left: 292.00 back, a month of 31.00 from today.
    it, back = moved(it, Move("price_1"), sold, day(2026, 5, 28, 12))
    assert (lines(back), it.balance) == ([-29200, 3100], eur(-26100))
    assert only(it).current_period_end_at == day(2026, 6, 28, 12)
    assert next_invoice(it, day(2026, 6, 28, 12)).balance_applied == eur(-3100)


def test_a_shorter_interval_can_wait_for_the_end_of_the_year():
    sold = terms(MONTHLY, YEARLY, proration_behavior="always_invoice", schedule_at_period_end=CHEAPER_LATER)
    it, _ = moved(bought(MONTHLY), Move("price_y"), sold)
    it, back = moved(it, Move("price_1"), sold, day(2026, 5, 28, 12))
    assert (back, only(it).scheduled.at) == (None, day(2027, 3, 16, 12))
    assert next_invoice(it, day(2027, 3, 16, 12)).total == eur(3100)
    assert next_invoice(it, day(2027, 4, 16, 12)).total == eur(3100)


TIERS = (Tier(5, "1000"), Tier(10, "800"), Tier(None, "600"))


def test_graduated_tiers_across_two_boundaries():
    # 5 are 5 x 10.00 = 50.00; 12 are 5 x 10.00 + 5 x 8.00 + 2 x 6.00 = 102.00. Half of each.
    tiered = price("", billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)
    _, invoice = moved(bought(tiered, 5), Move(quantity=12), terms(tiered, proration_behavior="always_invoice"))
    assert (lines(invoice), invoice.total) == ([-2500, 5100], eur(2600))


def test_volume_tiers_across_two_boundaries():
    # 5 are 5 x 10.00 = 50.00; 12 are 12 x 6.00 = 72.00. Half of each.
    tiered = price("", billing_scheme="tiered", tiers_mode="volume", tiers=TIERS)
    _, invoice = moved(bought(tiered, 5), Move(quantity=12), terms(tiered, proration_behavior="always_invoice"))
    assert (lines(invoice), invoice.total) == ([-2500, 3600], eur(1100))


@pytest.mark.parametrize(
    ("currency", "old", "new", "credit", "charge"),
    [
        # 12 March: 20 of 31 days are left.
        ("JPY", "1000", "2500", -645, 1613),  # 645.16… and 1612.90… yen
        ("KWD", "9990", "20000", -6450, 12900),  # 6445.16… and 12903.22… fils, of which the last is always zero
        ("EUR", "0.7", "1.3", -1, 1),  # 0.7 was paid as 1 cent: 0.64… of it; and 0.83… cents
    ],
)
def test_currencies_without_and_with_three_decimals(currency, old, new, credit, charge):
    small, large = price(old, currency=currency), price(new, id="price_2", currency=currency)
    sold = terms(small, large, proration_behavior="always_invoice")
    _, invoice = moved(bought(small), Move("price_2"), sold, day(2026, 3, 12))
    assert lines(invoice) == [credit, charge]
    assert invoice.total == Money(credit + charge, currency)


def test_fractions_of_a_cent_are_rounded_once_a_line():
    # 498 at 0.7 cents are 348.6, invoiced as 349: 174.5 come back, away from zero. 499 are 349.3: 174.65 to pay.
    small = price("0.7")
    _, invoice = moved(bought(small, 498), Move(quantity=499), terms(small, proration_behavior="always_invoice"))
    assert lines(invoice) == [-175, 175]


def test_exclusive_tax_comes_on_top_of_each_line():
    # 10 %: -15.50 and -1.55, 31.00 and 3.10.
    taxed = bought(SMALL, default_tax_rates=(TaxRate("t", "10", "Tax"),))
    _, invoice = moved(taxed, Move("price_2"), terms(SMALL, LARGE, proration_behavior="always_invoice"))
    assert invoice.taxes == (InvoiceTax("Tax 10%", eur(155), percentage="10"),)
    assert (invoice.subtotal, invoice.total) == (eur(1550), eur(1705))


def test_inclusive_tax_is_inside_each_line():
    # 19 %: March's invoice held 31.00 x 19/119 = 4.95; half of it, 2.475, comes back as 2.48. 31.00 hold 4.95.
    taxed = bought(SMALL, default_tax_rates=(TaxRate("t", "19", "MwSt", inclusive=True),))
    _, invoice = moved(taxed, Move("price_2"), terms(SMALL, LARGE, proration_behavior="always_invoice"))
    assert invoice.taxes == (InvoiceTax("MwSt 19%", eur(247), inclusive=True, percentage="19"),)
    assert (invoice.subtotal, invoice.total) == (eur(1550), eur(1550))


def test_a_coupon_of_a_hundred_percent_makes_the_rest_free():
    # Half of what was paid comes back, and the rest of March and all of April cost nothing.
    free = Coupon("all", percent_off="100", duration="forever")
    sold = terms(
        SMALL, LARGE, proration_behavior="always_invoice", coupons=[free], codes=[PromotionCode("p", "GIFT", "all")]
    )
    it, invoice = moved(bought(SMALL), Move("price_2", code="gift"), sold)
    assert (lines(invoice), it.balance) == ([-1550, 0], eur(-1550))
    april = next_invoice(it, day(2026, 4, 1))
    assert (april.subtotal, april.discounts[0].amount, april.total) == (eur(6200), eur(6200), eur(0))


def test_a_discount_that_runs_on_is_taken_off_both_lines():
    # 50 %: 15.50 were paid, 7.75 come back; 62.00 x 1/2 x 1/2 = 15.50.
    half = Discount("di", Coupon("half", percent_off="50", duration="forever"))
    it = bought(SMALL, discounts=(half,))
    _, invoice = moved(it, Move("price_2"), terms(SMALL, LARGE, proration_behavior="always_invoice"))
    assert lines(invoice) == [-775, 1550]


def test_a_discount_for_once_waits_for_a_whole_period():
    once = Coupon("once", percent_off="50", duration="once")
    sold = terms(
        SMALL, LARGE, proration_behavior="always_invoice", coupons=[once], codes=[PromotionCode("p", "ONCE", "once")]
    )
    it, invoice = moved(bought(SMALL), Move("price_2", code="ONCE"), sold)
    assert lines(invoice) == [-1550, 3100]
    assert next_invoice(it, day(2026, 4, 1)).total == eur(3100)
    assert next_invoice(it, day(2026, 5, 1)).total == eur(6200)


def test_a_cancellation_at_once_credits_what_is_left_of_the_dearer_plan():
    # 24 March, 18:00: 7.25 of 31 days are left of 62.00: 14.50.
    it, _ = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="always_invoice"))
    after = cancel(it, "sub_1", WITH_CREDIT, day(2026, 3, 24, 18))
    assert (after.balance, lines(after.invoices[0])) == (eur(-1450), [-1450])


def test_a_cancellation_at_once_settles_what_waited():
    # 15.50 wait; 62.00 x 1/2 = 31.00 come back at the same moment: 15.50 stay in the balance.
    it, _ = moved(bought(SMALL), Move("price_2"), terms(SMALL, LARGE, proration_behavior="create_prorations"))
    meant = cancellation(it, "sub_1", WITH_CREDIT, NOW)
    after = cancel(it, "sub_1", WITH_CREDIT, NOW)
    assert ([each.amount.amount for each in meant.lines], meant.credit) == ([-1550, 3100, -3100], eur(1550))
    assert (after.balance, only(after).pending) == (eur(-1550), ())


def trial(of=SMALL):
    found = subscription(item(price=of), status="trialing", trial_end_at=day(2026, 4, 1))
    return settled(account(found))


def test_a_change_ends_a_trial_and_charges_a_period_from_now():
    after, invoice = moved(trial(), Move("price_2"), terms(SMALL, LARGE, trial_update_behavior="end_trial"))
    assert (lines(invoice), invoice.amount_paid) == ([6200], eur(6200))
    assert (only(after).status, only(after).trial_end_at) == ("active", NOW)
    assert only(after).current_period_end_at == day(2026, 4, 16, 12)


def test_a_change_in_a_trial_that_goes_on_costs_from_its_end():
    after, invoice = moved(trial(), Move("price_2"), terms(SMALL, LARGE, trial_update_behavior="continue_trial"))
    assert (invoice, only(after).status, only(after).trial_end_at) == (None, "trialing", day(2026, 4, 1))
    april = next_invoice(after, day(2026, 4, 1))
    assert (lines(april), april.period_end_at) == ([6200], day(2026, 5, 1))


def test_a_change_on_the_29th_of_february():
    # February 2028 has 29 days, one is left: 29.00 / 29 = 1.00 back, 58.00 / 29 = 2.00 to pay.
    small, large = price("2900"), price("5800", id="price_2", product="prod_2")
    it = bought(small, at=day(2028, 2, 1))
    _, invoice = moved(it, Move("price_2"), terms(small, large, proration_behavior="always_invoice"), day(2028, 2, 29))
    assert lines(invoice) == [-100, 200]


def test_a_year_from_the_29th_of_february_ends_on_the_28th():
    it = bought(MONTHLY, at=day(2028, 2, 1))
    it, _ = moved(it, Move("price_y"), terms(MONTHLY, YEARLY), day(2028, 2, 29))
    assert only(it).current_period_end_at == day(2029, 2, 28)
    ends = [only(bring_up_to_date(it, day(year, 3, 1))[0]).current_period_end_at for year in (2029, 2030, 2031, 2032)]
    assert ends == [day(2030, 2, 28), day(2031, 2, 28), day(2032, 2, 29), day(2033, 2, 28)]


def test_a_change_on_the_31st_keeps_the_31st():
    # Bought on 31 January; 31 March begins a period of 30 days, all of it is left.
    it = bought(SMALL, at=day(2026, 1, 31))
    sold = terms(SMALL, LARGE, proration_behavior="always_invoice")
    it, invoice = moved(it, Move("price_2"), sold, day(2026, 3, 31))
    assert (lines(invoice), only(it).current_period_end_at) == ([-3100, 6200], day(2026, 4, 30))
    assert only(bring_up_to_date(it, day(2026, 5, 1))[0]).current_period_end_at == day(2026, 5, 31)


def test_a_new_anchor_begins_a_period_at_that_moment():
    # Half of March comes back, a whole month of 62.00 begins.
    sold = terms(SMALL, LARGE, proration_behavior="create_prorations", billing_cycle_anchor="now")
    it, invoice = moved(bought(SMALL), Move("price_2"), sold)
    assert (lines(invoice), only(it).current_period_end_at) == ([-1550, 6200], day(2026, 4, 16, 12))
    assert next_invoice(it, day(2026, 5, 16, 12)).total == eur(6200)


def test_a_plan_that_was_free_is_paid_from_the_moment_of_the_change():
    free = price("0", id="price_free", product="prod_free")
    it, invoice = moved(bought(free), Move("price_2"), terms(free, LARGE, proration_behavior="none"))
    assert (lines(invoice), only(it).current_period_end_at) == ([6200], day(2026, 4, 16, 12))


def test_an_upgrade_takes_credit_from_the_balance_first():
    sold = terms(SMALL, LARGE, proration_behavior="always_invoice")
    it, invoice = moved(replace(bought(SMALL), balance=eur(-1000)), Move("price_2"), sold)
    assert (invoice.total, invoice.balance_applied, invoice.amount_paid, it.balance) == (
        eur(1550), eur(-1000), eur(550), None,
    )  # fmt: skip


def test_a_change_whose_payment_fails_is_not_made():
    broken = replace(bought(SMALL), payment_methods=(replace(CARD, behavior="card_declined"),))
    sold = terms(SMALL, LARGE, proration_behavior="always_invoice")
    shown = preview(broken, "sub_1", Move("price_2"), sold, NOW)
    assert shown.due_now == eur(1550)
    made = apply(broken, "sub_1", Move("price_2"), sold, token=shown.fingerprint, now=NOW)
    assert made == Refusal("payment_failed", "card_declined")


def test_an_upgrade_in_crowns_is_invoiced_in_whole_crowns():
    # 12 March, 7 o'clock: 473 of 744 hours are left. 1,000 x 473/744 = 635.75 back, 2,500 x 473/744 = 1,589.38 to pay.
    small, large = price("100000", currency="ISK"), price("250000", currency="ISK", id="price_2", product="prod_2")
    sold = terms(small, large, proration_behavior="always_invoice")
    _, invoice = moved(bought(small), Move("price_2"), sold, day(2026, 3, 12, 7))
    assert (lines(invoice), invoice.total) == ([-63600, 158900], Money(95300, "ISK"))


def test_a_credit_in_crowns_is_never_more_than_was_paid():
    it = bought(price("100000", currency="ISK"))
    it = replace(it, invoices=tuple(replace(each, credited=Money(50050, "ISK")) for each in it.invoices))
    found = cancellation(it, "sub_1", WITH_CREDIT, day(2026, 3, 1, 1))
    assert found.credit == Money(49900, "ISK")
