"""Log-in before there is a session. Two tabs of one browser may log in with two addresses: each form says which challenge it is
of. A form with a mistake leads to a page that says it, which Back and reload show without sending anything again."""

import re

import pytest

from server.features.login.challenges import mark_of
from tests.support.client import forms_in
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
SAM = "sam@example.com"


async def test_each_tab_logs_in_with_the_code_of_its_own_address(any_world: World) -> None:
    await any_world.customer()
    await any_world.customer("cus_sam", SAM)
    browser = any_world.client()
    first, second = await any_world.ask(browser), await any_world.ask(browser, SAM)
    (action, fields), (_, again) = forms_in(first.text)
    reloaded = await browser.get(str(first.url))
    assert (">jenny@example.com<" in reloaded.text, f">{SAM}<" in second.text) == (True, True)
    wrong = await browser.post(action, data={**fields, "code": await any_world.wrong_code()}, follow=True)
    assert "You have 4 more attempts" in wrong.text
    assert ">jenny@example.com<" in wrong.text
    assert await any_world.store.read("SELECT attempts FROM challenge WHERE address = :it", {"it": SAM}) == [(0,)]
    any_world.clock.forward(minutes=1)
    resent = await browser.post(f"/{BRAND}/login/resend", data=again, follow=True)
    assert ">jenny@example.com<" in resent.text
    action, fields = forms_in(resent.text)[0]
    entered = await browser.post(action, data={**fields, "code": await any_world.code()})
    assert entered.headers["location"] == f"/{BRAND}/my/overview"
    assert "jenny@example.com" in (await browser.get(f"/{BRAND}/my/overview")).text
    # The other tab's code is another account's, and opens that one.
    action, fields = forms_in(second.text)[0]
    assert (await browser.post(action, data={**fields, "code": await any_world.code(SAM)})).status_code == 303
    assert SAM in (await browser.get(f"/{BRAND}/my/overview")).text


async def test_the_mark_of_another_browsers_challenge_finds_nothing(world: World) -> None:
    await world.customer()
    fields = forms_in((await world.ask(world.client())).text)[0][1]
    other = world.client()
    await world.ask(other, SAM)
    answer = await other.post(f"/{BRAND}/login/code", data={**fields, "code": await world.code()}, follow=True)
    assert "That passcode is no longer valid" in answer.text
    assert "jenny" not in answer.text
    assert await world.store.read("SELECT SUM(attempts) FROM challenge") == [(0,)]
    assert await world.count("session") == 0


async def test_a_browser_holds_four_challenges_and_one_of_each_address(world: World) -> None:
    browser, name = world.client(), f"__Host-{BRAND}-challenge"
    for letter in "abacde":
        await world.ask(browser, f"{letter}@example.com")
        world.clock.forward(minutes=2)
    held = browser.cookies[name].split(".")
    assert (len(held), len(set(held))) == (4, 4)
    assert len(browser.cookies[name]) <= 200  # more is not read of a cookie
    shown = [(await browser.get(f"/{BRAND}/login/code?challenge={mark_of(each)}")).text for each in held]
    for letter, text in zip("edca", shown, strict=True):
        assert f">{letter}@example.com<" in text


MISTAKES = [
    ("login", {"email": "no address"}, 422),
    ("login", {"email": ""}, 422),
    ("login", {"email": "jenny@example.com", "request_key": "BCDF"}, 422),
    ("login/code", {"code": "000000"}, 422),
    ("login/code", {"code": ""}, 422),
    ("login/code", {"code": "12"}, 422),
    ("login/resend", {}, 429),
]


@pytest.mark.parametrize(("path", "form", "status"), MISTAKES, ids=str)
async def test_a_mistake_leads_to_a_page_that_says_it_in_its_title_and_takes_the_focus(
    world: World, path: str, form: dict[str, str], status: int
) -> None:
    browser = world.client()
    await world.ask(browser)
    answer = await browser.post(f"/{BRAND}/{path}", data={"link": world.link(), **form})
    assert answer.status_code == 303
    tried = await world.store.read("SELECT attempts FROM challenge")
    for _ in range(2):  # a reload says the same and spends nothing
        page = await browser.get(answer.headers["location"])
        assert "<title>Error: " in page.text
        (focused,) = re.findall(r"<[^>]*\sautofocus[^>]*>", page.text)
        assert "notice" in focused
        assert page.status_code == status
    assert await world.store.read("SELECT attempts FROM challenge") == tried


