"""From a letter that is typed into a form of the studio to its paint in the preview, in a real browser: 50 edits."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Error, Page, sync_playwright

from tests.bench.menu import Row
from tests.support import browsers
from tests.support.served import ROOT, Demo

EDITS, MOST = 50, 150


def rows() -> Iterator[Row]:
    executable = browsers.find_or_install(print)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copytree(ROOT / "themes", Path(folder) / "themes")
        demo = Demo(environment={"PORTAL_THEMES": f"{folder}/themes"})
        try:
            demo.wait()
            browser = playwright.chromium.launch(**browsers.launch_options(executable))  # type: ignore[arg-type]
            page = browser.new_page()
            _log_in(page, demo)
            page.goto(f"{demo.studio}b/harbour/business")
            taken = [_edit(page, f"Harbour {n:03}") for n in range(EDITS + 1)][1:]
            browser.close()
        finally:
            demo.stop()
    median = statistics.median(taken)
    shown = f"{median:.0f} ms, at most {max(taken):.0f} ms of {EDITS}"
    yield Row("studio: from posted to drawn", shown, "-", "", f"median {MOST} ms", median <= MOST)


def _log_in(page: Page, demo: Demo) -> None:
    page.goto(demo.studio)
    page.get_by_label("Email address").fill(demo.operator)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code").fill(demo.passcode(demo.operator))
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Your brands").wait_for()


def _edit(page: Page, name: str) -> float:
    """Milliseconds from the request that posts the form until a frame that is seen shows it, as it is looked for from here."""
    page.wait_for_timeout(300)  # ten pages a second are drawn for one operator
    with page.expect_request(lambda each: each.method == "POST"):
        page.locator('[name="business.name"]').fill(name)
    began = time.monotonic()
    while time.monotonic() - began < 20:
        for frame in page.frames[1:]:
            with suppress(Error):  # it is just being loaded
                if name in frame.content() and frame.frame_element().get_attribute("hidden") is None:
                    return (time.monotonic() - began) * 1000
    raise AssertionError(f"{name} was not drawn")
