"""L15: where a customer is logged in, and how to end it. Nobody ends what is another's, and nothing shown opens anything."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.client import Client, forms_in
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio

SESSIONS = f"/{BRAND}/my/sessions"
OVERVIEW = f"/{BRAND}/my/overview"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


async def two_browsers(world: World) -> tuple[Client, Client]:
    """A laptop and, two minutes later, a phone."""
    await world.customer()
    laptop, phone = world.client(), world.client(**{"User-Agent": PHONE})
    await world.log_in(laptop)
    world.clock.forward(minutes=2)
    await world.log_in(phone)
    return laptop, phone


def ends(page: Any) -> list[str]:
    """Where the forms of a page that end one session lead."""
    return [action for action, _ in forms_in(page.text) if action.endswith("/end")]


async def test_the_page_says_where_and_since_when_and_which_one_this_is(any_world: World) -> None:  # L15
    laptop, phone = await two_browsers(any_world)
    any_world.clock.forward(minutes=3)
    page = await laptop.get(SESSIONS)
    rows = re.findall(r"<li>\s*<span>.*?</li>", page.text, re.DOTALL)
    assert ["Firefox on Linux" in each for each in rows] == [True, False]
    assert ["Safari on iPhone" in each for each in rows] == [False, True]
    assert ["This browser" in each for each in rows] == [True, False]
    assert "12:00:00" in rows[0]
    assert "12:02:00" in rows[1]
    assert all("with a passcode, from the log-in link" in each for each in rows)
    assert "This is your first log-in here" in page.text
    assert "Your last log-in before this one" in (await phone.get(SESSIONS)).text
    assert len(ends(page)) == 1


async def test_one_other_session_is_ended_and_twice_is_the_same_as_once(any_world: World) -> None:  # L15
    laptop, phone = await two_browsers(any_world)
    page = await laptop.get(SESSIONS)
    ended = await laptop.fill(page, follow=True)
    assert "That browser is logged out" in ended.text
    assert [(await each.get(OVERVIEW)).status_code for each in (laptop, phone)] == [200, 401]
    again = await laptop.fill(page, follow=True, fragment=True)
    assert "was already logged out" in again.text
    assert 'id="login-sessions"' in again.text
    kinds = await any_world.store.read("SELECT kind FROM activity ORDER BY at, kind")
    assert kinds == [("login",), ("login",), ("session.ended",)]


async def test_all_others_are_ended_and_this_one_stays(any_world: World) -> None:  # L15
    laptop, phone = await two_browsers(any_world)
    await any_world.customer("cus_sam", "sam@example.com")
    sam = any_world.client()
    await any_world.log_in(sam, "sam@example.com")
    page = await phone.get(SESSIONS)
    assert "All other browsers are logged out" in (await phone.fill(page, form=1, follow=True)).text
    assert "No other browser was logged in" in (await phone.fill(page, form=1, follow=True)).text
    assert [(await each.get(OVERVIEW)).status_code for each in (laptop, phone, sam)] == [401, 200, 200]


async def test_ending_this_one_by_its_name_is_logging_out(world: World) -> None:  # L15
    laptop, phone = await two_browsers(world)
    (own,) = ends(await phone.get(SESSIONS))  # how the phone's page calls the laptop's session
    answer = await laptop.post(own, data={"customer": "cus_jenny"})
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert [(await each.get(OVERVIEW)).status_code for each in (laptop, phone)] == [401, 200]


async def test_what_is_another_customers_is_not_found_and_not_ended(any_world: World) -> None:  # threat 75
    laptop, phone = await two_browsers(any_world)
    await any_world.customer("cus_sam", "sam@example.com")
    await any_world.customer(brand="orbit")
    sam, orbit = any_world.client(), any_world.client()
    await any_world.log_in(sam, "sam@example.com")
    await any_world.log_in(orbit, brand="orbit")
    (name,) = (each.split("/")[-2] for each in ends(await laptop.get(SESSIONS)))
    made_up = await sam.post(f"{SESSIONS}/{'A' * 38}/end", data={"customer": "cus_sam"})
    for browser, url in ((sam, SESSIONS), (orbit, "/orbit/my/sessions")):
        for customer in ("", "cus_sam" if browser is sam else "cus_jenny"):
            answer = await browser.post(f"{url}/{name}/end", data={"customer": customer})
            assert answer.status_code == 404
            assert browser is orbit or answer.content == made_up.content
    assert (await phone.get(OVERVIEW)).status_code == 200


async def test_a_tab_of_another_account_ends_no_session(any_world: World) -> None:  # threat 53
    laptop, phone = await two_browsers(any_world)
    await any_world.customer("cus_sam", "sam@example.com")
    page = await laptop.get(SESSIONS)
    await any_world.log_in(laptop, "sam@example.com")
    before = await any_world.count("session")
    for form in range(3):
        answer = await laptop.fill(page, form=form)
        assert answer.status_code == 409
        assert "another account" in answer.text
    assert await any_world.count("session") == before
    assert (await phone.get(OVERVIEW)).status_code == 200


async def test_no_name_on_the_page_opens_a_session_or_is_in_the_database(world: World) -> None:  # threat 47
    laptop, _ = await two_browsers(world)
    (name,) = (each.split("/")[-2] for each in ends(await laptop.get(SESSIONS)))
    thief = world.client()
    thief.headers["cookie"] = f"__Host-{BRAND}-session={name}"
    assert (await thief.get(OVERVIEW)).status_code == 401
    assert name not in repr(await world.rows("session"))


async def test_a_name_from_before_the_secrets_were_changed_still_ends_its_session(world: World) -> None:
    laptop, phone = await two_browsers(world)
    page = await laptop.get(SESSIONS)
    newer = replace(SETTINGS, secrets=(b"a new secret, 0123456789abcdefghijkl", *SETTINGS.secrets))
    rotated = World(world.store, world.clock, settings=newer)
    later = rotated.client()
    later.cookies.update(laptop.cookies)
    assert ends(await later.get(SESSIONS)) != ends(page)
    assert "That browser is logged out" in (await later.fill(page, follow=True)).text
    assert (await phone.get(OVERVIEW)).status_code == 401


async def test_sessions_that_ended_by_themselves_are_not_listed(world: World) -> None:
    _, phone = await two_browsers(world)
    world.clock.forward(minutes=59)
    await phone.get(OVERVIEW)
    world.clock.forward(minutes=30)
    assert ends(await phone.get(SESSIONS)) == []
    assert await world.count("session") == 2


async def test_a_session_that_dies_on_the_page_comes_back_to_it(world: World) -> None:  # L14, L15
    laptop, _ = await two_browsers(world)
    page = await laptop.get(SESSIONS)
    world.clock.forward(hours=2)
    answer = await laptop.fill(page)
    assert answer.status_code == 401
    assert 'name="next" value="sessions"' in answer.text
