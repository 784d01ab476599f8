"""Stores with a million customers and twelve invoices of each, filled by bulk: every table that an import and a year of use
fill, row by row as they would write it. One account is made by the import's own mapping and encoded; the others are its
bytes with another number.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from server.billing.ledger.events.renewals import due_at
from server.billing.model.documents import encode_account, encode_invoice
from server.publishing.samples.many import address_of, mapped, records_of
from server.publishing.samples.shapes import Shapes
from server.store import customer_parts, micros

INVOICES = 12
BATCH = 2_000
MARK = "Q" * 7
_MONTH, _MICROSECOND = timedelta(days=28), timedelta(microseconds=1)
TABLES = {
    "customer": "brand, id, address, email, name, created_at, active, disabled, indexed_name, indexed_email",
    "customer_part": "brand, part, customer_id",
    "account": "brand, customer_id, version, as_of, due_at, document",
    "invoice": "brand, id, customer_id, created_at, document",
    "imported": "brand, kind, id, customer_id, digest",
    "session": "id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at",
    "known_browser": "brand, customer_id, mark_hash, seen_at, asker_hash",
    "activity": "id, brand, customer_id, at, kind, subject, data, browser",
    "outbox": "id, brand, kind, address, customer_id, data, created_at, not_before, expires_at, attempts, state",
    "operation": "brand, customer_id, key, action, subject, state, result, created_at, updated_at",
}
Rows = dict[str, list[tuple[Any, ...]]]


def number_of(mark: int) -> str:
    return f"{mark:07d}"


class Template:
    """The rows of customers of `brand`, who were there at `now` and logged in within a month."""

    def __init__(self, brand: str, now: datetime) -> None:
        self.brand, self.now = brand, micros(now)
        shapes = Shapes(brand, now)
        self._records = [*records_of(shapes, MARK, INVOICES)]
        account, invoices = mapped(shapes, now, [*records_of(shapes, MARK, INVOICES)])
        due = due_at(account)
        assert due is not None
        self.created_at, self._due = micros(account.customer.created_at), max(micros(due), self.now)
        self._document = encode_account(account)
        self._invoices = [(each.id, micros(each.created_at), encode_invoice(each)) for each in invoices]

    def rows(self, numbers: Iterable[int], of: int) -> Rows:
        """Of these customers among `of`, whose renewals and log-ins lie all over a month."""
        found: Rows = {table: [] for table in TABLES}
        step = _MONTH // _MICROSECOND // of
        for number in numbers:
            self._add(found, number_of(number), number * 7919 % of * step)
        return found

    def _add(self, found: Rows, number: str, within: int) -> None:
        brand, customer, address = self.brand, f"cus_many{number}", address_of(number)
        raw = number.encode()
        seen, random = self.now - within, secrets.token_bytes(240)
        name = f"Customer {number}"
        found["customer"].append((brand, customer, address, address, name, self.created_at, 1, 0, name, address))
        found["customer_part"] += [(brand, each, customer) for each in customer_parts.parts(name, address, customer)]
        document = self._document.replace(MARK.encode(), raw)
        found["account"].append((brand, customer, 1, self.now, self._due + within, document))
        found["invoice"] += [
            (brand, each.replace(MARK, number), customer, at, text.replace(MARK.encode(), raw))
            for each, at, text in self._invoices
        ]
        found["imported"] += [
            (brand, each["object"], each["id"].replace(MARK, number), customer, random[16 * at : 16 * at + 16])
            for at, each in enumerate(self._records)
        ]
        hashed = secrets.token_bytes(32)
        last = self.now - within // 4_000  # ten minutes: those of before are cleaned up
        found["session"].append((hashed, brand, customer, address, "link", "Firefox on Linux", last, last, 2**60))
        found["known_browser"].append((brand, customer, hashed, seen, random[-32:]))
        ids = [f"{seen:014x}{hashed.hex()[at : at + 18]}" for at in (0, 18, 36)]  # as `server.store.new_id`
        found["activity"].append((ids[0], brand, customer, seen, "login", "", b"\x80", "Firefox on Linux"))
        sent = (None, seen, seen, seen + 600_000_000, 1, "sent")
        found["outbox"].append((ids[1], brand, "passcode", address, "", *sent))
        found["outbox"].append((ids[2], brand, "receipt", "", customer, *sent))
        done = (brand, customer, hashed.hex()[:24], "subscription.canceled", f"sub_many{number}", "done", None)
        found["operation"].append((*done, seen, seen))


def fill(url: str, template: Template, how_many: int) -> None:
    """Into a database with our schema and no row."""
    with _into(url) as put:
        for first in range(0, how_many, BATCH):
            for table, rows in template.rows(range(first, min(first + BATCH, how_many)), how_many).items():
                put(table, rows)


@contextmanager
def _into(url: str) -> Iterator[Any]:
    if url.startswith("sqlite:"):
        connection = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000")
        connection.execute("BEGIN")

        def insert(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
            marks = ", ".join("?" for _ in TABLES[table].split(","))
            connection.executemany(f"INSERT INTO {table} ({TABLES[table]}) VALUES ({marks})", rows)

        yield insert
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        return
    with psycopg.connect(url, autocommit=True) as connected, connected.cursor() as cursor:
        connected.execute("SET maintenance_work_mem = '512MB'")
        types = {table: _types(connected, table) for table in TABLES}
        keys, indexes = (connected.execute(sql, [[*TABLES]]).fetchall() for sql in (_KEYS, _INDEXES))
        with connected.transaction():
            # Of tables that are emptied in the same transaction, little goes through the log.
            connected.execute(f"TRUNCATE {', '.join(TABLES)}")  # type: ignore[arg-type]
            for table, name, _ in keys:
                connected.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")  # type: ignore[arg-type]
            for name, _ in indexes:
                connected.execute(f"DROP INDEX {name}")  # type: ignore[arg-type]

            def copy(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
                with cursor.copy(f"COPY {table} ({TABLES[table]}) FROM STDIN (FORMAT BINARY)") as sent:  # type: ignore[arg-type]
                    sent.set_types(types[table])
                    for row in rows:
                        sent.write_row(row)

            yield copy
            for table, name, made in keys:
                connected.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}")  # type: ignore[arg-type]
            for _, made in indexes:
                connected.execute(made)
        connected.execute("VACUUM ANALYZE")


_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE contype = 'p' AND conrelid::regclass::text = ANY(%s)"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)
   AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype = 'p')"""


def _types(connected: psycopg.Connection[Any], table: str) -> list[str]:
    sql = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
    found = dict(connected.execute(sql, [table]).fetchall())
    return [found[each] for each in TABLES[table].split(", ")]


def size_of(url: str) -> int:
    """Bytes of the database."""
    if url.startswith("sqlite:"):
        return Path(url.removeprefix("sqlite:")).stat().st_size
    with psycopg.connect(url) as connected:
        return int(connected.execute("SELECT pg_database_size(current_database())").fetchone()[0])  # type: ignore[index]
