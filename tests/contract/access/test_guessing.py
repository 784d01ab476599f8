"""Somebody tries to guess, to flood or to wear out a code. Rows of security.md §3 A."""

import hashlib
import hmac
import re
from pathlib import Path

import pytest

from server.access import passcodes
from server.access.limits import Limits
from server.store import Store
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio

FREE = Limits(on=False)
COOKIE = f"__Host-{BRAND}-challenge"


@pytest.fixture
def free_world(sqlite_store: Store, clock) -> World:
    """A portal whose limiters are off: what holds here rests on the challenge and the budget alone."""
    return World(sqlite_store, clock, limits=FREE)


async def guess(world: World, browser, times: int, address: str = "jenny@example.com") -> list[int]:
    wrong = await world.wrong_code(address)
    return [(await world.try_code(browser, wrong)).status_code for _ in range(times)]


async def compared(world: World) -> int:
    """How many six-digit guesses were looked at."""
    ((tries,),) = await world.store.read("SELECT SUM(attempts) FROM challenge WHERE hardened = 0")
    return int(tries or 0)


async def test_after_five_wrong_codes_the_right_one_is_refused_too(any_world: World) -> None:  # threat 1
    await any_world.customer()
    browser = any_world.client()
    await any_world.ask(browser)
    await guess(any_world, browser, 5)
    answer = await any_world.try_code(browser, await any_world.code())
    assert answer.status_code == 422
    assert "no longer valid" in answer.text
    elsewhere = any_world.client(peer="198.51.100.9")
    elsewhere.cookies = browser.cookies
    assert (await any_world.try_code(elsewhere, await any_world.code())).status_code == 422
    assert await any_world.count("session") == 0


async def test_the_cap_of_tries_holds_with_every_limiter_off(free_world: World) -> None:  # threat 2
    await free_world.customer()
    browser = free_world.client()
    await free_world.ask(browser)
    await guess(free_world, browser, 40)
    assert await compared(free_world) == 5


async def test_tries_left_are_counted_down(world: World) -> None:
    browser = world.client()
    await world.ask(browser, "nobody@example.com")
    wrong = await world.wrong_code("nobody@example.com")
    for words in ("4 more attempts", "3 more attempts", "2 more attempts", "1 more attempt", "no longer valid"):
        answer = await world.try_code(browser, wrong)
        assert answer.status_code == 422
        assert words in answer.text


async def test_a_code_lapses_after_ten_minutes(any_world: World) -> None:  # threats 3, 25
    await any_world.customer()
    browser = any_world.client()
    await any_world.ask(browser)
    browser.cookies.jar.clear_expired_cookies = lambda: None
    any_world.clock.forward(minutes=10)
    answer = await any_world.try_code(browser, await any_world.code())
    assert answer.status_code == 422
    assert "jenny@example.com" in answer.text  # the next code is one click away
    assert await any_world.count("session") == 0


async def test_a_code_works_until_its_last_second(world: World) -> None:  # threat 25
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    world.clock.forward(minutes=9, seconds=59)
    assert (await world.try_code(browser, await world.code())).status_code == 303


async def test_a_used_code_is_not_revived_by_a_clock_that_steps_back(any_world: World) -> None:  # threat 25
    await any_world.customer()
    browser = any_world.client()
    await any_world.ask(browser)
    shown, code = dict(browser.cookies), await any_world.code()
    await any_world.try_code(browser, code)
    any_world.clock.forward(hours=-1)
    again = any_world.client()
    again.cookies.update(shown)
    assert (await any_world.try_code(again, code)).status_code == 422
    assert await any_world.count("session") == 1


async def test_a_replaced_code_is_not_revived_by_a_clock_that_steps_back(world: World) -> None:  # threat 25
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    old, code = dict(browser.cookies), await world.code()
    world.clock.forward(seconds=61)
    await browser.post(f"/{BRAND}/login/resend", data={"next": ""})
    world.clock.forward(hours=-1)
    again = world.client()
    again.cookies.update(old)
    assert (await world.try_code(again, code)).status_code == 422


