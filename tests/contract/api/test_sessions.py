"""Portal sessions: a URL that opens once, in one browser, on the terms that the back end gave."""

import re
from typing import Any

import pytest
import stripe

from server.access import directory, sessions
from server.access.entry import admit
from server.access.portal_sessions import OPENS
from server.store import Transaction
from tests.conftest import Clock
from tests.stripe.shapes import checked
from tests.support.accounts import account, keep, subscription
from tests.support.api import back_end
from tests.support.client import Client
from tests.support.together import together
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
BACK = "https://shop.example/account?from=portal"


async def made(world: World, **params: object) -> stripe.billing_portal.Session:
    return await (await back_end(world)).v1.billing_portal.sessions.create_async({"customer": "cus_jenny", **params})


async def opened(world: World, **params: object) -> Client:
    """A browser in which the URL was opened."""
    browser = world.client()
    answer = await browser.get((await made(world, **params)).url, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 303, answer.text
    return browser


async def test_the_url_opens_the_portal_once_and_in_one_browser(any_world: World) -> None:  # F1
    await keep(any_world, account(subscription()))
    it = await made(any_world, return_url=BACK)
    checked(it.to_dict(), type(it), type(it).__module__)
    assert (it.customer, it.return_url, it.livemode, it.configuration) == ("cus_jenny", BACK, False, "bpc_default")
    first, second = any_world.client(), any_world.client()
    answer = await first.get(it.url, headers={"sec-fetch-site": "cross-site"}, follow=True)
    assert answer.url.path == f"/{BRAND}/my/overview"
    assert BACK.replace("&", "&amp;") in answer.text
    for browser in (first, second):
        again = await browser.get(it.url)
        assert again.status_code == 410
        assert "set-cookie" not in again.headers
    assert (await first.get(f"/{BRAND}/my/overview")).status_code == 200
    assert (await second.get(f"/{BRAND}/my/overview")).status_code == 401
    assert await any_world.count("session") == 1


async def test_of_64_openings_at_once_one_gets_the_session(any_world: World) -> None:  # F1
    await any_world.customer()
    token, portal, now = (await made(any_world)).url.rpartition("/")[2], any_world.portal(), any_world.clock()

    def open_(transaction: Transaction) -> Any:
        return admit(transaction, portal, token=token, session="", browser="", now=now)

    results = await together(any_world, [open_] * 64)
    assert sum(each is not None for each in results) == 1
    assert await any_world.count("session") == 1


async def test_it_opens_within_five_minutes_and_not_later(any_world: World, clock: Clock) -> None:
    await any_world.customer()
    early, late = await made(any_world), await made(any_world)
    clock.at += OPENS
    assert (await any_world.client().get(late.url)).status_code == 410
    clock.forward(microseconds=-1)
    assert (await any_world.client().get(early.url)).status_code == 303


async def test_it_ends_after_an_hour_without_a_request(any_world: World, clock: Clock) -> None:
    await any_world.customer()
    browser = await opened(any_world)
    clock.forward(minutes=59)
    assert (await browser.get(f"/{BRAND}/my/overview")).status_code == 200
    clock.forward(minutes=61)
    assert (await browser.get(f"/{BRAND}/my/overview")).status_code == 401


async def test_what_only_looks_ahead_opens_nothing(world: World) -> None:  # threat 62
    await world.customer()
    it = await made(world)
    for method, headers in (
        ("HEAD", {}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}),
        ("GET", {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}),
        ("GET", {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}),
    ):
        answer = await world.client().request(method, it.url, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (410, False)
    assert (await world.client().get(it.url)).status_code == 303


async def test_a_stolen_database_opens_nothing(any_world: World) -> None:
    await any_world.customer()
    it = await made(any_world)
    token = it.url.rpartition("/")[2]
    tables = [await any_world.rows(each) for each in ("portal_session", "api_request", "activity")]
    assert token.removeprefix("test_") not in repr(tables)
    for each in (it.id, *re.findall(r"[A-Za-z0-9_]{16,}", repr(tables))):
        assert (await any_world.client().get(f"/{BRAND}/p/session/{each}")).status_code == 410


async def test_the_url_of_one_brand_opens_nothing_at_another(world: World) -> None:
    await world.customer()
    await world.customer("cus_jenny", brand="orbit")
    it = await made(world)
    assert (await world.client().get(it.url.replace(f"/{BRAND}/", "/orbit/"))).status_code == 410


async def test_a_customer_who_was_switched_off_does_not_come_in(any_world: World) -> None:
    await any_world.customer()
    it = await made(any_world)
    await any_world.store.write(lambda it: directory.set_disabled(it, BRAND, "cus_jenny", disabled=True))
    assert (await any_world.client().get(it.url)).status_code == 410
    with pytest.raises(stripe.InvalidRequestError, match="may not log in"):
        await made(any_world)


async def test_a_session_of_the_back_end_opens_no_other_account_of_the_address(any_world: World) -> None:
    await any_world.customer()
    await any_world.customer("cus_twin")
    browser = await opened(any_world)
    page = await browser.get(f"/{BRAND}/my/overview")
    assert "Switch account" not in page.text
    form = {"customer": "cus_jenny", "key": "k" * 22}
    answer = await browser.post(f"/{BRAND}/my/accounts/cus_twin/open", data=form)
    assert answer.status_code == 404
    assert (await any_world.client().get(f"/{BRAND}/my/accounts")).status_code == 401
    assert "cus_twin" not in (await browser.get(f"/{BRAND}/my/accounts")).text
    portal = any_world.portal()
    token = browser.cookies[f"__Host-{BRAND}-session"]
    customer = await sessions.find(portal, token, any_world.clock())
    assert isinstance(customer, sessions.LoggedIn)
    switched = await any_world.store.write(
        lambda transaction: sessions.switch(transaction, portal, customer, "cus_twin", any_world.clock())
    )
    assert switched == ""
    assert [row[0] for row in await any_world.store.read("SELECT customer_id FROM session")] == ["cus_jenny"]


async def test_opening_ends_the_session_that_the_browser_had(any_world: World) -> None:  # threat 45
    await any_world.customer()
    await any_world.customer("cus_sam", "sam@example.com")
    browser = any_world.client()
    await any_world.log_in(browser, "sam@example.com")
    old = dict(browser.cookies)
    await browser.get((await made(any_world)).url)
    assert dict(browser.cookies) != old
    assert await any_world.count("session") == 1


async def test_the_language_is_the_one_that_was_named(world: World) -> None:
    await world.customer()
    answer = await world.client().get((await made(world, locale="de")).url, follow=True)
    assert '<html lang="de"' in answer.text


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "customer"),
        ({"customer": "cus_jenny", "customer_account": "acct_1"}, "customer"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"customer": "CUS_JENNY"}, "customer"),
        ({"customer": "cus_jenny", "configuration": "bpc_nobodys"}, "configuration"),
        ({"customer": "cus_jenny", "return_url": "http://shop.example/"}, "return_url"),
        ({"customer": "cus_jenny", "return_url": "javascript:alert(1)"}, "return_url"),
        ({"customer": "cus_jenny", "return_url": "//evil.example"}, "return_url"),
        ({"customer": "cus_jenny", "return_url": "https://a.example/\r\nSet-Cookie: x"}, "return_url"),
        ({"customer": "cus_jenny", "locale": "xx"}, "locale"),
        ({"customer": "cus_jenny", "on_behalf_of": "acct_1"}, "on_behalf_of"),
        (
            {"customer": "cus_jenny", "after_expiration": {"customer_login": {"expires_at": 2**31}}},
            "after_expiration[type]",
        ),
        (
            {
                "customer": "cus_jenny",
                "after_expiration": {"type": "customer_login", "customer_login": {"expires_at": 1}},
            },
            "after_expiration[customer_login][expires_at]",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name(world: World, params: dict[str, object], param: str) -> None:
    await world.customer()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await (await back_end(world)).v1.billing_portal.sessions.create_async(params)
    assert refused.value.param == param
    assert refused.value.code
    assert await world.count("portal_session") == 0


async def test_loopback_may_be_returned_to_with_test_data(world: World) -> None:
    await world.customer()
    await made(world, return_url="http://127.0.0.1:3000/account")


async def test_after_the_url_is_over_the_customer_proves_the_address(any_world: World) -> None:  # F7
    await keep(any_world, account(subscription()))
    await any_world.customer("cus_newer", "jenny@example.com", active=True)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_1"}}
    again = {"type": "customer_login"}
    it = await made(any_world, return_url=BACK, flow_data=flow, after_expiration=again)
    plain = await made(any_world)
    any_world.clock.forward(minutes=6)
    browser = any_world.client()
    assert f'href="/{BRAND}/login"' in (await browser.get(plain.url)).text
    page = await browser.get(it.url)
    (href,) = re.findall(rf'href="(/{BRAND}/login\?next=portal_session[^"]+)"', page.text)
    form = await browser.get(href)
    sent = await browser.fill(form, email="jenny@example.com", follow=True)
    done = await browser.fill(sent, code=await any_world.code(), follow=True)
    assert done.url.path == f"/{BRAND}/my/subscriptions/sub_1/cancel"
    assert BACK.replace("&", "&amp;") in done.text
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_jenny",)]


async def test_another_address_gets_its_own_account_and_not_those_terms(any_world: World) -> None:
    await keep(any_world, account(subscription()))
    await any_world.customer("cus_sam", "sam@example.com")
    it = await made(any_world, return_url=BACK, after_expiration={"type": "customer_login"})
    browser = any_world.client()
    form = await browser.get(f"/{BRAND}/login?next=portal_session:{it.id}")
    sent = await browser.fill(form, email="sam@example.com", follow=True)
    done = await browser.fill(sent, code=await any_world.code("sam@example.com"), follow=True)
    assert done.url.path == f"/{BRAND}/my/overview"
    assert "shop.example" not in done.text
    assert await any_world.store.read("SELECT customer_id, portal_session FROM session") == [("cus_sam", "")]
