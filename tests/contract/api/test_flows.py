"""Flows: one thing that the customer is led through, and what comes after it."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe.shapes import checked
from tests.support.accounts import ending, item, keep, subscription
from tests.support.api import back_end
from tests.support.client import Client
from tests.support.provider import CARD
from tests.support.selling import BIG, CODES, ELSE, HALF, SMALL, STAY, YEARLY, buyer, offering, sell, stored
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
OF_ONE = {"subscription": "sub_1"}
CANCEL = {"type": "subscription_cancel", "subscription_cancel": OF_ONE}
SHOP = "https://shop.example/done"


async def selling(store: Any, clock: Any) -> World:
    """Where everything may be changed, and jenny has one subscription."""
    world = World(store, clock, features=offering())
    await sell(world, SMALL, BIG, YEARLY, HALF, STAY, ELSE, *CODES)
    await keep(world, buyer())
    return world


@pytest.fixture
async def shop(sqlite_store: Any, clock: Any) -> World:
    return await selling(sqlite_store, clock)


@pytest.fixture
async def any_shop(store: Any, clock: Any) -> World:
    """On both stores."""
    return await selling(store, clock)


async def begin(world: World, flow: dict[str, Any], **params: Any) -> tuple[Client, httpx.Response]:
    """A browser on the flow's first page."""
    end = await back_end(world)
    made = await end.v1.billing_portal.sessions.create_async({"customer": "cus_jenny", "flow_data": flow, **params})
    checked(made.to_dict(), type(made), type(made).__module__)
    assert made.flow
    assert made.flow.type == flow["type"]
    browser = world.client()
    page = await browser.get(made.url, follow=True)
    assert page.status_code == 200, page.text
    return browser, page


async def test_canceling_ends_in_a_confirmation(any_shop: World) -> None:  # F2, F3, F4
    browser, page = await begin(any_shop, CANCEL, return_url="https://shop.example/back")
    assert page.url.path == f"/{BRAND}/my/subscriptions/sub_1/cancel"
    assert "https://shop.example/back" in page.text
    assert "<nav" not in page.text
    before = await browser.get(f"{page.url.path}?offer=declined")
    done = await browser.fill(before, follow=True)
    assert done.url.path == f"/{BRAND}/my/flow/done"
    assert "Your subscription ends on" in done.text
    assert "/feedback" in done.text
    assert "<nav" not in done.text
    assert (await stored(any_shop)).subscriptions[0].cancel_at


async def test_the_offer_of_the_flow_is_made_before_the_cancellation(shop: World) -> None:
    retention = {"type": "coupon_offer", "coupon_offer": {"coupon": "HALF"}}
    flow = {"type": "subscription_cancel", "subscription_cancel": {**OF_ONE, "retention": retention}}
    browser, page = await begin(shop, flow)
    assert "50" in page.text
    done = await browser.fill(page, follow=True)
    assert "Your subscription continues" in done.text
    assert (await stored(shop)).subscriptions[0].retained == "HALF"


async def test_a_message_of_the_business_stands_below_what_was_done(shop: World) -> None:
    after = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Fare <b>well</b>"}}
    browser, page = await begin(shop, {**CANCEL, "after_completion": after})
    done = await browser.fill(await browser.get(f"{page.url.path}?offer=declined"), follow=True)
    assert "Fare &lt;b&gt;well&lt;/b&gt;" in done.text
    assert "Your subscription ends on March 15, 2026" in done.text


@pytest.mark.parametrize("fragment", [False, True])
async def test_a_redirect_leads_to_the_business(shop: World, fragment: bool) -> None:
    after = {"type": "redirect", "redirect": {"return_url": SHOP}}
    browser, page = await begin(shop, {**CANCEL, "after_completion": after})
    before = await browser.get(f"{page.url.path}?offer=declined")
    sent = await browser.fill(before, fragment=fragment)
    done = await browser.get(sent.headers["hx-redirect" if fragment else "location"])
    assert (done.status_code, done.headers["refresh"]) == (200, f"0; url={SHOP}")
    assert f'href="{SHOP}"' in done.text


