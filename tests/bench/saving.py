"""From a designer's save to the paint of what was saved, in a real browser beside `build.py dev`: 20 edits of each file."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from tests.bench.menu import Row
from tests.support import browsers
from tests.support.brands import PORTAL
from tests.support.designing import LOGIN, STYLED, TEMPLATE, designing

EDITS, MOST = 20, 150
_KINDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "style sheet": ("styles.css", lambda n: f"h1 {{ color: inherit; --seen: Saved {n} }}\n"),
    "template": (LOGIN, lambda n: TEMPLATE.replace("Saved 0", f"Saved {n}")),
    "theme.toml": ("theme.toml", lambda n: f'{STYLED}[words]\nlogin_heading = "Saved {n}"\n'),
    "portal.toml": ("portal.toml", lambda n: f'{PORTAL}headline = "Saved {n}"\n'),
}
_WATCH = """
addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => {
  const styled = getComputedStyle(document.querySelector("h1")).getPropertyValue("--seen");
  window.painted(Date.now(), `${document.body.innerText}\\n${styled.trim()}\\n`);
})));
"""


def rows() -> Iterator[Row]:
    executable = browsers.find_or_install(print)
    with TemporaryDirectory() as folder, designing(Path(folder)) as (dev, brand), sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsers.launch_options(executable))  # type: ignore[arg-type]
        page = browser.new_page()
        painted: list[tuple[float, str]] = []
        page.expose_function("painted", lambda at, text: painted.append((at, text)))
        page.add_init_script(_WATCH)
        page.goto(dev.portals["harbour"])
        for kind, (name, written) in _KINDS.items():
            taken = [_edit(page, painted, brand / name, written(n), f"Saved {n}") for n in range(1, EDITS + 1)]
            median = statistics.median(taken)
            shown = f"{median:.0f} ms, at most {max(taken):.0f} ms"
            yield Row(f"dev: {kind}, from save to paint", shown, "-", "", f"median {MOST} ms", median <= MOST)
        browser.close()


def _edit(page: Page, painted: list[tuple[float, str]], file: Path, text: str, seen: str) -> float:
    """Milliseconds from before the file is written."""
    page.wait_for_timeout(1500)  # as a designer does, and the rules of the save before are through
    painted.clear()
    start = time.time() * 1000
    file.write_text(text, "utf-8")
    while not any(f"{seen}\n" in shown for _, shown in painted):
        page.wait_for_timeout(10)
        if time.time() * 1000 - start > 20_000:
            raise AssertionError(f"{file.name}: {seen} was not shown")
    return next(at for at, shown in painted if f"{seen}\n" in shown) - start
