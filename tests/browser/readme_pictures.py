"""The pictures of the README, from a demo of its own.

.venv/bin/python -m tests.browser.readme_pictures docs
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.browser.test_studio import log_in as log_in_to_studio
from tests.support import browsers
from tests.support.served import Demo
from tests.support.visits import JENNY, Doors

WIDE = {"width": 1280, "height": 760}
_PLANS = "main article, main .card"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    folder, executable, demo = Path(arguments[0]), browsers.find_or_install(print), Demo()
    try:
        demo.wait()
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(**browsers.launch_options(executable)) as browser,  # type: ignore[arg-type]
        ):
            for name, page, is_long in chain(of_the_portal(browser, demo), of_the_studio(browser, demo)):
                path = folder / f"{name}.png"
                page.screenshot(path=path, full_page=is_long)
                print(path, path.stat().st_size)
                page.context.close()
    finally:
        demo.stop()
    return 0


def of_the_portal(browser: Browser, demo: Demo) -> Iterator[tuple[str, Page, bool]]:
    """Each with whether all of it is shown, or only what the window holds."""
    doors = Doors(browser, demo)
    page = opened(browser, demo, "light")
    page.goto(demo.portals["harbour"])
    yield "harbour-login", page, False
    page = opened(browser, demo, "dark")
    doors.enter(page, "orbit", "max@example.com")
    _open(page, page.locator(_PLANS).filter(has_text="Orbit Solo").get_by_role("link", name="Change plan").first)
    expect(page.get_by_role("heading", name="Change plan")).to_be_visible()
    yield "orbit-plans", page, True
    page = opened(browser, demo, "light", height=900)
    doors.enter(page, "plain", JENNY)
    yield "plain-overview", page, False
    page = opened(browser, demo, "light", width=320)
    doors.enter(page, "harbour", JENNY)
    _open(page, page.get_by_role("link", name="Cancel subscription"), "?offer=declined")
    expect(page.get_by_role("button", name="Cancel subscription")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    yield "harbour-cancel-320", page, True


def of_the_studio(browser: Browser, demo: Demo) -> Iterator[tuple[str, Page, bool]]:
    """A change that is being made, beside what it makes; nothing of it is written."""
    page = opened(browser, demo, "light", height=830)
    log_in_to_studio(page, demo)
    cookies = page.context.cookies()
    page.goto(f"{demo.studio}b/harbour/look")
    for key in ("color", "accent", "button"):
        page.locator(f"[name='brand.{key}']").fill("#0b6b57")
    expect(page.get_by_text("Changed", exact=True)).to_have_count(3)
    page.reload()  # the frames are loaded too
    page.evaluate("scrollTo(0, 300)")
    yield "studio-look", page, False
    page = opened(browser, demo, "light", width=390, height=900)
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto(f"{demo.studio}b/harbour/portal/subscription_cancel")
    yield "studio-phone", page, False


def _open(page: Page, link: Locator, query: str = "") -> None:
    """As a page of its own: htmx would open it in the place of a card."""
    page.goto(f"{link.get_attribute('href')}{query}")


def opened(
    browser: Browser,
    demo: Demo,
    scheme: Literal["light", "dark"],
    *,
    width: int = WIDE["width"],
    height: int = WIDE["height"],
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US", reduced_motion="reduce",
        base_url=demo.origin,
    )  # fmt: skip
    return context.new_page()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