async def test_the_whole_portal_may_come_after_the_flow(shop: World) -> None:
    browser, page = await begin(shop, {**CANCEL, "after_completion": {"type": "portal_homepage"}})
    assert "<nav" not in page.text
    done = await browser.fill(await browser.get(f"{page.url.path}?offer=declined"), follow=True)
    assert done.url.path == f"/{BRAND}/my/overview"
    assert "<nav" in done.text


async def test_a_move_is_shown_and_confirmed(any_shop: World) -> None:
    confirm = {
        **OF_ONE,
        "items": [{"id": "si_1", "price": BIG.id, "quantity": 2}],
        "discounts": [{"promotion_code": "promo_half"}],
    }
    flow = {"type": "subscription_update_confirm", "subscription_update_confirm": confirm}
    browser, page = await begin(any_shop, flow)
    assert "Big blend" in page.text
    done = await browser.fill(page, follow=True)
    assert done.url.path == f"/{BRAND}/my/flow/done", done.text
    (moved,) = (await stored(any_shop)).subscriptions[0].items
    assert (moved.price.id, moved.quantity) == (BIG.id, 2)
    assert [each.promotion_code for each in (await stored(any_shop)).subscriptions[0].discounts] == ["HALF50"]


async def test_choosing_another_plan_ends_the_flow(shop: World) -> None:
    browser, page = await begin(shop, {"type": "subscription_update", "subscription_update": OF_ONE})
    before = await browser.fill(page, price=BIG.id)
    done = await browser.fill(before, follow=True)
    assert "Your plan has been changed" in done.text


async def test_pausing_ends_the_flow(shop: World) -> None:
    browser, page = await begin(shop, {"type": "subscription_pause", "subscription_pause": OF_ONE})
    assert "Your subscription is paused" in (await browser.fill(page, cycles="1", follow=True)).text


async def test_changing_details_ends_the_flow(shop: World) -> None:
    browser, page = await begin(shop, {"type": "customer_update"})
    assert page.url.path == f"/{BRAND}/my/details"
    form = await browser.get(f"/{BRAND}/my/details/contact")
    done = await browser.fill(form, name="Jenny R.", step="save", follow=True)
    assert done.url.path == f"/{BRAND}/my/flow/done"


async def test_a_new_payment_method_ends_the_flow(shop: World) -> None:
    browser, page = await begin(shop, {"type": "payment_method_update"})
    assert page.url.path == f"/{BRAND}/my/payment-methods/add"
    at_provider = await browser.fill(page, follow=True)
    done = await browser.fill(at_provider, follow=True, **CARD)
    assert done.url.path == f"/{BRAND}/my/flow/done", done.text


async def test_the_end_is_nobodys_who_did_not_come_to_it(shop: World) -> None:
    browser, _ = await begin(shop, CANCEL)
    assert (await browser.get(f"/{BRAND}/my/flow/done")).status_code == 404
    own = shop.client()
    await shop.log_in(own)
    assert (await own.get(f"/{BRAND}/my/flow/done")).status_code == 404


async def test_what_cannot_be_done_any_more_is_refused_when_it_is_opened(shop: World) -> None:
    end = await back_end(shop)
    made = await end.v1.billing_portal.sessions.create_async({"customer": "cus_jenny", "flow_data": CANCEL})
    other, page = await begin(shop, CANCEL)
    await other.fill(await other.get(f"{page.url.path}?offer=declined"))
    page = await shop.client().get(made.url, follow=True)
    assert "It was already canceled" in page.text


HERE = "flow_data[subscription_cancel]"
CONFIRM = "flow_data[subscription_update_confirm]"


def confirming(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {**OF_ONE, "items": list(items), **more},
    }


