"""What a person does in the browser to get in, and what time does to what the browser holds.

`log_in` goes through the pages, as a customer does. The portal sends five codes an hour to an address and twenty to a
client address for each brand; so a test that only needs somebody logged in borrows the cookies of one log-in (`Doors`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.client import forms_in
from tests.support.served import PLAIN, Demo

JENNY = "jenny@example.com"
Enter = Callable[[str, str], Page]
"""What the fixture `enter` gives: from a brand and an address to the overview."""
HOUR = 3_600_000_000  # in the store's microseconds


def ask_for_code(page: Page, demo: Demo, brand: str, address: str = JENNY) -> None:
    """From the log-in page to the passcode page."""
    page.goto(demo.portals[brand])
    demo.forget(address)
    send_address(page, address)


def send_address(page: Page, address: str) -> None:
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_label("Passcode")).to_be_visible()


def send_code(page: Page, code: str) -> None:
    page.get_by_label("Passcode").fill(code)
    page.get_by_role("button", name="Log in", exact=True).click()


def log_in(page: Page, demo: Demo, brand: str, address: str = JENNY) -> None:
    """By a code that came by mail, to the overview."""
    ask_for_code(page, demo, brand, address)
    send_code(page, demo.passcode(address))
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()


class Doors:
    """One log-in for each brand and address; whoever only needs to be inside goes in by its cookies."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser, self._demo = browser, demo
        self._states: dict[tuple[str, str], Any] = {}

    def is_open(self, brand: str, address: str) -> bool:
        return (brand, address) in self._states

    def cookies(self, brand: str, address: str = JENNY) -> Any:
        """For `BrowserContext.add_cookies`. The session is shared: a test that ends it logs in by itself."""
        if (brand, address) not in self._states:
            self._states[brand, address] = self._log_in(brand, address)
        return self._states[brand, address]

    def _log_in(self, brand: str, address: str) -> list[dict[str, Any]]:
        """By the two forms of a browser without scripts, but without the browser: a tenth of the time."""
        agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{self._browser.version} Safari/537.36"
        headers = {"User-Agent": agent, "Origin": self._demo.origin}
        with httpx.Client(
            base_url=self._demo.origin, headers=headers, trust_env=False, timeout=60, verify=PLAIN
        ) as visitor:
            self._demo.forget(address)
            ((action, fields),) = forms_in(visitor.get(self._demo.portals[brand]).text)
            asked = visitor.post(action, data={**fields, "email": address}, follow_redirects=True)
            action, fields = forms_in(asked.text)[0]
            entered = visitor.post(action, data={**fields, "code": self._demo.passcode(address)})
            assert entered.status_code == 303, entered.text
            origin = self._demo.origin
            return [{"name": each.name, "value": each.value or "", "url": origin} for each in visitor.cookies.jar]

    def enter(self, page: Page, brand: str, address: str = JENNY) -> None:
        """Go to the overview."""
        page.context.add_cookies(self.cookies(brand, address))
        page.goto(f"/{brand}/my/overview")


OWN_PAGES = ("Email", "Log-ins", "History")
"""Below the tab "Account"."""


def menu(page: Page, name: str) -> Locator:
    """A link of the account's navigation; those of the tab "Account" after going there."""
    if name in OWN_PAGES:
        page.get_by_role("navigation", name="Account", exact=True).get_by_role(
            "link", name="Account", exact=True
        ).click()
        return page.get_by_role("navigation", name="Your account").get_by_role("link", name=name, exact=True)
    return page.get_by_role("navigation", name="Account", exact=True).get_by_role("link", name=name, exact=True)


def mistakes(page: Page) -> Locator:
    """What has to be corrected in a form."""
    return page.get_by_role("group", name=re.compile("^Please correct"))


def card(page: Page, name: str) -> Locator:
    """A part of the page by its heading."""
    return page.get_by_role("region", name=name, exact=True).first


def link(page: Page, name: str) -> None:
    """Follow it."""
    page.get_by_role("link", name=name, exact=True).first.click()


def button(page: Page, name: str) -> None:
    """Press the one whose words begin so: prices and dates may follow."""
    page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first.click()


def has_scripts(page: Page) -> bool:
    """Whether this visitor's browser runs them."""
    return bool(page.evaluate("'htmx' in window"))


def product(page: Page) -> str:
    """How the portal names the browser that the test runs in."""
    assert page.context.browser
    return "Firefox" if page.context.browser.browser_type.name == "firefox" else "Chrome"


def reads(page: Page, *texts: str) -> None:
    for each in texts:
        expect(page.get_by_role("main")).to_contain_text(each)


def invoice_links(page: Page) -> Locator:
    """The rows of invoices, by the date that ends each link's name."""
    return page.get_by_role("main").get_by_role("link", name=re.compile(r", \d{4}$"))


def token(context: BrowserContext, brand: str, name: str = "session") -> str:
    """What the browser's cookie of that name holds; `name` is `session` or `challenge`, of which it is the newest."""
    held = next(each["value"] for each in context.cookies() if each["name"] == f"{brand}-{name}")
    return held.partition(".")[0]


def let_session_sleep(demo: Demo, context: BrowserContext, brand: str) -> None:
    """Two hours pass without a click."""
    hashed = hashlib.sha256(token(context, brand).encode()).digest()
    changed = demo.change(
        "UPDATE session SET last_seen_at = last_seen_at - :ago WHERE id_hash = :id", {"ago": 2 * HOUR, "id": hashed}
    )
    assert changed == 1


def let_code_lapse(demo: Demo, context: BrowserContext, brand: str) -> None:
    """An hour passes with the mail unread."""
    hashed = hashlib.sha256(b"challenge " + token(context, brand, "challenge").encode()).digest()
    changed = demo.change(
        "UPDATE challenge SET expires_at = expires_at - :ago, sent_at = sent_at - :ago WHERE id_hash = :id",
        {"ago": HOUR, "id": hashed},
    )
    assert changed == 1


def let_minute_pass(demo: Demo, context: BrowserContext, brand: str) -> None:
    """A minute passes on the passcode page."""
    hashed = hashlib.sha256(b"challenge " + token(context, brand, "challenge").encode()).digest()
    changed = demo.change(
        "UPDATE challenge SET sent_at = sent_at - :ago WHERE id_hash = :id", {"ago": HOUR // 50, "id": hashed}
    )
    assert changed == 1
