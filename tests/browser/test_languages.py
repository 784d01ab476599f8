"""A brand of several languages: how a visitor comes to theirs, and that it stays."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.served import Demo
from tests.support.visits import send_code

NewContext = Callable[..., BrowserContext]
JENNY, TINA = "jenny@example.com", "tina@example.com"
CODE = "Einmalcode"


def german_code(page: Page, demo: Demo, address: str) -> None:
    """From the German log-in page, with the address filled in, to the overview."""
    demo.forget(address)
    page.get_by_label("E-Mail-Adresse").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_label(CODE).fill(demo.passcode(address))
    page.get_by_role("button", name="Anmelden", exact=True).click()


def test_who_comes_from_elsewhere_gets_the_page_that_the_browser_prefers(demo: Demo, new_context: NewContext):  # L12
    page = new_context(locale="de-AT").new_page()
    page.goto(demo.portals["plain"])
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(re.compile(r"/plain/de/p/login/[^/]+/\?prefilled_email=jenny%40example\.com$"))
    expect(page.get_by_label("E-Mail-Adresse")).to_have_value(JENNY)
    german_code(page, demo, JENNY)
    expect(page.get_by_role("heading", name="Abonnements")).to_be_visible()
    page.goto("/plain/account/")
    expect(page).to_have_url(re.compile("/plain/de/account/$"))
    expect(page.get_by_role("heading", name="Abonnements")).to_be_visible()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_label("E-Mail-Adresse")).to_be_visible()


def test_whoever_chooses_a_language_keeps_it_and_the_address(demo: Demo, new_context: NewContext):  # L12, L5
    page = new_context(locale="de").new_page()
    page.goto(f"/plain/?{demo.portals['plain'].partition('?')[2]}")
    expect(page.get_by_label("E-Mail-Adresse")).to_have_value(JENNY)
    page.get_by_role("navigation", name="Sprache").get_by_role("link", name="English").click()
    expect(page.get_by_label("Email address")).to_have_value(JENNY)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    demo.forget(JENNY)
    page.get_by_label("Email address").press("Enter")
    send_code(page, demo.passcode(JENNY))
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()


def test_a_browser_of_no_language_of_the_brand_stays_at_the_first(demo: Demo, new_context: NewContext):
    page = new_context(locale="ja-JP").new_page()
    page.goto(demo.portals["harbour"])
    expect(page.get_by_label("Email address")).to_have_value(JENNY)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_without_scripts_the_list_leads_to_each_language(demo: Demo, new_context: NewContext):  # L12
    page = new_context(locale="de", java_script_enabled=False).new_page()
    page.goto("/plain/")
    expect(page.get_by_label("Email address")).to_be_visible()
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_label("E-Mail-Adresse").fill("lee@example.com")
    german_code(page, demo, "lee@example.com")
    expect(page.get_by_role("heading", name="Abonnements")).to_be_visible()
    page.goto("/plain/p/login/test_switchedOff0000000000/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/plain/de/p/login/test_switchedOff0000000000/")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_the_passcode_page_can_be_read_in_another_language_too(demo: Demo, new_context: NewContext):
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/plain/login?next=invoices")
    page.get_by_label("Email address").fill("pat@example.com")
    demo.forget("pat@example.com")
    page.get_by_label("Email address").press("Enter")
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_label(CODE).fill("12")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_label(CODE).fill(demo.passcode("pat@example.com"))
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rechnungen")


def test_arabic_is_written_from_right_to_left_on_every_step(demo: Demo, new_context: NewContext):
    address = "kim@example.com"
    page = new_context(locale="ar", viewport={"width": 320, "height": 700}).new_page()
    page.goto(demo.portals["plain"].partition("?")[0])
    expect(page).to_have_url(re.compile("/plain/ar/p/login/"))
    demo.forget(address)
    page.get_by_role("textbox").fill(address)
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("textbox")).to_have_attribute("autocomplete", "one-time-code")
    look(page)
    page.get_by_role("textbox").fill(demo.passcode(address))
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("banner").get_by_text(address)).to_be_visible()
    look(page)
    page.goto("/plain/my/invoices")
    look(page)


def look(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    side, width = page.get_by_role("heading", level=1).evaluate(
        "it => [getComputedStyle(it).direction, it.getBoundingClientRect().right / innerWidth]"
    )
    assert (side, width > 0.8) == ("rtl", True)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_customers_preferred_language_wins_after_log_in(demo: Demo, new_context: NewContext, scripts: bool):  # L12
    page = new_context(java_script_enabled=scripts).new_page()
    page.goto("/plain/login")
    page.get_by_label("Email address").fill(TINA)
    demo.forget(TINA)
    page.get_by_label("Email address").press("Enter")
    send_code(page, demo.passcode(TINA))
    expect(page.get_by_role("banner").get_by_text(TINA)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("banner").get_by_role("button").first.click()
    expect(page.get_by_role("textbox")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
