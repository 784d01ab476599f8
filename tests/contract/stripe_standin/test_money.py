"""Sums that were worked out by hand: half of April is 15 of 30 days."""

from __future__ import annotations

import itertools
import random

import pytest
import stripe

from tests.contract.stripe_standin.shop import APRIL, DAY, MAY, NOON, Shop, item_of


def _sums(invoice: stripe.Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def test_a_subscription_begins_with_a_paid_invoice(shop: Shop):
    subscription = shop.subscribe()
    invoice = shop.invoice(subscription)
    assert (subscription.status, invoice.status, invoice.total, invoice.number) == ("active", "paid", 3000, "AAA-0001")
    assert subscription["items"].data[0].current_period_end == MAY


def test_an_upgrade_in_the_middle_gives_half_back_and_asks_for_half(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    change = {"items": [{"id": item_of(subscription), "price": "price_big"}], "proration_behavior": "always_invoice"}
    preview = shop.preview(subscription, subscription_details={**change, "proration_date": NOON})
    assert (_sums(preview), preview.total, preview.amount_due) == ([-1500, 4500], 3000, 3000)
    shop.update(subscription, **change, proration_date=NOON)
    assert (_sums(shop.invoice(subscription)), shop.invoice(subscription).total) == ([-1500, 4500], 3000)
    assert shop.invoice(subscription).status == "paid"


def test_a_preview_changes_nothing(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    before = shop.client.v1.subscriptions.retrieve(subscription.id).to_dict()
    events = len(shop.client.v1.events.list({"limit": 100}).data)
    shop.preview(subscription, subscription_details={"cancel_now": True, "proration_behavior": "create_prorations"})
    shop.preview(subscription, subscription_details={"items": [{"id": item_of(subscription), "price": "price_yearly"}]})
    assert shop.client.v1.subscriptions.retrieve(subscription.id).to_dict() == before
    assert len(shop.client.v1.events.list({"limit": 100}).data) == events
    assert len(shop.client.v1.invoices.list({"customer": "cus_a"}).data) == 1


def test_prorations_wait_for_the_renewal_unless_they_are_billed_at_once(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    shop.update(subscription, items=[{"id": item_of(subscription), "price": "price_big"}])
    waiting = shop.client.v1.invoice_items.list({"customer": "cus_a", "pending": True})
    assert sorted(each.amount for each in waiting) == [-1500, 4500]
    assert shop.preview(subscription).total == 3000 + 9000
    shop.advance(MAY + 3600)
    assert (_sums(shop.invoice(subscription)), shop.invoice(subscription).total) == ([-1500, 4500, 9000], 12000)


def test_a_credit_of_a_cheaper_plan_goes_to_the_balance_and_pays_the_next_invoice(shop: Shop):
    subscription = shop.subscribe("price_big")
    shop.advance(NOON)
    shop.update(subscription, items=[{"id": item_of(subscription), "price": "price_basic"}],
                proration_behavior="always_invoice")  # fmt: skip
    invoice = shop.invoice(subscription)
    assert (invoice.total, invoice.amount_due, invoice.ending_balance, invoice.status) == (-3000, 0, -3000, "paid")
    assert shop.client.v1.customers.retrieve("cus_a").balance == -3000
    preview = shop.preview(subscription)
    assert (preview.total, preview.starting_balance, preview.amount_due, preview.ending_balance) == (3000, -3000, 0, 0)
    shop.advance(MAY + 3600)
    assert shop.client.v1.customers.retrieve("cus_a").balance == 0


def test_flexible_gives_back_what_was_billed_and_classic_what_the_price_says(shop: Shop):
    shop.world.add("coupon", id="half", percent_off=50.0, duration="once")
    for mode, given_back in (("flexible", -750), ("classic", -1500)):
        subscription = shop.subscribe(billing_mode={"type": mode}, discounts=[{"coupon": "half"}])
        assert shop.invoice(subscription).total == 1500
        details = {"cancel_now": True, "proration_behavior": "create_prorations", "proration_date": APRIL + 15 * DAY}
        assert shop.preview(subscription, subscription_details=details).total == given_back


def test_another_interval_begins_a_new_period_at_once(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    changed = shop.update(subscription, items=[{"id": item_of(subscription), "price": "price_yearly"}])
    assert _sums(shop.invoice(subscription)) == [-1500, 30000]
    assert changed.billing_cycle_anchor == changed["items"].data[0].current_period_start == NOON


def test_more_seats_are_asked_for_by_the_second(shop: Shop):
    subscription = shop.subscribe("price_basic", 2)
    shop.advance(APRIL + 10 * DAY + 1)  # 1_727_999 of 2_592_000 seconds are left: 0.66666628
    details = {"items": [{"id": item_of(subscription), "quantity": 3}], "proration_behavior": "always_invoice"}
    assert _sums(shop.preview(subscription, subscription_details=details)) == [-4000, 6000]
    shop.advance(APRIL + 29 * DAY + 23 * 3600)  # an hour of 720: 6000 / 720 = 8.33, 9000 / 720 = 12.5
    assert _sums(shop.preview(subscription, subscription_details=details)) == [-8, 13]


def test_tiers_add_up(shop: Shop):
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": None, "unit_amount": 700, "flat_amount": 50}]
    for mode, total in (("graduated", 5 * 1000 + 3 * 700 + 50), ("volume", 8 * 700 + 50)):
        shop.price(mode, billing_scheme="tiered", tiers_mode=mode, tiers=tiers, unit_amount=None)
        assert shop.invoice(shop.subscribe(f"price_{mode}", 8)).total == total


def test_tax_is_on_top_or_inside(shop: Shop):
    more = {"display_name": "Tax", "percentage": 19.0}
    shop.world.add("tax_rate", id="txr_on", inclusive=False, **more)
    shop.world.add("tax_rate", id="txr_in", inclusive=True, **more)
    on_top = shop.invoice(shop.subscribe(default_tax_rates=["txr_on"]))
    assert (on_top.subtotal, on_top.total, on_top.total_taxes[0].amount) == (3000, 3570, 570)
    inside = shop.invoice(shop.subscribe(default_tax_rates=["txr_in"]))
    assert (inside.total, inside.total_taxes[0].amount, inside.total_excluding_tax) == (3000, 479, 2521)
    assert inside.total_taxes[0].taxable_amount == 2521


def test_an_amount_off_is_spread_over_the_lines_and_lasts_as_long_as_it_says(shop: Shop):
    shop.world.add("coupon", id="ten", amount_off=1000, currency="eur", duration="once")
    subscription = shop.client.v1.subscriptions.create({
        "customer": "cus_a", "discounts": [{"coupon": "ten"}],
        "items": [{"price": "price_basic"}, {"price": "price_big"}],
    })  # fmt: skip
    invoice = shop.invoice(subscription)
    assert [line.discount_amounts[0].amount for line in invoice.lines.data] == [250, 750]
    assert invoice.total == 11000
    shop.advance(MAY + 3600)
    assert shop.invoice(subscription).total == 12000


def test_a_repeating_coupon_ends(shop: Shop):
    shop.world.add("coupon", id="quarter", percent_off=25.0, duration="repeating", duration_in_months=2)
    subscription = shop.subscribe(discounts=[{"coupon": "quarter"}])
    totals = [shop.invoice(subscription).total]
    for _ in range(2):
        shop.advance(subscription["items"].data[0].current_period_end + 3600)
        subscription = shop.client.v1.subscriptions.retrieve(subscription.id)
        totals.append(shop.invoice(subscription).total)
    assert totals == [2250, 2250, 3000]
    assert subscription.discounts == []


def test_a_trial_costs_nothing_until_it_ends(shop: Shop):
    subscription = shop.subscribe(trial_period_days=7)
    assert (subscription.status, shop.invoice(subscription).total) == ("trialing", 0)
    assert shop.preview(subscription).total == 3000
    ended = shop.update(subscription, trial_end="now")
    assert (ended.status, shop.invoice(subscription).total) == ("active", 3000)


def test_the_sum_of_a_preview_is_the_sum_of_the_invoice_that_the_change_makes(shop: Shop):
    """Generated changes: plan, quantity, discount, tax, both billing modes, at any second."""
    shop.world.add("coupon", id="third", percent_off=33.3, duration="forever")
    shop.world.add("tax_rate", id="txr_on", inclusive=False, display_name="Tax", percentage=8.875)
    shop.price("odd", unit_amount=1999)
    randomly = random.Random(7)
    choices = itertools.product(("flexible", "classic"), ("price_big", "price_odd", "price_yearly"), range(10))
    for mode, price, _ in choices:
        more = {"discounts": [{"coupon": "third"}]} if randomly.random() < 0.5 else {}
        subscription = shop.subscribe("price_basic", randomly.randint(1, 9), billing_mode={"type": mode},
                                      default_tax_rates=["txr_on"], **more)  # fmt: skip
        shop.advance(shop.world.now + randomly.randint(1, 20 * DAY))
        change = {
            "items": [{"id": item_of(subscription), "price": price, "quantity": randomly.randint(1, 9)}],
            "proration_behavior": "always_invoice", "proration_date": shop.world.now,
        }  # fmt: skip
        shown = shop.preview(subscription, subscription_details=change)
        shop.update(subscription, **change)
        made = shop.invoice(subscription)
        assert (made.total, made.amount_due, _sums(made)) == (shown.total, shown.amount_due, _sums(shown))
        shop.client.v1.subscriptions.cancel(subscription.id)


def test_canceling_now_gives_back_what_is_left(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    details = {"cancel_now": True, "proration_behavior": "create_prorations", "proration_date": NOON}
    preview = shop.preview(subscription, subscription_details=details)
    ended = shop.client.v1.subscriptions.cancel(subscription.id, {
        "prorate": True, "invoice_now": True, "cancellation_details": {"feedback": "unused", "comment": "No time."},
    })  # fmt: skip
    assert (preview.total, shop.invoice(subscription).total, ended.status) == (-1500, -1500, "canceled")
    assert ended.cancellation_details.feedback == "unused"
    assert shop.client.v1.customers.retrieve("cus_a").balance == -1500


@pytest.mark.parametrize(("mode", "flag"), [("flexible", False), ("classic", True)])
def test_an_end_at_the_period_s_end_is_a_moment_and_for_classic_a_flag_too(shop: Shop, mode: str, flag: bool):
    subscription = shop.subscribe(billing_mode={"type": mode})
    ending = shop.update(subscription, cancel_at_period_end=True)
    assert (ending.cancel_at, ending.cancel_at_period_end, ending.status) == (MAY, flag, "active")
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        shop.preview(subscription)
    going_on = shop.update(subscription, cancel_at_period_end=False)
    assert (going_on.cancel_at, going_on.cancel_at_period_end) == (None, False)
    shop.update(subscription, cancel_at_period_end=True)
    shop.advance(MAY)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
