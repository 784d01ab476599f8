"""Changes of plan in the store: once for a key, as they were shown, codes counted, and nothing half-done."""

import asyncio

import pytest
from msgspec.structs import replace

from server.billing import Change, Changed, NotFound, Refusal, Refused
from server.billing.ledger.changes import pausing, restarting
from server.billing.ledger.ledger import Ledger
from server.brands.features import (
    AdjustableQuantity,
    Features,
    Product,
    Retention,
    Schedule,
    SubscriptionCancel,
    SubscriptionPause,
    SubscriptionRestart,
    SubscriptionUpdate,
)
from server.merchant.importing.files import import_records
from tests.contract.billing.test_atomicity import BreakingStore, BrokenOff, everything
from tests.support import exports
from tests.support.canceling import cancel
from tests.support.ledger_accounts import NOW, day, eur

pytestmark = pytest.mark.anyio

FEATURES = Features(
    subscription_update=SubscriptionUpdate(
        enabled=True,
        default_allowed_updates=("price", "quantity", "promotion_code"),
        products=(Product("prod_1", ("price_1", "price_2", "price_0"), AdjustableQuantity(enabled=True, maximum=9)),),
        proration_behavior="always_invoice",
        schedule_at_period_end=Schedule(("decreasing_item_amount",)),
    ),
    subscription_cancel=SubscriptionCancel(retention=Retention("OFF")),
    subscription_pause=SubscriptionPause(enabled=True),
    subscription_restart=SubscriptionRestart(enabled=True),
)


def records(limit=2):
    promotion = {"type": "coupon", "coupon": "OFF"}
    code = {"id": "promo_1", "object": "promotion_code", "code": "Half", "active": True, "promotion": promotion,
            "max_redemptions": limit, "times_redeemed": 0}  # fmt: skip
    yield exports.product()
    for identity, amount in (("price_1", 3100), ("price_2", 6200), ("price_0", 1000)):
        yield exports.price(identity, unit_amount=amount, unit_amount_decimal=str(amount))
    yield from (exports.coupon(percent_off=50), code)
    for number in (1, 2, 3, 4):
        who = {"customer": f"cus_{number}"}
        default = {"default_payment_method": f"pm_{number}"}
        yield exports.customer(f"cus_{number}", email=f"c{number}@example.com", invoice_settings=default)
        yield exports.method(f"pm_{number}", **who)
        yield exports.subscription(f"sub_{number}", [exports.item(f"si_{number}")], **who)


@pytest.fixture
async def ledger(store):
    await import_records(store, "plain", records(), now=NOW)
    return Ledger(store, "plain", FEATURES)


async def shown(ledger, change, number=1, now=NOW):
    return await ledger.preview_change(f"cus_{number}", f"sub_{number}", change, now=now)


async def change(ledger, it, token, key="key-1", number=1):
    who = f"cus_{number}", f"sub_{number}"
    return await ledger.change(*who, it, token=token, key=key, now=NOW, browser="Firefox")


async def kinds(ledger, customer="cus_1"):
    return [each.kind for each in await ledger.history(customer)]


async def test_a_change_is_made_as_it_was_shown(ledger):
    page = await shown(ledger, Change("price_2"))
    assert page.due_now == eur(1550)
    done = await change(ledger, Change("price_2"), page.token)
    assert (done.preview, done.account.subscriptions[0].items[0].price.id) == (None, "price_2")
    invoices = await ledger.invoices("cus_1")
    assert [each.amount_paid for each in invoices.invoices] == [eur(1550)]
    (line,) = await ledger.history("cus_1")
    assert (line.kind, line.data["price_after"], line.browser) == ("subscription.changed", "price_2", "Firefox")
    assert (await ledger.account("cus_1", NOW)) == done.account


async def test_a_double_click_changes_once(ledger):  # S13
    page = await shown(ledger, Change("price_2"))
    answers = await asyncio.gather(*(change(ledger, Change("price_2"), page.token) for _ in range(4)))
    assert {each.account.subscriptions[0].items[0].price.id for each in answers} == {"price_2"}
    assert all(each.preview is None for each in answers)
    assert len((await ledger.invoices("cus_1")).invoices) == 1
    assert await kinds(ledger) == ["subscription.changed"]


