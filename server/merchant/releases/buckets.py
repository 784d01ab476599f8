"""The bucket of a brand: what the store knows of it. The secret is sealed, and nothing shows it again.

`turn` is the one of `release_live` that is in the bucket as a whole. While it is another one than the served one's, a worker
copies; one at a time, as long as it holds the row (`taken_until`). Of each file that is there, a row remembers the hash and the
last turn that had it: written before the file as "being written" and after it with the hash, so that whatever was begun is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from server.access.sealing import Sealer
from server.settings import Settings
from server.store import Store, Transaction, micros, moment

HOLDS = timedelta(minutes=2)
"""How long a worker has the bucket for itself after each step; one that died is followed by another one then."""
LONGEST_WAIT = timedelta(hours=1)

_FIND = "SELECT bucket, secret, turn, due_at, failures, trouble FROM release_bucket WHERE brand = :brand"
_KEEP = """
INSERT INTO release_bucket (brand, bucket, secret, turn, taken_until, due_at, failures, trouble)
VALUES (:brand, :bucket, :secret, 0, 0, 0, 0, '')
ON CONFLICT (brand) DO UPDATE SET bucket = :bucket, secret = :secret, turn = 0, taken_until = 0, due_at = 0, failures = 0,
 trouble = ''"""
_DROP = "DELETE FROM release_bucket WHERE brand = :brand"
_DROP_OBJECTS = "DELETE FROM release_object WHERE brand = :brand"
_DUE = """
SELECT brand FROM release_bucket WHERE due_at <= :now AND taken_until < :now AND turn <>
 (SELECT turn FROM release_live l WHERE l.brand = release_bucket.brand) ORDER BY due_at, brand"""
_TAKE = """
UPDATE release_bucket SET taken_until = :until WHERE brand = :brand AND taken_until < :now
RETURNING bucket, secret, turn, due_at, failures, trouble"""
_HOLD = "UPDATE release_bucket SET taken_until = :until WHERE brand = :brand AND taken_until = :held"
_DONE = """
UPDATE release_bucket SET turn = :turn, taken_until = 0, failures = 0, trouble = ''
 WHERE brand = :brand AND taken_until = :held"""
_FAILED = """
UPDATE release_bucket SET taken_until = 0, due_at = :due, failures = failures + 1, trouble = :trouble
 WHERE brand = :brand AND taken_until = :held"""
_GIVE_BACK = "UPDATE release_bucket SET taken_until = 0 WHERE brand = :brand AND taken_until = :held"
_AGAIN = "UPDATE release_bucket SET due_at = 0, failures = 0 WHERE brand = :brand"
_OBJECTS = "SELECT path, hash, turn FROM release_object WHERE brand = :brand"
_PUT = """
INSERT INTO release_object (brand, path, hash, turn) VALUES (:brand, :path, :hash, :turn)
ON CONFLICT (brand, path) DO UPDATE SET hash = :hash, turn = :turn"""
_FORGET = "DELETE FROM release_object WHERE brand = :brand AND path = :path"


class Lost(Exception):
    """Another worker copies by now, or the bucket is another one."""


class Bucket(msgspec.Struct, frozen=True):
    """Where a brand's pages are copied to, by the protocol of S3."""

    endpoint: str
    """Such as `https://s3.eu-central-1.amazonaws.com`."""
    region: str
    name: str
    prefix: str
    """What the path of each file begins with, such as `harbour/`; empty: nothing."""
    key_id: str


class Kept(msgspec.Struct, frozen=True):
    bucket: Bucket
    secret: bytes
    """Sealed."""
    turn: int
    due_at: datetime
    failures: int
    trouble: str


class Object(msgspec.Struct, frozen=True):
    hash: str
    """Empty: it was being written."""
    turn: int


class Held:
    """A bucket that this worker has for itself, as long as it goes on in time."""

    def __init__(self, brand: str, kept: Kept, until: int) -> None:
        self.brand, self.kept, self.until = brand, kept, until

    def hold(self, transaction: Transaction, now: datetime) -> None:
        """Raises `Lost`."""
        until = max(micros(now + HOLDS), self.until + 1)
        if not transaction.count(_HOLD, {"brand": self.brand, "held": self.until, "until": until}):
            raise Lost
        self.until = until


