"""WebKit as Debian packages it: WebKitGTK's MiniBrowser under Xvfb, by WebDriver. Playwright drives only a WebKit of its own make.

What a person perceives is found by its accessible name, as WebKit itself computes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 30
DRIVER = "WebKitWebDriver"
MINI_BROWSERS = ("webkit2gtk-4.1/MiniBrowser", "webkit2gtk-4.0/MiniBrowser")
PRESSED = "a[href], button, summary, input[type=radio]"
FIELDS = "input, select, textarea"
NO_ROOM = "* { font-size: 1px; padding: 0; margin: 0; min-width: 0; min-height: 0; -gtk-icon-transform: scale(.1) }"
"""For the browser's own tool bar, which lets no window be as narrow as a phone."""


@contextmanager
def display() -> Iterator[str]:
    """A screen that nobody sees."""
    reads, writes = os.pipe()
    size = ["-screen", "0", "1400x1100x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        [shutil.which("Xvfb") or "Xvfb", "-displayfd", str(writes), *size], pass_fds=[writes], stderr=subprocess.DEVNULL
    )
    try:
        yield f":{os.read(reads, 16).decode().strip()}"
    finally:
        server.terminate()
        server.wait()
        os.close(reads)
        os.close(writes)


@contextmanager
def launched(screen: str, *, width: int = 1280, height: int = 1000, dark: bool = False) -> Iterator[Visitor]:
    """A browser whose window is that large and that knows nobody."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "gtk-3.0").mkdir()
        (Path(home) / "gtk-3.0" / "gtk.css").write_text(NO_ROOM)
        options = webdriver.WebKitGTKOptions()
        options.binary_location = mini_browser()
        for each in ("--automation", *(["--dark-mode"] if dark else [])):
            options.add_argument(each)
        found = {"DISPLAY": screen, "XDG_CONFIG_HOME": home, "LANG": "en_US.UTF-8", "LANGUAGE": "en_US"}
        service = webdriver.WebKitGTKService(shutil.which(DRIVER), env={**os.environ, **found})
        driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            driver.set_window_size(width, height)
            yield Visitor(driver)
        finally:
            driver.quit()


def mini_browser() -> str:
    found = [each for name in MINI_BROWSERS for each in Path("/usr/lib").glob(f"*/{name}")]
    missing = [each for each in (DRIVER, "Xvfb") if not shutil.which(each)]
    if missing or not found:
        raise SystemExit(
            "WebKit, its driver or Xvfb is not installed. On Debian: apt-get install webkit2gtk-driver xvfb"
        )
    return str(found[0])


class Visitor:
    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self.driver = driver

    def go(self, address: str) -> None:
        self.driver.get(address)

    def until(self, holds: Callable[[], object], what: str) -> None:
        wait = WebDriverWait(self.driver, PATIENCE, 0.1, ignored_exceptions=[StaleElementReferenceException])
        try:
            wait.until(lambda _: holds())
        except TimeoutException:
            raise AssertionError(f"not within {PATIENCE} s: {what}; the page says:\n{self.text}") from None

    def reads(self, *texts: str) -> None:
        for each in texts:
            self.until(lambda each=each: each in self.text, each)  # type: ignore[misc]

    @property
    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, selector: str, name: str) -> WebElement:
        """The first visible one whose accessible name begins so; WebKit names it as `text-transform` writes it."""
        found: list[WebElement] = []

        def is_there() -> bool:
            every = self.driver.find_elements(By.CSS_SELECTOR, selector)
            found[:] = [each for each in every if each.is_displayed() and begins(each, name)][:1]
            return bool(found)

        self.until(is_there, f"{selector} named {name}")
        return found[0]

    def press(self, name: str) -> None:
        self.find(PRESSED, name).click()

    def fill(self, name: str, typed: str) -> None:
        field = self.find(FIELDS, name)
        field.clear()
        field.send_keys(typed)

    def script(self, code: str) -> object:
        return self.driver.execute_script(code)  # type: ignore[no-untyped-call]

    def has_focus(self, text: str) -> None:
        """Where the focus is, these words are."""
        self.until(lambda: text in self.driver.switch_to.active_element.text, f"the focus on {text}")

    def picture(self, path: Path) -> None:
        """Of what is painted: WebKit's driver would give the frame before."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 100))"
        )
        self.driver.save_screenshot(str(path))


def begins(element: WebElement, name: str) -> bool:
    return element.accessible_name.casefold().startswith(name.casefold())
