"""Idempotency: the same `Idempotency-Key` with the same request answers what it answered first, for a day.

The key, the change and its answer are one transaction: of requests that come at once, the first makes the change and
the others wait for its row and answer the same. A refusal is not kept, since nothing was done.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec

from server.access.sealing import Sealer
from server.features.api.call import Change
from server.features.api.errors import ApiError
from server.store import Row, Store, Transaction, micros

LONGEST = 255
KEPT = timedelta(hours=24)
_FIND = "SELECT digest, answer, request_id, created_at FROM api_request WHERE key_id = :key_id AND name = :name"
_TAKE = """
INSERT INTO api_request (key_id, name, digest, answer, request_id, created_at)
VALUES (:key_id, :name, :digest, :empty, :request_id, :now)
ON CONFLICT (key_id, name) DO UPDATE SET digest = excluded.digest, request_id = excluded.request_id,
  created_at = excluded.created_at WHERE api_request.created_at <= :old"""
_KEEP = "UPDATE api_request SET answer = :answer WHERE key_id = :key_id AND name = :name"


class Named(msgspec.Struct, frozen=True):
    """A request with an Idempotency-Key."""

    key_id: str
    name: str
    digest: bytes
    request_id: str
    now: datetime


class Replay(msgspec.Struct, frozen=True):
    body: bytes
    request_id: str


def named(key_id: str, name: str, request: tuple[str, str, bytes], request_id: str, now: datetime) -> Named:
    """`request`: its method, path and body. Raises `ApiError` for a key that is too long."""
    if len(name) > LONGEST:
        words = f"Idempotency-Key is longer than {LONGEST} characters."
        raise ApiError(words, kind="idempotency_error")
    method, path, body = request
    digest = hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()
    return Named(key_id, name, digest, request_id, now)


async def before(store: Store, sealer: Sealer, it: Named) -> Replay | None:
    """What was answered, if this was asked before. Raises `ApiError` where something else was asked under the name."""
    rows = await store.read(_FIND, {"key_id": it.key_id, "name": it.name})
    return _replay(rows, sealer, it) if rows and rows[0][3] > micros(it.now - KEPT) else None


def once(transaction: Transaction, sealer: Sealer, it: Named, change: Change) -> bytes | Replay:
    """Make the change, or answer what another request of this name just did. Raises as `before`."""
    row = {"key_id": it.key_id, "name": it.name}
    taken = {**row, "digest": it.digest, "empty": b"", "request_id": it.request_id}
    if not transaction.count(_TAKE, {**taken, "now": micros(it.now), "old": micros(it.now - KEPT)}):
        return _replay(transaction.run(_FIND, row), sealer, it)
    body = msgspec.json.encode(change(transaction))
    transaction.count(_KEEP, {**row, "answer": sealer.seal(body, _context(it))})
    return body


def _replay(rows: list[Row], sealer: Sealer, it: Named) -> Replay:
    digest, answer, request_id, _ = rows[0]
    if bytes(digest) != it.digest:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{it.name}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    body = sealer.open(bytes(answer), _context(it))
    if body is None:
        raise ApiError("This Idempotency-Key was used before the server's secrets changed.", kind="idempotency_error")
    return Replay(body, request_id)


def _context(it: Named) -> bytes:
    return f"api request {it.key_id} {it.name}".encode()
