"""Two tabs of one browser may log in with two addresses: each form says which challenge it is of."""

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