async def test_over_a_year_no_more_than_twenty_six_digit_guesses_are_looked_at(free_world: World) -> None:  # threat 6
    await free_world.customer()
    browser = free_world.client()
    for _ in range(52):
        await free_world.ask(browser)
        await guess(free_world, browser, 5)
        free_world.clock.forward(weeks=1)
    assert await compared(free_world) == passcodes.OF_STRANGERS
    assert (await free_world.store.read("SELECT COUNT(*) FROM challenge WHERE hardened = 1"))[0][0] >= 40


async def test_fifty_browsers_share_one_budget(free_world: World) -> None:  # threats 7, 8
    await free_world.customer()
    for number in range(50):
        browser = free_world.client(peer=f"198.51.100.{number}")
        await free_world.ask(browser)
        await guess(free_world, browser, 5)
    assert await compared(free_world) == passcodes.OF_STRANGERS


async def test_a_code_sent_before_the_budget_was_spent_is_not_looked_at_after(free_world: World) -> None:  # threat 7
    await free_world.customer()
    owner = free_world.client()
    await free_world.ask(owner)
    code = await free_world.code()
    spend = (
        "INSERT INTO budget (brand, kind, subject, starts_at, used) VALUES ('', 'wrong', 'jenny@example.com', 0, 20)"
    )
    await free_world.store.write(lambda transaction: transaction.count(spend))
    answer = await free_world.try_code(owner, code)
    assert answer.status_code == 422
    assert "no longer valid" in answer.text
    assert await free_world.count("session") == 0


async def test_the_owner_of_an_attacked_address_logs_in_at_the_first_try(free_world: World) -> None:  # threat 20
    await free_world.customer()
    attacker = free_world.client(peer="198.51.100.1")
    for _ in range(4):
        await free_world.ask(attacker)
        await guess(free_world, attacker, 5)
        free_world.clock.forward(minutes=2)
    owner = free_world.client()
    asked = await free_world.ask(owner)
    assert "6 digits" in asked.text  # a stranger's page says what it always says
    letters = await owner.get(f"/{BRAND}/login/code?letters=1")
    assert "15 letters" in letters.text
    code = await free_world.code()
    assert len(code.replace("-", "")) == 15
    assert (await free_world.try_code(owner, code.lower().replace("-", " "))).status_code == 303
    free_world.clock.forward(minutes=2)
    await free_world.ask(free_world.client())
    assert len(await free_world.code()) == 6  # the log-in cleared the count


async def test_a_log_in_clears_its_own_failures_only(free_world: World) -> None:  # threat 10
    await free_world.customer()
    await free_world.customer("cus_mallory", "mallory@example.com")
    browser = free_world.client()
    await free_world.ask(browser)
    await guess(free_world, browser, 3)
    await free_world.log_in(free_world.client(), "mallory@example.com")
    used = await free_world.store.read("SELECT subject, used FROM budget WHERE kind = 'wrong'")
    assert used == [("jenny@example.com", 3)]


