"""`python -m server releases`: publish a brand, list what is kept, go back."""

from __future__ import annotations

import argparse
import os
from datetime import datetime

from server import settings
from server.merchant.link import NotDone
from server.merchant.releases import releasing, rows
from server.merchant.releases.releasing import OtherBilling
from server.merchant.releases.rows import NoRelease
from server.merchant.releases.sources import Refused
from server.store import Store

_SERVED = "Every server of this database serves it within two seconds."


async def show(store: Store, options: argparse.Namespace, _: datetime) -> str:
    """Every release that is kept, the newest first."""
    kept, live = await rows.kept(store, options.brand), await rows.live_of(store, options.brand)
    if live is None:
        return f"{options.brand} was never published: it is served as its folder is when a server starts."
    lines = []
    for each in kept:
        served = f", served since {live.since:%Y-%m-%d %H:%M} UTC" if each.n == live.n else ""
        whom = each.operator or "the command line"
        lines.append(f"{each.n}  {each.made_at:%Y-%m-%d %H:%M} UTC  by {whom}{served}")
    return "\n".join(lines)


async def publish(store: Store, options: argparse.Namespace, now: datetime) -> str:
    """Publish the brand as its files are."""
    read = settings.from_environment(os.environ, secrets_needed=False)
    try:
        n = await releasing.publish(read, store, options.brand, operator="", now=now)
    except Refused as error:
        raise NotDone(f"{error}\nNothing was published.") from None
    return f"Published release {n} of {options.brand}. {_SERVED}"


async def rebuild(store: Store, options: argparse.Namespace, now: datetime) -> str:
    """Build the release that is served again, with the templates of this version."""
    read = settings.from_environment(os.environ, secrets_needed=False)
    try:
        n = await releasing.rebuild(read, store, options.brand, operator="", now=now)
    except Refused as error:
        raise NotDone(f"{error}\nNothing was published.") from None
    except NoRelease:
        raise NotDone(
            f"{options.brand} was never published: there is nothing to rebuild. "
            f"Run: python -m server releases publish {options.brand}"
        ) from None
    return f"Published release {n} of {options.brand}, from the source of the one before. {_SERVED}"


async def back(store: Store, options: argparse.Namespace, now: datetime) -> str:
    """Serve an older release, or a newer one, that is kept."""
    try:
        changed = await releasing.back(store, options.brand, options.release, operator="", now=now)
    except NoRelease:
        kept = ", ".join(str(each.n) for each in await rows.kept(store, options.brand))
        raise NotDone(f"{options.brand} has no release {options.release}; kept are {kept or 'none'}") from None
    except OtherBilling:
        raise NotDone(
            f"In release {options.release} another backend bills {options.brand} than in the one that is served. "
            "Nothing was changed; to change who bills, change the files and publish them"
        ) from None
    if not changed:
        return f"Release {options.release} of {options.brand} is served already."
    return f"Release {options.release} of {options.brand} is served from now on. {_SERVED}"