def mistakes(bucket: Bucket, *, allow_private: bool) -> dict[str, str]:
    """What is wrong, by field."""
    found = {}
    schemes = ("https", "http") if allow_private else ("https",)
    try:
        parts = urlsplit(bucket.endpoint)
        is_origin = parts.scheme in schemes and parts.hostname and not (parts.path.strip("/") or parts.query)
        is_origin = is_origin and not parts.fragment and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        is_origin = False
    if not is_origin or not re.fullmatch(r"[!-~]{1,200}", bucket.endpoint):
        found["endpoint"] = "Enter an address such as https://s3.eu-central-1.amazonaws.com, without a path"
    patterns = {
        "region": (r"[a-z0-9-]{1,40}", "Enter a region such as eu-central-1, or auto where the provider has none"),
        "name": (
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            "Enter the bucket's name: 3 to 63 characters from a-z, 0-9, . and -",
        ),
        "prefix": (
            r"([A-Za-z0-9_-][A-Za-z0-9_.-]{0,60}/){0,4}",
            "Leave it empty, or enter folders with a slash at the end, such as shop/",
        ),
        "key_id": (r"[A-Za-z0-9._/+=-]{3,128}", "Enter the id of an access key: 3 to 128 letters and digits"),
    }
    return found | {
        field: words
        for field, (pattern, words) in patterns.items()
        if not re.fullmatch(pattern, getattr(bucket, field))
    }


def _context(brand: str, bucket: Bucket) -> bytes:
    """A secret that is moved to another endpoint, bucket or brand does not open."""
    return b"release bucket " + msgspec.msgpack.encode((brand, bucket))


def keeping(settings: Settings, brand: str, bucket: Bucket, secret: str) -> dict[str, object]:
    """The row of `keep`: made before the transaction."""
    sealed = Sealer(settings.secrets).seal(secret.encode(), _context(brand, bucket))
    return {"brand": brand, "bucket": msgspec.json.encode(bucket), "secret": sealed}


def keep(transaction: Transaction, row: dict[str, object]) -> None:
    """From now on the brand is copied into this bucket, from the start."""
    transaction.count(_DROP_OBJECTS, {"brand": row["brand"]})
    transaction.count(_KEEP, row)


def drop(transaction: Transaction, brand: str) -> bool:
    """Copy no more. What is in the bucket stays there."""
    transaction.count(_DROP_OBJECTS, {"brand": brand})
    return transaction.count(_DROP, {"brand": brand}) == 1


def again(transaction: Transaction, brand: str) -> None:
    """Do not wait for the next attempt."""
    transaction.count(_AGAIN, {"brand": brand})


def secret_of(settings: Settings, brand: str, kept: Kept) -> str | None:
    """None: no secret of this server opens it."""
    opened = Sealer(settings.secrets).open(kept.secret, _context(brand, kept.bucket))
    return opened.decode() if opened is not None else None


async def find(store: Store, brand: str) -> Kept | None:
    rows = await store.read(_FIND, {"brand": brand})
    return _kept(*rows[0]) if rows else None


async def due(store: Store, now: datetime) -> list[str]:
    """The brands of which something is to be copied."""
    return [brand for (brand,) in await store.read(_DUE, {"now": micros(now)})]


async def take(store: Store, brand: str, now: datetime) -> Held | None:
    """None: another worker has it."""
    until = micros(now + HOLDS)
    row = {"brand": brand, "now": micros(now), "until": until}
    rows = await store.write(lambda transaction: transaction.run(_TAKE, row))
    return Held(brand, _kept(*rows[0]), until) if rows else None


async def objects(store: Store, brand: str) -> dict[str, Object]:
    return {path: Object(hash_, turn) for path, hash_, turn in await store.read(_OBJECTS, {"brand": brand})}


async def note(store: Store, held: Held, paths: Iterable[tuple[str, str]], turn: int, now: datetime) -> None:
    """These files, with their hashes, are there, or are being written where the hash is empty. Raises `Lost`."""
    rows = [{"brand": held.brand, "path": path, "hash": hash_, "turn": turn} for path, hash_ in paths]

    def work(transaction: Transaction) -> None:
        held.hold(transaction, now)
        transaction.run_many(_PUT, rows)

    await store.write(work)


async def forget(store: Store, held: Held, path: str, now: datetime) -> None:
    """The file is gone. Raises `Lost`."""

    def work(transaction: Transaction) -> None:
        held.hold(transaction, now)
        transaction.count(_FORGET, {"brand": held.brand, "path": path})

    await store.write(work)


async def done(store: Store, held: Held, turn: int) -> None:
    row = {"brand": held.brand, "turn": turn, "held": held.until}
    await store.write(lambda transaction: transaction.count(_DONE, row))


async def failed(store: Store, held: Held, trouble: str, now: datetime) -> None:
    """It is tried again after a minute, then after twice as long each time."""
    wait = min(timedelta(minutes=1) * 2 ** min(held.kept.failures, 10), LONGEST_WAIT)
    row = {"brand": held.brand, "trouble": trouble, "due": micros(now + wait), "held": held.until}
    await store.write(lambda transaction: transaction.count(_FAILED, row))


async def give_back(store: Store, held: Held) -> None:
    row = {"brand": held.brand, "held": held.until}
    await store.write(lambda transaction: transaction.count(_GIVE_BACK, row))


def _kept(bucket: bytes, secret: bytes, turn: int, due_at: int, failures: int, trouble: str) -> Kept:  # noqa: PLR0917
    read = msgspec.json.decode(bytes(bucket), type=Bucket)
    return Kept(read, bytes(secret), turn, moment(due_at), failures, trouble)