@pytest.mark.parametrize("path", ["login", "login/code", "login/resend", "logout", "my/logout-everywhere"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY", "PROPFIND", "TRACE"])
async def test_odd_methods_are_refused_and_change_nothing(world: World, path: str, method: str) -> None:  # threat 11
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    before = [await world.rows(table) for table in ("challenge", "session", "budget", "outbox")]
    code = await world.code()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-http-method-override": "POST"}
    answer = await browser.request(method, f"/{BRAND}/{path}", content=f"code={code}&_method=POST", headers=headers)
    assert answer.status_code == 405
    assert [await world.rows(table) for table in ("challenge", "session", "budget", "outbox")] == before


async def test_a_lower_case_method_is_no_post(world: World) -> None:  # threat 11
    """Over raw ASGI: the test's HTTP client would correct it."""
    statuses = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        statuses.append(message.get("status"))

    headers = [(b"host", b"portal.example"), (b"sec-fetch-site", b"same-origin")]
    path = {"path": f"/{BRAND}/logout", "raw_path": f"/{BRAND}/logout".encode(), "query_string": b"", "root_path": ""}
    scope = {
        "type": "http",
        "method": "post",
        "scheme": "https",
        "headers": headers,
        "client": ("203.0.113.7", 1),
        **path,
    }
    await world.app({**scope, "asgi": {"version": "3.0"}, "http_version": "1.1", "server": None}, receive, send)
    assert statuses[0] == 405


async def test_an_override_header_does_not_turn_a_get_into_a_post(world: World) -> None:  # threat 11
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    headers = {"x-http-method-override": "POST", "x-method-override": "POST"}
    await browser.get(f"/{BRAND}/login/code?code={await world.code()}", headers=headers)
    assert await world.count("session") == 0


async def test_a_code_of_another_challenge_is_refused(free_world: World) -> None:  # threats 12, 23
    await free_world.customer()
    await free_world.customer("cus_sam", "sam@example.com")
    jenny, sam = free_world.client(), free_world.client()
    await free_world.ask(jenny)
    await free_world.ask(sam, "sam@example.com")
    assert (await free_world.try_code(sam, await free_world.code())).status_code == 422
    nobody = free_world.client()
    assert (await free_world.try_code(nobody, await free_world.code())).status_code == 422
    assert await free_world.count("session") == 0
    tried = "SELECT attempts FROM challenge WHERE address = 'jenny@example.com'"
    assert await free_world.store.read(tried) == [(0,)]  # and no try of hers was spent


async def test_a_stolen_database_gives_no_codes(free_world: World) -> None:  # threat 14
    await free_world.customer()
    for _ in range(2):
        await free_world.ask(free_world.client())
    rows = await free_world.store.read("SELECT id_hash, code_mac, address FROM challenge")
    assert rows[0][1] != rows[1][1]
    codes = set(await free_world.codes())
    for id_hash, code_mac, address in rows:
        for code in codes:
            for key in (b"", id_hash, address.encode()):
                assert hmac.digest(key, code.encode(), hashlib.sha256) != code_mac
            assert hashlib.sha256(code.encode()).digest() != code_mac
    for (sealed,) in await free_world.store.read("SELECT data FROM outbox"):
        assert not any(code.encode() in sealed for code in codes)


async def test_the_same_code_has_another_mac_for_another_purpose_address_or_challenge() -> None:  # threats 14, 22
    macs = {
        passcodes.macs(SETTINGS, challenge, address, "123456", purpose)[0]
        for challenge in (b"a", b"b")
        for address in ("jenny@example.com", "sam@example.com")
        for purpose in (b"login", b"email-change")
    }
    assert len(macs) == 8


@pytest.mark.parametrize(
    "body",
    [
        "code=123456&code=123456",
        "code[]=123456",
        "code=%00",
        "code=" + "1" * 5000,
        "code=1%EF%B8%8F%E2%83%A32%EF%B8%8F%E2%83%A3",
        "code=%ff%fe",
        "code",
        "",
        "&".join(f"f{number}=1" for number in range(200)),
    ],
)
async def test_odd_forms_are_refused_without_a_session_or_a_spent_try(world: World, body: str) -> None:  # threat 18
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browser.post(f"/{BRAND}/login/code", content=body, headers=headers, follow=True)
    assert 400 <= answer.status_code < 500
    assert await world.count("session") == 0
    assert await world.store.read("SELECT attempts FROM challenge") == [(0,)]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_other_content_types_are_refused(world: World, kind: str) -> None:  # threat 18
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    code = await world.code()
    answer = await browser.post(f"/{BRAND}/login/code", content=f"code={code}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert await world.count("session") == 0


async def test_a_large_form_is_refused(world: World) -> None:  # threats 18, 95
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await world.client().post(f"/{BRAND}/login", content="email=" + "x" * 1_000_000, headers=headers)
    assert answer.status_code == 413


async def test_extra_fields_are_never_looked_at(world: World) -> None:  # threats 17, 78
    await world.customer()
    browser = world.client()
    answer = await world.try_code(browser, "000000", test="1", bypass="1", customer="cus_jenny", debug="true")
    assert answer.status_code == 422
    assert await world.count("session") == 0


async def test_wrong_codes_in_another_browser_do_not_burn_a_good_one(free_world: World) -> None:  # threat 19
    await free_world.customer()
    victim, attacker = free_world.client(), free_world.client(peer="198.51.100.1")
    await free_world.ask(victim)
    code = await free_world.code()
    await free_world.ask(attacker)
    await guess(free_world, attacker, 100)
    assert (await free_world.try_code(victim, code)).status_code == 303


async def test_strangers_get_three_mails_an_hour_and_five_a_day_for_one_address(any_world: World) -> None:  # threat 21
    await any_world.customer()
    answers = [await any_world.ask(any_world.client(peer=f"198.51.100.{number}")) for number in range(100)]
    assert [each.status_code for each in answers] == [200] * 100
    assert len(await any_world.codes()) == 3
    any_world.clock.forward(minutes=59, seconds=59)
    await any_world.ask(any_world.client())
    assert len(await any_world.codes()) == 3
    any_world.clock.forward(seconds=1)
    for number in range(6):
        await any_world.ask(any_world.client(peer=f"203.0.113.{number}"))
    assert len(await any_world.codes()) == 5
    any_world.clock.forward(hours=2)
    await any_world.ask(any_world.client())
    assert len(await any_world.codes()) == 5
    any_world.clock.forward(hours=21)
    await any_world.ask(any_world.client())
    assert len(await any_world.codes()) == 6


async def test_one_client_asks_twenty_times_an_hour(world: World) -> None:  # threat 21
    browser = world.client()
    answers = [(await world.ask(browser, f"n{number}@example.com")).status_code for number in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert (await world.ask(world.client(peer="198.51.100.1"), "other@example.com")).status_code == 200
    world.clock.forward(hours=1)
    assert (await world.ask(browser, "again@example.com")).status_code == 200


async def test_one_ipv6_network_is_one_client(world: World) -> None:  # threats 8, 21
    answers = [
        (await world.ask(world.client(peer=f"2001:db8:1:2::{number:x}"), f"n{number}@example.com")).status_code
        for number in range(1, 22)
    ]
    assert answers == [200] * 20 + [429]


async def test_one_client_tries_thirty_codes_in_ten_minutes(world: World) -> None:
    browser = world.client()
    statuses = []
    for number in range(8):
        address = f"n{number}@example.com"
        await world.ask(browser, address)
        statuses += await guess(world, browser, 5, address)
    # The first try of each code is free, 30 others are looked at.
    assert statuses == [422] * 38 + [429] * 2
    assert (await world.store.read("SELECT SUM(attempts) FROM challenge")) == [(38,)]


async def test_a_customer_disabled_after_the_code_was_sent_does_not_log_in(any_world: World) -> None:  # threat 24
    await any_world.customer()
    browser = any_world.client()
    await any_world.ask(browser)
    await any_world.store.write(lambda transaction: transaction.count("UPDATE customer SET disabled = 1"))
    right = await any_world.try_code(browser, await any_world.code())
    wrong = await any_world.try_code(browser, await any_world.wrong_code())
    assert right.text.replace("4 more attempts", "3 more attempts") == wrong.text
    assert await any_world.count("session") == 0


async def test_a_code_from_a_link_that_was_deactivated_meanwhile_is_refused(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    await world.store.write(lambda transaction: transaction.count("UPDATE challenge SET link = 'an older one'"))
    answer = await world.try_code(browser, await world.code())
    assert answer.status_code == 404
    assert "not active" in answer.text


def test_one_handler_alone_begins_sessions() -> None:  # threat 15
    """One statement makes a session, and one function runs it. It is called after a right code and for the URL of a portal
    session, in one file, by one handler each; and the same once more for operators of the studio, in a table of their own. A
    preview has sessions of sample customers, in a store that holds nobody else."""
    assert places(r"INSERT INTO session\b") == places(r"INSERT INTO studio_session\b") == ["sessions.py"]
    assert places(r"\bsessions\.start\(") == ["entry.py", "entry.py", "codes.py"]
    assert places(r"customer_sessions\.start\(") == ["previews.py"]
    assert places(r"(?<!def )\benter\(") == ["login/routes.py", "routes.py"]
    assert places(r"(?<!def )\badmit\(") == ["portal_sessions/routes.py"]
    assert places(r"access\.entry import") == ["login/routes.py", "portal_sessions/routes.py"]
    assert places(r"access\.sessions import .*\bstart\b") == []


def places(pattern: str) -> list[str]:
    """The files of the server that hold it, one for each time."""
    found = ((path, re.findall(pattern, path.read_text())) for path in sorted(Path("server").rglob("*.py")))
    return [
        str(path.relative_to("server/features" if "features" in path.parts else path.parent))
        for path, all_ in found
        for _ in all_
    ]