async def test_a_code_that_is_over_leads_to_the_form_with_its_address(world: World) -> None:
    browser = world.client()
    asked = await world.ask(browser)
    world.clock.forward(minutes=11)
    answer = await browser.fill(asked, code="000000")
    assert (answer.status_code, "jenny" in answer.headers["location"]) == (303, False)
    page = await browser.get(answer.headers["location"])
    assert 'value="jenny@example.com"' in page.text
    assert "<title>Error: " in page.text


async def test_to_wait_for_another_code_is_said_until_it_can_be_had(world: World) -> None:
    browser = world.client()
    asked = await world.ask(browser)
    told = await browser.fill(asked, form=1, follow=True)
    assert told.headers["retry-after"] == "60"
    world.clock.forward(seconds=60)
    assert (await browser.get(str(told.url))).status_code == 200


@pytest.mark.parametrize("page", ["login", "login/code"])
@pytest.mark.parametrize("words", ["<b>Call 555</b>", "your account is blocked", "has_key", "lapsed ", ""])
async def test_a_page_says_only_mistakes_of_ours(world: World, page: str, words: str) -> None:
    browser = world.client()
    await world.ask(browser)
    plain = await browser.get(f"/{BRAND}/{page}")
    shown = await browser.get(f"/{BRAND}/{page}", params={"mistake": words, "minutes": "99999", "reason": words})
    assert shown.text == plain.text


async def test_what_was_typed_is_kept_in_the_page_for_a_minute_and_by_no_script(world: World) -> None:
    answer = await world.client().post(f"/{BRAND}/login", data={"email": '"><i>é', "link": world.link()})
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if "-typed=" in each)
    assert "; HttpOnly" in cookie
    assert "; Max-Age=60;" in cookie


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("page", "leads"),
    [
        ("login", "overview"),
        ("login?prefilled_email=Jenny%40example.com", "overview"),
        ("login?next=invoices", "invoices"),
        ("login?flow=payment_method_update", "flow/payment_method_update"),
        ("login?request_key=BCDF", "overview"),
        ("login?mistake=lapsed", "overview"),
        ("login/code", "overview"),
        ("login/code?challenge=000000000000&next=invoices", "invoices"),
    ],
)
async def test_who_is_logged_in_is_led_on_by_every_page_of_log_in(
    world: World, method: str, page: str, leads: str
) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    answer = await browser.request(method, f"/{BRAND}/{page}")
    assert answer.status_code == 303
    assert answer.headers["location"].partition("?")[0] == f"/{BRAND}/my/{leads}"


async def test_who_is_logged_in_gets_no_other_code_for_the_same_address(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    world.clock.forward(minutes=2)
    sent = await world.count("outbox")
    answer = await browser.post(f"/{BRAND}/login", data={"email": "jenny@example.com", "link": world.link()})
    assert answer.headers["location"] == f"/{BRAND}/my/overview"
    used = await browser.post(f"/{BRAND}/login/code", data={"code": "000000"})
    assert used.headers["location"] == f"/{BRAND}/my/overview"
    assert await world.count("outbox") == sent


async def test_a_session_leads_on_nobody_who_asks_for_another_address_or_another_session(world: World) -> None:
    await world.customer()
    await world.customer("cus_sam", SAM)
    browser = world.client()
    await world.log_in(browser)
    for query in ("prefilled_email=sam%40example.com", "next=portal_session:bps_1"):
        assert (await browser.get(f"/{BRAND}/login?{query}")).status_code == 200
    code_page = await world.ask(browser, SAM)
    assert f">{SAM}<" in code_page.text
    assert f">{SAM}<" in (await browser.get(str(code_page.url))).text
    await browser.get(f"/{BRAND}/my/overview")
    await browser.post(f"/{BRAND}/logout")
    assert (await browser.get(f"/{BRAND}/login")).status_code == 200
