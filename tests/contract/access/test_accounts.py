"""L13: an address that several customers have opens each of them, after it was proved, where the brand says so."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.access import sessions
from server.store import micros
from tests.support.accounts import account, keep, subscription
from tests.support.client import Client
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

SAM = "sam@example.com"
ACCOUNTS, OVERVIEW = f"/{BRAND}/my/accounts", f"/{BRAND}/my/overview"
COOKIE = f"__Host-{BRAND}-session"
OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 5, 1, tzinfo=UTC)


async def two_sams(world: World, brand: str = BRAND) -> None:
    """The older with an active subscription, the newer with none."""
    await world.customer("cus_older", SAM, brand=brand, created_at=OLD, active=True, name="Sam Okafor")
    await world.customer("cus_newer", SAM, brand=brand, created_at=NEW, name="Okafor Studio")


async def inside(world: World) -> Client:
    browser = world.client()
    await world.log_in(browser, SAM)
    return browser


async def open_as(browser: Client, id_: str, customer: str = "") -> int:
    return (await browser.post(f"{ACCOUNTS}/{id_}/open", data={"customer": customer})).status_code


def copy_of(world: World, browser: Client) -> Client:
    """Another browser with the same cookies: a second tab, or a thief."""
    other = world.client()
    other.cookies.update(browser.cookies)
    return other


async def test_after_the_passcode_the_rule_s_customer_is_open_and_the_others_are_offered(
    any_world: World,
) -> None:  # L13
    await two_sams(any_world)
    browser = any_world.client()
    answer = await any_world.log_in(browser, SAM)
    assert answer.headers["location"] == ACCOUNTS
    page = (await browser.get(ACCOUNTS)).text
    assert "2 accounts have the address sam@example.com" in page
    assert page.index("Sam Okafor") < page.index("Open now") < page.index("Okafor Studio")
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_older",)]
    assert "Switch account" in (await browser.get(OVERVIEW)).text


async def test_opening_another_makes_a_new_session_id_and_the_old_one_is_dead(
    any_world: World,
) -> None:  # L13, threat 45
    await two_sams(any_world)
    browser = await inside(any_world)
    old, row = copy_of(any_world, browser), "SELECT created_at, expires_at, kind, address FROM session"
    begun = await any_world.store.read(row)
    any_world.clock.forward(minutes=5)
    answer = await browser.fill(await browser.get(ACCOUNTS))
    assert answer.headers["location"] == OVERVIEW
    assert browser.cookies[COOKIE] != old.cookies[COOKIE]
    assert (await old.get(OVERVIEW)).status_code == 401
    assert "Okafor Studio" in (await browser.get(f"/{BRAND}/my/details")).text
    # It proves nothing anew and lasts no longer: whatever asks for a fresh passcode still asks.
    assert await any_world.store.read(row) == begun
    history = "SELECT customer_id, kind, at FROM activity ORDER BY at"
    assert (await any_world.store.read(history))[1] == ("cus_newer", "account.switched", micros(any_world.clock()))


async def test_a_switch_never_extends_a_session_beyond_eight_hours(world: World) -> None:  # threat 50
    await two_sams(world)
    browser = await inside(world)
    for number in range(16):
        world.clock.forward(minutes=29)
        assert await open_as(browser, ("cus_newer", "cus_older")[number % 2]) == 303
    world.clock.forward(minutes=17)
    assert (await browser.get(OVERVIEW)).status_code == 401


async def test_where_the_brand_has_not_switched_it_on_there_is_nothing_to_choose(any_world: World) -> None:  # L13
    await two_sams(any_world, "orbit")
    browser = any_world.client()
    answer = await any_world.log_in(browser, SAM, "orbit")
    assert answer.headers["location"] == "/orbit/my/overview"
    assert "Switch account" not in (await browser.get("/orbit/my/overview")).text
    assert (await browser.get("/orbit/my/accounts")).status_code == 404
    assert (await browser.post("/orbit/my/accounts/cus_newer/open", data={})).status_code == 404
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_older",)]


async def test_who_has_only_one_account_is_not_asked(world: World) -> None:
    await two_sams(world)
    await world.customer()
    await world.customer("cus_off", "jenny@example.com", disabled=True)
    browser = world.client()
    assert (await world.log_in(browser)).headers["location"] == OVERVIEW
    assert "Switch account" not in (await browser.get(OVERVIEW)).text
    assert "No other account has the address" in (await browser.get(ACCOUNTS)).text


async def test_what_was_asked_for_before_log_in_comes_first(world: World) -> None:
    await two_sams(world)
    for page, path in (("invoices", "/my/invoices"), ("overview", "/my/accounts"), ("home", "/my/accounts")):
        browser = world.client()
        await world.ask(browser, SAM)
        answer = await world.try_code(browser, await world.code(SAM), next=page)
        assert answer.headers["location"] == f"/{BRAND}{path}"
        world.clock.forward(minutes=30)


async def test_in_place_the_choice_stands_where_the_overview_would_have(world: World) -> None:
    await two_sams(world)
    browser = world.client()
    await world.ask(browser, SAM)
    form = {"code": await world.code(SAM), "next": "overview"}
    answer = await browser.post(f"/{BRAND}/login/code", data=form, fragment=True, follow=True)
    assert 'id="login-accounts"' in answer.text
    assert 'data-address="sam@example.com"' in answer.text


async def test_only_whoever_has_the_proved_address_now_is_opened(any_world: World) -> None:  # threats 24, 75, 76
    await two_sams(any_world)
    await any_world.customer("cus_jenny", "jenny@example.com")
    await any_world.customer("cus_off", SAM, disabled=True)
    await any_world.customer("cus_orbit", SAM, brand="orbit")
    browser = await inside(any_world)
    page = (await browser.get(ACCOUNTS)).text
    assert [each in page for each in ("cus_jenny", "cus_off", "cus_orbit")] == [False] * 3
    nothing = await browser.post(f"{ACCOUNTS}/cus_nobody/open", data={"customer": "cus_older"})
    for other in ("cus_jenny", "cus_off", "cus_orbit", "CUS_NEWER", ""):
        answer = await browser.post(f"{ACCOUNTS}/{other}/open", data={"customer": "cus_older"})
        assert answer.status_code == 404
        assert not other or answer.content == nothing.content
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_older",)]


@pytest.mark.parametrize("change", ["disabled = 1", "address = 'other@example.com'"])
async def test_what_changed_since_the_page_was_shown_counts(any_world: World, change: str) -> None:  # threat 24
    await two_sams(any_world)
    browser = await inside(any_world)
    page = await browser.get(ACCOUNTS)
    sql = f"UPDATE customer SET {change} WHERE id = 'cus_newer'"
    await any_world.store.write(lambda transaction: transaction.count(sql))
    assert (await browser.fill(page)).status_code == 404
    assert (await browser.get(OVERVIEW)).status_code == 200
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_older",)]


async def test_nothing_is_opened_before_the_passcode(any_world: World) -> None:  # threats 30, 76
    await two_sams(any_world)
    browser = any_world.client()
    await any_world.ask(browser, SAM)
    assert (await browser.get(ACCOUNTS)).status_code == 401
    assert await open_as(browser, "cus_newer") == 401
    await any_world.try_code(browser, await any_world.wrong_code(SAM))
    assert await open_as(browser, "cus_newer", "cus_older") == 401
    assert await any_world.count("session") == 0


async def test_a_session_that_is_over_switches_to_nobody(world: World) -> None:  # threat 46
    await two_sams(world)
    browser = await inside(world)
    world.clock.forward(minutes=61)
    assert await open_as(browser, "cus_newer") == 401
    assert await world.store.read("SELECT customer_id FROM session") == [("cus_older",)]


async def test_of_many_switches_at_once_one_wins_and_one_session_is_left(any_world: World) -> None:  # threats 5, 45
    await two_sams(any_world)
    await any_world.customer("cus_third", SAM, created_at=NEW + timedelta(days=1))
    browser = await inside(any_world)
    tabs = [copy_of(any_world, browser) for _ in range(12)]
    wanted = [("cus_newer", "cus_third")[number % 2] for number in range(12)]
    answers = await asyncio.gather(
        *(tab.post(f"{ACCOUNTS}/{id_}/open", data={"customer": ""}) for tab, id_ in zip(tabs, wanted, strict=True))
    )
    given = [answer.headers["set-cookie"] for answer in answers if "set-cookie" in answer.headers]
    assert len(given) == 1
    assert {answer.status_code for answer in answers} <= {303, 401}
    assert await any_world.count("session") == 1
    kinds = await any_world.store.read("SELECT kind FROM activity WHERE kind <> 'login'")
    assert kinds == [("account.switched",)]


async def test_a_tab_of_the_account_before_changes_nothing(any_world: World) -> None:  # threat 53
    own = subscription("sub_older")
    await keep(any_world, account(own, id="cus_older", email=SAM))
    await any_world.customer("cus_newer", SAM, created_at=OLD)
    browser = await inside(any_world)
    cancel = await browser.get(f"/{BRAND}/my/subscriptions/sub_older/cancel")
    accounts = await browser.get(ACCOUNTS)
    assert await open_as(browser, "cus_newer", "cus_older") == 303
    before = await any_world.rows("account")
    for page in (cancel, accounts):
        answer = await browser.fill(page)
        assert answer.status_code == 409
        assert "You are now logged in to another account" in answer.text
    assert await any_world.rows("account") == before
    assert await any_world.store.read("SELECT customer_id FROM session") == [("cus_newer",)]


async def test_opening_the_one_that_is_open_changes_nothing(world: World) -> None:
    await two_sams(world)
    browser = await inside(world)
    token = browser.cookies[COOKIE]
    assert await open_as(browser, "cus_older", "cus_older") == 303
    assert browser.cookies[COOKIE] == token


async def test_a_session_that_ends_between_the_question_and_the_switch_opens_nothing(  # L13, threat 50
    any_world: World,
) -> None:
    await two_sams(any_world)
    browser = await inside(any_world)
    portal, begun = any_world.portal(), any_world.clock()
    here = await sessions.find(portal, browser.cookies[COOKIE], begun)
    assert isinstance(here, sessions.LoggedIn)
    row = "SELECT id_hash, customer_id, last_seen_at FROM session"

    async def switched(now: datetime) -> str:
        return await any_world.store.write(lambda it: sessions.switch(it, portal, here, "cus_newer", now))

    for hours, seen in ((2, begun), (9, begun + timedelta(hours=8, minutes=59))):  # idle too long; lived too long
        await any_world.store.write(
            lambda it, seen=seen: it.count("UPDATE session SET last_seen_at = :seen", {"seen": micros(seen)})
        )
        kept = await any_world.store.read(row)
        assert await switched(begun + timedelta(hours=hours)) == ""
        assert await any_world.store.read(row) == kept
    assert await switched(begun + timedelta(hours=7, minutes=59)) != ""
