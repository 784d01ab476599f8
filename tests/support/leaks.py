"""Finding card numbers where none may be: in a store, a log, a mail, a page, a file that is left.

A number is told from a timestamp or an id by these together: it stands alone between other signs, in one piece or in
the groups of a card; it begins as the cards of a known brand of that length do; and its last digit is the right one for
the others. The public test numbers are no leak. A canary, a number that tests type where it must be refused, is one
wherever it stands and however it is written.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from server.features.sandbox.cards import CARDS

CANARIES = ("4539578763621486", "5425233430109903", "374245455400126", "6011000991300009")
"""No page and no document of ours shows them. None is a card of anybody's: they are made up, with a right last digit."""

_PUBLIC = frozenset(each.number for each in CARDS)
_STANDING_ALONE = re.compile(
    rb"(?<![0-9A-Za-z_.%-])(?:[3-6][0-9]{12,18}|[3-6][0-9]{3}(?:[ -][0-9]{4}){3}|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{5})"
    rb"(?![0-9A-Za-z_-]|\.[0-9])"
)
_BRANDS = re.compile(
    r"4\d{12}|4\d{15}|4\d{18}|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35[2-8]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
)
_ENOUGH = 32 << 20
"""Bytes of a text file: a test makes one of 10 GB, of holes alone."""
_TEXTS = frozenset({"", ".csv", ".eml", ".html", ".json", ".jsonl", ".log", ".toml", ".txt", ".xml"})


def luhn(digits: str) -> bool:
    """Whether the last digit is the right one for the others."""
    doubled = (int(each) * 2 if place % 2 else int(each) for place, each in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


def spellings(number: str) -> tuple[str, ...]:
    """As people and programs write it."""
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    return number, " ".join(groups), "-".join(groups), "".join(chr(ord(each) + 0xFEE0) for each in number)


_SHAPE = bytes.maketrans(b"123456789 ", b"000000000-")
_LIKE_ONE = (b"00000000", b"0000-0000")
"""What the shape of every number begins with. Most contents have none of them, and are clean after a glance."""
_FULL_WIDTH = "０".encode()[:2]

_CANARIES = {each.encode(): number for number in CANARIES for each in spellings(number)}


def card_numbers(content: bytes) -> Iterator[str]:
    """The card numbers in there, and any canary however it stands there."""
    shape = content.translate(_SHAPE)  # "0000-000000-00000"
    if not any(each in shape for each in _LIKE_ONE) and _FULL_WIDTH not in content:
        return
    yield from {number for written, number in _CANARIES.items() if written in content}
    for found in _STANDING_ALONE.finditer(content):
        digits = re.sub(rb"[ -]", b"", found[0]).decode()
        if digits not in _PUBLIC and digits not in CANARIES and _BRANDS.fullmatch(digits) and luhn(digits):
            yield digits


def refuse(where: str, contents: Iterable[object]) -> None:
    """Raises `AssertionError` where a text or bytes among these holds a card number."""
    for content in contents:
        if isinstance(content, (str, bytes)):
            found = sorted(card_numbers(content.encode(errors="replace") if isinstance(content, str) else content))
            assert not found, f"{where}: a card number was kept: {', '.join(found)}"


def look_into_file(path: Path) -> None:
    """A database row by row, a text as it stands; other files are not looked into."""
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    refuse(f"{path}: {table}", row)
    elif path.suffix in _TEXTS:
        with path.open("rb") as file:
            refuse(str(path), [file.read(_ENOUGH)])


def look_into_postgres(connection: psycopg.Connection) -> list[str]:
    """The names of its tables, once their rows hold no number."""
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    ]
    for table in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):  # type: ignore[arg-type]
            refuse(f"PostgreSQL: {table}", row)
    return tables


def look_into_folder(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            try:
                look_into_file(path)
            except (sqlite3.DatabaseError, FileNotFoundError):  # a test broke this one on purpose, or it is gone
                continue
