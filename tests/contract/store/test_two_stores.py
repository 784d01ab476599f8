"""Two stores of one process on one SQLite file, beside a process of somebody else: nobody's locks are lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.store import open_store

pytestmark = pytest.mark.anyio

ELSEWHERE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=60) as database:
    for number in range(200):
        database.execute(f"CREATE TABLE elsewhere_{number} AS SELECT * FROM catalog")
database.close()
"""
_ADD = "INSERT INTO catalog (brand, kind, id, document) VALUES ('plain', 'price', :id, x'00')"


def write_elsewhere(path: str) -> None:
    subprocess.run([sys.executable, "-c", ELSEWHERE, path], check=True, timeout=120)


def has_journal(path: str) -> bool:
    return Path(f"{path}-wal").exists()


async def test_a_second_store_takes_no_lock_from_the_first(sqlite_url: str) -> None:
    first = open_store(sqlite_url)
    second = open_store(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:")
    try:
        await first.write(lambda transaction: transaction.count(_ADD, {"id": "one"}))
        write_elsewhere(path)
        # Had the other process thought itself alone, it would have ended the journal that both stores go on with.
        assert has_journal(path)
        await second.write(lambda transaction: transaction.count(_ADD, {"id": "two"}))
        assert await first.read("SELECT count(*) FROM catalog") == [(2,)]
        assert await second.read("PRAGMA integrity_check") == [("ok",)]
    finally:
        await first.close()
        await second.close()
