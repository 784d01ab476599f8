"""Each row P1 to P7 of the portal's features, as a customer goes through it: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.rehearsal import Rehearsal
from tests.support.visits import JENNY, Enter, button, link, menu, mistakes, reads

MAX = "max@example.com"  # a subscription names his bank account
TINA = "tina@example.com"  # one card, one subscription
ZOE = "zoe@example.com"  # her default has expired, another one expires and is named by a subscription
KIM = "kim@example.com"  # pays by invoice
SETUP = re.compile("^Add a (test )?payment method$")
"""The provider's page: our own, or the one that the stand-in for Stripe has."""


def listed(page: Page, last4: str) -> Locator:
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=last4)


def the_list(page: Page) -> Page:
    menu(page, "Payment methods").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")
    return page


def adding(page: Page) -> Page:
    """From the list to the provider's page."""
    expect(page.get_by_text("Your bank may ask you to confirm it")).to_be_visible()
    button(page, "Add a payment method")
    expect(page.get_by_role("heading", level=1)).to_have_text(SETUP)
    return page


def type_card(page: Page, number: str, exp: str = "08 / 30", cvc: str = "123") -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(SETUP)
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill(exp)
    page.get_by_label("Security code").fill(cvc)
    button(page, "Add this card")


def says(page: Page, *texts: str) -> None:
    for each in texts:
        expect(mistakes(page)).to_contain_text(each)


def declines(page: Page, *texts: str) -> None:
    for each in texts:
        expect(page.get_by_role("main")).to_contain_text(each)


def test_the_list_says_what_each_is_which_is_the_default_and_what_it_pays_for(enter: Enter):  # P1
    page = the_list(enter("orbit", MAX))
    expect(listed(page, "5454")).to_contain_text("Mastercard")
    expect(listed(page, "5454")).to_contain_text(re.compile(r"expires 08/\d\d"))
    expect(listed(page, "5454").get_by_text("Default", exact=True)).to_be_visible()
    expect(listed(page, "6789")).to_contain_text("STRIPE TEST BANK")
    expect(listed(page, "6789")).to_contain_text("Pays for Orbit Team and 2 more")
    expect(listed(page, "6789").get_by_text("Default", exact=True)).to_have_count(0)
    reads(the_list(enter("plain", KIM)), "No payment method", "You can add a card or a bank account.")


def going_back(enter: Enter, words: str) -> Page:
    """Out of the provider's page, which adds nothing, and to it again."""
    page = adding(the_list(enter("orbit", TINA)))
    link(page, words)
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    return adding(page)


def adds_a_bank_account(page: Page) -> None:
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    button(page, "Add this account")
    reads(page, "SEPA Direct Debit", "3000")


def on_stripes_page(enter: Enter) -> None:
    """What is said of a number there is Stripe's own."""
    page = adding(the_list(enter("plain", ZOE)))
    type_card(page, "4000 0000 0000 0002")
    declines(page, "Your card was declined.")
    type_card(page, "4000 0025 0000 3155")
    reads(page, "Payment method added", "3155")

    adds_a_bank_account(going_back(enter, "Back"))


def test_a_test_number_is_taken_refused_or_asked_for_and_no_other_is_kept(enter: Enter, stage: Rehearsal):  # P2
    if stage.stripe:
        on_stripes_page(enter)
        return
    page = adding(the_list(enter("plain", ZOE)))
    reads(page, "4242 4242 4242 4242", "Test bank accounts")
    type_card(page, "4012 8888 8888 1881")
    says(page, "This is not one of the test numbers below. We did not keep it.")
    expect(page.get_by_label("Card number")).to_have_value("")
    expect(page.get_by_label("Expires")).to_have_value("08/30")
    assert "8888" not in page.content()
    type_card(page, "4242 4242 4242 4242", exp="08 / 20")
    says(page, "This month is in the past. Enter a later one.")
    for number, why in (
        ("4000 0000 0000 0002", "The bank declined it. Nothing was paid."),
        ("4000 0000 0000 9995", "There was not enough money in the account."),
        ("4000 0000 0000 0069", "The card has expired."),
        ("4000 0000 0000 0127", "The card's security code was wrong."),
    ):
        type_card(page, number)
        declines(page, "It was not added", why)
        expect(page).to_have_title(re.compile("^Error: "))
        expect(page.locator(":focus")).to_contain_text(why)
    type_card(page, "4000 0025 0000 3155")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your test bank asks")
    button(page, "Fail")
    declines(page, "The bank could not confirm that it was you.")
    type_card(page, "4000 0025 0000 3155")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your test bank asks")
    # No page of the history keeps a number to send again: each is one that was asked for.
    page.go_back()
    for field in page.get_by_label("Card number").all():
        expect(field).to_have_value("")
    page.goto(page.url.split("/confirm")[0])
    button(page, "Complete")
    reads(page, "Payment method added", "3155")

    page = going_back(enter, "Go back without saving")
    page.get_by_label("IBAN").fill("DE12 5001 0517 0648 4898 90")
    button(page, "Add this account")
    says(page, "This is not one of the test numbers below. We did not keep it.")
    adds_a_bank_account(page)


