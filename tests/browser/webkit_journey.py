"""The main journey in WebKit: `python3 build.py test --engine webkit`. The suite does not collect this file.

With `POSTERN_PICTURES=FOLDER` each page that it comes by is also a picture there, to be looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import webkit
from tests.support.rehearsal import Rehearsal
from tests.support.webkit import Visitor

JENNY, MAX, PAT = "jenny@example.com", "max@example.com", "pat@example.com"
pytestmark = pytest.mark.filterwarnings("ignore:setting remote_server_addr")  # of Selenium 4.51, by Selenium
PICTURES = os.environ.get("POSTERN_PICTURES", "")


@pytest.fixture(scope="session")
def demo() -> Iterator[Rehearsal]:
    yield from Rehearsal.begun()


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    with webkit.display() as named:
        yield named


@pytest.fixture
def visitor(screen: str, demo: Rehearsal) -> Iterator[Visitor]:
    demo.begin_again()
    with webkit.launched(screen) as launched:
        yield launched


def log_in(visitor: Visitor, demo: Rehearsal, brand: str, address: str) -> None:
    visitor.go(demo.portals[brand])
    demo.forget(address)
    visitor.fill("Email address", address)
    visitor.press("Send the passcode")
    visitor.fill("Passcode", demo.passcode(address))
    visitor.press("Log in")
    visitor.reads("Subscriptions", "Log out")


def shoot(visitor: Visitor, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        visitor.picture(Path(PICTURES) / f"webkit-{name}.png")


def fits(visitor: Visitor) -> None:
    """Nothing has to be scrolled sideways."""
    assert visitor.script("return document.documentElement.scrollWidth <= innerWidth"), visitor.driver.current_url


def test_canceling_and_taking_it_back_in_place(visitor: Visitor, demo: Rehearsal):
    visitor.go(demo.portals["plain"])
    shoot(visitor, "log-in")
    log_in(visitor, demo, "plain", JENNY)
    shoot(visitor, "overview")
    visitor.script("window.stays = true")
    visitor.press("Cancel subscription")
    visitor.reads("You can undo the cancellation until then.")
    visitor.has_focus("Cancel ")
    shoot(visitor, "cancel")
    visitor.press("Cancel subscription")
    visitor.reads("Ending", "Your subscription ends on")
    visitor.press("Keep my subscription")
    visitor.reads("Your subscription continues")
    assert visitor.script("return window.stays") is True, "the page was left"
    visitor.press("Log out")
    visitor.find("input", "Email address")
    visitor.go(f"{demo.origin}/plain/my/overview")
    visitor.find("input", "Email address")


def test_back_goes_one_step_back(visitor: Visitor, demo: Rehearsal):
    log_in(visitor, demo, "plain", JENNY)
    visitor.press("Cancel subscription")
    visitor.reads("You can undo the cancellation until then.")
    visitor.driver.back()
    visitor.until(lambda: "You can undo" not in visitor.text, "the card as it was")
    visitor.find("a", "Cancel subscription")


def test_a_plan_is_changed_after_its_price_was_said(visitor: Visitor, demo: Rehearsal):
    log_in(visitor, demo, "orbit", JENNY)
    visitor.press("Change plan")
    visitor.has_focus("Orbit Solo")
    shoot(visitor, "plans")
    visitor.press("Orbit Business")
    visitor.press("Continue")
    visitor.has_focus("Change Orbit Solo?")
    shoot(visitor, "plan-price")
    visitor.press("Change and pay €")
    visitor.has_focus("Orbit Business")
    visitor.reads("Your plan has been changed")


def test_a_card_is_added_and_a_bill_is_paid_with_it(visitor: Visitor, demo: Rehearsal):
    log_in(visitor, demo, "harbour", PAT)
    visitor.press("Pay now")
    visitor.press("Pay ")
    visitor.has_focus("failed")
    shoot(visitor, "declined")
    visitor.go(f"{demo.origin}/harbour/my/payment-methods")
    visitor.press("Add a payment method")
    visitor.fill("Card number", "4242424242424242")
    visitor.fill("Expires", "08 / 30")
    visitor.fill("Security code", "123")
    visitor.press("Add this card")
    visitor.reads("4242")
    shoot(visitor, "methods")


def test_billing_details_are_corrected_where_they_are_wrong(visitor: Visitor, demo: Rehearsal):
    log_in(visitor, demo, "harbour", MAX)
    visitor.press("Manage Billing details")
    visitor.press("Edit name and phone")
    visitor.fill("Phone", "nobody")
    visitor.press("Save")
    visitor.has_focus("Please correct")
    shoot(visitor, "mistake")
    visitor.fill("Phone", "+49 40 1234567")
    visitor.press("Save")
    visitor.reads("Your details are saved.")
    shoot(visitor, "details")


def test_a_language_is_chosen_and_arabic_is_set_from_the_right(visitor: Visitor, demo: Rehearsal):
    visitor.go(demo.portals["plain"])
    visitor.press("العربية")
    visitor.until(lambda: visitor.script("return document.dir || document.documentElement.dir") == "rtl", "rtl")
    shoot(visitor, "arabic")
    fits(visitor)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(screen: str, demo: Rehearsal, dark: bool):
    demo.begin_again()
    with webkit.launched(screen, width=320, height=700, dark=dark) as visitor:
        log_in(visitor, demo, "plain", JENNY)
        assert visitor.script("return innerWidth") == 320
        assert visitor.script("return matchMedia('(prefers-color-scheme: dark)').matches") is dark
        for page in ("overview", "invoices", "payment-methods", "details", "mails", "history"):
            visitor.go(f"{demo.origin}/plain/my/{page}")
            visitor.find("button", "Menu")
            fits(visitor)
            shoot(visitor, f"phone-{page}-{'dark' if dark else 'light'}")
        visitor.press("Menu")
        visitor.find("a", "Invoices")
        shoot(visitor, f"phone-menu-{'dark' if dark else 'light'}")
        assert re.search("jenny", visitor.text, re.IGNORECASE)


def test_a_preview_is_drawn_in_the_studio(visitor: Visitor, demo: Rehearsal):
    demo.forget(demo.operator)
    visitor.go(demo.studio)
    visitor.fill("Email address", demo.operator)
    visitor.press("Send me a code")
    visitor.fill("Code", demo.passcode(demo.operator))
    visitor.press("Log in")
    visitor.reads("Your brands")
    visitor.go(f"{demo.studio}b/harbour/preview?page=my/overview&as=jenny")
    shoot(visitor, "preview")
    visitor.driver.switch_to.frame(0)
    visitor.reads("Harbour Espresso, 500 g")
