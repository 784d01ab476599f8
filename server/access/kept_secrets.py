"""Secrets of other services that an operator gave in the studio: kept sealed in the store, and never shown again.

    stripe_key               PORTAL_STRIPE_KEY_<BRAND>
    stripe_webhook_secret    PORTAL_STRIPE_WEBHOOK_SECRET_<BRAND>

What the environment has comes first. A process reads them at its start (`at_start`), and again where one of them is another
(`marks`) or it begins to serve a release (`joined`). Pages show the hint and the fingerprint of a secret; only `Settings.stripe_of` hands one out.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import msgspec

from server.access.sealing import Sealer
from server.settings import Settings, StripeSecrets, stripe_suffix
from server.store import Row, Store, Transaction, micros, moment, open_store

STRIPE_KEY, STRIPE_WEBHOOK_SECRET = "stripe_key", "stripe_webhook_secret"
SHORTEST = 16
"""Characters after `rk_test_` or `whsec_`: of a shorter secret, the hint would tell too much. A key is a restricted one:
what is not needed, nobody should be able to lose."""
_SHAPES = {
    STRIPE_KEY: re.compile(rf"(rk_(?:test|live)_)[A-Za-z0-9_]{{{SHORTEST},250}}"),
    STRIPE_WEBHOOK_SECRET: re.compile(rf"(whsec_)[A-Za-z0-9+/=_-]{{{SHORTEST},250}}"),
}
NAMES = tuple(_SHAPES)
_KEEP = """
INSERT INTO kept_secret (brand, name, sealed, hint, fingerprint, operator, kept_at)
VALUES (:brand, :name, :sealed, :hint, :fingerprint, :operator, :kept_at)
ON CONFLICT (brand, name) DO UPDATE SET sealed = excluded.sealed, hint = excluded.hint,
  fingerprint = excluded.fingerprint, operator = excluded.operator, kept_at = excluded.kept_at"""
_FORGET = "DELETE FROM kept_secret WHERE brand = :brand AND name = :name"
_ABOUT = "SELECT name, hint, fingerprint, operator, kept_at FROM kept_secret WHERE brand = :brand"
_EVERY = "SELECT brand, name, sealed FROM kept_secret ORDER BY brand, name"
_MARKS = "SELECT brand, name, fingerprint FROM kept_secret ORDER BY brand, name"
_SEAL_AGAIN = """
UPDATE kept_secret SET sealed = :sealed WHERE brand = :brand AND name = :name AND sealed = :before"""
_log = logging.getLogger(__name__)


class About(msgspec.Struct, frozen=True):
    """What may be shown of a secret."""

    hint: str
    """Such as `rk_test_…3fQz`."""
    fingerprint: str = ""
    operator: str = ""
    """Who gave it."""
    kept_at: datetime | None = None


def about(name: str, secret: str) -> About | None:
    """What may be shown of this text as the secret of that name; None: it does not look like one."""
    found = _SHAPES[name].fullmatch(secret)
    return About(f"{found[1]}…{secret[-4:]}", fingerprint_of(secret)) if found else None


def fingerprint_of(secret: str) -> str:
    """The same as `printf %s SECRET | sha256sum | cut -c 1-12`."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def keep(
    transaction: Transaction, settings: Settings, brand: str, name: str, secret: str, *, operator: str, now: datetime
) -> About:
    """In place of one that was there. Raises `ValueError` for what `about` does not know."""
    shown = about(name, secret)
    if shown is None:
        raise ValueError(name)
    sealed = Sealer(settings.secrets).seal(secret.encode(), _context(brand, name))
    row = {"brand": brand, "name": name, "sealed": sealed, "hint": shown.hint, "fingerprint": shown.fingerprint}
    transaction.count(_KEEP, {**row, "operator": operator, "kept_at": micros(now)})
    return msgspec.structs.replace(shown, operator=operator, kept_at=now)


def forget(transaction: Transaction, brand: str, name: str) -> bool:
    """Whether there was one."""
    return transaction.count(_FORGET, {"brand": brand, "name": name}) == 1


async def of_brand(store: Store, brand: str) -> dict[str, About]:
    """What may be shown of the secrets that are kept for the brand, by name."""
    rows = await store.read(_ABOUT, {"brand": brand})
    return {name: About(hint, print_, operator, moment(at)) for name, hint, print_, operator, at in rows}


async def marks(store: Store) -> list[Row]:
    """Others than before where a secret is: asked often, and nothing is opened."""
    return await store.read(_MARKS)


async def joined(settings: Settings, store: Store) -> Settings:
    """The settings with the secrets that the store keeps now, where the environment has none."""
    sealer = Sealer(settings.secrets)
    found: dict[str, dict[str, str]] = {}
    for brand, name, sealed in await store.read(_EVERY):
        opened = sealer.open(bytes(sealed), _context(brand, name))
        if opened is None:
            _log.error(
                "a kept secret cannot be opened with PORTAL_SECRETS", extra={"brand": brand, "secret_name": name}
            )
        elif name in NAMES:
            found.setdefault(stripe_suffix(brand), {})[name.removeprefix("stripe_")] = opened.decode()
    return msgspec.structs.replace(settings, kept={each: StripeSecrets(**its) for each, its in found.items()})


def at_start(settings: Settings) -> Settings:
    """The same for a process that has the store not open yet: it is opened for this and closed again, which on SQLite
    would drop the locks of one that is open. Raises `StoreUnavailable`."""

    async def read() -> Settings:
        store = open_store(settings.database)
        try:
            return await joined(settings, store)
        finally:
            await store.close()

    # In a thread: whoever starts a process may have a loop running already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(read())).result()


async def seal_again(store: Store, settings: Settings) -> int:
    """Seal with the first of `PORTAL_SECRETS` what was sealed with another, which may then be dropped; how many there
    were. Safe to run twice and at once."""
    newest, whole = Sealer(settings.secrets[:1]), Sealer(settings.secrets)
    done = 0
    for brand, name, sealed in await store.read(_EVERY):
        context = _context(brand, name)
        opened = whole.open(bytes(sealed), context)
        if opened is None or newest.open(bytes(sealed), context) is not None:
            continue
        row = {"brand": brand, "name": name, "before": bytes(sealed), "sealed": newest.seal(opened, context)}
        done += await store.write(partial(_seal_again, row))
    return done


def _seal_again(row: dict[str, object], transaction: Transaction) -> int:
    return transaction.count(_SEAL_AGAIN, row)


def _context(brand: str, name: str) -> bytes:
    """A row that is moved to another brand, or to another name, does not open."""
    return f"kept secret {name} of {brand}".encode()
