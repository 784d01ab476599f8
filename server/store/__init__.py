"""The store: `port` says what a database does, `sqlite` and `postgres` do it."""

from pathlib import Path

from server.store.port import (
    Parameters,
    Row,
    Store,
    StoreFull,
    StoreUnavailable,
    StoreUncertain,
    T,
    Transaction,
    micros,
    moment,
    new_id,
)

__all__ = [
    "Parameters",
    "Row",
    "Store",
    "StoreFull",
    "StoreUnavailable",
    "StoreUncertain",
    "T",
    "Transaction",
    "micros",
    "moment",
    "new_id",
    "open_store",
]


def open_store(url: str) -> Store:
    """The store of ``sqlite:<path>`` or ``postgresql://…``, its schema up to date. Raises `StoreUnavailable`."""
    if url.startswith("sqlite:"):
        from server.store.sqlite import SqliteStore  # noqa: PLC0415 (psycopg takes 100 ms to import: only who needs it)

        return SqliteStore(Path(url.removeprefix("sqlite:")))
    from server.store.postgres import PostgresStore  # noqa: PLC0415

    return PostgresStore(url)
