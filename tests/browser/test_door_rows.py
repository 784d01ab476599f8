"""Each row E1 to E3 of the portal's features, as somebody goes through it who is not logged in: with scripts and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_mail_rows import arrived, count, rows
from tests.support.rehearsal import Rehearsal
from tests.support.visits import JENNY, Enter, button, link, mistakes

MAX = "max@example.com"
CONFIRMED = "Plain has your cancellation"


@pytest.fixture
def stage(ledger_stage: Rehearsal) -> Rehearsal:
    """Mails are the portal's own, whoever bills."""
    return ledger_stage


def at_the_door(page: Page, name: str) -> None:
    """By the foot of a page that needs no log-in."""
    page.context.clear_cookies()
    page.goto("/plain/help/")
    link(page, name)


def cancel(page: Page, address: str) -> None:
    contract = f"The plan with the green box, {secrets.token_hex(4)}"  # the same twice would be one declaration
    at_the_door(page, "Cancel contracts here")
    button(page, "Cancel now")
    expect(mistakes(page)).to_contain_text("Choose how you cancel.")
    page.get_by_label("In the ordinary way").check()
    page.get_by_label("Your name").fill("Jenny Rosen")
    page.get_by_label("Which contract?").fill(contract)
    page.get_by_label("As soon as possible").check()
    page.get_by_label("Email address").fill(address)
    button(page, "Cancel now")
    expect(page.get_by_role("heading", name="We have your cancellation")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(contract)


def to_the_proof(page: Page, stage: Rehearsal, address: str, before: int) -> None:
    """By the mail that confirms it."""
    arrived(page, stage, address, CONFIRMED, before + 1)
    rows(page, address, CONFIRMED).first.get_by_role("link").click()
    mail = page.frame_locator("iframe").get_by_role("article")
    expect(mail).to_contain_text("The plan with the green box")
    page.goto(str(mail.get_by_role("link", name="It is from me").get_attribute("href")))


def test_a_contract_is_canceled_without_an_account(enter: Enter, stage: Rehearsal):  # E1, E3
    page = enter("plain", JENNY)
    before = count(page, stage, JENNY, CONFIRMED)
    cancel(page, JENNY)
    with page.expect_download() as kept:
        link(page, "Download it (PDF)")
    assert kept.value.suggested_filename.startswith("cancel-")
    to_the_proof(page, stage, JENNY, before)
    button(page, "Yes, it is from me")
    expect(page.get_by_role("heading", name="Your subscription is canceled")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(re.compile("Standard plan ends on"))


def test_what_is_not_plain_is_the_merchants_to_decide(enter: Enter, stage: Rehearsal):  # E3
    page = enter("plain", MAX)
    before = count(page, stage, MAX, CONFIRMED)
    cancel(page, MAX)
    to_the_proof(page, stage, MAX, before)
    button(page, "Yes, it is from me")
    expect(page.get_by_role("main")).to_contain_text("and writes to you")


def test_a_withdrawal_takes_two_steps(enter: Enter):  # E2
    page = enter("plain", JENNY)
    at_the_door(page, "Withdraw from contract here")
    expect(page.get_by_role("main")).to_contain_text("within 14 days")
    page.get_by_label("Your name").fill("Jenny Rosen")
    page.get_by_label("Which contract?").fill("Order 2026-118")
    page.get_by_label("Email address").fill("somebody@example.com")
    button(page, "Continue")
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
    button(page, "Change something")
    page.get_by_label("Which contract?").fill("Order 2026-119")
    button(page, "Continue")
    expect(page.get_by_role("main")).to_contain_text("Order 2026-119")
    button(page, "Confirm withdrawal")
    expect(page.get_by_role("heading", name="We have your withdrawal")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Order 2026-119")
