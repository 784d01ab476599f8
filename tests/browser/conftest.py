"""A real server and a real browser; each test gets a visitor of its own, with no cookie of anybody else's.

A browser test may look at what a person can perceive: text, labels, roles, focus, addresses. It may not select by
CSS class, call our functions, or look into the server, except to let time pass (`tests.support.visits`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support import browsers, firefox
from tests.support.rehearsal import Rehearsal, RehearsalAtStripe
from tests.support.served import Demo
from tests.support.visits import Doors, Enter

PATIENCE = 30_000
"""Milliseconds, three times what a busy machine took: only a failure waits so long."""
expect.set_options(timeout=PATIENCE)

POLICY = ("Content Security Policy", "TrustedHTML", "TrustedScript", "Permissions-Policy", "integrity")


@pytest.fixture(scope="module")
def demo(ledger_stage: Rehearsal) -> Demo:
    """The ledger's, as it was in the beginning: what a file's tests do to a sample customer is nothing to another file."""
    ledger_stage.begin_again()
    return ledger_stage


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = browsers.executable()
    with sync_playwright() as playwright:
        launched = browsers.launch(playwright, executable)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def doors(browser: Browser, demo: Demo) -> Doors:
    return Doors(browser, demo)


@pytest.fixture
def new_visitor(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes visitors, with any options of a Playwright context. What their browsers complain of, of our policy or in
    our scripts, fails the test."""
    visitors: list[BrowserContext] = []
    said: list[str] = []

    def make(**options: object) -> BrowserContext:
        visitors.append(watched(browser, said, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()
    assert not said, said


def watched(browser: Browser, said: list[str], **options: object) -> BrowserContext:
    visitor = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
    visitor.set_default_timeout(PATIENCE)

    def hear(text: str) -> None:
        if not any(each in text for each in firefox.NOISE):
            said.append(text)

    visitor.on("weberror", lambda error: hear(str(error.error)))
    visitor.on("console", lambda message: hear(message.text) if is_complaint(message.text) else None)
    visitor.complaints = said  # type: ignore[attr-defined]
    return visitor


@pytest.fixture
def new_context(new_visitor: Callable[..., BrowserContext], demo: Demo) -> Callable[..., BrowserContext]:
    """Makes visitors of this file's demo."""
    return lambda **options: new_visitor(**{"base_url": demo.origin, **options})


def is_complaint(text: str) -> bool:
    return any(each in text for each in POLICY)


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """One visitor."""
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def plain_page(new_context: Callable[..., BrowserContext]) -> Page:
    """A visitor whose browser runs no scripts."""
    return new_context(java_script_enabled=False).new_page()


@pytest.fixture(scope="session")
def ledger_stage() -> Iterator[Rehearsal]:
    """One demo for all files: its customers begin again for each, and for each test of the features' rows."""
    yield from Rehearsal.begun()


@pytest.fixture(scope="session")
def stripe_stage() -> Iterator[Rehearsal]:
    yield from RehearsalAtStripe.begun()


@pytest.fixture(params=["ledger", "stripe"])
def stage(request: pytest.FixtureRequest) -> Rehearsal:
    """Each row is walked over both backends."""
    found: Rehearsal = request.getfixturevalue(f"{request.param}_stage")
    return found


@pytest.fixture(scope="session")
def all_doors() -> dict[str, Doors]:
    return {}


@pytest.fixture
def stage_doors(browser: Browser, stage: Rehearsal, all_doors: dict[str, Doors]) -> Doors:
    return all_doors.setdefault(stage.origin, Doors(browser, stage))


@pytest.fixture(scope="session")
def regulars() -> dict[tuple[str, bool], BrowserContext]:
    """The visitors of `enter`, by where they go and whether they run scripts. One that goes in again is five times as
    fast as a new one, for whom Chromium starts two processes."""
    return {}


@pytest.fixture(params=["in place", "without scripts"])
def enter(
    request: pytest.FixtureRequest,
    browser: Browser,
    regulars: dict[tuple[str, bool], BrowserContext],
    stage: Rehearsal,
    stage_doors: Doors,
) -> Iterator[Enter]:
    """Go to the overview of somebody whom no test has touched. The page before it is left by that."""
    scripts = request.param == "in place"
    if (stage.origin, scripts) not in regulars:
        made = watched(browser, [], base_url=stage.origin, java_script_enabled=scripts)
        regulars[stage.origin, scripts] = made
    visitor = regulars[stage.origin, scripts]

    def go(brand: str, address: str) -> Page:
        page = visitor.pages[0] if visitor.pages else visitor.new_page()
        # It asks for nothing while its customer begins again. A page of the portal: to one without the portal's opener
        # policy, and back, Chromium starts two processes.
        page.goto("/nowhere")
        page.emulate_media(color_scheme="null")
        visitor.clear_cookies()
        stage.begin_again()  # first: the address of a customer may be another one's by now
        if not stage_doors.is_open(brand, address):
            stage_doors.cookies(brand, address)
            stage.begin_again()  # nobody has seen this log-in
        stage_doors.enter(page, brand, address)
        return page

    yield go
    for tab in visitor.pages[1:]:
        tab.close()
    said, visitor.complaints[:] = list(visitor.complaints), []  # type: ignore[attr-defined]
    assert not said, said
