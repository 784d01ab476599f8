"""`python -m server events list|resend|secret`: what was told to your endpoints, and with which secret they verify it."""

from __future__ import annotations

import argparse
import os
from datetime import datetime

from server import settings
from server.brands import Brand
from server.events import outbox
from server.events.posting import secret_of
from server.merchant.link import NotDone
from server.store import Store, moment

LISTED = 50


async def show(store: Store, brand: Brand, _: argparse.Namespace, __: datetime) -> str:
    """The newest, newest first."""
    lines = [
        f"{moment(at):%Y-%m-%d %H:%M}  {id_}  {type_}  {customer or '-'}  {endpoint}  {state} after {attempts}  {detail}"
        for id_, type_, customer, endpoint, state, attempts, detail, at in await outbox.latest(
            store, brand.name, LISTED
        )
    ]
    return "\n".join(lines) or f"{brand.name} has told of nothing."


async def resend(store: Store, brand: Brand, options: argparse.Namespace, now: datetime) -> str:
    """Raises `NotDone`."""
    if not await store.write(lambda transaction: outbox.again(transaction, brand.name, options.event, now)):
        words = f"{options.event}: {brand.name} has no such event. Run: python -m server events list {brand.name}"
        raise NotDone(words)
    return f"{options.event} is sent again by the server's background work."


async def secrets(_: Store, brand: Brand, __: argparse.Namespace, ___: datetime) -> str:
    """One line for each endpoint. Raises `SettingsError`: they are made from the server's secrets."""
    read = settings.from_environment(os.environ)
    urls = [each.url for each in brand.config.events.endpoints]
    lines = [f"{secret_of(read.secrets, brand.name, url)[0]}  {url}" for url in urls]
    return "\n".join(lines) or f"{brand.folder / 'portal.toml'} has no [[events.endpoints]]."
