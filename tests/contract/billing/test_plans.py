"""Changes of plan in the store: once for a key, as they were shown, codes counted, and nothing half-done."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import (
    Done,
    Move,
    NotFound,
    Pause,
    Refusal,
    Refused,
    Restart,
    Restarts,
    Retain,
    Stale,
    Tell,
    UndoMove,
    Unpause,
)
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
from tests.support.backends import allowing
from tests.support.canceling import cancel
from tests.support.ledger_accounts import NOW, day, eur
from tests.support.pages import ledger_of

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
async def billing(backend):
    found = await backend.begun(records(), FEATURES)
    for number in (1, 2, 3, 4):
        await found.account(f"cus_{number}", NOW)
    return found


@pytest.fixture
async def ledger(store):
    await import_records(store, "plain", records(), now=NOW)
    return ledger_of(store, "plain", FEATURES)


async def shown(billing, change, number=1, now=NOW):
    return await billing.preview(billing.by(f"cus_{number}", now=now), f"sub_{number}", change)


async def change(billing, it, token, key="key-1", number=1):
    by = billing.by(f"cus_{number}", key=key, now=NOW, browser="Firefox")
    return await billing.apply(by, f"sub_{number}", it, shown=token)


async def kinds(billing, customer="cus_1"):
    return [each.kind for each in await billing.history(customer)]


async def test_a_change_is_made_as_it_was_shown(billing):
    page = await shown(billing, Move("price_2"))
    assert page.due_now == eur(1550)
    done = await change(billing, Move("price_2"), page.fingerprint)
    assert (type(done), done.account.subscriptions[0].items[0].price.id) == (Done, "price_2")
    invoices = await billing.invoices("cus_1")
    assert [each.amount_paid for each in invoices.invoices] == [eur(1550)]
    (line,) = await billing.history("cus_1")
    assert (line.kind, line.data["price_after"], line.browser) == ("subscription.changed", "price_2", "Firefox")
    assert (await billing.account("cus_1", NOW)) == done.account


async def test_a_double_click_changes_once(billing):  # S13
    page = await shown(billing, Move("price_2"))
    answers = await asyncio.gather(*(change(billing, Move("price_2"), page.fingerprint) for _ in range(4)))
    assert {each.account.subscriptions[0].items[0].price.id for each in answers} == {"price_2"}
    assert {type(each) for each in answers} == {Done}
    assert len((await billing.invoices("cus_1")).invoices) == 1
    assert await kinds(billing) == ["subscription.changed"]


async def test_two_tabs_with_different_changes_leave_one_of_them(billing):  # S13
    first, second = await shown(billing, Move("price_2")), await shown(billing, Move(quantity=4))
    answers = await asyncio.gather(
        change(billing, Move("price_2"), first.fingerprint, "key-1"),
        change(billing, Move(quantity=4), second.fingerprint, "key-2"),
    )
    (stale,) = [each.preview for each in answers if isinstance(each, Stale)]
    (made,) = [each.account for each in answers if isinstance(each, Done)]
    assert len((await billing.invoices("cus_1")).invoices) == 1
    assert await billing.account("cus_1", NOW) == made
    assert stale.before.price == made.subscriptions[0].items[0].price
    assert stale.before.quantity == made.subscriptions[0].items[0].quantity


async def test_a_stale_page_leaves_its_key_free(billing):
    page = await shown(billing, Move("price_2"))
    again = await change(billing, Move("price_2"), "0." + page.fingerprint)
    assert (again.preview.fingerprint, again.preview.due_now) == (page.fingerprint, page.due_now)
    assert isinstance(await change(billing, Move("price_2"), again.preview.fingerprint), Done)


async def test_a_key_is_for_one_request(billing):
    page = await shown(billing, Move("price_2"))
    await change(billing, Move("price_2"), page.fingerprint)
    with pytest.raises(Refused, match="key_reused"):
        await change(billing, Move(quantity=3), page.fingerprint)


async def test_a_change_that_is_broken_off_anywhere_did_not_happen(ledger):
    breaking = BreakingStore(ledger.store)
    page = await shown(ledger, Move("price_2", code="half"))
    before = await everything(ledger.store)
    for breaking.after in range(11):
        with pytest.raises(BrokenOff):
            await change(ledger_of(breaking, "plain", FEATURES), Move("price_2", code="half"), page.fingerprint)
        assert await everything(ledger.store) == before
    assert await ledger.store.read("SELECT count(*) FROM redemption") == [(0,)]


async def test_what_is_refused_changes_nothing(billing):
    before = await everything(billing.store)
    assert await shown(billing, Move("price_9")) == Refusal("price_not_offered")
    with pytest.raises(Refused, match="price_not_offered"):
        await change(billing, Move("price_9"), "")
    with pytest.raises(NotFound):
        await billing.apply(billing.by(key="k", now=NOW), "sub_2", Move("price_2"))
    with pytest.raises(NotFound):
        await billing.preview(billing.by(now=NOW), "sub_2", Move("price_2"))
    assert await everything(billing.store) == before


async def test_a_scheduled_change_is_told_taken_back_and_comes_true(billing):  # S9
    async def later(key):
        page = await shown(billing, Move("price_0"))
        return await change(billing, Move("price_0"), page.fingerprint, key)

    assert (await later("key-1")).account.subscriptions[0].scheduled.at == day(2026, 4, 1)
    after = (await billing.apply(billing.by(key="key-2", now=NOW), "sub_1", UndoMove())).account
    assert after.subscriptions[0].scheduled is None
    await later("key-3")
    april = await billing.account("cus_1", day(2026, 4, 2))
    assert (april.subscriptions[0].items[0].price.id, april.invoices[0].total) == ("price_0", eur(1000))
    found = await kinds(billing)
    assert found[0] == "subscription.change_applied"
    assert sorted(found[1:]) == [*["subscription.change_scheduled"] * 2, "subscription.change_undone"]


async def test_a_code_is_given_as_often_as_it_may_be_however_many_ask_at_once(billing):  # S8
    pages = [await shown(billing, Move(code=" HALF "), number) for number in (1, 2, 3, 4)]
    answers = await asyncio.gather(
        *(
            change(billing, Move(code=" HALF "), page.fingerprint, f"key-{number}", number)
            for number, page in enumerate(pages, 1)
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in answers) == ["Done", "Done", "Refused", "Refused"]
    said = {each.reason for each in answers if isinstance(each, Refused)}
    assert said <= {"code_used_up", "code_expired"}  # Stripe has one word for both, once the request is there
    assert await shown(billing, Move("price_2", code="half"), 1) in (
        Refusal("code_used_up"),
        Refusal("code_already_applied"),
    )


async def test_that_somebody_else_redeems_a_code_makes_no_page_stale(billing):  # S8
    mine, theirs = [await shown(billing, Move(code="half"), number) for number in (1, 2)]
    await change(billing, Move(code="half"), theirs.fingerprint, number=2)
    assert isinstance(await change(billing, Move(code="half"), mine.fingerprint), Done)


async def test_an_import_again_forgets_no_redemption(ledger, store):
    for number in (1, 2):
        page = await shown(ledger, Move(code="half"), number)
        await change(ledger, Move(code="half"), page.fingerprint, number=number)
    await import_records(store, "plain", records(), now=NOW)
    assert await shown(ledger, Move(code="half"), 3) == Refusal("code_used_up")


async def test_a_code_of_a_change_that_is_taken_back_may_be_used_again(billing):
    for number in (1, 2):
        page = await shown(billing, Move("price_0", code="half"), number)
        await change(billing, Move("price_0", code="half"), page.fingerprint, number=number)
    assert await shown(billing, Move(code="half"), 3) == Refusal("code_used_up")
    await billing.apply(billing.by(key="key-2", now=NOW), "sub_1", UndoMove())
    assert (await shown(billing, Move(code="half"), 3)).discount is not None


async def test_the_catalog_holds_what_the_configuration_names(billing):
    found = await billing.catalog(FEATURES)
    assert (set(found.prices), set(found.products), set(found.coupons)) == (
        {"price_0", "price_1", "price_2"}, {"prod_1"}, {"OFF"},
    )  # fmt: skip
    nothing = await billing.catalog(Features(), ["price_2"])
    assert (set(nothing.prices), nothing.coupons) == ({"price_2"}, {})


async def test_staying_telling_pausing_and_starting_again(billing):
    async def do(action, key, asked=billing, who=1):
        by = asked.by(f"cus_{who}", key=key, now=NOW, browser="Firefox")
        shown = ""
        if isinstance(action, Retain | Unpause | Restart):
            shown = await asked.preview(by, f"sub_{who}", action)
        if isinstance(shown, Restarts):
            shown = next(each for each in shown.options if each.price.id == action.price)
        found = await asked.apply(by, f"sub_{who}", action, shown=getattr(shown, "fingerprint", ""))
        assert isinstance(found, Done)
        return found.account

    assert (await do(Retain(), "1")).subscriptions[0].discounts[0].coupon.id == "OFF"
    resumes_at = (await do(Pause(2), "2")).subscriptions[0].pause_resumes_at
    assert day(2026, 6, 1) - timedelta(minutes=1) <= resumes_at <= day(2026, 6, 1)  # at Stripe just before the period
    assert isinstance(await billing.apply(billing.by(key="3", now=NOW), "sub_1", Unpause(), shown=""), Stale)
    assert (await do(Unpause(), "3")).subscriptions[0].pause_resumes_at is None
    ending = allowing(billing, replace(FEATURES, subscription_cancel=SubscriptionCancel(mode="immediately")))
    await cancel(ending, "cus_1", "sub_1", key="4", now=NOW, browser="Firefox")
    told = await do(Tell("unused", "Too much coffee"), "5", ending)
    assert (told.subscriptions[0].feedback, told.subscriptions[0].comment) == ("unused", "Too much coffee")
    nothing = await ending.apply(ending.by(key="6", now=NOW), "sub_1", Restart("price_1"), shown="x")
    assert isinstance(nothing, Stale)
    again = await do(Restart("price_1"), "6", ending)
    assert [each.status for each in again.subscriptions] == ["active", "canceled"]
    assert set(await kinds(billing)) == {
        f"subscription.{word}" for word in ("retained", "paused", "unpaused", "canceled", "feedback", "restarted")
    }
    with pytest.raises(Refused, match="not_ended"):
        await do(Restart("price_1"), "7", ending, who=2)
