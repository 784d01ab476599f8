"""Payment methods and paying by keyboard, at once in two tabs, and where the focus goes. The walks of their rows, with
scripts and without, stand in `test_method_rows.py` and `test_invoice_rows.py`."""

import re

from playwright.sync_api import Page, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, Doors, button, link, log_in, menu

PAT = "pat@example.com"  # past due; the card on file is declined
BEA = "bea@example.com"  # past due; the bank wants each payment confirmed
TINA = "tina@example.com"  # one card, one subscription


def test_a_declined_payment_is_told_in_place_with_the_focus_on_it(page: Page, doors: Doors):
    doors.enter(page, "harbour", PAT)
    link(page, "Pay now")
    url, posts = page.url, []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name=re.compile("^Pay ")).dblclick()
    expect(page.locator(":focus")).to_contain_text("failed")
    expect(page.locator(":focus")).to_contain_text("There was not enough money")
    assert (page.url, len(posts)) == (url, 1)


def test_two_tabs_pay_once(page: Page, demo: Demo):
    log_in(page, demo, "orbit", BEA)
    link(page, "Pay now")
    other = page.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        expect(tab.get_by_text("Your bank may ask you to confirm it")).to_be_visible()
        button(tab, "Pay ")
        expect(tab.get_by_role("button", name="Complete")).to_be_visible()
    for tab in (other, page):
        tab.get_by_role("button", name="Complete").click()
        expect(tab.get_by_text("This invoice is paid")).to_be_visible()
    page.goto("/orbit/my/history")
    expect(page.get_by_text("Paid an invoice")).to_have_count(1)


def test_the_last_one_cannot_go_and_another_is_offered_by_keyboard(page: Page, doors: Doors):
    doors.enter(page, "harbour", TINA)
    menu(page, "Payment methods").click()
    remove = page.get_by_role("link", name="Remove")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You cannot remove this one yet")).to_be_focused()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Add another one first":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a test payment method")
    page.get_by_label("Card number").focus()
    for typed in ("4242424242424242", "1230", "123"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is now your default")).to_be_visible()


def test_the_default_is_chosen_in_place_and_told(page: Page, doors: Doors):
    doors.enter(page, "plain", JENNY)
    menu(page, "Payment methods").click()
    url, other = page.url, page.get_by_role("main").get_by_role("listitem").filter(has_text="4444")
    other.get_by_role("button", name="Make default").click()
    expect(page.locator(":focus")).to_contain_text("This is your default now")
    expect(other.get_by_text("Default", exact=True)).to_be_visible()
    assert page.url == url
