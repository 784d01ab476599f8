"""In which language the server's pages before log-in are, and how a customer's own comes first. Row L12."""

import re
from dataclasses import replace
from typing import Any

import pytest

from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from tests.support.client import Client, without_marks
from tests.support.mailing import SpeakingBilling
from tests.support.world import BRAND, ROOT, World

pytestmark = pytest.mark.anyio


def language(answer: Any) -> str:
    found = re.search(r'<html lang="([^"]*)"', answer.text)
    assert found, answer.text[:200]
    return found[1]


async def entered(world: World, browser: Client, **rest: Any) -> Any:
    """The page that a log-in leads to."""
    await world.ask(browser, **rest)
    answer = await world.try_code(browser, await world.code())
    return await browser.get(answer.headers["location"])


async def log_out(browser: Client, page: Any) -> Any:
    """By the button that the page shows."""
    form = re.search(r'<form class="who"[^>]*action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
    assert form
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[2]))
    return await browser.post(form[1], data=hidden)


async def test_log_in_goes_on_in_the_language_of_the_page_that_it_began_on(world: World) -> None:  # L12
    await world.customer()
    browser = world.client(**{"Accept-Language": "en"})
    assert language(await world.ask(browser, language="de")) == "de"
    wrong = await world.try_code(browser, await world.wrong_code())
    assert (wrong.status_code, language(wrong)) == (422, "de")
    page = await browser.get((await world.try_code(browser, await world.code())).headers["location"])
    assert language(page) == "de"
    assert f'href="/{BRAND}/de/help/"' in page.text
    assert f'href="/{BRAND}/de/account/"' in page.text
    left = await log_out(browser, page)
    assert language(await browser.get(left.headers["location"])) == "de"


async def test_who_chose_the_first_language_keeps_it_whatever_the_browser_prefers(world: World) -> None:  # L12
    browser = world.client(**{"Accept-Language": "de"})
    assert language(await browser.get(f"/{BRAND}/login")) == "de"
    assert language(await world.ask(browser, language="en")) == "en"
    assert language(await browser.get(f"/{BRAND}/my/overview")) == "en"


async def test_a_customers_preferred_language_comes_first(world: World) -> None:  # L12
    await world.customer(preferred_locales=("de-AT",))
    browser = world.client(**{"Accept-Language": "en"})
    page = await entered(world, browser, language="en")
    assert language(page) == "de"
    left = await log_out(browser, page)
    assert left.headers["location"] == f"/{BRAND}/login?language=de"


async def test_a_static_account_page_gives_way_to_that_of_the_customers_language(world: World) -> None:  # L12
    await world.customer(preferred_locales=("de",))
    browser = world.client()
    await entered(world, browser)
    other = await browser.get(f"/{BRAND}/my/overview?shell=en", fragment=True)
    assert other.headers["hx-redirect"] == f"/{BRAND}/de/account/"
    same = await browser.get(f"/{BRAND}/my/overview?shell=de", fragment=True)
    assert "hx-redirect" not in same.headers
    assert "x-portal-fragment" in same.headers


@pytest.mark.parametrize("odd", ["fr", "DE", "", "de ", '"><b>', "de\r\nx: y", "x" * 5000])
async def test_a_language_that_the_brand_does_not_speak_is_ignored(world: World, odd: str) -> None:
    browser = world.client(**{"Accept-Language": "de"})
    asked = await world.ask(browser, language=odd)
    assert language(asked) == "de"
    assert not any(each.endswith("language") for each in browser.cookies)
    assert language(await browser.get(f"/{BRAND}/login", params={"language": odd})) == "de"
    browser.cookies.set(f"__Host-{BRAND}-language", odd.strip().replace("\r\n", "")[:100], domain="portal.example")
    assert language(await browser.get(f"/{BRAND}/login")) == "de"


async def test_the_pages_before_log_in_can_be_read_in_every_language(world: World) -> None:
    browser = world.client()
    page = await browser.get(f"/{BRAND}/login?next=invoices&prefilled_email=jenny%40example.com")
    to_german = f"/{BRAND}/login?next=invoices&amp;prefilled_email=jenny%40example.com&amp;language=de"
    assert f'<a href="{to_german}" lang="de" hreflang="de">Deutsch</a>' in page.text
    german = await browser.get(to_german.replace("&amp;", "&"))
    assert language(german) == "de"
    assert 'value="jenny@example.com"' in german.text
    assert language(await world.ask(browser)) == "de", "what was chosen in a link is remembered too"
    code_page = without_marks((await browser.get(f"/{BRAND}/login/code")).text)
    assert f'href="/{BRAND}/login/code?challenge=&amp;language=en"' in code_page
    refused = await browser.post(
        f"/{BRAND}/login", data={"email": "x", "link": world.link(), "language": "de"}, follow=True
    )
    assert (refused.status_code, language(refused)) == (422, "de")
    assert "hreflang" not in refused.text, "a link would lose what was typed"


