"""The configurations that a merchant's back end made: what holds in a session that names one.

The brand's own `portal.toml` is the default configuration and is not in the store; its id is `DEFAULT`.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from server.brands import Features
from server.portal import Portal
from server.store import Row, Transaction, micros, moment

DEFAULT = "bpc_default"
MOST = 1000
"""How many a brand may have."""

_COLUMNS = "id, live, created_at, document"
_ADD = """
INSERT INTO api_configuration (brand, id, live, created_at, document)
SELECT :brand, :id, :live, :now, :document
 WHERE (SELECT COUNT(*) FROM api_configuration WHERE brand = :brand) < :most"""
_ONE = f"SELECT {_COLUMNS} FROM api_configuration WHERE brand = :brand AND id = :id AND live = :live"
_ALL = (
    f"SELECT {_COLUMNS} FROM api_configuration WHERE brand = :brand AND live = :live ORDER BY created_at DESC, id DESC"
)
_CHANGE = """
UPDATE api_configuration SET document = :document
 WHERE brand = :brand AND id = :id AND live = :live AND document = :seen"""


class Texts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a configuration says beside its features; empty: what the brand says holds."""

    headline: str = ""
    privacy_policy_url: str = ""
    terms_of_service_url: str = ""
    default_return_url: str = ""


class Configuration(msgspec.Struct, frozen=True, omit_defaults=True):
    features: Features
    updated_at: datetime
    texts: Texts = Texts()
    name: str = ""
    metadata: dict[str, str] = {}
    active: bool = True


class Kept(msgspec.Struct, frozen=True):
    """A configuration with what the store says of it."""

    id: str
    is_live: bool
    created_at: datetime
    it: Configuration
    document: bytes = b""


def default(portal: Portal, *, live: bool) -> Kept:
    """The brand's own."""
    business, epoch = portal.brand.config.business, moment(0)
    texts = Texts(
        business.headline, business.privacy_policy_url, business.terms_of_service_url, business.default_return_url
    )
    return Kept(DEFAULT, live, epoch, Configuration(portal.brand.config.features, epoch, texts))


async def find(portal: Portal, id_: str, *, live: bool) -> Kept | None:
    if id_ == DEFAULT:
        return default(portal, live=live)
    rows = await portal.store.read(_ONE, {"brand": portal.name, "id": id_, "live": int(live)})
    return _kept(rows[0]) if rows else None


async def every(portal: Portal, *, live: bool) -> list[Kept]:
    """The newest first, the default last."""
    rows = await portal.store.read(_ALL, {"brand": portal.name, "live": int(live)})
    return [*map(_kept, rows), default(portal, live=live)]


def add(transaction: Transaction, brand: str, it: Configuration, *, live: bool, now: datetime) -> Kept | None:
    """None: the brand has as many as it may have."""
    id_, document = f"bpc_{secrets.token_hex(12)}", msgspec.msgpack.encode(it)
    row = {"brand": brand, "id": id_, "live": int(live), "now": micros(now), "document": document}
    return Kept(id_, live, now, it, document) if transaction.count(_ADD, {**row, "most": MOST}) else None


def change(transaction: Transaction, brand: str, seen: Kept, it: Configuration) -> Kept | None:
    """Put it in the place of the one that was seen. None: somebody else changed that one meanwhile."""
    document = msgspec.msgpack.encode(it)
    row = {"brand": brand, "id": seen.id, "live": int(seen.is_live), "document": document, "seen": seen.document}
    return msgspec.structs.replace(seen, it=it, document=document) if transaction.count(_CHANGE, row) else None


def decode(document: bytes) -> Configuration:
    return msgspec.msgpack.decode(document, type=Configuration)


def _kept(row: Row) -> Kept:
    id_, live, created_at, document = row
    return Kept(id_, bool(live), moment(created_at), decode(document), bytes(document))
