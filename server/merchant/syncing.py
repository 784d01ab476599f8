"""`python -m server sync BRAND`: reads what a brand has at Stripe into the store, and says what it found. In the studio
it is asked for (`ask`), a worker does it, and the page shows how far it is (`seen`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from server.access import kept_secrets
from server.billing import Refused, Unavailable
from server.billing.stripe.asked_syncs import ask
from server.billing.stripe.backend import Stripe
from server.billing.stripe.budget import Budget
from server.billing.stripe.client import Client, KeyRefused
from server.billing.stripe.syncing import Busy, Position, Progress, seen
from server.billing.stripe.syncing import sync as read_everything
from server.brands import Brand
from server.portal import check_backend
from server.settings import Settings, stripe_suffix
from server.store import Store

__all__ = ["NotSynced", "ask", "seen", "sync"]


class NotSynced(Exception):
    """It cannot be read, or not to its end; the message says what to do."""


async def sync(
    settings: Settings,
    store: Store,
    brand: Brand,
    clock: Callable[[], datetime],
    progress: Progress,
    *,
    check: bool = False,
) -> list[str]:
    """What was found, a line each. Raises `NotSynced`, `SettingsError`."""
    if brand.config.billing.backend != "stripe":
        raise NotSynced(
            f'{brand.folder / "portal.toml"}: billing.backend: {brand.config.billing.backend!r}; sync is for "stripe"'
        )
    settings = await kept_secrets.joined(settings, store)
    check_backend(brand, settings)
    found = settings.stripe_of(brand.name)
    pace = Budget.of(store, brand.name, is_live=found.is_live, rate=settings.stripe_rate)
    billing = Stripe(
        store,
        brand.name,
        Client(found.key, base=settings.stripe_api_base, pace=pace),
        keys=(),
        origin="",
        base=brand.base,
    )
    try:
        return _told(await read_everything(billing, clock, progress, check=check), check=check)
    except Busy:
        raise NotSynced("Another process syncs this brand at the moment; wait for it") from None
    except (Unavailable, Refused) as error:
        why = "did not answer, or not with what was asked"
        if isinstance(error, KeyRefused):
            why = f"does not take the key, PORTAL_STRIPE_KEY_{stripe_suffix(brand.name)} or the one from the studio"
        raise NotSynced(
            f"Stripe {why}; python -m server doctor says more. What was read is kept; the same command goes on from there"
        ) from None
    finally:
        await billing.close()


def _told(done: Position, *, check: bool) -> list[str]:
    lines = [f"{done.read} customers read; {done.changed} were new or other than in the directory."]
    if check:
        lines.append(
            f"{done.accounts} copied accounts read again; {done.repaired} were other than at Stripe and are right now."
        )
    if done.odd:
        lines.append(f"{done.odd} objects could not be read and were left out; the log names them.")
    return lines
