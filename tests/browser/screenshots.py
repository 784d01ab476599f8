"""Pictures of the three brands, to be looked at: no test can say whether a page is beautiful.

    .venv/bin/python -m tests.browser.screenshots FOLDER [BRAND…]

Runs the demo and writes `<brand>-<page>-<width>-<light|dark>.png` for the pages of the main job: log in, passcode,
overview, cancel, canceled, and one invoice; wide and 320 px. A brand that is dark only has no light pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import browsers, shown
from tests.support.served import Demo
from tests.support.visits import JENNY, invoice_links, send_code

SIZES = {"wide": {"width": 1280, "height": 900}, "320": {"width": 320, "height": 700}}
CANCEL = "Cancel subscription"


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__)
        return 2
    folder, wanted = Path(arguments[0]), arguments[1:]
    folder.mkdir(parents=True, exist_ok=True)
    executable = browsers.find_or_install(print)
    demo = Demo()
    try:
        demo.wait()
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(**browsers.launch_options(executable)) as browser,
        ):  # type: ignore[arg-type]
            for brand in wanted or demo.portals:
                for picture in pictures(browser, demo, brand, folder):
                    print(picture)
    finally:
        demo.stop()
    return 0


def pictures(browser: Browser, demo: Demo, brand: str, folder: Path) -> list[Path]:
    """One visit in the wide window; each page is then looked at in every size and mode."""
    written = []
    context = browser.new_context(base_url=demo.origin, locale="en-US", reduced_motion="reduce")
    page = context.new_page()

    def shoot(name: str) -> None:
        for width, size in SIZES.items():
            page.set_viewport_size(size)  # type: ignore[arg-type]
            for mode in shown.modes(shown.brands()[brand]):
                page.emulate_media(color_scheme=mode)  # type: ignore[arg-type]
                path = folder / f"{brand}-{name}-{width}-{mode}.png"
                page.screenshot(path=path, full_page=True)
                written.append(path)

    visit(page, demo, brand, shoot)
    context.close()
    return written


def visit(page: Page, demo: Demo, brand: str, shoot: Callable[[str], None]) -> None:
    page.goto(demo.portals[brand])
    shoot("1-log-in")
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_label("Passcode")).to_be_visible()
    shoot("2-passcode")
    send_code(page, demo.passcode(JENNY))
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    shoot("3-overview")
    page.get_by_role("link", name=CANCEL).click()
    declined, confirmed = page.get_by_role("link", name="Continue to cancel"), page.get_by_role("button", name=CANCEL)
    expect(declined.or_(confirmed)).to_be_visible()
    if declined.is_visible():  # a brand may offer a discount first
        shoot("4-offer-in-place")
        declined.click()
    expect(confirmed).to_be_visible()
    shoot("4-cancel-in-place")
    (action,) = page.locator("form[action$='/cancel']").evaluate_all("forms => forms.map(form => form.action)")
    page.goto(f"{action}?offer=declined")
    shoot("4-cancel")
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("status")).to_contain_text("Your subscription")
    page.evaluate("document.activeElement.blur()")
    shoot("5-canceled")
    page.goto(f"/{brand}/my/invoices")
    invoice_links(page).first.click()
    expect(page.get_by_role("table")).to_be_visible()
    shoot("6-invoice")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
