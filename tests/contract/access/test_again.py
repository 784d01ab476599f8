"""A session that died is a way back: log-in opens where something was asked for, and then that is done (L14)."""

import re

import pytest
from markupsafe import escape

from server.features.login import nextpage
from server.paths import Paths
from tests.support.accounts import account, ending, keep
from tests.support.client import forms_in
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

CANCEL = f"/{BRAND}/my/subscriptions/sub_1/cancel"


async def test_a_fragment_without_a_session_opens_log_in_in_its_place_and_goes_on(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    world.clock.forward(hours=2)
    again = await browser.get(f"/{BRAND}/my/invoices", fragment=True)
    assert again.status_code == 401
    assert "x-portal-fragment" in again.headers
    ((action, fields),) = forms_in(again.text)
    assert action == f"/{BRAND}/login"
    assert fields["email"] == "jenny@example.com"
    assert fields["next"] == "invoices"
    code = await browser.fill(again, fragment=True, follow=True)
    assert "x-portal-fragment" in code.headers
    answer = await browser.fill(code, fragment=True, follow=True, code=await world.code())
    assert answer.status_code == 200
    assert answer.request.url.path == f"/{BRAND}/my/invoices"
    assert "x-portal-fragment" in answer.headers


@pytest.mark.parametrize("fragment", [True, False])
async def test_the_words_of_a_form_come_back_after_log_in(world: World, fragment: bool) -> None:
    await world.customer()
    browser = world.client()
    words = {"feedback": 'too "dear" <b>', "key": "k" * 16, "customer": "cus_jenny"}
    again = await browser.post(CANCEL, data=words, fragment=fragment)
    assert again.status_code == 401
    fields = forms_in(again.text)[0][1]
    assert fields["kept.feedback"] == 'too "dear" <b>'
    assert "kept.key" not in fields
    code = await browser.fill(again, fragment=fragment, follow=True, email="jenny@example.com")
    assert forms_in(code.text)[0][1]["kept.feedback"] == 'too "dear" <b>'
    answer = await browser.fill(code, fragment=fragment, code=await world.code())
    assert answer.status_code == 307  # the browser posts the same body there
    assert answer.headers["location"] == CANCEL
    assert f"__Host-{BRAND}-session" in answer.headers["set-cookie"]


async def test_the_words_survive_a_wrong_code_and_another_one(world: World) -> None:
    await world.customer()
    browser = world.client()
    again = await browser.post(CANCEL, data={"feedback": "slow"})
    code = await browser.fill(again, follow=True, email="jenny@example.com")
    wrong = await browser.fill(code, code=await world.wrong_code())
    assert forms_in(wrong.text)[0][1]["kept.feedback"] == "slow"
    world.clock.forward(seconds=61)
    resent = await browser.fill(wrong, form=1)
    assert resent.status_code == 200
    assert forms_in(resent.text)[0][1]["kept.feedback"] == "slow"
    world.clock.forward(minutes=11)
    lapsed = await browser.fill(resent, code="123456")
    assert forms_in(lapsed.text)[0][1]["kept.feedback"] == "slow"


async def test_what_is_kept_is_bounded(world: World) -> None:
    words = {f"field{number}": "x" for number in range(40)}
    again = await world.client().post(CANCEL, data=words)
    assert len([each for each in forms_in(again.text)[0][1] if each.startswith("kept.")]) == 20
    again = await world.client().post(CANCEL, data={"small": "x", "large": "x" * 5000})
    kept = [each for each in forms_in(again.text)[0][1] if each.startswith("kept.")]
    assert kept == ["kept.small"]


async def test_undoing_without_a_session_leads_to_the_card_with_the_button_and_undoes_nothing(world: World) -> None:
    await keep(world, account(ending()))
    browser = world.client()
    again = await browser.post(f"/{BRAND}/my/subscriptions/sub_1/resume", data={"key": "k"}, fragment=True)
    code = await browser.fill(again, fragment=True, follow=True, email="jenny@example.com")
    answer = await browser.fill(code, fragment=True, follow=True, code=await world.code())
    assert (answer.status_code, answer.request.url.path) == (200, f"/{BRAND}/my/subscriptions/sub_1")
    assert any(action.endswith("/sub_1/resume") for action, _ in forms_in(answer.text))


@pytest.mark.parametrize(
    "evil",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "%2f%2fevil.example",
        "\t//evil.example",
        "invoices\r\nSet-Cookie: a=b",
        "invoice:../../evil",
        "invoice:a/b",
        "invoice:",
        "invoices:in_1",
        "nothing",
        "x" * 5000,
    ],
)
async def test_next_leads_nowhere_but_to_pages_of_ours(world: World, evil: str) -> None:  # threat 59
    await world.customer()
    browser = world.client()
    assert nextpage.path_of(Paths("/harbour"), evil) == "/harbour/my/overview"
    asked = await browser.post(
        f"/{BRAND}/login", data={"email": "jenny@example.com", "link": world.link(), "next": evil}
    )
    assert re.fullmatch(rf"/{BRAND}/login/code\?challenge=[0-9a-f]{{12}}", asked.headers["location"])
    entered = await world.try_code(browser, await world.code(), next=evil)
    assert entered.headers["location"] == f"/{BRAND}/my/overview"


