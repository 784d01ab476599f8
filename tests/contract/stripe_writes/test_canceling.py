"""The end of a subscription at Stripe: at the period's end, at once, taken back, its reasons and the coupon to stay."""

from __future__ import annotations

import pytest

from server.billing import Cancel, Refusal, Refused, Resume, Retain, Stale, Tell
from server.formats.money import Money
from tests.contract.stripe_standin.shop import MAY, NOON
from tests.contract.stripe_writes.counter import CANCEL_NOW, features

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["flexible", "classic"])
async def test_an_end_at_the_period_s_end_is_decided_and_taken_back(any_counter, shop, mode):
    subscription = shop.subscribe(billing_mode={"type": mode})
    shop.advance(NOON)
    preview = await any_counter.billing.preview(any_counter.by(), subscription.id, Cancel())
    assert (preview.at_once, int(preview.ends_at.timestamp()), preview.credit) == (False, MAY, None)
    account = await any_counter.do(subscription, Cancel())
    assert int(account.subscriptions[0].cancel_at.timestamp()) == MAY
    shop.advance(NOON + 60)
    account = await any_counter.do(subscription, Resume())
    assert account.subscriptions[0].cancel_at is None
    lines = await any_counter.billing.history("cus_a")
    assert [each.kind for each in lines] == ["subscription.resumed", "subscription.canceled"]
    assert lines[0].browser == "Firefox"


@pytest.mark.parametrize(("mode", "given_back"), [("flexible", 750), ("classic", 1500)])
async def test_an_end_at_once_shows_what_goes_back_and_gives_it(counter, shop, mode, given_back):
    shop.world.add("coupon", id="half", percent_off=50.0, duration="once")
    counter.features = features(subscription_cancel=CANCEL_NOW)
    subscription = shop.subscribe(billing_mode={"type": mode}, discounts=[{"coupon": "half"}])
    shop.advance(NOON)
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    assert (preview.at_once, preview.credit, preview.due) == (True, Money(given_back, "EUR"), None)
    account = await counter.do(subscription, Cancel())
    assert account.subscriptions[0].status == "canceled"
    assert shop.customer_row["balance"] == -given_back


async def test_what_changed_since_the_page_is_not_canceled(counter, shop):
    counter.features = features(subscription_cancel=CANCEL_NOW)
    subscription = shop.subscribe()
    shop.advance(NOON)
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    item = subscription["items"].data[0].id
    shop.update(subscription, items=[{"id": item, "quantity": 2}], proration_behavior="always_invoice")
    answer = await counter.billing.apply(counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    assert isinstance(answer, Stale)
    assert answer.preview.credit == Money(3000, "EUR")
    assert answer.account.subscriptions[0].status == "active"


async def test_the_numbers_of_a_page_hold_for_a_while(counter, shop):
    counter.features = features(subscription_cancel=CANCEL_NOW)
    subscription = shop.subscribe()
    shop.advance(NOON)
    preview = await counter.billing.preview(counter.by(), subscription.id, Cancel())
    shop.advance(NOON + 1200)
    answer = await counter.billing.apply(counter.by(), subscription.id, Cancel(), shown=preview.fingerprint)
    assert answer.account.subscriptions[0].status == "canceled"


async def test_a_page_of_another_subscription_cancels_nothing(counter, shop):
    one, other = shop.subscribe(), shop.subscribe()
    preview = await counter.billing.preview(counter.by(), one.id, Cancel())
    answer = await counter.billing.apply(counter.by(), other.id, Cancel(), shown=preview.fingerprint)
    assert isinstance(answer, Stale)
    assert all(each.cancel_at is None for each in answer.account.subscriptions)


async def test_the_reasons_are_stripe_s_own(counter, shop):
    subscription = shop.subscribe()
    await counter.do(subscription, Cancel())
    account = await counter.do(subscription, Tell("unused", "No time."))
    assert (account.subscriptions[0].feedback, account.subscriptions[0].comment) == ("unused", "No time.")
    said = shop.client.v1.subscriptions.retrieve(subscription.id).cancellation_details
    assert (said.feedback, said.comment) == ("unused", "No time.")


async def test_a_reason_that_is_not_offered_is_refused(counter, shop):
    subscription = shop.subscribe()
    await counter.do(subscription, Cancel())
    with pytest.raises(Refused, match="unknown_reason"):
        await counter.do(subscription, Tell("moods"))


async def test_the_coupon_to_stay_is_given_once(counter, shop):
    shop.world.add("coupon", id="stay", percent_off=20.0, duration="forever", name="Stay")
    await counter.billing.copied_catalog.refresh("coupon", "stay")
    subscription = shop.subscribe()
    offer = await counter.billing.preview(counter.by(), subscription.id, Retain())
    assert (offer.before.total, offer.after.total) == (Money(3000, "EUR"), Money(2400, "EUR"))
    account = await counter.do(subscription, Retain())
    assert account.subscriptions[0].retained == "stay"
    assert account.upcoming[0].total == Money(2400, "EUR")
    assert await counter.billing.preview(counter.by(), subscription.id, Retain()) == Refusal("no_offer")
    again = await counter.billing.apply(counter.by(), subscription.id, Retain(), shown=offer.fingerprint)
    assert again.account.subscriptions == account.subscriptions
    assert shop.world.tables["coupon"]["stay"]["times_redeemed"] == 1


async def test_a_coupon_that_is_over_before_a_yearly_plan_renews_is_not_offered(counter, shop):
    shop.world.add("coupon", id="stay", percent_off=20.0, duration="repeating", duration_in_months=3, name="Stay")
    await counter.billing.copied_catalog.refresh("coupon", "stay")
    subscription = shop.subscribe("price_yearly")
    assert await counter.billing.preview(counter.by(), subscription.id, Retain()) == Refusal("no_offer")
