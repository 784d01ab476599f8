"""Another plan at Stripe: what the page shows is what the invoice says, at once and at the period's end."""

from __future__ import annotations

import itertools
import random

import pytest
from msgspec.structs import replace

from server.billing import Cancel, Move, Refusal, Refused, Stale, UndoMove
from server.brands.features import Schedule
from server.features.subscriptions import views
from server.formats.money import Money
from tests.contract.stripe_standin.shop import DAY, MAY, NOON
from tests.contract.stripe_writes.counter import MOVES, features
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio
DEFERRED = replace(MOVES, schedule_at_period_end=Schedule(conditions=("decreasing_item_amount", "shortening_interval")))


def forget(shop) -> None:
    """The next change finds an account with nothing in it: it would take longer each time."""
    for kind in ("subscription", "invoice", "invoiceitem", "discount", "payment_intent", "charge", "invoice_payment"):
        for row in shop.world.of("cus_a", kind):
            shop.world.drop(row)
    shop.world.tables["event"].clear()
    shop.customer_row["balance"] = 0


async def test_a_dearer_plan_charges_what_the_page_shows(any_counter, shop):
    await any_counter.sell()
    subscription = shop.subscribe()
    shop.advance(NOON)
    shown = await any_counter.billing.preview(any_counter.by(), subscription.id, Move(price="price_big"))
    assert (shown.at_once, shown.due_now) == (True, Money(3000, "EUR"))
    assert [each.amount.amount for each in shown.charge.lines] == [-1500, 4500]
    assert (shown.next_charge.total, int(shown.next_charge.at.timestamp())) == (Money(9000, "EUR"), MAY)
    shop.advance(NOON + 1500)
    by = any_counter.by()
    answer = await any_counter.billing.apply(by, subscription.id, Move(price="price_big"), shown=shown.fingerprint)
    item = answer.account.subscriptions[0].items[0]
    assert (item.price.id, item.quantity) == ("price_big", 1)
    assert answer.account.invoices[0].total == Money(3000, "EUR")
    assert answer.account.invoices[0].status == "paid"
    lines = await any_counter.billing.history("cus_a")
    assert (lines[0].kind, lines[0].data["price_after"]) == ("subscription.changed", "price_big")


