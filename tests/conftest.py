"""What every kind of test shares: order, clock and application in memory. Databases: `tests.support.databases`."""

import gc
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import settings

from server import telemetry
from server.rendering import words
from server.store import Store
from tests.support.databases import (
    by_the_pooler,
    empty_url,
    filled_sqlite,
    postgres_databases,
    postgres_url,
    sqlite_store,
    sqlite_url,
    store,
    store_url,
)
from tests.support.leak_net import nothing_is_left, pytest_runtest_makereport
from tests.support.world import World

__all__ = [
    "by_the_pooler",
    "empty_url",
    "filled_sqlite",
    "nothing_is_left",
    "postgres_databases",
    "postgres_url",
    "pytest_runtest_makereport",
    "sqlite_store",
    "sqlite_url",
    "store",
    "store_url",
]

settings.register_profile("the same every time", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile("the same every time")
"""A change is judged by what it changed: the same examples in every run. `--hypothesis-profile=search` draws new ones,
and twenty times as many where a test says how `often`."""

ORDER = ("unit", "contract", "chaos", "browser")
LONGEST = (
    "test_accessibility.py",
    "test_subscription_rows.py",
    "test_layout.py",
    "test_mail_rows.py",
    "test_method_rows.py",
    "test_invoice_rows.py",
)
"""Begun first among the browser's, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick ones first, and the browser last: from its first test on, Playwright keeps an event loop running in this
    thread, and no test that starts one of its own could."""
    folders = Path(__file__).parent
    items.sort(key=lambda item: (ORDER.index(item.path.relative_to(folders).parts[0]), item.path.name not in LONGEST))


def pytest_collection_finish() -> None:
    """Thousands of tests and all modules stay to the end: without this the collector goes through them again and again
    (a sixth of the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plain-jinja", action="store_true", help="render with Jinja's own compiler instead of ours")
    parser.addoption("--pooler", action="store_true", help="reach PostgreSQL by PgBouncer in transaction mode")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("plain_jinja"):
        words.Environment.compile_plainly()


class Clock:
    """A clock that stands still until it is told otherwise; call it for the time."""

    def __init__(self, at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **step: float) -> datetime:
        self.at += timedelta(**step)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(sqlite_store: Store, clock: Clock) -> World:
    """A portal in memory over SQLite."""
    return World(sqlite_store, clock)


@pytest.fixture
def any_world(store: Store, store_url: str, clock: Clock) -> World:
    """A portal in memory, once over SQLite and once over PostgreSQL."""
    return World(store, clock, url=store_url)


@pytest.fixture
def stream() -> Iterator[StringIO]:
    """Every log of the process, as the server writes it, from `debug` on; put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    memory = StringIO()
    telemetry.configure("debug", memory)
    yield memory
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
