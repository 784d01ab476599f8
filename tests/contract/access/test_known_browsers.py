"""L15: a log-in from a browser that the customer had not logged in from before is told by mail."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from server.access import known_browsers
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from server.portal import Portal
from server.store import Transaction
from tests.support.client import Client
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

MARK = f"__Host-{BRAND}-browser"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


async def told(world: World) -> list[tuple[Any, ...]]:
    return await world.store.read("SELECT customer_id FROM outbox WHERE kind = 'new_login' ORDER BY created_at")


async def log_in(world: World, browser: Client, address: str = "jenny@example.com") -> None:
    """A while after whatever was before, so that no limit of passcodes is met."""
    world.clock.forward(minutes=31)
    await world.log_in(browser, address)


async def test_the_first_log_in_is_told_nobody_and_a_new_browser_once(any_world: World) -> None:  # L15
    await any_world.customer()
    laptop, phone = any_world.client(), any_world.client(**{"User-Agent": PHONE})
    await log_in(any_world, laptop)
    assert await told(any_world) == []
    await log_in(any_world, laptop)
    assert await told(any_world) == []
    await log_in(any_world, phone)
    assert await told(any_world) == [("cus_jenny",)]
    for browser in (phone, laptop, phone):
        await log_in(any_world, browser)
    assert await told(any_world) == [("cus_jenny",)]


async def test_the_mail_says_when_and_with_what_and_leads_to_the_sessions(any_world: World) -> None:  # L15
    await any_world.customer("cus_jenny", "Jenny@Example.com")
    mailer = KeepingMailer()
    await log_in(any_world, any_world.client())
    await log_in(any_world, any_world.client(**{"User-Agent": PHONE}))
    delivery = Delivery({BRAND: any_world.portal()}, any_world.store, mailer, any_world.clock)
    for job in await outbox.claim(any_world.store, any_world.clock(), 10):
        if job.kind == "new_login":
            await delivery.deliver(job)
    (message,) = mailer.messages
    assert message["To"] == "Jenny@Example.com"
    assert message["Subject"] == "New log-in to your account at Harbour Coffee"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Safari on iPhone" in text
    assert "Mar 1, 2026, 1:02" in text
    assert "https://portal.example/harbour/login?next=sessions&prefilled_email=Jenny%40Example.com" in text
    page = await any_world.client().get("/harbour/login?next=sessions&prefilled_email=Jenny%40Example.com")
    assert 'value="jenny@example.com"' in page.text
    assert 'name="next" value="sessions"' in page.text


async def test_nothing_but_a_right_code_makes_a_browser_known_or_tells_of_one(world: World) -> None:  # threats 26, 30
    await world.customer()
    await log_in(world, world.client())
    stranger = world.client()
    await world.ask(stranger)
    assert (await world.try_code(stranger, await world.wrong_code())).status_code == 422
    assert MARK not in stranger.cookies
    assert await told(world) == []
    assert await world.count("known_browser") == 1


async def test_the_mark_lasts_beyond_the_session_and_opens_nothing(world: World) -> None:  # threats 47, 49
    await world.customer()
    laptop = world.client()
    await log_in(world, laptop)
    mark = laptop.cookies[MARK]
    await laptop.post(f"/{BRAND}/logout")
    assert laptop.cookies[MARK] == mark
    assert f"__Host-{BRAND}-session" not in laptop.cookies
    laptop.cookies.set(f"__Host-{BRAND}-session", mark, domain="portal.example")
    assert (await laptop.get(f"/{BRAND}/my/overview")).status_code == 401
    assert mark not in repr(await world.rows("known_browser"))


async def test_two_customers_of_one_browser_have_nothing_in_common_in_the_database(world: World) -> None:
    await world.customer()
    await world.customer("cus_kim", "kim@example.com")
    shared, other = world.client(), world.client()
    for browser in (other, shared):
        await log_in(world, browser)
        await log_in(world, browser, "kim@example.com")
    assert await told(world) == [("cus_jenny",), ("cus_kim",)]
    hashes = [row[2] for row in await world.rows("known_browser")]
    assert len(set(hashes)) == 4


async def test_a_planted_mark_that_is_none_is_replaced(world: World) -> None:  # threat 45
    await world.customer()
    for planted in ("planted", "a" * 44, "a" * 42 + "=", "<script>"):
        browser = world.client()
        browser.headers["cookie"] = f"{MARK}={planted}"
        world.clock.forward(hours=1)
        await world.ask(browser)
        browser.headers["cookie"] += f"; __Host-{BRAND}-challenge={browser.cookies[f'__Host-{BRAND}-challenge']}"
        answer = await world.try_code(browser, await world.code())
        assert answer.status_code == 303
        assert planted not in answer.headers["set-cookie"]
    assert await world.count("known_browser") == 4


async def test_after_logging_out_everywhere_every_browser_is_new(any_world: World) -> None:  # L15
    await any_world.customer()
    thief, laptop = any_world.client(), any_world.client()
    await log_in(any_world, laptop)
    await log_in(any_world, thief)
    assert len(await told(any_world)) == 1
    await laptop.post(f"/{BRAND}/my/sessions/end-others", data={"customer": "cus_jenny"})
    await log_in(any_world, laptop)
    assert len(await told(any_world)) == 1
    await log_in(any_world, thief)
    assert len(await told(any_world)) == 2
    await thief.post(f"/{BRAND}/my/logout-everywhere")
    await log_in(any_world, laptop)
    assert len(await told(any_world)) == 3


async def test_a_switch_of_accounts_makes_the_browser_known_there_too(world: World) -> None:  # L13
    await world.customer("cus_a", "sam@example.com", active=True)
    await world.customer("cus_b", "sam@example.com")
    browser = world.client()
    await log_in(world, browser, "sam@example.com")
    await browser.post(f"/{BRAND}/my/accounts/cus_b/open", data={"customer": "cus_a"})
    assert {row[1] for row in await world.rows("known_browser")} == {"cus_a", "cus_b"}


async def test_a_brand_that_switched_it_off_tells_nobody(world: World) -> None:
    await world.customer()
    await log_in(world, world.client())
    loud = world.portal()
    config = replace(loud.brand.config, mail=replace(loud.brand.config.mail, new_login=False))
    quiet = dataclasses.replace(loud, brand=replace(loud.brand, config=config))
    for portal, mails in ((quiet, 0), (loud, 1)):

        def log_in_elsewhere(transaction: Transaction, portal: Portal = portal) -> None:
            mark = known_browsers.mark("")
            known_browsers.note_and_tell(
                transaction, portal, "cus_jenny", mark, address="jenny@example.com", browser="", now=world.clock()
            )

        await world.store.write(log_in_elsewhere)
        assert len(await told(world)) == mails