@pytest.mark.parametrize(
    ("flow", "param"),
    [
        ({"type": "subscription_move"}, "flow_data[type]"),
        ({"after_completion": {"type": "portal_homepage"}}, "flow_data[type]"),
        ({"type": "subscription_cancel"}, f"{HERE}[subscription]"),
        ({"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_sams"}}, f"{HERE}[subscription]"),
        ({"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_ends"}}, f"{HERE}[subscription]"),
        ({"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_over"}}, f"{HERE}[subscription]"),
        (
            {"type": "subscription_cancel", "subscription_cancel": {**OF_ONE, "retention": {"type": "coupon_offer", "coupon_offer": {"coupon": "NONE"}}}},
            f"{HERE}[retention][coupon_offer][coupon]",
        ),
        ({"type": "customer_update", "subscription_cancel": OF_ONE}, HERE),
        ({**CANCEL, "after_completion": {"type": "redirect"}}, "flow_data[after_completion][redirect][return_url]"),
        (
            {**CANCEL, "after_completion": {"type": "redirect", "redirect": {"return_url": "http://evil.example"}}},
            "flow_data[after_completion][redirect][return_url]",
        ),
        (
            {**CANCEL, "after_completion": {"type": "portal_homepage", "hosted_confirmation": {"custom_message": "x"}}},
            "flow_data[after_completion][hosted_confirmation]",
        ),
        (
            {**CANCEL, "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "x" * 501}}},
            "flow_data[after_completion][hosted_confirmation][custom_message]",
        ),
        (confirming(), f"{CONFIRM}[items]"),
        (confirming({"id": "si_1"}, {"id": "si_2"}), f"{CONFIRM}[items]"),
        (confirming({"id": "si_sams", "price": BIG.id}), f"{CONFIRM}[items][0][id]"),
        (confirming({"id": "si_1", "price": SMALL.id, "quantity": 1}), f"{CONFIRM}[items][0]"),
        (confirming({"id": "si_1", "price": "price_none"}), f"{CONFIRM}[items][0]"),
        (confirming({"id": "si_1", "price": BIG.id}, discounts=[{"coupon": "HALF"}]), f"{CONFIRM}[discounts][0][coupon]"),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_refused_when_it_is_created(  # F2
    sqlite_store: Any, clock: Any, flow: dict[str, Any], param: str
) -> None:
    world = World(sqlite_store, clock, features=offering())
    await sell(world, SMALL, BIG, YEARLY, HALF, STAY)
    others = (ending("sub_ends"), subscription("sub_over", "canceled"))
    await keep(world, buyer(subscription(items=(item(),)), subscriptions=(subscription(), *others)))
    create = (await back_end(world)).v1.billing_portal.sessions.create_async
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await create({"customer": "cus_jenny", "flow_data": flow})
    assert refused.value.param == param, refused.value
    assert refused.value.code
    assert await world.count("portal_session") == 0


@pytest.mark.parametrize(
    "type_",
    ["payment_method_update", "customer_update", "subscription_cancel", "subscription_pause", "subscription_update"],
)
async def test_what_the_configuration_does_not_offer_is_refused(world: World, type_: str) -> None:
    await keep(world, buyer())
    portal = (await back_end(world)).v1.billing_portal
    only = await portal.configurations.create_async({"features": {"invoice_history": {"enabled": True}}})
    flow = {"type": type_, **({type_: OF_ONE} if type_.startswith("sub") else {})}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await portal.sessions.create_async({"customer": "cus_jenny", "configuration": only.id, "flow_data": flow})
    assert refused.value.param in ("flow_data[type]", f"flow_data[{type_}][subscription]")


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        ("payment_method_update", "payment-methods/add"),
        ("customer_update", "details"),
        ("subscription_cancel", "subscriptions/sub_1/cancel"),
        ("subscription_update", "subscriptions/sub_1/change"),
        ("subscription_pause", "subscriptions/sub_1/pause"),
        ("subscription_update_confirm", "overview"),
        ("//evil.example", "overview"),
    ],
)
async def test_a_link_without_code_leads_there_after_log_in(  # F6
    sqlite_store: Any, clock: Any, flow: str, path: str
) -> None:
    world = World(sqlite_store, clock, features=offering())
    await keep(world, buyer())
    browser = world.client()
    form = await browser.get(f"/{BRAND}/login?flow={flow}")
    sent = await browser.fill(form, email="jenny@example.com", follow=True)
    done = await browser.fill(sent, code=await world.code(), follow=True)
    assert done.url.path == f"/{BRAND}/my/{path}"


async def test_of_several_subscriptions_the_customer_chooses(sqlite_store: Any, clock: Any) -> None:
    world = World(sqlite_store, clock, features=offering())
    await keep(world, buyer(subscriptions=(subscription(), subscription("sub_2"))))
    browser = world.client()
    await world.log_in(browser)
    answer = await browser.get(f"/{BRAND}/my/flow/subscription_cancel")
    assert answer.headers["location"] == f"/{BRAND}/my/overview"
