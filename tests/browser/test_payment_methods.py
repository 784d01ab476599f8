"""Payment methods in the browser: the provider's page and back, the default, removal, a subscription's own; with scripts,
without them, and by keyboard."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.served import Demo
from tests.support.visits import Doors, log_in, menu

ZOE = "zoe@example.com"  # her default has expired, another one expires and is named by a subscription
MAX = "max@example.com"  # a subscription names his bank account
TINA = "tina@example.com"  # one card, one subscription


def open_list(page: Page) -> None:
    menu(page, "Payment methods").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")


def row(page: Page, last4: str) -> Locator:
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=last4)


def type_card(page: Page, number: str, exp: str = "08 / 30", cvc: str = "123") -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a test payment method")
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill(exp)
    page.get_by_label("Security code").fill(cvc)
    page.get_by_role("button", name="Add this card").click()


# P1, P2, P7
def test_an_expired_card_is_replaced_on_the_providers_page(page: Page, doors: Doors):
    doors.enter(page, "harbour", ZOE)
    expect(page.get_by_text("The next payment would fail")).to_be_visible()  # S12
    open_list(page)
    expect(row(page, "4242").get_by_text("Expired", exact=True)).to_be_visible()
    expect(row(page, "4444").get_by_text("Expires soon")).to_be_visible()
    expect(row(page, "4444").get_by_text(re.compile("^Pays for"))).to_be_visible()
    row(page, "4242").get_by_role("link", name="Replace").click()
    expect(page.get_by_role("heading", name="Replace this one?")).to_be_focused()
    page.get_by_role("button", name="Go on to the provider").click()
    expect(page.get_by_text("This is a test page. No money moves.")).to_be_visible()
    expect(page.get_by_text("4242 4242 4242 4242")).to_be_visible()
    type_card(page, "5555 5555 5555 4444")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment method added")
    expect(page.get_by_text("It is your default now")).to_be_visible()
    page.get_by_role("link", name="See my payment methods").click()
    expect(page.get_by_text("Expired", exact=True)).to_have_count(0)
    expect(row(page, "08/30").get_by_text("Default", exact=True)).to_be_visible()


# P2
def test_a_card_is_declined_another_asks_the_bank_and_no_number_stays_in_the_page(page: Page, doors: Doors):
    doors.enter(page, "plain", ZOE)
    open_list(page)
    page.get_by_role("button", name="Add a payment method").click()
    type_card(page, "4012 8888 8888 1881")
    expect(page.get_by_role("alert")).to_contain_text("This is not one of the test numbers below. It was not kept.")
    expect(page.get_by_label("Card number")).to_have_value("")
    expect(page.get_by_label("Expires")).to_have_value("08/30")
    type_card(page, "4000000000009995")
    expect(page.get_by_role("alert")).to_contain_text("It was not added")
    type_card(page, "4000 0025 0000 3155")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your test bank asks")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_role("alert")).to_contain_text("The bank could not make sure that it was you.")
    type_card(page, "4000 0025 0000 3155")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your test bank asks")
    # No page of the history keeps a number to send again: each is one that was asked for.
    page.go_back()
    for field in page.get_by_label("Card number").all():
        expect(field).to_have_value("")
    page.goto(page.url.split("/confirm")[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Your test bank asks")
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("It is your default now")).to_be_visible()
    expect(page.get_by_text("3155")).to_be_visible()


# P2, P3, P5
def test_a_bank_account_is_used_for_all_subscriptions_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "orbit", MAX)
    open_list(page)
    page.get_by_role("button", name="Add a payment method").click()
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    page.get_by_role("button", name="Add this account").click()
    expect(page.get_by_role("heading", name="Use it for all my subscriptions?")).to_be_visible()
    page.get_by_role("button", name="Use it for all my subscriptions").click()
    expect(page.get_by_text("All your subscriptions are charged to it now")).to_be_visible()
    expect(page.get_by_text(re.compile("^Pays for"))).to_have_count(0)
    menu(page, "History").click()
    expect(page.get_by_text("Added a payment method")).to_be_visible()


# P4, P5
def test_default_own_and_removal_work_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "orbit", ZOE)
    open_list(page)
    row(page, "4444").get_by_role("link", name="Use the default instead").click()
    expect(page.get_by_text("Your default has expired")).to_be_visible()
    page.get_by_role("link", name="Leave it as it is").click()
    row(page, "0005").get_by_role("link", name="Make it the default").click()
    page.get_by_role("button", name="Make it the default").click()
    expect(page.get_by_text("This is your default now")).to_be_visible()
    row(page, "4444").get_by_role("link", name="Remove").click()
    expect(page.get_by_text("One subscription is charged to it. It goes back to your default:")).to_be_visible()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The payment method is removed")).to_be_visible()
    expect(row(page, "4444")).to_have_count(0)


# P5
def test_a_subscriptions_own_method_is_left_from_its_card_in_place(page: Page, doors: Doors):
    doors.enter(page, "harbour", MAX)
    page.get_by_role("link", name="Use the default instead").click()
    expect(page.get_by_text("From now on it is charged to your default:")).to_be_visible()
    page.get_by_role("button", name="Use the default").click()
    expect(page.get_by_role("status")).to_contain_text("The subscription is charged to your default")


# P4
def test_the_last_one_cannot_go_and_another_is_offered_by_keyboard(page: Page, doors: Doors):
    doors.enter(page, "harbour", TINA)
    open_list(page)
    remove = page.get_by_role("link", name="Remove")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="It cannot be removed yet")).to_be_focused()
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
    expect(page.get_by_text("It is your default now")).to_be_visible()


# P4
def test_the_default_is_chosen_in_place_and_told(page: Page, doors: Doors):
    doors.enter(page, "plain", "jenny@example.com")
    open_list(page)
    url = page.url
    row(page, "4444").get_by_role("button", name="Make it the default").click()
    expect(page.get_by_role("status")).to_contain_text("This is your default now")
    expect(row(page, "4444").get_by_text("Default", exact=True)).to_be_visible()
    assert page.url == url


def test_going_back_from_the_provider_changes_nothing(page: Page, doors: Doors):
    doors.enter(page, "orbit", TINA)
    open_list(page)
    page.get_by_role("button", name="Add a payment method").click()
    page.get_by_role("link", name="Go back without adding one").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
