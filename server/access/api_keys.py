"""The keys of a merchant's back end: made, listed, revoked, and found by what a request shows.

A key is 192 random bits behind a prefix that says what it is for: `sk_` may do everything that the API does, `rk_` what
its permissions name; `_test_` and `_live_` say for which data. The store keeps an HMAC of it. A request's key is looked up by
that HMAC, which nobody can steer without the secret, so how long the look-up takes says nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from server.access import sealing
from server.settings import Settings
from server.store import Row, Store, Transaction, micros, moment

PERMISSIONS = ("portal.sessions", "portal.configurations", "customers.read")
USED_EVERY = timedelta(minutes=1)
"""`used_at` is written no more often than this."""

_COLUMNS = "id, brand, hint, live, permissions, created_at, used_at, revoked_at"
_ADD = f"""
INSERT INTO api_key ({_COLUMNS}, mac) VALUES (:id, :brand, :hint, :live, :permissions, :now, NULL, NULL, :mac)"""
_FIND = f"SELECT {_COLUMNS} FROM api_key WHERE mac = :mac AND revoked_at IS NULL"
_ALL = f"SELECT {_COLUMNS} FROM api_key WHERE brand = :brand ORDER BY created_at, id"
_REVOKE = "UPDATE api_key SET revoked_at = :now WHERE brand = :brand AND id = :id AND revoked_at IS NULL"
_USED = "UPDATE api_key SET used_at = :now, mac = :mac WHERE id = :id"


class ApiKey(msgspec.Struct, frozen=True):
    id: str
    brand: str
    hint: str
    """Such as `sk_test_…3f9c`."""
    is_live: bool
    permissions: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def create(
    transaction: Transaction, settings: Settings, brand: str, *, live: bool, may: Iterable[str] = (), now: datetime
) -> tuple[str, str]:
    """A new key and its id; the key is shown once and kept nowhere. `may`: some of `PERMISSIONS`; none: all of them."""
    permissions = tuple(may)
    prefix = f"{'rk' if permissions else 'sk'}_{'live' if live else 'test'}_"
    key = prefix + secrets.token_hex(24)
    row = {
        "id": f"key_{secrets.token_hex(8)}",
        "brand": brand,
        "hint": f"{prefix}…{key[-4:]}",
        "live": int(live),
        "permissions": " ".join(permissions or PERMISSIONS),
        "now": micros(now),
        "mac": _macs(settings, key)[0],
    }
    transaction.count(_ADD, row)
    return key, str(row["id"])


async def find(store: Store, settings: Settings, key: str) -> ApiKey | None:
    """The key that is not revoked; None: there is no such key."""
    for mac in _macs(settings, key):
        if rows := await store.read(_FIND, {"mac": mac}):
            return _key(rows[0])
    return None


def used(transaction: Transaction, settings: Settings, key: str, found: ApiKey, now: datetime) -> None:
    """Note that it was used; from then on it is under the newest secret."""
    if found.used_at is None or now - found.used_at >= USED_EVERY:
        transaction.count(_USED, {"now": micros(now), "mac": _macs(settings, key)[0], "id": found.id})


async def of_brand(store: Store, brand: str) -> list[ApiKey]:
    """Every key that there was, the oldest first."""
    return [_key(row) for row in await store.read(_ALL, {"brand": brand})]


def revoke(transaction: Transaction, brand: str, key_id: str, now: datetime) -> bool:
    """From now on it opens nothing. False: the brand has no such key, or it was revoked before."""
    return transaction.count(_REVOKE, {"brand": brand, "id": key_id, "now": micros(now)}) == 1


def _macs(settings: Settings, key: str) -> list[bytes]:
    return [sealing.mac(each, key.encode()) for each in sealing.keys(settings.secrets, "api key")]


def _key(row: Row) -> ApiKey:
    id_, brand, hint, live, permissions, created_at, used_at, revoked_at = row
    used_, revoked = (None if at is None else moment(at) for at in (used_at, revoked_at))
    return ApiKey(id_, brand, hint, bool(live), tuple(permissions.split()), moment(created_at), used_, revoked)
