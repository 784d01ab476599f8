"""A session that ends: in the middle of something, by logging out, by another account in the same browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.served import Demo
from tests.support.visits import (
    JENNY,
    ask_for_code,
    invoice_links,
    let_code_lapse,
    let_session_sleep,
    log_in,
    menu,
    mistakes,
    send_address,
    send_code,
    token,
)

CANCEL = "Cancel subscription"
AGAIN = "Please log in again"


def test_a_session_that_dies_in_the_cancel_form_comes_back_to_it_in_place(demo: Demo, page: Page):
    # portal-features L14
    log_in(page, demo, "plain", JENNY)
    page.get_by_role("link", name=CANCEL).click()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    url = page.url
    let_session_sleep(demo, page.context, "plain")

    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("heading", name=AGAIN)).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("After you log in, you continue where you were.")
    expect(page.get_by_label("Email address")).to_have_value(JENNY)
    demo.forget(JENNY)
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    expect(page.get_by_label("Passcode")).to_be_focused()
    code = demo.passcode(JENNY)
    send_code(page, f"{(int(code) + 1) % 10**6:06d}")
    expect(mistakes(page).filter(has_text="You have 4 more attempts.")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    send_code(page, code)

    expect(page.get_by_role("heading", name=re.compile("^Cancel Standard plan"))).to_be_focused()
    expect(page.get_by_text("Nothing was changed")).not_to_have_count(0)
    assert page.url == url
    expect(page.get_by_role("heading", name="Invoices", exact=True)).to_be_visible()
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("status")).to_contain_text("Your subscription ends on")
    page.get_by_role("button", name="Keep my subscription").click()
    expect(page.get_by_role("status")).to_contain_text("Your subscription continues")


def test_without_scripts_it_comes_back_to_the_form_as_a_page(demo: Demo, plain_page: Page):
    # portal-features L14
    page = plain_page
    log_in(page, demo, "harbour", JENNY)
    page.get_by_role("link", name=CANCEL).click()
    form = page.url
    let_session_sleep(demo, page.context, "harbour")
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(AGAIN)
    expect(page.get_by_label("Email address")).to_have_value(JENNY)
    send_address(page, JENNY)
    send_code(page, demo.passcode(JENNY))
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    assert page.url == form
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_text("Your subscription ends on")).to_be_visible()
    page.get_by_role("button", name="Keep my subscription").click()
    expect(page.get_by_text("Your subscription continues")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_page_that_was_asked_for_too_late_is_shown_after_log_in(demo: Demo, new_context, scripts: bool):
    # portal-features L14
    address = {True: "kim@example.com", False: "lee@example.com"}[scripts]
    page = new_context(java_script_enabled=scripts).new_page()
    log_in(page, demo, "orbit", address)
    let_session_sleep(demo, page.context, "orbit")
    menu(page, "Invoices").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(AGAIN)
    expect(page.get_by_label("Email address")).to_have_value(address)
    send_address(page, address)
    send_code(page, demo.passcode(address))
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")


def test_the_account_page_opens_log_in_in_its_place_when_nobody_is_logged_in(demo: Demo, page: Page):
    address = "tina@example.com"
    page.goto("/harbour/account/")
    expect(page.get_by_role("heading", name=AGAIN)).to_be_visible()
    demo.forget(address)
    send_address(page, address)
    code = demo.passcode(address)
    let_code_lapse(demo, page.context, "harbour")
    send_code(page, code)
    expect(page.get_by_text("That passcode is no longer valid")).to_be_visible()
    expect(page).to_have_title(re.compile("^Error: "))
    demo.forget(address)
    send_address(page, address)
    send_code(page, demo.passcode(address))
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    expect(page).to_have_title(re.compile("^Your coffee"))
    expect(page.get_by_role("banner").get_by_text(address)).to_be_visible()
    assert page.url.endswith("/harbour/account/")


def test_after_logging_out_the_back_button_shows_no_invoice(demo: Demo, page: Page):
    # threats 46, 51, 69
    log_in(page, demo, "plain", "pat@example.com")
    old = page.context.cookies()
    menu(page, "Invoices").click()
    invoice_links(page).first.click()
    expect(page.get_by_role("table")).to_be_visible()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    with page.expect_response("**/plain/logout") as answered:
        page.get_by_role("button", name="Log out").click()
    assert answered.value.all_headers()["clear-site-data"] == '"cache", "storage"'
    expect(page.get_by_label("Email address")).to_be_visible()
    for _ in range(3):
        page.go_back()
        page.wait_for_load_state()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shown = page.locator("body").inner_text()
        assert "$" not in shown
        assert "Lindqvist" not in shown
    page.context.add_cookies(old)  # type: ignore[arg-type]
    page.goto("/plain/my/invoices")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_nothing_personal_is_kept_for_going_back_and_forward(demo: Demo, page: Page):
    # threat 69
    log_in(page, demo, "harbour", "pat@example.com")
    card = page.get_by_role("link", name=CANCEL)
    card.click()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    menu(page, "Billing details").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing details")
    page.go_back()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    expect(page.get_by_role("button", name=CANCEL)).to_have_count(0)
    page.go_forward()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing details")
    kept = "localStorage.length + sessionStorage.length + JSON.stringify(history.state || '').length"
    assert page.evaluate(kept) == len('""')


def test_a_tab_of_another_account_changes_nothing_and_says_so(demo: Demo, page: Page):
    # threat 53
    log_in(page, demo, "plain", "max@example.com")
    page.get_by_role("link", name=CANCEL).first.click()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    other_tab = page.context.new_page()
    log_in(other_tab, demo, "plain", "noa@example.com")

    page.bring_to_front()
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("heading", name="You are now logged in to another account")).to_be_focused()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    page.get_by_role("link", name="Go to the current account").click()
    expect(page.get_by_role("banner").get_by_text("noa@example.com")).to_be_visible()
    expect(page.get_by_text("Ending")).to_have_count(0)


def test_logging_in_again_gives_another_session_and_ends_the_old_one(demo: Demo, page: Page):
    # threat 45
    log_in(page, demo, "harbour", "noa@example.com")
    first = token(page.context, "harbour")
    log_in(page, demo, "harbour", "kim@example.com")
    second = token(page.context, "harbour")
    assert first != second
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "harbour-session", "value": first, "url": demo.origin}])
    page.goto("/harbour/my/overview")
    expect(page.get_by_label("Email address")).to_be_visible()


def test_a_planted_session_is_nothing_and_log_in_replaces_it(demo: Demo, page: Page):
    # threat 45
    planted = "A" * 43
    page.context.add_cookies([{"name": "orbit-session", "value": planted, "url": demo.origin}])
    page.goto("/orbit/my/overview")
    expect(page.get_by_label("Email address")).to_be_visible()
    log_in(page, demo, "orbit", "noa@example.com")
    assert token(page.context, "orbit") != planted


def test_a_session_that_ends_in_the_middle_of_a_form_loses_no_word(demo: Demo, page: Page):  # L14
    lee = "lee@example.com"  # an address gets four codes an hour
    log_in(page, demo, "harbour", lee)
    page.goto("/harbour/my/details/contact")
    page.get_by_label("Name or company").fill("Lee and the words")
    let_session_sleep(demo, page.context, "harbour")
    page.get_by_role("button", name="Save", exact=True).last.click()
    demo.forget(lee)
    page.get_by_role("button", name=re.compile("code", re.IGNORECASE)).click()
    expect(page.get_by_label("Passcode")).to_be_visible()
    send_code(page, demo.passcode(lee))
    expect(page.get_by_label("Name or company")).to_have_value("Lee and the words")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Your details are saved.").first).to_be_visible()


def test_after_a_switch_the_other_tab_changes_nothing_and_says_so(demo: Demo, page: Page):  # L13, threat 53
    sam = "sam@example.com"
    ask_for_code(page, demo, "plain", sam)
    send_code(page, demo.passcode(sam))
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("link", name="Cancel subscription").click()
    confirm = page.get_by_role("button", name="Cancel subscription")
    expect(confirm).to_be_visible()
    other_tab = page.context.new_page()
    other_tab.goto("/plain/my/accounts")
    other_tab.get_by_role("button", name="Open").click()
    expect(other_tab.get_by_role("heading", name="Subscriptions")).to_be_visible()
    page.bring_to_front()
    confirm.click()
    expect(page.get_by_role("heading", name="You are now logged in to another account")).to_be_focused()
