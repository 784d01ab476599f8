"""The fixtures of both kinds of database. They share files and servers, never rows."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.store import Store, open_store


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


@pytest.fixture(scope="session")
def by_the_pooler(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """How a store comes to a database of the tests' PostgreSQL: with `--pooler`, by way of PgBouncer."""
    if not request.config.getoption("pooler"):
        yield lambda url: url
        return
    from tests.support.pooler import pooling

    with pooling(request.getfixturevalue("postgres_url")) as pooled:
        yield pooled


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of each kind, with our schema and no row."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with request.getfixturevalue("postgres_databases").one() as url:
        yield request.getfixturevalue("by_the_pooler")(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind before our schema was there."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'store.sqlite'}"
        return
    from tests.support.postgres import empty_database

    with empty_database(request.getfixturevalue("postgres_url")) as url:
        yield request.getfixturevalue("by_the_pooler")(url)


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
