"""From a letter that is typed into a form of the studio to its paint in the preview, in a real browser: 50 edits."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.menu import Row
from tests.support import browsers
from tests.support.served import ROOT, Demo

EDITS, MOST = 50, 150
# The page tells by its own clock, since every question from outside takes time of the browser that draws. What comes after
# the callback of the next frame comes after its paint.
_WATCH = """() => {
  const box = document.querySelector("[data-preview]");
  document.addEventListener("htmx:before:request", () => { window.posted = performance.now(); window.drawn = 0; }, true);
  box.addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.now(); })), true);
}"""


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
            page.evaluate(_WATCH)
            _edit(page, "Harbour")
            before = _milliseconds(demo.process.pid)
            taken = [_edit(page, f"Harbour {n:03}") for n in range(EDITS)]
            spent = (_milliseconds(demo.process.pid) - before) / EDITS
            browser.close()
        finally:
            demo.stop()
    median = statistics.median(taken)
    shown = f"{median:.0f} ms, at most {max(taken):.0f} ms of {EDITS}; {spent:.0f} ms of the server's processor each"
    yield Row("studio: from posted to drawn", shown, "-", "", f"median {MOST} ms", median <= MOST)


def _log_in(page: Page, demo: Demo) -> None:
    page.goto(demo.studio)
    page.get_by_label("Email address").fill(demo.operator)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code").fill(demo.passcode(demo.operator))
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Your brands").wait_for()


def _edit(page: Page, name: str) -> float:
    """Milliseconds from the request that posts the form until the frame that shows it was painted."""
    page.wait_for_timeout(300)  # ten pages a second are drawn for one operator
    page.evaluate("window.posted = window.drawn = 0")
    page.locator('[name="business.name"]').fill(name)
    page.wait_for_function("() => window.drawn > window.posted", polling=50)
    shown = page.frame_locator(".frame:not([hidden])")
    assert name in shown.locator("html").inner_html(), f"{name} was not drawn"
    marks: Any = page.evaluate("[window.posted, window.drawn]")
    return float(marks[1] - marks[0])


def _milliseconds(process: int) -> float:
    """What a process took of the processor until now."""
    counted = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, counted[11:13])) * 1000 / os.sysconf("SC_CLK_TCK")
