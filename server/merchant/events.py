"""`python -m server events list|resend|secret`: what was told to your endpoints, and with which secret they verify it."""

from __future__ import annotations

from datetime import datetime

from server.brands import Brand
from server.events import outbox
from server.events.posting import secret_of
from server.settings import Settings
from server.store import Store, moment

LISTED = 50


async def lines(store: Store, brand: str) -> list[str]:
    """The newest, newest first."""
    return [
        f"{moment(at):%Y-%m-%d %H:%M}  {id_}  {type_}  {customer or '-'}  {endpoint}  {state} after {attempts}  {detail}"
        for id_, type_, customer, endpoint, state, attempts, detail, at in await outbox.latest(store, brand, LISTED)
    ]


async def resend(store: Store, brand: str, event_id: str, now: datetime) -> int:
    """To how many endpoints it goes again; 0: the brand has no such event."""
    return await store.write(lambda transaction: outbox.again(transaction, brand, event_id, now))


def secrets(settings: Settings, brand: Brand) -> list[str]:
    """One line for each endpoint."""
    urls = [each.url for each in brand.config.events.endpoints]
    return [f"{secret_of(settings.secrets, brand.name, url)[0]}  {url}" for url in urls]