async def test_a_brand_of_one_language_keeps_no_cookie_for_it(world: World) -> None:
    browser = world.client()
    await world.ask(browser, brand="orbit", language="en")
    await browser.get("/orbit/login?language=en")
    assert not any(each.endswith("language") for each in browser.cookies)


@pytest.mark.parametrize(
    ("preferred", "asked_in", "mailed_in"),
    [((), "de", "de"), ((), "", "en"), (("en",), "de", "en"), (("de",), "en", "de")],
)
async def test_the_passcode_comes_in_the_customers_language_else_in_the_pages(
    world: World, preferred: tuple[str, ...], asked_in: str, mailed_in: str
) -> None:
    await world.customer()
    await world.ask(world.client(), language=asked_in)
    [job] = await outbox.claim(world.store, world.clock(), 1)
    mailer, portal = KeepingMailer(), replace(world.portal(), billing=SpeakingBilling(*preferred))
    await Delivery({BRAND: portal}, world.store, mailer, world.clock).deliver(job)
    assert mailer.messages[0]["Content-Language"] == mailed_in


def hidden(page: Any) -> dict[str, str]:
    """The hidden fields of the form that chooses the language."""
    form = re.search(rf'action="/{BRAND}/my/language".*?</form>', page.text, re.DOTALL)
    assert form, page.text[:200]
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[0]))


@pytest.mark.parametrize("fragment", [True, False])
async def test_a_language_chosen_while_logged_in_comes_before_the_preferred_one(world: World, fragment: bool) -> None:
    await world.customer(preferred_locales=("de",))
    browser = world.client(**{"Accept-Language": "de"})
    await entered(world, browser)
    page = await browser.get(f"/{BRAND}/my/mails")
    assert re.findall(r'name="language" value="(\w+)" checked', page.text) == ["de"]
    answer = await browser.post(f"/{BRAND}/my/language", data={**hidden(page), "language": "en"}, fragment=fragment)
    to = answer.headers["hx-redirect" if fragment else "location"]
    saved = await browser.get(to)
    assert (language(saved), "Your language is saved" in saved.text) == ("en", True)
    assert language(await browser.get(f"/{BRAND}/my/overview")) == "en"
    left = await log_out(browser, saved)
    assert language(await browser.get(left.headers["location"])) == "en"
    assert language(await browser.get(f"/{BRAND}/login")) == "en"
    world.clock.forward(minutes=2)
    again = await entered(world, browser, language="de")
    assert language(again) == "en", "it is remembered, whatever the next log-in begins on"


async def test_a_form_that_is_not_whole_or_says_no_language_of_the_brand_changes_none(world: World) -> None:
    await world.customer()
    browser = world.client(**{"Accept-Language": "de"})
    await entered(world, browser)
    form = {**hidden(await browser.get(f"/{BRAND}/my/mails")), "language": "en"}
    for odd in ({"key": ""}, {"customer": ""}, {"language": "fr"}, {"language": ""}, {"language": "en\r\nx: y"}):
        answer = await browser.post(f"/{BRAND}/my/language", data={**form, **odd})
        assert (answer.status_code, language(answer)) == (422, "de"), odd
        assert not any(each.endswith("own_language") for each in browser.cookies), odd
    answer = await browser.post(f"/{BRAND}/my/language", data={**form, "customer": "cus_else"})
    assert (answer.status_code, language(answer)) == (409, "de")
    for odd in ("fr", '"><b>'):
        browser.cookies.set(f"__Host-{BRAND}-own_language", odd, domain="portal.example")
        assert language(await browser.get(f"/{BRAND}/my/mails")) == "de"


async def test_the_address_that_chooses_a_language_is_no_link(world: World) -> None:
    """A crawl of the pages has to end: nothing to follow changes the language of the next page."""
    await world.customer()
    browser = world.client()
    await entered(world, browser)
    page = await browser.get(f"/{BRAND}/my/mails")
    assert "hreflang" not in page.text
    assert "language=" not in page.text
    assert (await browser.get(f"/{BRAND}/my/language")).status_code == 405


def test_no_cookie_of_a_brand_is_another_brands():
    """A brand may be called `harbour-own`."""
    used = re.findall(
        r'(?:token_of|put)\(\w+, portal, "([^"]+)"',
        "".join(each.read_text() for each in (ROOT / "server").rglob("*.py")),
    )
    assert len(set(used)) >= 4
    assert [each for each in used if "-" in each] == []
