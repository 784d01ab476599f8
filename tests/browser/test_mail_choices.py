"""Reminders are switched off in the account, or by the link of a mail, with scripts and without."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.visits import JENNY, Enter, button, menu, reads

CARD = "When your card is about to expire"


def test_reminders_are_switched_off_and_on_again(enter: Enter) -> None:  # M2
    page = enter("harbour", JENNY)
    menu(page, "Email").click()
    reads(page, "Email preferences", JENNY, "Always sent", "Receipts")
    expect(page.get_by_label(CARD)).to_be_checked()
    page.get_by_label(CARD).uncheck()
    button(page, "Save")
    reads(page, "Your choice is saved")
    page.reload()
    expect(page.get_by_label(CARD)).not_to_be_checked()
    menu(page, "History").click()
    reads(page, "Turned a reminder off", "Expiring card")


def test_the_link_of_a_mail_asks_first_and_can_be_taken_back(enter: Enter) -> None:  # M2
    """A link that is none of ours shows the same pages as one that is."""
    page = enter("plain", JENNY)
    page.goto("/plain/mails/card_expiring/of-an-old-mail")
    reads(page, "Stop these reminders?")
    button(page, "Stop these reminders")
    reads(page, "You will not get these reminders")
    button(page, "Send them again")
    reads(page, "You will get these reminders again")
    page.get_by_role("link", name="Email preferences").click()
    expect(page.get_by_label(CARD)).to_be_checked()


def test_the_language_is_chosen_while_logged_in_and_stays(enter: Enter) -> None:
    page = enter("harbour", JENNY)
    menu(page, "Email").click()
    page.get_by_role("group", name="Language of these pages").get_by_label("Deutsch").check()
    page.locator("#mail-language").get_by_role("button", name="Save").click()
    reads(page, "Ihre Sprache ist gespeichert")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/harbour/my/invoices")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rechnungen")
    page.goto("/harbour/account/")
    expect(page.get_by_role("link", name="Rechnungen").first).to_be_visible()
