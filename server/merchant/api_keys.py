"""`python -m server keys create|list|revoke`: the keys with which a merchant's back end asks the API. See `docs/api.md`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.access import api_keys
from server.settings import Settings
from server.store import Store


async def create(
    store: Store, settings: Settings, brand: str, *, test: bool, may: Sequence[str], now: datetime
) -> tuple[str, str]:
    """The key, which is shown this once, and its id."""
    return await store.write(
        lambda transaction: api_keys.create(transaction, settings, brand, live=not test, may=may, now=now)
    )


async def lines(store: Store, brand: str) -> list[str]:
    """One for each key that there was."""
    return [
        "  ".join(
            (
                each.id,
                each.hint,
                f"made {each.created_at:%Y-%m-%d}",
                f"used {each.used_at:%Y-%m-%d %H:%M}" if each.used_at else "never used",
                f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else ", ".join(each.permissions),
            )
        )
        for each in await api_keys.of_brand(store, brand)
    ]


async def revoke(store: Store, brand: str, key_id: str, now: datetime) -> bool:
    """False: the brand has no such key, or it was revoked before."""
    return await store.write(lambda transaction: api_keys.revoke(transaction, brand, key_id, now))
