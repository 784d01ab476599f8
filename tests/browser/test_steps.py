"""The steps of a page in the browser: their places in the history, their titles, what is said, and what is shown while one
waits or when it fails. Rows D1, D2, D5, D11, D12 of what customers stumbled over."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, Doors, link

CANCEL = "Cancel subscription"


@pytest.fixture(scope="module")
def page(browser, demo: Demo, doors: Doors):
    """One customer for the whole file; no test leaves anything changed."""
    context = browser.new_context(base_url=demo.origin, locale="en-US", viewport={"width": 390, "height": 600})
    context.set_default_timeout(30_000)
    page = context.new_page()
    doors.enter(page, "plain", JENNY)
    yield page
    context.close()


def at(page: Page, path: str, title: str) -> None:
    expect(page).to_have_url(re.compile(rf"{path}$"))
    expect(page).to_have_title(re.compile(rf"^{title} – "))


def test_back_leads_one_step_back_and_reload_stays(page: Page):
    page.goto("/plain/my/invoices")
    page.goto("/plain/my/overview")
    at(page, "/my/overview", "Your account")
    link(page, CANCEL)
    at(page, "/cancel", "Cancel your subscription")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.go_back()
    at(page, "/my/overview", "Your account")
    expect(page.get_by_role("link", name=CANCEL)).to_be_visible()
    page.go_forward()
    at(page, "/cancel", "Cancel your subscription")
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    page.go_back()
    link(page, "Change plan")
    at(page, "/change", "Change plan")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change plan")
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_step_that_a_form_leads_to_is_in_the_history_too(page: Page):
    page.goto("/plain/my/overview")
    link(page, "Change plan")
    at(page, "/change", "Change plan")
    page.locator(".choice:visible input").last.check(force=True)
    page.get_by_role("button", name="Continue").click()
    at(page, "/change/confirm", "Confirm the change")
    page.go_back()
    at(page, "/change", "Change plan")
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.go_back()
    at(page, "/my/overview", "Your account")


def test_a_step_that_is_over_is_no_longer_the_address(page: Page):
    page.goto("/plain/my/overview")
    link(page, CANCEL)
    at(page, "/cancel", "Cancel your subscription")
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("status")).to_contain_text("Your subscription ends on")
    at(page, "/my/overview", "Your account")
    page.get_by_role("button", name=re.compile("^(Keep|Undo)")).first.click()
    expect(page.get_by_role("link", name=CANCEL)).to_be_visible()
    at(page, "/my/overview", "Your account")
    page.goto(page.get_by_role("link", name=CANCEL).get_attribute("href") or "")
    page.get_by_role("link", name=re.compile("^(Keep|Go back)")).click()
    at(page, r"/my/subscriptions/\w+", "Your subscription")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your subscription")


def test_a_form_that_takes_the_place_of_its_page_brings_title_heading_and_address(page: Page):
    page.goto("/plain/my/details")
    page.get_by_role("link", name=re.compile("Edit billing address")).click()
    at(page, "/my/details/address", "Billing address")
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing address")
    page.get_by_label("City").fill("")
    page.get_by_role("button", name="Save").click()
    at(page, "/my/details/address", "Error: Billing address")
    expect(page.get_by_role("group", name=re.compile("^Please correct"))).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("")
    page.go_back()
    at(page, "/my/details", "Billing details")


def test_a_filter_is_in_the_address_and_says_when_it_finds_nothing(page: Page):
    page.goto("/plain/my/invoices")
    page.get_by_label("Status").select_option("Due")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No invoices match.").locator("xpath=..")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/my/invoices\?.*status=\w+"))
    page.reload()
    expect(page.get_by_text("No invoices match.")).to_be_visible()
    page.go_back()
    at(page, "/my/invoices", "Invoices")


FAILURES = {
    "the server is away": lambda route: route.abort(),
    "a proxy says 502": lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad</h1>"),
    "another server says 500": lambda route: route.fulfill(status=500, body="no"),
    "it takes too long": lambda _: None,
}


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_seen_where_the_person_is_and_tried_again(page: Page, fail):
    page.goto("/plain/my/overview")
    if fail is FAILURES["it takes too long"]:
        page.evaluate("htmx.config.defaultTimeout = 700")
    target = page.get_by_role("link", name=CANCEL)
    page.evaluate("document.body.style.paddingBlock = '150vh'")
    target.scroll_into_view_if_needed()
    page.route("**/cancel", fail)
    target.click()
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("Something went wrong.")
    expect(failure).to_be_in_viewport(ratio=1)
    at(page, "/my/overview", "Your account")
    failure.get_by_role("button", name="Try again").click()
    expect(failure).to_be_visible()
    page.unroute("**/cancel")
    failure.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    expect(failure).to_have_count(0)


def test_a_form_that_found_no_network_is_sent_again_with_its_words(page: Page):
    page.goto("/plain/my/details/contact")
    name = page.get_by_role("textbox", name="Name or company")
    before = name.input_value()
    name.fill("Jenny R.")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Your details are saved.")).to_be_visible()
    at(page, "/my/details", "Billing details")
    expect(page.get_by_role("main")).to_contain_text("Jenny R.")
    page.get_by_role("link", name=re.compile("^Edit")).first.click()
    page.get_by_role("textbox", name="Name or company").fill(before)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text(before)


def test_waiting_is_seen_after_a_moment_and_said_after_a_second(page: Page):
    held: list[Route] = []
    page.goto("/plain/my/overview")
    page.route("**/cancel", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it calls)
    said = page.get_by_role("status")
    page.get_by_role("link", name=CANCEL).click()
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    page.get_by_role("link", name=CANCEL).click(force=True)  # the first one is on its way
    expect(said).to_have_text("Loading …")
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    expect(said).to_have_text("")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.unroute("**/cancel")