async def test_a_page_whose_numbers_changed_moves_nothing(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    shop.advance(NOON)
    shown = await counter.billing.preview(counter.by(), subscription.id, Move(price="price_big"))
    shop.world.tables["price"]["price_big"].update(unit_amount=12000, unit_amount_decimal="12000")
    answer = await counter.billing.apply(
        counter.by(), subscription.id, Move(price="price_big"), shown=shown.fingerprint
    )
    assert isinstance(answer, Stale)
    assert answer.preview.due_now == Money(4500, "EUR")
    assert answer.account.subscriptions[0].items[0].price.id == "price_basic"


@pytest.mark.parametrize("mode", ["flexible", "classic"])
async def test_a_cheaper_plan_waits_for_the_period_s_end_and_can_be_taken_back(any_counter, shop, mode):
    counter = any_counter
    await counter.sell()
    counter.features = features(subscription_update=DEFERRED)
    subscription = shop.subscribe("price_big", billing_mode={"type": mode})
    shop.advance(NOON)
    shown = await counter.billing.preview(counter.by(), subscription.id, Move(price="price_basic"))
    assert (shown.at_once, shown.deferred_by, shown.charge) == (False, "decreasing_item_amount", None)
    assert (int(shown.applies_at.timestamp()), shown.next_charge.total) == (MAY, Money(3000, "EUR"))
    account = await counter.do(subscription, Move(price="price_basic"))
    found = account.subscriptions[0]
    assert (found.schedule, found.scheduled.price.id, int(found.scheduled.at.timestamp())) == ("", "price_basic", MAY)
    assert account.upcoming[0].total == Money(3000, "EUR")
    account = await counter.do(subscription, UndoMove())
    assert (account.subscriptions[0].scheduled, account.upcoming[0].total) == (None, Money(9000, "EUR"))
    account = await counter.do(subscription, Move(price="price_basic"))
    shop.advance(MAY + 3600)
    assert shop.invoice(subscription).total == 3000
    account = await counter.billing.refetch("cus_a", counter.now)
    assert account.subscriptions[0].items[0].price.id == "price_basic"


async def test_a_change_at_once_takes_the_place_of_one_that_waits(counter, shop):
    await counter.sell()
    counter.features = features(subscription_update=DEFERRED)
    subscription = shop.subscribe("price_basic", 3)
    shop.advance(NOON)
    await counter.do(subscription, Move(quantity=2))
    shop.advance(NOON + 10)
    account = await counter.do(subscription, Move(quantity=4))
    assert (account.subscriptions[0].scheduled, account.subscriptions[0].items[0].quantity) == (None, 4)
    account = await counter.do(subscription, Move(quantity=1))
    shop.advance(NOON + 20)
    account = await counter.do(subscription, Move(quantity=2))
    assert account.subscriptions[0].scheduled.quantity == 2
    account = await counter.do(subscription, Cancel())
    assert int(account.subscriptions[0].cancel_at.timestamp()) == MAY


async def test_a_schedule_of_the_business_is_left_alone(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    made = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    now = made.phases[0]
    shop.client.v1.subscription_schedules.update(made.id, {"phases": [
        {"items": [{"price": now["items"][0].price, "quantity": 1}], "start_date": now.start_date, "end_date": now.end_date},
        {"items": [{"price": "price_yearly", "quantity": 2}], "duration": {"interval": "year", "interval_count": 1}},
    ]})  # fmt: skip
    found = (await counter.billing.refetch("cus_a", counter.now)).subscriptions[0]
    ((item,),) = (each.items for each in found.phases)
    assert (found.schedule, found.scheduled, item.price.id, item.quantity) == (made.id, None, "price_yearly", 2)
    shown = views.card(found, await counter.billing.account("cus_a", counter.now), counter.features, counter.now)
    assert (int(shown.scheduled.at.timestamp()), shown.scheduled.may_undo, shown.has_schedule) == (MAY, False, False)
    for action in (Move(price="price_big"), Cancel()):
        refused = await counter.billing.preview(counter.by(), subscription.id, action)
        assert refused == Refusal("scheduled_by_business")
    with pytest.raises(Refused, match="scheduled_by_business"):
        await counter.billing.apply(counter.by(), subscription.id, Cancel())


async def test_a_change_whose_payment_fails_is_not_made(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("0341")
    shop.advance(NOON)
    with pytest.raises(Refused, match="payment_failed"):
        await counter.do(subscription, Move(price="price_big"))
    account = await counter.billing.account("cus_a", counter.now)
    assert account.subscriptions[0].items[0].price.id == "price_basic"
    assert len(account.invoices) == 1


async def test_a_promotion_code_is_looked_up_and_counted_once(counter, shop):
    await counter.sell()
    shop.world.add("coupon", id="half", percent_off=50.0, duration="once", name="Half")
    code = {"coupon": "half", "type": "coupon"}
    shop.world.add(
        "promotion_code", id="promo_spring", code="SPRING", active=True, promotion=code,
        restrictions={"first_time_transaction": False},
    )  # fmt: skip
    subscription = shop.subscribe()
    shop.advance(NOON)
    wrong = await counter.billing.preview(counter.by(), subscription.id, Move(code="autumn"))
    assert wrong == Refusal("code_unknown")
    shown = await counter.billing.preview(counter.by(), subscription.id, Move(code="spring"))
    assert (shown.discount.coupon.id, shown.next_charge.total) == ("half", Money(1500, "EUR"))
    account = await counter.do(subscription, Move(code="spring"))
    assert [each.coupon.id for each in account.subscriptions[0].discounts] == ["half"]
    assert shop.world.tables["promotion_code"]["promo_spring"]["times_redeemed"] == 1
    shop.advance(MAY + 3600)
    assert shop.invoice(subscription).total == 1500


@pytest.mark.parametrize(
    ("behavior", "status", "due"), [("end_trial", "active", 9000), ("continue_trial", "trialing", 0)]
)
async def test_a_trial_ends_or_goes_on_as_configured(counter, shop, behavior, status, due):
    await counter.sell()
    counter.features = features(subscription_update=replace(MOVES, trial_update_behavior=behavior))
    subscription = shop.subscribe(trial_period_days=7)
    shown = await counter.billing.preview(counter.by(), subscription.id, Move(price="price_big"))
    assert (shown.ends_trial, shown.due_now) == (status == "active", Money(due, "EUR"))
    account = await counter.do(subscription, Move(price="price_big"))
    assert account.subscriptions[0].status == status
    assert account.invoices[0].total == Money(due, "EUR")


@pytest.mark.parametrize("fault", ["lost", "500_done"])
async def test_a_change_that_was_made_without_an_answer_is_billed_once(counter, shop, fault):
    await counter.sell()
    subscription = shop.subscribe()
    shop.advance(NOON)
    shown = await counter.billing.preview(counter.by(), subscription.id, Move(price="price_big"))
    shop.standin.faults.append(Fault(fault, "subscription.update"))
    answer = await counter.billing.apply(
        counter.by(), subscription.id, Move(price="price_big"), shown=shown.fingerprint
    )
    assert answer.account.subscriptions[0].items[0].price.id == "price_big"
    assert len(answer.account.invoices) == 2
    assert await counter.later(minutes=1) == 0


async def test_the_sum_on_the_page_is_the_sum_of_the_invoice_in_200_changes(counter, shop):
    """Plan, quantity, discount, tax, interval, proration and both billing modes, at any second of the period."""
    await counter.sell()
    shop.world.add("coupon", id="third", percent_off=33.3, duration="forever")
    shop.world.add("tax_rate", id="txr_on", inclusive=False, display_name="Tax", percentage=8.875)
    randomly = random.Random(11)
    modes = itertools.cycle(itertools.product(("flexible", "classic"), ("always_invoice", "create_prorations", "none")))
    for (mode, proration), _ in zip(modes, range(200), strict=False):
        more = {"discounts": [{"coupon": "third"}]} if randomly.random() < 0.5 else {}
        subscription = shop.subscribe(
            randomly.choice(("price_basic", "price_free", "price_big")), randomly.randint(1, 9),
            billing_mode={"type": mode}, default_tax_rates=["txr_on"], **more,
        )  # fmt: skip
        counter.features = features(subscription_update=replace(MOVES, proration_behavior=proration))
        shop.advance(shop.world.now + randomly.randint(1, 20 * DAY))
        await counter.billing.refetch("cus_a", counter.now)
        wanted = Move(randomly.choice(("price_basic", "price_big", "price_yearly")), randomly.randint(1, 9))
        shown = await counter.billing.preview(counter.by(), subscription.id, wanted)
        if isinstance(shown, Refusal):
            assert shown.reason == "no_change"
        else:
            shop.advance(shop.world.now + randomly.randint(0, 600))
            before = shop.invoice(subscription).id
            answer = await counter.billing.apply(counter.by(), subscription.id, wanted, shown=shown.fingerprint)
            assert not isinstance(answer, Stale)
            made = shop.invoice(subscription)
            if shown.charge:
                sums = [each.amount.amount for each in shown.charge.lines]
                assert [line.amount for line in made.lines.data] == sums
                assert (made.total, made.amount_due) == (shown.charge.total.amount, shown.due_now.amount)
            else:
                assert made.id == before
                shop.advance(int(shown.next_charge.at.timestamp()) + 3601)
                made = shop.invoice(subscription)
                assert made.total == shown.next_charge.total.amount
        forget(shop)
