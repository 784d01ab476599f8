"""Releases in the store, and which of them is served.

The transaction that adds a release makes it the one that is served, and notes it in the history, whose head goes into the
manifest.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from server.merchant.studio import history
from server.store import Store, Transaction, micros, moment

KEPT = 10
"""Releases of a brand."""
MANIFEST = "manifest.json"

_LIVE = "SELECT brand, n, turn, changed_at FROM release_live ORDER BY brand"
_LIVE_OF = "SELECT n, turn, changed_at FROM release_live WHERE brand = :brand"
_LIST = "SELECT n, operator, made_at FROM release WHERE brand = :brand ORDER BY n DESC"
_FIND = "SELECT manifest, files FROM release WHERE brand = :brand AND n = :n"
_NEXT = "SELECT max(n) FROM release WHERE brand = :brand"
_IS_THERE = "SELECT n FROM release WHERE brand = :brand AND n = :n"
_ADD = """
INSERT INTO release (brand, n, operator, made_at, manifest, files)
VALUES (:brand, :n, :operator, :now, :manifest, :files)"""
_SERVE = """
INSERT INTO release_live (brand, n, turn, changed_at) VALUES (:brand, :n, 1, :now)
ON CONFLICT (brand) DO UPDATE SET n = :n, turn = release_live.turn + 1, changed_at = :now"""
_TRIM = """
DELETE FROM release WHERE brand = :brand AND n <> :live AND n NOT IN
 (SELECT n FROM release WHERE brand = :brand ORDER BY n DESC LIMIT :most)"""


class NoRelease(Exception):
    """The brand has no release of this number any more."""


class Manifest(msgspec.Struct, frozen=True):
    """What a release is made of."""

    brand: str
    n: int
    operator: str
    """Empty: the command line."""
    made_at: datetime
    history: str
    """The head of the studio's history, in which the last act is this release."""
    files: dict[str, str]
    """SHA-256 of each file by its path, below `source/` or `site/`."""


class Release(msgspec.Struct, frozen=True):
    """One that is kept."""

    n: int
    operator: str
    made_at: datetime


class Live(msgspec.Struct, frozen=True):
    """Which release of a brand is served. With each other one, `turn` is one more."""

    brand: str
    n: int
    turn: int
    since: datetime


class Whole(msgspec.Struct, frozen=True):
    """A release with its files."""

    manifest: bytes
    """JSON."""
    files: dict[str, bytes]


async def live(store: Store) -> tuple[Live, ...]:
    """Of every brand that has one."""
    return tuple(Live(brand, n, turn, moment(at)) for brand, n, turn, at in await store.read(_LIVE))


async def live_of(store: Store, brand: str) -> Live | None:
    rows = await store.read(_LIVE_OF, {"brand": brand})
    return Live(brand, rows[0][0], rows[0][1], moment(rows[0][2])) if rows else None


async def kept(store: Store, brand: str) -> tuple[Release, ...]:
    """The newest first."""
    rows = await store.read(_LIST, {"brand": brand})
    return tuple(Release(n, operator, moment(at)) for n, operator, at in rows)


async def find(store: Store, brand: str, n: int) -> Whole:
    """Raises `NoRelease`."""
    rows = await store.read(_FIND, {"brand": brand, "n": n})
    if not rows:
        raise NoRelease
    manifest, files = rows[0]
    return Whole(bytes(manifest), msgspec.msgpack.decode(zlib.decompress(files), type=dict[str, bytes]))


def packed(files: Mapping[str, bytes]) -> bytes:
    """As the store keeps them; made before the transaction, which is not to be slow."""
    return zlib.compress(msgspec.msgpack.encode(dict(files)))


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}


def adding(
    brand: str, files: Mapping[str, bytes], *, operator: str, now: datetime, allow: Callable[[Transaction], None]
) -> Callable[[Transaction], int]:
    """What publishes these files, as a transaction: it answers the number of the release. `allow` raises where the
    operator may not."""
    content, hashed = packed(files), hashes(files)

    def work(transaction: Transaction) -> int:
        allow(transaction)
        history.lock(transaction)  # of two at once, the second waits here
        n = 1 + (transaction.run(_NEXT, {"brand": brand})[0][0] or 0)
        head = history.note(transaction, "published", {"release": n}, operator=operator, brand=brand, now=now)
        manifest = Manifest(brand, n, operator, now, str(head), hashed)
        row = {"brand": brand, "n": n, "operator": operator, "now": micros(now)}
        encoded = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        transaction.count(_ADD, {**row, "manifest": encoded, "files": content})
        transaction.count(_SERVE, {"brand": brand, "n": n, "now": micros(now)})
        transaction.count(_TRIM, {"brand": brand, "live": n, "most": KEPT})
        return n

    return work


def going_back(
    brand: str, n: int, *, operator: str, now: datetime, allow: Callable[[Transaction], None]
) -> Callable[[Transaction], bool]:
    """What serves another release that is kept; False: it is served already. Raises `NoRelease`."""

    def work(transaction: Transaction) -> bool:
        allow(transaction)
        history.lock(transaction)
        if not transaction.run(_IS_THERE, {"brand": brand, "n": n}):
            raise NoRelease
        rows = transaction.run(_LIVE_OF, {"brand": brand})
        if rows and rows[0][0] == n:
            return False
        history.note(transaction, "went_back", {"release": n}, operator=operator, brand=brand, now=now)
        transaction.count(_SERVE, {"brand": brand, "n": n, "now": micros(now)})
        return True

    return work
