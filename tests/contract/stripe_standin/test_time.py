"""Schedules, pauses and what the clock brings."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.contract.stripe_standin.shop import APRIL, DAY, MAY, NOON, Shop

JUNE = MAY + 31 * DAY


def _scheduled(shop: Shop, subscription: stripe.Subscription, price: str) -> stripe.SubscriptionSchedule:
    """Another price from the next period on."""
    made = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    now = made.phases[0]
    return shop.client.v1.subscription_schedules.update(made.id, {"metadata": {"postern": "1"}, "phases": [
        {"items": [{"price": now["items"][0].price, "quantity": 1}], "start_date": now.start_date, "end_date": now.end_date},
        {"items": [{"price": price, "quantity": 1}], "duration": {"interval": "month", "interval_count": 1}},
    ]})  # fmt: skip


def test_a_scheduled_change_is_previewed_and_then_happens(shop: Shop):
    subscription = shop.subscribe("price_big")
    schedule = _scheduled(shop, subscription, "price_basic")
    assert [each["items"][0].price for each in schedule.phases] == ["price_big", "price_basic"]
    preview = shop.client.v1.invoices.create_preview({"schedule": schedule.id})
    shop.advance(MAY + 3600)
    renewed = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert renewed["items"].data[0].price.id == "price_basic"
    assert (preview.total, shop.invoice(subscription).total) == (3000, 3000)
    shop.advance(JUNE)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).schedule is None
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "released"


def test_under_a_schedule_an_end_is_refused_until_it_is_released(shop: Shop):
    subscription = shop.subscribe("price_big")
    schedule = _scheduled(shop, subscription, "price_basic")
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        shop.update(subscription, cancel_at_period_end=True)
    shop.client.v1.subscription_schedules.release(schedule.id)
    shop.update(subscription, cancel_at_period_end=True)
    with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
        shop.client.v1.subscription_schedules.release(schedule.id)
    shop.advance(MAY)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"


def test_a_pause_gives_back_and_resuming_begins_a_new_period(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    paused = shop.client.v1.subscriptions.pause(subscription.id, {"invoicing_behavior": "invoice"})
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    assert shop.invoice(subscription).total == -1500
    shop.advance(MAY + 5 * DAY)
    preview = shop.preview(subscription, subscription_details={"resume_at": "now"})
    resumed = shop.client.v1.subscriptions.resume(subscription.id)
    made = shop.invoice(subscription)
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", MAY + 5 * DAY)
    assert (preview.total, preview.amount_due, made.total, made.amount_due) == (3000, 1500, 3000, 1500)


def test_a_classic_subscription_cannot_be_paused_but_its_collection_can(shop: Shop):
    subscription = shop.subscribe(billing_mode={"type": "classic"})
    with pytest.raises(stripe.InvalidRequestError, match="billing_mode"):
        shop.client.v1.subscriptions.pause(subscription.id)
    shop.update(subscription, pause_collection={"behavior": "void", "resumes_at": MAY + 10 * DAY})
    shop.advance(MAY + 3600)
    assert shop.invoice(subscription).status == "void"
    shop.advance(MAY + 10 * DAY)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).pause_collection is None


def test_a_first_payment_that_never_comes_ends_after_23_hours(shop: Shop):
    shop.pays_with("3184")
    subscription = shop.subscribe()
    assert subscription.status == "incomplete"
    shop.advance(APRIL + 23 * 3600)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "incomplete_expired"


def test_a_subscription_that_began_on_the_31st_renews_on_the_last_day_of_shorter_months(shop: Shop):
    shop.advance(MAY + 30 * DAY)
    subscription = shop.subscribe()
    ends = []
    for _ in range(3):
        ends.append(subscription["items"].data[0].current_period_end)
        shop.advance(ends[-1])
        subscription = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert [(end - MAY) // DAY for end in ends] == [60, 91, 122]  # the 30th of June, the 31st of July and of August


def test_the_authority_answers_for_a_tax_id_a_little_later(shop: Shop):
    tax_ids = shop.client.v1.customers.tax_ids
    good = tax_ids.create("cus_a", {"type": "eu_vat", "value": "DE123456789"})
    bad = tax_ids.create("cus_a", {"type": "eu_vat", "value": "DE111111111"})
    assert good.verification.status == "pending"
    shop.advance(APRIL + 5)
    answers = {each.id: each.verification.status for each in tax_ids.list("cus_a")}
    assert answers == {good.id: "verified", bad.id: "unverified"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        tax_ids.create("cus_a", {"type": "eu_vat", "value": "?"})
    assert refused.value.code == "tax_id_invalid"
    assert tax_ids.delete("cus_a", bad.id).deleted


def test_codes_are_refused_for_the_reason_that_stripe_names(shop: Shop):
    shop.world.add("coupon", id="half", percent_off=50.0, duration="once")
    promotion, restricted = {"type": "coupon", "coupon": "half"}, {"first_time_transaction": True}
    shop.world.add("promotion_code", id="promo_new", code="NEW", promotion=promotion, restrictions=restricted)
    shop.world.add("promotion_code", id="promo_off", code="OFF", promotion=promotion, active=False)
    assert shop.client.v1.promotion_codes.list({"code": "new", "active": True}).data[0].id == "promo_new"
    subscription = shop.subscribe()
    for code, why in (("promo_new", "promotion_code_customer_not_first_time"), ("promo_off", "promotion_code_expired")):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.preview(subscription, discounts=[{"promotion_code": code}])
        assert refused.value.code == why
    assert shop.preview(subscription, discounts=[{"coupon": "half"}]).total == 1500


def test_a_deferred_change_is_previewed_before_it_is_scheduled(shop: Shop):
    subscription = shop.subscribe("price_big")
    made = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    now = made.phases[0]
    phases: Any = [
        {"items": [{"price": "price_big", "quantity": 1}], "start_date": now.start_date, "end_date": now.end_date},
        {"items": [{"price": "price_basic", "quantity": 2}]},
    ]
    preview = shop.client.v1.invoices.create_preview({"schedule": made.id, "schedule_details": {"phases": phases}})
    assert (preview.total, shop.preview(subscription).total) == (6000, 9000)