def test_the_new_one_is_the_default_and_is_offered_for_all_my_subscriptions(enter: Enter):  # P3
    page = adding(the_list(enter("orbit", MAX)))
    type_card(page, "4242 4242 4242 4242")
    reads(page, "It is now your default", "One subscription still uses another payment method", "6789")
    button(page, "Use it for all my subscriptions")
    reads(page, "It now pays for all your subscriptions")
    expect(listed(page, "4242").get_by_text("Default", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("^Pays for"))).to_have_count(0)
    menu(page, "History").click()
    reads(page, "Added a payment method")
    page = the_list(page)
    page.get_by_role("checkbox", name="Make the new one my default").uncheck()
    type_card(adding(page), "5555 5555 5555 4444")
    reads(page, "Payment method added", "It is not your default.")


def test_the_default_is_chosen_and_one_is_removed_but_not_the_last_that_is_needed(enter: Enter):  # P4
    page = the_list(enter("plain", JENNY))
    button(listed(page, "4444"), "Make default")
    reads(page, "This is your default now")
    expect(listed(page, "4444").get_by_text("Default", exact=True)).to_be_visible()
    listed(page, "4444").get_by_role("link", name="Remove").click()
    reads(page, "It is your default. Your new default will be:", "4242")
    button(page, "Remove it")
    reads(page, "The payment method is removed")
    expect(listed(page, "4444")).to_have_count(0)
    listed(page, "4242").get_by_role("link", name="Remove").click()
    reads(page, "You cannot remove this one yet", "you have an active subscription")
    expect(page.get_by_role("button", name="Remove it")).to_have_count(0)
    button(page, "Add another one first")
    type_card(page, "5555 5555 5555 4444")
    reads(page, "It is now your default")
    link(page, "See my payment methods")
    expect(listed(page, "4242")).to_have_count(0)
    expect(listed(page, "4444")).to_have_count(1)

    page = the_list(enter("orbit", ZOE))
    listed(page, "4444").get_by_role("link", name="Remove").click()
    reads(page, "It pays for one subscription, which will use your default:", "Your default has expired")
    button(page, "Remove it")
    reads(page, "The payment method is removed")
    expect(listed(page, "4444")).to_have_count(0)


def test_a_subscription_goes_back_to_the_default(enter: Enter):  # P5
    page = enter("harbour", MAX)
    link(page, "Use the default instead")
    reads(page, "It will be paid with your default:", "5454")
    button(page, "Use the default")
    reads(page, "Your default now pays for this subscription")

    page = the_list(enter("orbit", ZOE))
    listed(page, "4444").get_by_role("link", name="Use the default instead").click()
    reads(page, "Your default has expired", "Your next payment will fail.")
    link(page, "Go back")
    listed(page, "0005").get_by_role("link", name="Make default").click()
    reads(page, "One subscription uses another payment method:")
    page.get_by_role("checkbox", name="Use the new default for all my subscriptions").check()
    button(page, "Make default")
    reads(page, "It now pays for all your subscriptions")
    expect(page.get_by_text(re.compile("^Pays for"))).to_have_count(0)


def test_the_terms_are_linked_where_one_is_added(enter: Enter):  # P6
    for brand, address in (("harbour", "https://harbour.example/terms"), ("orbit", "https://orbit.example/terms")):
        page = the_list(enter(brand, TINA))
        reads(page, "By adding it you agree to the terms of service.")
        terms = page.get_by_role("main").get_by_role("link", name="terms of service")
        expect(terms).to_have_attribute("href", address)
        page.get_by_role("link", name="Remove").click()  # it can only be replaced
        expect(terms.first).to_have_attribute("href", address)


def test_what_has_expired_or_will_is_marked_and_replaced(enter: Enter, stage: Rehearsal):  # P7
    page = enter("harbour", ZOE)
    reads(page, "Your next payment will fail")
    the_list(page)
    expect(listed(page, "4242").get_by_text("Expired", exact=True)).to_be_visible()
    expect(listed(page, "4242")).to_contain_text("Your next payment will fail.")
    expect(listed(page, "4444").get_by_text("Expires soon")).to_be_visible()
    expect(listed(page, "4444")).to_contain_text("Replace it before the next payment.")
    expect(listed(page, "0005").get_by_role("link", name="Replace")).to_have_count(0)
    listed(page, "4242").get_by_role("link", name="Replace").click()
    reads(page, "Replace this one?", "The new one becomes your default.")
    button(page, "Continue")
    if not stage.stripe:
        reads(page, "Replaces:", "4242")
    type_card(page, "5555 5555 5555 4444")
    reads(page, "It is now your default")
    link(page, "See my payment methods")
    expect(page.get_by_text("Expired", exact=True)).to_have_count(0)
    expect(listed(page, "08/30").get_by_text("Default", exact=True)).to_be_visible()
    listed(page, "Expires soon").get_by_role("link", name="Replace").click()
    reads(page, "The new one will pay for:")
    button(page, "Continue")
    type_card(page, "4242 4242 4242 4242")
    reads(page, "It pays for:")
