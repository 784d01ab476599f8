"""Billing details in the browser: in place with the focus where the change is, and without scripts. Rows D1 to D3."""

import re

from playwright.sync_api import Page, expect

from tests.support.served import Demo
from tests.support.visits import Doors, let_session_sleep, log_in, send_code

MAX, TINA, NOA = "max@example.com", "tina@example.com", "noa@example.com"


def edit(page: Page, what: str) -> None:
    page.get_by_role("main").get_by_role("link", name=f"Edit {what}").click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).last.click()


# D1
def test_an_address_is_changed_in_place_and_follows_the_country(page: Page, doors: Doors):
    doors.enter(page, "harbour", MAX)
    page.get_by_role("link", name="See and change").click()
    url = page.url
    edit(page, "billing address")
    expect(page.get_by_role("heading", name="Where your invoices go")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing address")
    page.get_by_label("Address line 1").fill("510 Townsend St")
    for country, label in (("JP", "Prefecture"), ("US", "State")):
        page.get_by_label("Country").select_option(country)
        expect(page.get_by_label(label)).to_be_visible()
        expect(page.get_by_label("Country")).to_be_focused()
        expect(page.get_by_label("Address line 1")).to_have_value("510 Townsend St")
    expect(page.get_by_role("status")).to_contain_text("those of an address in United States")

    page.get_by_label("City").fill("San Francisco")
    page.get_by_label("State").select_option("California")
    page.get_by_label("ZIP code").fill("9410")
    save(page)
    expect(page.get_by_role("alert").filter(has_text="Please correct one thing")).to_be_focused()
    page.get_by_role("link", name=re.compile("^ZIP code: this is not one of that country")).click()
    expect(page.get_by_label("ZIP code")).to_be_focused()
    page.get_by_label("ZIP code").fill("94103")
    page.get_by_label("ZIP code").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your billing address is saved.")
    expect(page.get_by_text("San Francisco, CA 94103")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing details")
    expect(page.get_by_text("Invoices that were issued keep what they say.").first).to_be_visible()
    assert page.url.partition("#")[0] == url


# D1
def test_a_tax_number_is_added_and_removed_in_place(page: Page, doors: Doors):
    doors.enter(page, "orbit", MAX)
    page.goto("/orbit/my/details")
    page.get_by_role("link", name="Add a tax number").click()
    page.get_by_label("Kind of number").select_option("eu_vat")
    page.get_by_label("Number", exact=True).fill("DE136695977")
    page.get_by_role("button", name="Add number").click()
    expect(page.get_by_role("alert").filter(has_text="compare it with your papers")).to_be_focused()
    page.get_by_label("Number", exact=True).fill("de 136 695 976")
    page.get_by_role("button", name="Add number").dblclick()
    expect(page.get_by_role("status")).to_contain_text("Your tax number is added.")
    expect(page.get_by_text("EU VAT number DE136695976")).to_be_visible()
    page.get_by_role("link", name="Remove DE136695976").click()
    page.get_by_role("button", name="Remove number").click()
    expect(page.get_by_role("status")).to_contain_text("The tax number is removed.")
    expect(page.get_by_text("EU VAT number DE136695976")).to_have_count(0)


# D1
def test_details_are_changed_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "harbour", TINA)
    page.get_by_role("link", name="See and change").click()
    edit(page, "name and phone")
    page.get_by_label("Name or company").fill("Tina & Söhne")
    page.get_by_label("Phone").fill("nobody")
    page.get_by_label("Phone").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Write it with its country code, for example")
    page.get_by_label("Phone").fill("+49 40 1234567")
    save(page)
    expect(page.get_by_text("Your details are saved.")).to_be_visible()

    edit(page, "shipping address")
    page.get_by_role("button", name="Copy the billing address").click()
    page.get_by_label("Country").select_option("GB")
    page.get_by_role("button", name="Use this country").click()
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("sw1a2aa")
    page.get_by_label("Address line 1").fill("10 Downing Street")
    page.get_by_label("Name or company").press("Enter")
    expect(page.get_by_text("Your shipping address is saved.")).to_be_visible()
    expect(page.get_by_text("SW1A 2AA")).to_be_visible()
    edit(page, "shipping address")
    page.get_by_role("button", name="Remove this address").click()
    expect(page.get_by_text("Your shipping address is removed.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Changed billing details").first).to_be_visible()
    expect(page.get_by_text("Name, Phone")).to_be_visible()


# L14
def test_a_session_that_ends_in_the_middle_of_a_form_loses_no_word(demo: Demo, page: Page):
    log_in(page, demo, "harbour", NOA)
    page.goto("/harbour/my/details/contact")
    page.get_by_label("Name or company").fill("Noa and the words")
    let_session_sleep(demo, page.context, "harbour")
    save(page)
    demo.forget(NOA)
    page.get_by_role("button", name=re.compile("code", re.IGNORECASE)).click()
    expect(page.get_by_label("Passcode")).to_be_visible()
    send_code(page, demo.passcode(NOA))
    expect(page.get_by_label("Name or company")).to_have_value("Noa and the words")
    save(page)
    expect(page.get_by_text("Your details are saved.").first).to_be_visible()
