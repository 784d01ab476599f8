"""Rows L3 to L8, L10, L12 and L14 of the portal's features, as a customer goes through them: with scripts in place, and
without any.

`tests/unit/test_rows.py` holds that none is left out.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.rehearsal import Rehearsal
from tests.support.visits import Enter, ask_for_code, let_session_sleep, link, menu, reads, send_address, send_code

IVY, SAM, TINA = "ivy@example.com", "sam@example.com", "tina@example.com"
NOBODY = "nobody@example.net"


def stranger(enter: Enter) -> Page:
    """Whoever comes to the portal and has never been here."""
    page = enter("orbit", SAM)
    page.context.clear_cookies()
    return page


def test_a_link_and_a_code_open_the_account_in_use(enter: Enter, stage: Rehearsal):  # L3, L4, L5, L6, L7, L8
    page = stranger(enter)
    page.goto(stage.portals["orbit"])
    reads(page, "Log in")
    page.goto("/orbit/login?prefilled_email=jenny%40")
    field = page.get_by_label("Email address")
    expect(field).to_have_value("")
    page.goto("/orbit/login?prefilled_email=sam%40example.com")
    expect(field).to_have_value(SAM)
    send_address(page, NOBODY)
    said = page.get_by_role("main").inner_text().replace(NOBODY, "…")

    page.goto("/orbit/login?prefilled_email=sam%40example.com")
    stage.forget(SAM)
    send_address(page, SAM)
    times = re.compile(r"\d+:\d+\s[AP]M")
    assert times.sub("…", page.get_by_role("main").inner_text().replace(SAM, "…")) == times.sub("…", said)
    code = stage.passcode(SAM)
    send_code(page, "000000" if code != "000000" else "111111")
    reads(page, "You have 4 more attempts.")
    send_code(page, code)
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    assert f"passcode {NOBODY}" not in "".join(stage.printed)
    menu(page, "Billing details").click()
    reads(page, "Sam Okafor")
    expect(page.get_by_role("main")).not_to_contain_text("studio")  # all of that account has ended
    link(page, "Edit name and phone")
    reads(page, "Name on your invoices")
    expect(page.get_by_role("textbox", name=re.compile("mail", re.IGNORECASE))).to_have_count(0)


def test_both_kinds_of_customers_come_in_and_read_their_language(enter: Enter, stage: Rehearsal):  # L10, L12
    page = stranger(enter)
    ask_for_code(page, stage, "harbour", IVY)
    send_code(page, stage.passcode(IVY))
    reads(page, "You have no subscriptions.")
    page.context.clear_cookies()
    ask_for_code(page, stage, "plain", TINA)
    send_code(page, stage.passcode(TINA))
    expect(page.get_by_role("banner").get_by_text(TINA)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_what_was_asked_for_too_late_is_shown_after_the_next_code(enter: Enter, stage: Rehearsal):  # L14
    page = stranger(enter)
    ask_for_code(page, stage, "orbit", SAM)
    send_code(page, stage.passcode(SAM))
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    let_session_sleep(stage, page.context, "orbit")
    menu(page, "Invoices").click()
    expect(page.get_by_label("Email address")).to_have_value(SAM)
    stage.forget(SAM)
    send_address(page, SAM)
    send_code(page, stage.passcode(SAM))
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")
