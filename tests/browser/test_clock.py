"""What happens by itself can be watched: the demo begins at a moment of one's choice, and its clock page moves on.

Each visitor's brand differs, since time never goes back: a month more does not change what another one sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, invoice_links, log_in, menu

SAM, TINA = "sam@example.com", "tina@example.com"


@pytest.fixture(scope="module")
def later() -> Iterator[Demo]:
    """It begins on the last day of January in a leap year."""
    running = Demo("--now", "2028-01-31T12:00:00Z")
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture
def visitor(new_context: Any, later: Demo) -> Page:
    context: BrowserContext = new_context(base_url=later.origin)
    return context.new_page()


def on(page: Page, step: str, times: int = 1) -> None:
    """The clock page's button, so often."""
    page.goto("/_demo/clock")
    for _ in range(times):
        page.get_by_role("button", name=f"One {step} on").click()


def test_the_demo_begins_at_the_moment_that_was_asked_for(visitor: Page, later: Demo) -> None:
    visitor.goto("/_demo/clock")
    expect(visitor.get_by_role("main")).to_contain_text("31 January 2028")
    log_in(visitor, later, "harbour", TINA)
    expect(visitor.get_by_role("main")).to_contain_text("Free trial until February 9, 2028")


def test_a_change_that_was_put_off_takes_effect(visitor: Page, later: Demo) -> None:
    log_in(visitor, later, "orbit", SAM)
    visitor.get_by_role("link", name="Change plan").click()
    visitor.get_by_role("textbox", name="Quantity").fill("2")
    visitor.get_by_role("button", name="Continue").click()
    visitor.get_by_role("button", name=re.compile("^Change on February 26, 2028")).click()
    expect(visitor.get_by_role("main")).to_contain_text("Quantity: 3 × seat")
    on(visitor, "month")
    log_in(visitor, later, "orbit", SAM)
    expect(visitor.get_by_role("main")).to_contain_text("Quantity: 2 × seat")
    menu(visitor, "History").click()
    expect(visitor.get_by_role("main")).to_contain_text("A scheduled plan change took effect")


def test_a_renewal_is_charged(visitor: Page, later: Demo) -> None:
    log_in(visitor, later, "plain", JENNY)
    line = visitor.get_by_text(re.compile("Next charge on")).first.inner_text()
    (renewal,) = re.findall(r"Next charge on (\w+ \d+, \d{4})", line)
    newest = invoice_links(visitor).first.inner_text()
    on(visitor, "month")
    log_in(visitor, later, "plain", JENNY)
    expect(invoice_links(visitor).first).not_to_have_text(newest)
    assert _short(renewal) in invoice_links(visitor).first.inner_text()
    expect(visitor.get_by_text(renewal)).to_have_count(0)


def test_a_trial_ends_with_its_first_charge(visitor: Page, later: Demo) -> None:
    on(visitor, "week", 2)
    log_in(visitor, later, "harbour", TINA)
    expect(visitor.get_by_text("Active", exact=True)).to_be_visible()
    expect(visitor.get_by_role("main")).to_contain_text("€89.00")
    expect(invoice_links(visitor)).not_to_have_count(0)
    expect(visitor.get_by_text("Free trial until")).to_have_count(0)


def test_a_payment_fails_once_the_card_has_expired(visitor: Page, later: Demo) -> None:
    on(visitor, "year", 2)
    main = visitor.get_by_role("main")
    while "September 2030" not in main.inner_text():  # other tests moved the clock before
        on(visitor, "month")
    # Between the first charge that failed, on the 20th, and the last try, two weeks later.
    while not re.search("(2[1-9]|30) September 2030", main.inner_text()):
        on(visitor, "day")
    log_in(visitor, later, "plain", JENNY)
    expect(main).to_contain_text("Overdue")
    expect(main).to_contain_text("The card has expired.")
    expect(main).to_contain_text("€19.00 is due")


def _short(date: str) -> str:
    """`February 20, 2028` as lists write it."""
    month, rest = date.split(" ", 1)
    return f"{month[:3]} {rest}"
