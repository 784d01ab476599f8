"""Firefox as its makers publish it, over WebDriver BiDi, by Playwright."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Playwright

QUIET = {"app.normandy.enabled": False, "datareporting.policy.dataSubmissionEnabled": False}
"""Firefox calls home too."""
NOISE = (base64.b64encode(hashlib.sha384(b"").digest()).decode(), "/favicon.ico")
"""In Firefox's complaints that a script which it was refused is not the one that the page names, and that a page outside of
all brands allows no icon, which nothing but Firefox itself asks for."""


class Firefox:
    """As much of Playwright's `Browser` as tests use."""

    def __init__(self, playwright: Playwright, executable: str) -> None:
        self._browser: Browser = playwright.firefox.launch(
            channel="moz-firefox", executable_path=executable, firefox_user_prefs=QUIET
        )
        Locator.fill = _emptied_first(Locator.fill)  # type: ignore[method-assign]

    @property
    def version(self) -> str:
        return self._browser.version

    def new_context(self, *, java_script_enabled: bool = True, **options: Any) -> BrowserContext:
        """A visitor without scripts gets no script file. Scripts cannot be switched off for one visitor, and in a Firefox
        that runs none (`javascript.enabled`) Playwright waits for ever for an animation frame."""
        made = self._browser.new_context(**options)
        if not java_script_enabled:
            made.route("**/*.js", lambda route: route.abort())
        return made

    def close(self) -> None:
        self._browser.close()


def _emptied_first(fill: Callable[..., None]) -> Callable[..., None]:
    """Over BiDi `fill` writes behind what an e-mail field holds, on any page (seen with Playwright 1.64, Firefox 153)."""

    def filled(self: Locator, value: str, **options: Any) -> None:
        fill(self, "", **options)
        fill(self, value, **options)

    return filled
