"""A database of any earlier version, with rows in every table that it had, brought up to date: nothing is lost."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from server.mail import outbox
from server.store import Store, micros, migrations, open_store, postgres

pytestmark = pytest.mark.anyio
_CREATED = re.compile(r"CREATE TABLE (\w+) \((.*?)^\)(?: WITHOUT ROWID)?;", re.DOTALL | re.MULTILINE)
_ADDED = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (TEXT|BIGINT|BLOB)")
_COLUMN = re.compile(r"^\s*(\w+)\s+(TEXT|BIGINT|BLOB)\b", re.MULTILINE)
_WAITS = "SELECT 1 FROM pg_sleep(0.02), pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
Tables = dict[str, dict[str, str]]


class Old:
    """A database as an older server left it: files of the schema are applied one by one, as the store itself would."""

    def __init__(self, connection: Any, *, is_sqlite: bool) -> None:
        self.connection, self.is_sqlite = connection, is_sqlite
        self.tables: Tables = {}
        """Their columns and types, as the files say."""
        connection.execute(migrations.TABLE)

    def apply(self, each: migrations.Migration) -> None:
        for statement in migrations.statements(each.sql):
            self.connection.execute(statement if self.is_sqlite else postgres.schema(statement))
        self.connection.execute(f"INSERT INTO migration VALUES ({each.number}, '{each.name}', 0)")
        self.tables |= {table: dict(_COLUMN.findall(columns)) for table, columns in _CREATED.findall(each.sql)}
        for table, column, kind in _ADDED.findall(each.sql):
            self.tables[table][column] = kind

    def insert(self, table: str, row: dict[str, Any]) -> None:
        sign = "?" if self.is_sqlite else "%s"
        names, signs = ", ".join(row), ", ".join([sign] * len(row))
        self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({signs})", tuple(row.values()))


@contextmanager
def old(empty_url: str) -> Iterator[Old]:
    if empty_url.startswith("sqlite:"):
        with closing(sqlite3.connect(empty_url.removeprefix("sqlite:"))) as connection, connection:
            yield Old(connection, is_sqlite=True)
    else:
        with psycopg.connect(empty_url) as connection:
            yield Old(connection, is_sqlite=False)


def row_of(columns: dict[str, str], version: int) -> dict[str, Any]:
    """A row that no other version's is."""
    values: dict[str, Any] = {"TEXT": f"of version {version}", "BIGINT": version, "BLOB": bytes([0, 255, version])}
    return {name: values[kind] for name, kind in columns.items()}


async def test_the_rows_of_every_version_are_there_in_the_newest(empty_url: str) -> None:
    kept: list[tuple[str, int, dict[str, Any]]] = []
    with old(empty_url) as before:
        for each in migrations.pending(()):
            before.apply(each)
            for table, columns in before.tables.items():
                row = row_of(columns, each.number)
                before.insert(table, row)
                kept.append((table, each.number, row))
    store = open_store(empty_url)
    try:
        assert before.tables.keys() > {"outbox", "account", "session", "invoice", "mail_choice"}
        for table, version, row in kept:
            if table == "account" and version < 5:
                row["due_at"] = row["as_of"]  # 0005: each account is looked at once for its reminders
            found = await store.read(f"SELECT {', '.join(row)} FROM {table}")
            assert tuple(row.values()) in found, (table, version)
            assert len(found) == sum(each == table for each, *_ in kept), table
    finally:
        await store.close()


