"""`python -m server keys create|list|revoke`: the keys with which a merchant's back end asks the API. See `docs/api.md`."""

from __future__ import annotations

import argparse
import os
from datetime import datetime

from server import settings
from server.access import api_keys
from server.access.api_keys import ApiKey
from server.brands import Brand
from server.merchant.link import NotDone
from server.store import Store


async def create(store: Store, brand: Brand, options: argparse.Namespace, now: datetime) -> str:
    """Raises `SettingsError`: a key is kept under the server's secrets."""
    read, may, live = settings.from_environment(os.environ), options.may or (), not options.test
    key, id_ = await store.write(
        lambda transaction: api_keys.create(transaction, read, brand.name, live=live, may=may, now=now)
    )
    return f"{key}\n(its id is {id_}; the key is shown this once)"


async def show(store: Store, brand: Brand, _: argparse.Namespace, __: datetime) -> str:
    found = await api_keys.of_brand(store, brand.name)
    return "\n".join(map(_line, found)) or f"{brand.name} has no key."


async def revoke(store: Store, brand: Brand, options: argparse.Namespace, now: datetime) -> str:
    """Raises `NotDone`."""
    if not await store.write(lambda transaction: api_keys.revoke(transaction, brand.name, options.key, now)):
        words = f"{options.key}: {brand.name} has no such key that works. Run: python -m server keys list {brand.name}"
        raise NotDone(words)
    return f"{options.key} opens nothing from now on. Sessions that it made go on until they end."


def _line(it: ApiKey) -> str:
    used = f"used {it.used_at:%Y-%m-%d %H:%M}" if it.used_at else "never used"
    now = f"revoked {it.revoked_at:%Y-%m-%d}" if it.revoked_at else ", ".join(it.permissions)
    return "  ".join((it.id, it.hint, f"made {it.created_at:%Y-%m-%d}", used, now))
