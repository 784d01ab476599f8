"""What a session is, and how it ends. Rows of security.md §3 D."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from io import StringIO

import msgspec
import pytest

from server.access import sessions
from server.store import micros
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio

COOKIE = f"__Host-{BRAND}-session"
OVERVIEW = f"/{BRAND}/my/overview"


async def test_log_in_makes_a_new_session_and_never_takes_a_planted_one(any_world: World) -> None:  # threat 45
    await any_world.customer()
    browser = any_world.client()
    browser.cookies.set(COOKIE, "planted-by-somebody", domain="portal.example")
    await any_world.log_in(browser)
    token = browser.cookies.get(COOKIE, domain="portal.example", path="/")
    assert token != "planted-by-somebody"
    thief = any_world.client()
    thief.cookies.set(COOKIE, "planted-by-somebody", domain="portal.example")
    assert (await thief.get(OVERVIEW)).status_code == 401


async def test_logging_in_again_ends_the_old_session_of_the_browser(any_world: World) -> None:  # threat 45
    await any_world.customer()
    await any_world.customer("cus_sam", "sam@example.com")
    browser, old = any_world.client(), any_world.client()
    await any_world.log_in(browser)
    old.cookies.update(browser.cookies)
    await any_world.log_in(browser, "sam@example.com")
    assert (await old.get(OVERVIEW)).status_code == 401
    assert (await browser.get(OVERVIEW)).status_code == 200


async def test_a_session_is_dead_after_log_out(any_world: World) -> None:  # threat 46
    await any_world.customer()
    browser, copy = any_world.client(), any_world.client()
    await any_world.log_in(browser)
    copy.cookies.update(browser.cookies)
    answer = await browser.post(f"/{BRAND}/logout")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'  # threat 51
    assert COOKIE not in browser.cookies
    assert (await copy.get(OVERVIEW)).status_code == 401


async def test_logging_out_without_a_session_is_no_mistake(world: World) -> None:
    assert (await world.client().post(f"/{BRAND}/logout")).status_code == 303


async def test_logging_out_everywhere_ends_every_session_of_the_customer_and_no_other(any_world: World) -> None:
    await any_world.customer()
    await any_world.customer("cus_sam", "sam@example.com")
    laptop, phone, sam = any_world.client(), any_world.client(), any_world.client()
    await any_world.log_in(laptop)
    any_world.clock.forward(minutes=2)
    await any_world.log_in(phone)
    await any_world.log_in(sam, "sam@example.com")
    assert (await phone.post(f"/{BRAND}/my/logout-everywhere")).status_code == 303
    assert [(await each.get(OVERVIEW)).status_code for each in (laptop, phone, sam)] == [401, 401, 200]


async def test_a_session_ends_when_the_customer_is_disabled(any_world: World) -> None:  # threats 24, 46
    await any_world.customer()
    browser = any_world.client()
    await any_world.log_in(browser)
    await any_world.store.write(lambda transaction: transaction.count("UPDATE customer SET disabled = 1"))
    assert (await browser.get(OVERVIEW)).status_code == 401


async def test_a_stolen_database_gives_no_session(world: World) -> None:  # threat 47
    await world.customer()
    await world.log_in(world.client())
    ((id_hash,),) = await world.store.read("SELECT id_hash FROM session")
    for value in (
        id_hash.decode("ascii", "ignore"),
        id_hash.hex(),
        urlsafe_b64encode(id_hash).decode(),
        urlsafe_b64encode(id_hash).decode().rstrip("="),
    ):
        thief = world.client()
        thief.headers["cookie"] = f"{COOKIE}={value}"
        assert (await thief.get(OVERVIEW)).status_code == 401


async def test_a_whole_log_in_leaves_no_secret_in_the_log(world: World, stream: StringIO) -> None:  # threat 16
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    code = await world.code()
    await browser.get(OVERVIEW)
    world.store._writer.execute("ALTER TABLE account RENAME TO gone")  # type: ignore[attr-defined]
    assert (await browser.get(OVERVIEW)).status_code == 500
    written = stream.getvalue()
    assert "an unexpected error" in written
    for secret in (code, browser.cookies[COOKIE], "jenny@example.com"):
        assert secret not in written


async def test_a_code_made_with_the_secret_before_still_works(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    code = await world.code()
    for secrets, status in (
        ((b"a new secret, 0123456789abcdefghijkl",), 422),
        ((b"a new secret, 0123456789abcdefghijkl", *SETTINGS.secrets), 303),
    ):
        rotated = World(world.store, world.clock, settings=msgspec.structs.replace(SETTINGS, secrets=secrets))
        later = rotated.client()
        later.cookies.update(browser.cookies)
        assert (await rotated.try_code(later, code)).status_code == status


@pytest.mark.parametrize("name", [f"{BRAND}-session", "__Secure-harbour-session", "session", "__host-harbour-session"])
async def test_a_cookie_that_a_sibling_host_could_plant_is_ignored(world: World, name: str) -> None:  # threat 48
    await world.customer()
    browser, planted = world.client(), world.client()
    await world.log_in(browser)
    planted.headers["cookie"] = f"{name}={browser.cookies[COOKIE]}"
    assert (await planted.get(OVERVIEW)).status_code == 401


async def test_a_session_of_one_brand_is_nothing_to_another(any_world: World) -> None:
    await any_world.customer()
    await any_world.customer(brand="orbit")
    browser = any_world.client()
    await any_world.log_in(browser)
    token = browser.cookies[COOKIE]
    browser.cookies.set("__Host-orbit-session", token, domain="portal.example")
    assert (await browser.get("/orbit/my/overview")).status_code == 401
    assert (await browser.get(OVERVIEW)).status_code == 200


async def test_a_code_of_one_brand_is_nothing_to_another(world: World) -> None:
    await world.customer()
    await world.customer(brand="orbit")
    browser = world.client()
    await world.ask(browser)
    browser.cookies.set("__Host-orbit-challenge", browser.cookies[f"__Host-{BRAND}-challenge"], domain="portal.example")
    assert (await world.try_code(browser, await world.code(), "orbit")).status_code == 422
    assert (await world.try_code(browser, await world.code())).status_code == 303


async def test_a_session_ends_after_an_hour_without_a_request(any_world: World) -> None:  # threat 50
    await any_world.customer()
    browser = any_world.client()
    await any_world.log_in(browser)
    any_world.clock.forward(minutes=59, seconds=59)
    assert (await browser.get(OVERVIEW)).status_code == 200
    any_world.clock.forward(minutes=60)
    answer = await browser.get(OVERVIEW)
    assert answer.status_code == 401
    assert "jenny@example.com" in answer.text  # whose it was is filled in


async def test_nothing_extends_a_session_beyond_eight_hours(any_world: World) -> None:  # threat 50
    await any_world.customer()
    browser = any_world.client()
    await any_world.log_in(browser)
    for _ in range(15):
        any_world.clock.forward(minutes=30)
        assert (await browser.get(OVERVIEW)).status_code == 200
    any_world.clock.forward(minutes=29, seconds=59)
    assert (await browser.get(OVERVIEW)).status_code == 200
    any_world.clock.forward(seconds=1)
    assert (await browser.get(OVERVIEW)).status_code == 401


async def test_when_it_was_seen_is_written_once_a_minute_at_most(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    begun = world.clock()
    for seconds, seen in ((59, 0), (1, 60), (30, 60), (30, 120)):
        world.clock.forward(seconds=seconds)
        await browser.get(OVERVIEW)
        at = micros(begun + timedelta(seconds=seen))
        assert await world.store.read("SELECT last_seen_at FROM session") == [(at,)]


async def test_a_page_needs_one_statement(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    statements = []
    world.store._reader.set_trace_callback(statements.append)  # type: ignore[attr-defined]
    assert (await browser.get(OVERVIEW)).status_code == 200
    assert len(statements) == 1


async def test_pages_are_read_while_the_disk_is_full(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    world.clock.forward(minutes=5)
    world.store._writer.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]
    assert (await browser.get(OVERVIEW)).status_code == 200


async def test_nobody_logs_in_while_the_database_cannot_be_written(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    code = await world.code()
    world.store._writer.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]
    for answer in (await world.try_code(browser, code), await world.ask(world.client(), "sam@example.com")):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "set-cookie" not in answer.headers
    world.store._writer.execute("PRAGMA query_only = OFF")  # type: ignore[attr-defined]
    assert await world.count("session") == 0
    assert (await world.try_code(browser, code)).status_code == 303


async def test_the_session_knows_how_it_began(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    found = await sessions.find(world.portal(), browser.cookies[COOKIE], world.clock())
    assert isinstance(found, sessions.LoggedIn)
    assert (found.customer_id, found.kind, found.browser) == ("cus_jenny", "link", "Firefox on Linux")
    assert found.account.customer.email == "jenny@example.com"


async def test_a_log_in_is_written_into_the_history(any_world: World) -> None:
    await any_world.customer()
    await any_world.log_in(any_world.client())
    rows = await any_world.store.read("SELECT brand, customer_id, at, kind, browser FROM activity")
    assert rows == [(BRAND, "cus_jenny", micros(any_world.clock()), "login", "Firefox on Linux")]


async def test_a_code_of_somebody_else_from_another_site_logs_nobody_in(world: World) -> None:  # threat 52
    await world.customer("cus_mallory", "mallory@example.com")
    attacker, victim = world.client(), world.client()
    await world.ask(attacker, "mallory@example.com")
    code = await world.code("mallory@example.com")
    cross = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    answer = await victim.post(f"/{BRAND}/login/code", data={"code": code}, headers=cross)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    victim.cookies.update(attacker.cookies)
    assert (await victim.post(f"/{BRAND}/login/code", data={"code": code}, headers=cross)).status_code == 403
    assert await world.count("session") == 0