@pytest.mark.parametrize("left_at", range(1, len(migrations.pending(()))))
async def test_a_mail_that_waits_through_an_update_is_taken_after_it_once(empty_url: str, clock, left_at: int) -> None:
    """Whichever version the database was left at; so is an account that is due."""
    now = micros(clock())
    mail = {"id": "out_1", "brand": "plain", "kind": "passcode", "address": "jenny@example.com", "data": b"sealed",
            "created_at": now, "not_before": now, "expires_at": now + 10**9, "attempts": 1, "state": "waiting",
            "detail": "the mail server answered 421"}  # fmt: skip
    account = {"brand": "plain", "version": 1, "as_of": now - 10**9, "document": b"as it was"}
    due = {"never": None, "later": now + 10**12}
    with old(empty_url) as before:
        for each in migrations.pending(())[:left_at]:
            before.apply(each)
        before.insert("outbox", mail)
        before.insert("outbox", mail | {"id": "out_2", "state": "sent", "data": None})
        for customer, due_at in due.items():
            before.insert("account", {**account, "customer_id": customer, "due_at": due_at})
    for taken in ([("out_1", b"sealed", 2, "")], []):  # the second time, there is nothing to do
        store = open_store(empty_url)
        try:
            jobs = await outbox.claim(store, clock(), 10)
            found = dict(await store.read("SELECT customer_id, due_at FROM account"))
            records = await outbox.about(store, "plain", "jenny@example.com")
        finally:
            await store.close()
        assert [(each.id, each.data, each.attempts, each.customer_id) for each in jobs] == taken
        assert found == {"never": None, "later": account["as_of"] if left_at < 5 else due["later"]}
        assert sorted(each.state for each in records) == ["sent", "waiting"]


async def test_wrong_codes_of_several_brands_become_one_count(empty_url: str) -> None:
    used = {("harbour", "jenny"): 15, ("orbit", "jenny"): 15, ("orbit", "sam"): 3}
    with old(empty_url) as before:
        for each in migrations.pending(())[:7]:
            before.apply(each)
        for (brand, subject), number in used.items():
            row = {"brand": brand, "kind": "wrong", "subject": subject, "starts_at": 0, "used": number}
            before.insert("budget", row)
    store = open_store(empty_url)
    try:
        found = await store.read("SELECT brand, subject, used, expires_at FROM budget ORDER BY subject")
    finally:
        await store.close()
    assert found == [("", "jenny", 20, None), ("", "sam", 3, None)]


ADDS = re.compile(
    r"CREATE TABLE \w+|CREATE INDEX \w+ ON \w+"
    r"|ALTER TABLE \w+ ADD COLUMN \w+ (TEXT|BIGINT|BLOB)( NOT NULL DEFAULT \S+)?;"
)
MORE = {
    5: ("CREATE UNIQUE INDEX outbox_by_event", "DROP INDEX outbox_due", "UPDATE account SET due_at"),
    8: ("DROP INDEX challenge_by_address", "INSERT INTO budget", "DELETE FROM budget"),
}
"""What older files do beside. A new line here is a step that no older version may be serving during: CHANGELOG.md says so."""
NOT_NEEDED = {25: ("account_by_due", "outbox_by_customer", "stripe_copy_by_age")}
"""Indexes that a file drops: they are not unique, and every statement of the version before has another one."""


@pytest.mark.parametrize("each", migrations.pending(()), ids=lambda each: f"{each.number:04}")
def test_a_file_only_adds_what_the_version_before_does_not_see(each: migrations.Migration) -> None:
    for statement in migrations.statements(each.sql):
        words = " ".join(re.sub(r"--[^\n]*", "", statement).split())
        dropped = words.removeprefix("DROP INDEX ").removesuffix(";") in NOT_NEEDED.get(each.number, ())
        assert dropped or ADDS.match(words) or words.startswith(MORE.get(each.number, ("\0",))), words[:120]


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_a_file_that_waits_for_a_table_lets_others_through(empty_url: str) -> None:
    """Somebody reads `session` for long; 0011 wants to change it, and whoever reads after that waits behind it."""
    with old(empty_url) as before:
        for each in migrations.pending(())[:10]:
            before.apply(each)
    opened: list[Store] = []
    starting = threading.Thread(target=lambda: opened.append(open_store(empty_url)))
    with psycopg.connect(empty_url) as slow:
        slow.execute("SELECT 1 FROM session").fetchall()
        starting.start()
        with psycopg.connect(empty_url, autocommit=True) as other:
            while not other.execute(_WAITS).fetchall():
                pass
            with other.transaction():
                other.execute("SET LOCAL statement_timeout = 4000")
                assert other.execute("SELECT COUNT(*) FROM session").fetchall() == [(0,)]
            assert other.execute("SELECT MAX(number) FROM migration").fetchall() == [(10,)]
        slow.rollback()
    starting.join(timeout=60)
    (store,) = opened
    newest = await store.read("SELECT MAX(number) FROM migration")
    await store.close()
    assert newest == [(migrations.pending(())[-1].number,)]
