"""A real server and a real browser; each test gets a visitor of its own, with no cookie of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support import browsers
from tests.support.served import Demo

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    running = Demo()
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = browsers.find_or_install(print)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**browsers.launch_options(executable))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """A visitor; any error that the pages' scripts or policy report fails the test."""
    visitor = browser.new_context(base_url=demo.origin, locale="en-US")
    said: list[str] = []
    visitor.on("weberror", lambda error: said.append(str(error.error)))
    visitor.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    visitor.complaints = said  # type: ignore[attr-defined]
    yield visitor
    visitor.close()
    policy = [each for each in said if "Content Security Policy" in each or "TrustedHTML" in each]
    assert not policy, policy


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
