"""The fixtures that every kind of test shares: the two stores, the clock and the application in memory."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from server import telemetry as logs
from server.rendering import words
from server.store import Store, open_store
from tests.support.leak_net import nothing_is_left, pytest_runtest_makereport
from tests.support.world import World

__all__ = ["nothing_is_left", "pytest_runtest_makereport"]

settings.register_profile("the same every time", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile("the same every time")
"""A change is judged by what it changed: the same examples in every run. `--hypothesis-profile=search` draws new ones,
and twenty times as many where a test says how `often`."""

ORDER = ("unit", "contract", "chaos", "browser")
LONGEST = ("test_accessibility.py", "test_subscription_rows.py", "test_method_rows.py")
"""Begun first among the browser's, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick ones first, and the browser last: from its first test on, Playwright keeps an event loop running in this
    thread, and no test that starts one of its own could."""
    folders = Path(__file__).parent
    items.sort(key=lambda item: (ORDER.index(item.path.relative_to(folders).parts[0]), item.path.name not in LONGEST))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plain-jinja", action="store_true", help="render with Jinja's own compiler instead of ours")


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


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL for the whole run, without fsync: tests stop it, power cuts do not."""
    from tests.support.postgres import running  # slow to import, and unit tests do without it

    with running() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_databases(postgres_url: str) -> Any:
    from tests.support.postgres import Databases

    return Databases(postgres_url)


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our schema and no row, to be copied."""
    path = tmp_path_factory.mktemp("schema") / "store.sqlite"
    asyncio.run(open_store(f"sqlite:{path}").close())
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, filled_sqlite: Path) -> str:
    return f"sqlite:{shutil.copy(filled_sqlite, tmp_path / 'store.sqlite')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of each kind, with our schema and no row."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with request.getfixturevalue("postgres_databases").one() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind before our schema was there."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'store.sqlite'}"
        return
    from tests.support.postgres import empty_database

    with empty_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An empty store, once on SQLite and once on PostgreSQL."""
    opened = open_store(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    """An empty store on SQLite, for tests whose question is not the store."""
    opened = open_store(sqlite_url)
    yield opened
    await opened.close()


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
    logs.configure("debug", memory)
    yield memory
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
