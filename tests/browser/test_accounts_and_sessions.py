"""L13 and L15 as a person does them: which account, where am I logged in, and the menu that leads there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.served import Demo
from tests.support.visits import ask_for_code, log_in, menu, send_code

SAM = "sam@example.com"
with_and_without = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
NewContext = Callable[..., BrowserContext]


@with_and_without
def test_sam_is_asked_which_account_and_switches_back(demo: Demo, new_context: NewContext, scripts: bool):  # L13
    page = new_context(java_script_enabled=scripts).new_page()
    ask_for_code(page, demo, "plain", SAM)
    send_code(page, demo.passcode(SAM))
    expect(page.get_by_role("heading", level=1)).to_have_text("Which account?")
    older = page.get_by_role("region", name="Sam Okafor", exact=True)
    studio = page.get_by_role("region", name="Sam Okafor (studio)")
    expect(older).to_contain_text("Open now")
    expect(older).to_contain_text("Active")
    expect(studio).to_contain_text("All have ended")
    studio.get_by_role("button", name="Open this one").click()
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    menu(page, "Billing details").click()
    expect(page.get_by_role("main")).to_contain_text("Sam Okafor (studio)")
    menu(page, "Switch account").click()
    expect(studio).to_contain_text("Open now")
    older.get_by_role("button", name="Open this one").click()
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    menu(page, "History").click()
    expect(page.get_by_text("Came from another account of the same address").first).to_be_visible()


def test_after_a_switch_the_other_tab_changes_nothing_and_says_so(demo: Demo, page: Page):  # L13, threat 53
    ask_for_code(page, demo, "plain", SAM)
    send_code(page, demo.passcode(SAM))
    page.get_by_role("link", name="Go on with this one").click()
    page.get_by_role("link", name="Cancel subscription").click()
    confirm = page.get_by_role("button", name="Cancel subscription")
    expect(confirm).to_be_visible()
    other_tab = page.context.new_page()
    other_tab.goto("/plain/my/accounts")
    other_tab.get_by_role("button", name="Open this one").click()
    expect(other_tab.get_by_role("heading", name="Subscriptions")).to_be_visible()
    confirm.click()
    expect(page.get_by_role("heading", name="You are logged in to another account now")).to_be_focused()


@with_and_without
def test_the_other_browser_is_seen_and_ended(demo: Demo, new_context: NewContext, scripts: bool):  # L15
    address = {True: "tina@example.com", False: "uma@example.com"}[scripts]
    phone = new_context(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")
    away, page = phone.new_page(), new_context(java_script_enabled=scripts).new_page()
    log_in(away, demo, "plain", address)
    log_in(page, demo, "plain", address)
    menu(page, "Sessions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where you are logged in")
    expect(page.get_by_role("listitem").filter(has_text="This browser")).to_contain_text("Chrome on Linux")
    there = page.get_by_role("listitem").filter(has_text="Safari on iPhone")
    there.get_by_role("button").click()
    expect(page.get_by_role("main").get_by_text("That session has ended")).to_be_visible()
    expect(there).to_have_count(0)
    if scripts:
        expect(page.get_by_role("status")).to_contain_text("That session has ended")
        expect(page.get_by_text("Whoever used it has to log in again.").first.locator("..")).to_be_focused()
    away.reload()
    expect(away.get_by_label("E-mail address")).to_be_visible()
    page.get_by_role("button", name="Log out everywhere").click()
    expect(page.get_by_label("E-mail address")).to_be_visible()


@with_and_without
def test_on_a_phone_the_menu_opens_by_its_button_and_closes_by_escape(
    demo: Demo, new_context: NewContext, doors, scripts: bool
):
    context = new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    page = context.new_page()
    doors.enter(page, "plain", "max@example.com")
    button, invoices = page.get_by_role("button", name="Menu"), menu(page, "Invoices")
    expect(button).to_be_visible()
    expect(invoices).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(invoices).to_be_visible()
    page.keyboard.press("Tab")
    expect(menu(page, "Overview")).to_be_focused()
    page.keyboard.press("Escape")
    expect(invoices).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    invoices.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(button).to_be_hidden()
    expect(invoices).to_be_visible()