async def test_two_tabs_with_different_changes_leave_one_of_them(ledger):  # S13
    first, second = await shown(ledger, Change("price_2")), await shown(ledger, Change(quantity=4))
    answers = await asyncio.gather(
        change(ledger, Change("price_2"), first.token, "key-1"),
        change(ledger, Change(quantity=4), second.token, "key-2"),
    )
    (stale,) = [each.preview for each in answers if each.preview]
    (made,) = [each.account for each in answers if not each.preview]
    assert len((await ledger.invoices("cus_1")).invoices) == 1
    assert await ledger.account("cus_1", NOW) == made
    assert stale.before.price == made.subscriptions[0].items[0].price
    assert stale.before.quantity == made.subscriptions[0].items[0].quantity


async def test_a_stale_page_leaves_its_key_free(ledger):
    page = await shown(ledger, Change("price_2"))
    again = await change(ledger, Change("price_2"), "0." + page.token)
    assert again.preview == page
    assert (await change(ledger, Change("price_2"), again.preview.token)).preview is None


async def test_a_key_is_for_one_request(ledger):
    page = await shown(ledger, Change("price_2"))
    await change(ledger, Change("price_2"), page.token)
    with pytest.raises(Refused, match="key_reused"):
        await change(ledger, Change(quantity=3), page.token)


async def test_a_change_that_is_broken_off_anywhere_did_not_happen(ledger):
    breaking = BreakingStore(ledger.store)
    page = await shown(ledger, Change("price_2", code="half"))
    before = await everything(ledger.store)
    for breaking.after in range(11):
        with pytest.raises(BrokenOff):
            await change(Ledger(breaking, "plain", FEATURES), Change("price_2", code="half"), page.token)
        assert await everything(ledger.store) == before
    assert await ledger.store.read("SELECT count(*) FROM redemption") == [(0,)]


async def test_what_is_refused_changes_nothing(ledger):
    before = await everything(ledger.store)
    assert await shown(ledger, Change("price_9")) == Refusal("price_not_offered")
    with pytest.raises(Refused, match="price_not_offered"):
        await change(ledger, Change("price_9"), "")
    with pytest.raises(NotFound):
        await ledger.change("cus_1", "sub_2", Change("price_2"), token="", key="k", now=NOW, browser="")
    with pytest.raises(NotFound):
        await ledger.preview_change("cus_1", "sub_2", Change("price_2"), now=NOW)
    assert await everything(ledger.store) == before


async def test_a_scheduled_change_is_told_taken_back_and_comes_true(ledger):  # S9
    async def later(key):
        page = await shown(ledger, Change("price_0"))
        return await change(ledger, Change("price_0"), page.token, key)

    assert (await later("key-1")).account.subscriptions[0].scheduled.at == day(2026, 4, 1)
    after = await ledger.undo_change("cus_1", "sub_1", key="key-2", now=NOW, browser="")
    assert after.subscriptions[0].scheduled is None
    await later("key-3")
    april = await ledger.account("cus_1", day(2026, 4, 2))
    assert (april.subscriptions[0].items[0].price.id, april.invoices[0].total) == ("price_0", eur(1000))
    found = await kinds(ledger)
    assert found[0] == "subscription.change_applied"
    assert sorted(found[1:]) == [*["subscription.change_scheduled"] * 2, "subscription.change_undone"]


