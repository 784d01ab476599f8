"""Firefox as its makers publish it, over WebDriver BiDi, by Playwright."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

from tests.support.served import free_port

QUIET = {"app.normandy.enabled": False, "datareporting.policy.dataSubmissionEnabled": False}
"""Firefox calls home too."""
SOFT_TOKENS = {"security.webauth.webauthn_enable_softtoken": True, "security.webauth.webauthn_enable_usbtoken": False}
"""Passkeys are asked of authenticators that a test adds, and of no device."""
NOISE = (base64.b64encode(hashlib.sha384(b"").digest()).decode(), "/favicon.ico")
"""In Firefox's complaints that a script which it was refused is not the one that the page names, and that a page outside of
all brands allows no icon, which nothing but Firefox itself asks for."""


class Marionette:
    """Firefox's older protocol: it knows commands that BiDi lacks. BiDi's session ends with this connection."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._answers = self._connection.makefile("rb")
        self._next()  # its greeting

    def send(self, command: str, **parameters: object) -> Any:
        text = json.dumps([0, 0, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(text), text))
        _, _, fault, answer = self._next()
        assert not fault, fault
        return answer["value"]

    def _next(self) -> Any:
        length = b"".join(iter(lambda: self._answers.read(1), b":"))
        return json.loads(self._answers.read(int(length)))

    def close(self) -> None:
        self._answers.close()
        self._connection.close()


class Firefox:
    """As much of Playwright's `Browser` as tests use."""

    def __init__(self, playwright: Playwright, executable: str) -> None:
        port = free_port()
        self._browser: Browser = playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=executable,
            args=["--marionette"],
            firefox_user_prefs={**QUIET, **SOFT_TOKENS, "marionette.port": port},
        )
        self._marionette = Marionette(port)
        self._browser.marionette = self._marionette  # type: ignore[attr-defined]
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

    def new_page(self) -> Page:
        return self.new_context().new_page()

    def close(self) -> None:
        self._browser.close()
        self._marionette.close()


def _emptied_first(fill: Callable[..., None]) -> Callable[..., None]:
    """Over BiDi `fill` writes behind what an e-mail field holds, on any page (seen with Playwright 1.64, Firefox 153)."""

    def filled(self: Locator, value: str, **options: Any) -> None:
        fill(self, "", **options)
        fill(self, value, **options)

    return filled
