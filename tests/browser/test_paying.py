"""Getting well again: paying what is open, in place and without scripts, with another card, and with the bank's word."""

import re

from playwright.sync_api import Page, expect

from tests.support.served import Demo
from tests.support.visits import Doors, log_in

PAT = "pat@example.com"  # past due; the card on file is declined
BEA = "bea@example.com"  # past due; the bank wants each payment confirmed
IVY = "ivy@example.com"  # has invoices only


def pay(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Pay ")).click()


def add_a_card_that_works(page: Page) -> None:
    page.get_by_role("button", name="Use another card").click()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expires").fill("12/30")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Add this card").click()
    expect(page.get_by_text("Your new payment method is there")).to_be_visible()
    expect(page.get_by_role("radio", name="4242")).to_be_checked()


def gets_well(page: Page) -> None:
    """Pat's whole way: declined, the reason, another card, paid, in order."""
    card = page.get_by_role("region", name=re.compile("Orbit Solo|Standard plan"))
    expect(card).to_contain_text("Payment overdue")
    expect(card).to_contain_text("is still to be paid")
    card.get_by_role("link", name="Pay now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay an invoice")
    expect(page.get_by_role("radio", name="0341")).to_be_checked()
    pay(page)
    main = page.get_by_role("main")
    expect(main.get_by_text("The payment with Visa 0341 did not go through")).to_be_visible()
    expect(main.get_by_text("There was not enough money on the card or account. Pay with another")).to_be_visible()
    add_a_card_that_works(page)
    pay(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice ")
    expect(page.get_by_text("This invoice is paid")).to_be_visible()
    expect(page.get_by_role("link", name="Download the receipt (PDF)")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(card).to_contain_text("Active")
    expect(card).to_contain_text("ending in 4242")
    expect(page.get_by_role("link", name="Pay", exact=True)).to_have_count(0)


def test_pat_gets_well_with_another_card(page: Page, doors: Doors):  # I4, S12
    doors.enter(page, "orbit", PAT)
    gets_well(page)


def test_pat_gets_well_without_scripts(plain_page: Page, doors: Doors):  # I4, S12
    doors.enter(plain_page, "plain", PAT)
    gets_well(plain_page)


def test_a_declined_payment_is_told_in_place_with_the_focus_on_it(page: Page, doors: Doors):
    doors.enter(page, "harbour", PAT)
    page.get_by_role("link", name="Pay now").click()
    url, posts = page.url, []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name=re.compile("^Pay ")).dblclick()
    expect(page.locator(":focus")).to_contain_text("did not go through")
    expect(page.get_by_role("status")).to_contain_text("There was not enough money")
    assert (page.url, len(posts)) == (url, 1)


def confirms(page: Page) -> None:
    """Bea's way: the bank asks, she says no, then yes."""
    page.get_by_role("link", name="Pay now").click()
    expect(page.get_by_text("The bank wants you to confirm the payment.")).to_be_visible()
    pay(page)
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("The payment was not confirmed with the bank.")).to_be_visible()
    pay(page)
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("This invoice is paid")).to_be_visible()


def test_bea_confirms_the_payment_with_her_bank(page: Page, doors: Doors):
    doors.enter(page, "harbour", BEA)
    confirms(page)


def test_bea_confirms_the_payment_without_scripts(plain_page: Page, doors: Doors):
    doors.enter(plain_page, "plain", BEA)
    confirms(plain_page)


def test_ivy_has_no_subscription_and_pays_with_a_card_that_she_adds(page: Page, doors: Doors):  # I5
    doors.enter(page, "orbit", IVY)
    page.get_by_role("link", name=re.compile("^Pay ")).click()
    expect(page.get_by_text("You have no payment method yet.")).to_be_visible()
    add_a_card_that_works(page)
    pay(page)
    expect(page.get_by_text("Thank you. There is nothing more to do.")).to_be_visible()


def test_two_tabs_pay_once(page: Page, demo: Demo):
    log_in(page, demo, "orbit", BEA)
    page.get_by_role("link", name="Pay now").click()
    other = page.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        pay(tab)
        expect(tab.get_by_role("button", name="Complete")).to_be_visible()
    for tab in (other, page):
        tab.get_by_role("button", name="Complete").click()
        expect(tab.get_by_text("This invoice is paid")).to_be_visible()
    page.goto("/orbit/my/history")
    expect(page.get_by_text("Paid an invoice")).to_have_count(1)