async def test_a_code_is_given_as_often_as_it_may_be_however_many_ask_at_once(ledger):  # S8
    pages = [await shown(ledger, Change(code=" HALF "), number) for number in (1, 2, 3, 4)]
    answers = await asyncio.gather(
        *(
            change(ledger, Change(code=" HALF "), page.token, f"key-{number}", number)
            for number, page in enumerate(pages, 1)
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in answers) == ["Changed", "Changed", "Refused", "Refused"]
    assert {each.preview for each in answers if isinstance(each, Changed)} == {None}
    assert {each.reason for each in answers if isinstance(each, Refused)} == {"code_used_up"}
    assert await shown(ledger, Change("price_2", code="half"), 1) in (
        Refusal("code_used_up"),
        Refusal("code_already_applied"),
    )


async def test_that_somebody_else_redeems_a_code_makes_no_page_stale(ledger):  # S8
    mine, theirs = [await shown(ledger, Change(code="half"), number) for number in (1, 2)]
    await change(ledger, Change(code="half"), theirs.token, number=2)
    assert (await change(ledger, Change(code="half"), mine.token)).preview is None


async def test_an_import_again_forgets_no_redemption(ledger, store):
    for number in (1, 2):
        page = await shown(ledger, Change(code="half"), number)
        await change(ledger, Change(code="half"), page.token, number=number)
    await import_records(store, "plain", records(), now=NOW)
    assert await shown(ledger, Change(code="half"), 3) == Refusal("code_used_up")


async def test_a_code_of_a_change_that_is_taken_back_may_be_used_again(ledger):
    for number in (1, 2):
        page = await shown(ledger, Change("price_0", code="half"), number)
        await change(ledger, Change("price_0", code="half"), page.token, number=number)
    assert await shown(ledger, Change(code="half"), 3) == Refusal("code_used_up")
    await ledger.undo_change("cus_1", "sub_1", key="key-2", now=NOW, browser="")
    assert (await shown(ledger, Change(code="half"), 3)).discount is not None


async def test_the_catalog_holds_what_the_configuration_names(ledger):
    found = await ledger.catalog()
    assert (set(found.prices), set(found.products), set(found.coupons)) == (
        {"price_0", "price_1", "price_2"}, {"prod_1"}, {"OFF"},
    )  # fmt: skip
    nothing = await Ledger(ledger.store, "plain", Features()).catalog(["price_2"])
    assert (set(nothing.prices), nothing.coupons) == ({"price_2"}, {})


async def test_staying_telling_pausing_and_starting_again(ledger):
    how = {"now": NOW, "browser": "Firefox"}
    who = ("cus_1", "sub_1")
    kept = await ledger.retain(*who, key="1", **how)
    assert kept.subscriptions[0].discounts[0].coupon.id == "OFF"
    assert (await ledger.pause(*who, 2, key="2", **how)).subscriptions[0].pause_resumes_at == day(2026, 6, 1)
    paused = await ledger.account("cus_1", NOW)
    nothing = pausing.mark_of_unpausing(paused, paused.subscriptions[0], NOW)
    with pytest.raises(Refused, match="shown_otherwise"):
        await ledger.unpause(*who, token="", key="3", **how)
    assert (await ledger.unpause(*who, token=nothing, key="3", **how)).subscriptions[0].pause_resumes_at is None
    at_once = replace(FEATURES, subscription_cancel=SubscriptionCancel(mode="immediately"))
    ending = Ledger(ledger.store, "plain", at_once)
    await cancel(ending, *who, key="4", **how)
    told = await ending.feedback(*who, "unused", "Too much coffee", key="5", **how)
    assert (told.subscriptions[0].feedback, told.subscriptions[0].comment) == ("unused", "Too much coffee")
    with pytest.raises(Refused, match="shown_otherwise"):
        await ending.restart(*who, "price_1", token=nothing, key="6", **how)
    before = await ending.account("cus_1", NOW)
    offered = restarting.restarts(before, before.subscriptions[-1], await ending.catalog(), at_once, NOW)
    token = next(each.token for each in offered if each.price.id == "price_1")
    again = await ending.restart(*who, "price_1", token=token, key="6", **how)
    assert [each.status for each in again.subscriptions] == ["active", "canceled"]
    assert set(await kinds(ledger)) == {
        f"subscription.{word}" for word in ("retained", "paused", "unpaused", "canceled", "feedback", "restarted")
    }
    with pytest.raises(Refused, match="not_ended"):
        await ending.restart("cus_2", "sub_2", "price_1", token=token, key="7", **how)