async def test_a_link_to_a_page_leads_there_after_log_in(world: World) -> None:
    await world.customer()
    browser = world.client()
    page = await browser.get(f"/{BRAND}/login?next=invoice:in_1&prefilled_email=Jenny%40Example.com")
    asked = {"link": world.link(), "language": "en", "next": "invoice:in_1", "email": "jenny@example.com"}
    assert forms_in(page.text)[0][1] == asked
    code = await browser.fill(page, follow=True)
    answer = await browser.fill(code, code=await world.code())
    assert answer.headers["location"] == f"/{BRAND}/my/invoices/in_1"


@pytest.mark.parametrize(
    "given", ["not an address", '"><script>alert(1)</script>', "a@b@c", "", "x" * 5000, "a@b.com,c@d.com"]
)
async def test_a_prefilled_address_that_is_none_is_dropped(world: World, given: str) -> None:  # L5, threats 35, 63
    page = await world.client().get(f"/{BRAND}/login", params={"prefilled_email": given})
    assert page.status_code == 200
    assert forms_in(page.text)[0][1]["email"] == ""


async def test_the_code_form_can_be_loaded_again(world: World) -> None:
    browser = world.client()
    asked = await world.ask(browser)
    assert (await browser.get(f"/{BRAND}/login/code")).text == asked.text


async def test_a_form_sent_twice_within_a_minute_sends_one_mail(world: World) -> None:
    browser = world.client()
    first, second = await world.ask(browser), await world.ask(browser)
    assert first.text == second.text
    assert await world.count("outbox") == 1


async def test_another_code_is_sent_after_a_minute_and_the_old_one_dies(world: World) -> None:
    await world.customer()
    browser = world.client()
    await world.ask(browser)
    old = await world.code()
    soon = await browser.post(f"/{BRAND}/login/resend", data={"next": ""}, follow=True)
    assert soon.status_code == 429
    assert soon.headers["retry-after"] == "60"
    world.clock.forward(seconds=60)
    assert (await browser.post(f"/{BRAND}/login/resend", data={"next": ""}, follow=True)).status_code == 200
    new = await world.code()
    if old != new:
        assert (await world.try_code(browser, old)).status_code == 422
    assert (await world.try_code(browser, new)).status_code == 303


async def test_an_address_is_shown_in_its_ascii_form(world: World) -> None:  # threat 39
    asked = await world.ask(world.client(), "jenny@exаmple.com")
    assert "jenny@xn--" in asked.text
    assert "exаmple" not in asked.text


@pytest.mark.parametrize(
    "email",
    ["jenny＠example.com", "a@b.com, c@d.com", '"e@attacker.com"@victim.com', "a@b.com\nBcc: c@d.com", "", "<a@b.com>"],
)
async def test_what_is_no_single_address_is_refused_with_the_words_kept(
    world: World, email: str
) -> None:  # threats 34 to 37
    answer = await world.client().post(f"/{BRAND}/login", data={"email": email, "link": world.link()}, follow=True)
    assert answer.status_code == 422
    assert escape(email) in answer.text
    assert str(answer.url).endswith(("mistake=empty", "mistake=not_an_address")), "what was typed is in no URL"
    assert await world.count("outbox") == 0


async def test_a_link_that_is_not_active_is_said_so(world: World) -> None:  # L3
    answer = await world.client().post(f"/{BRAND}/login", data={"email": "jenny@example.com", "link": "test_old"})
    assert answer.status_code == 404
    assert "not active" in answer.text
    assert await world.count("challenge") == 0
