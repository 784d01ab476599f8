"""The numbered schema files, and which of them a database still lacks.

SQLite applies what is pending in one transaction that it takes alone (``BEGIN EXCLUSIVE``), PostgreSQL in one a file under
an advisory lock, so two processes may start together. A file that has been released is never edited: the next change is
the next number.

On PostgreSQL the version before goes on serving while a file is applied, and after it: so a file only adds (docs/operations.md).
"""

import re
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

SCHEMA = Path(__file__).parent / "schema"

TABLE = (
    "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)"
)
APPLIED = "SELECT number FROM migration"
IS_APPLIED = "SELECT 1 FROM migration WHERE number = :number"
RECORD = "INSERT INTO migration (number, name, applied_at) VALUES (:number, :name, :applied_at)"


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str


def pending(applied: Collection[int], folder: Path = SCHEMA) -> list[Migration]:
    """What is not applied yet, in order. Raises `ValueError` for a file without its own number."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        named = re.fullmatch(r"([0-9]{4})_([a-z0-9_]+)\.sql", path.name)
        if named is None or int(named[1]) in found:
            raise ValueError(f"{path}: a migration is named NNNN_<words>.sql, each number once")
        found[int(named[1])] = Migration(int(named[1]), named[2], path.read_text(encoding="utf-8"))
    return [found[number] for number in sorted(found) if number not in applied]


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `sqlite3.executescript` would commit before the first."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""
    if re.sub(r"--[^\n]*", "", gathered).strip():
        raise ValueError(f"a migration ends in the middle of a statement: {gathered.strip()[:80]}")
