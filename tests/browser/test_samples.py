"""The demo's sample customers, as the README lists them: each shows a state that a real customer can be in."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.support.visits import JENNY, Doors, invoice_links


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def cards(page: Page) -> Locator:
    return section(page, "Subscriptions").get_by_role("region")


def test_jenny_has_one_subscription_two_cards_and_thirty_invoices(page: Page, doors: Doors):
    doors.enter(page, "harbour", JENNY)
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text("Harbour Espresso, 500 g")
    expect(cards(page).get_by_text("Active", exact=True)).to_be_visible()
    expect(cards(page)).to_contain_text("€16.50 a month")
    expect(section(page, "Payment methods").get_by_role("listitem")).to_have_count(2)
    expect(section(page, "Payment methods")).to_contain_text("4242")
    expect(section(page, "Payment methods")).to_contain_text("4444")
    expect(section(page, "Invoices").get_by_role("link", name="All invoices")).to_be_visible()
    expect(section(page, "Billing details")).to_contain_text("DE123456789")
    expect(section(page, "Billing details")).to_contain_text("Oranienstraße 6")


def test_sam_opens_the_older_customer_whose_subscription_is_active(page: Page, doors: Doors):
    doors.enter(page, "harbour", "sam@example.com")
    expect(section(page, "Billing details")).to_contain_text("Sam Okafor")
    expect(section(page, "Billing details")).to_contain_text("Edinburgh")
    expect(page.get_by_text("studio")).to_have_count(0)
    expect(cards(page)).to_have_count(1)
    expect(cards(page).get_by_text("Active", exact=True)).to_be_visible()


def test_pat_is_behind_and_is_told_how_much_why_and_what_comes_next(page: Page, doors: Doors):
    doors.enter(page, "harbour", "pat@example.com")
    expect(cards(page).get_by_text("Overdue")).to_be_visible()
    expect(cards(page)).to_contain_text(re.compile(r"\$17[.]96 is due"))
    expect(cards(page)).to_contain_text("There was not enough money in the account.")
    expect(cards(page)).to_contain_text("We will try again on")
    cards(page).get_by_role("link", name="See the invoice").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice ")
    expect(page.get_by_text(re.compile(r"^\$17[.]96 is due"))).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("Sales tax")


def test_tina_is_on_trial(page: Page, doors: Doors):
    doors.enter(page, "harbour", "tina@example.com")
    expect(cards(page).get_by_text("Trial", exact=True)).to_be_visible()
    expect(cards(page)).to_contain_text("Free trial until")
    expect(cards(page)).to_contain_text("€89.00 a month")


def test_lees_subscription_ends_with_its_period_in_yen(page: Page, doors: Doors):
    doors.enter(page, "harbour", "lee@example.com")
    expect(cards(page).get_by_text("Ending")).to_be_visible()
    expect(cards(page).get_by_role("button", name="Keep my subscription")).to_be_visible()
    expect(cards(page)).to_contain_text("¥2,640 a month")
    expect(section(page, "Billing details")).to_contain_text("渋谷区")


def test_ivy_has_invoices_only(page: Page, doors: Doors):
    doors.enter(page, "plain", "ivy@example.com")
    expect(page.get_by_text("You have no subscriptions.")).to_be_visible()
    expect(cards(page)).to_have_count(0)
    expect(invoice_links(page)).to_have_count(5)
    for status in ("Paid", "Void", "No longer due", "Due"):
        expect(section(page, "Invoices")).to_contain_text(re.compile(status, re.IGNORECASE))


def test_max_has_three_subscriptions_one_with_several_items_and_a_bank_account(page: Page, doors: Doors):
    doors.enter(page, "harbour", "max@example.com")
    expect(cards(page)).to_have_count(3)
    several = cards(page).filter(has_text="and 2 more")
    expect(several).to_have_count(1)
    for product in ("Filter roast, 250 g bag", "Oat milk, six cartons", "Cups from the office machine"):
        expect(several).to_contain_text(product)
    expect(several).to_contain_text("for this subscription only")
    expect(several).to_contain_text("6789")
    expect(cards(page).filter(has_text="a year")).to_contain_text("Tasting club")


def test_kim_pays_by_invoice(page: Page, doors: Doors):
    doors.enter(page, "plain", "kim@example.com")
    expect(cards(page)).to_contain_text("By invoice, due within 30 days")
    expect(section(page, "Payment methods")).to_contain_text("No payment method")


def test_noas_payments_are_paused_and_a_discount_counts(page: Page, doors: Doors):
    doors.enter(page, "plain", "noa@example.com")
    expect(cards(page).get_by_text("Payments paused")).to_be_visible()
    expect(cards(page)).to_contain_text("20% off")
    expect(cards(page)).to_contain_text("You will not be charged until")


def test_umas_unknown_states_are_named_and_nothing_breaks(page: Page, doors: Doors):
    doors.enter(page, "plain", "uma@example.com")
    expect(cards(page)).to_contain_text("Other: levitating")
    expect(section(page, "Payment methods")).to_contain_text("0007")


def test_anns_ended_subscription_is_listed_apart(page: Page, doors: Doors):
    doors.enter(page, "plain", "ann@example.com")
    expect(cards(page)).to_have_count(0)
    page.get_by_role("link", name="See 1 ended subscription").click()
    expect(page.get_by_role("heading", name="Ended")).to_be_visible()
    expect(cards(page)).to_contain_text("You will not be charged for it again.")


def test_eves_markup_is_text_everywhere(page: Page, doors: Doors):
    # threats 64, 74
    doors.enter(page, "plain", "eve@example.com")
    name = "<script>alert('x')</script> & \"Eve\" {{ 7*7 }} <img src=x onerror=alert(1)>"
    expect(section(page, "Billing details")).to_contain_text(name)
    expect(section(page, "Billing details")).to_contain_text("<svg onload=alert(1)>")
    page.goto("/plain/account/")
    expect(section(page, "Billing details")).to_contain_text(name)
    invoice_links(page).first.click()
    expect(page.get_by_role("table")).to_contain_text(name)
    assert page.evaluate("[...document.querySelectorAll('main script, main img, main svg')].length") == 0


def test_nothing_moves_when_an_account_comes_into_its_shell_on_a_phone(page: Page, doors: Doors):
    page.context.add_cookies(doors.cookies("plain", "sam@example.com"))
    page.set_viewport_size({"width": 320, "height": 640})
    held: list[Route] = []
    page.route("**/my/overview*", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it is given)
    with page.expect_request("**/my/overview*"):
        page.goto("/plain/account/")
    before = page.get_by_role("main").evaluate("main => main.offsetTop")
    held[0].continue_()
    expect(page.get_by_role("link", name="Switch account")).to_be_visible()
    assert page.get_by_role("main").evaluate("main => main.offsetTop") == before
