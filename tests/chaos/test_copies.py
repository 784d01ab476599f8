"""A copy of a release into a bucket that is killed at every step, and what a visitor finds there then."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from server.merchant.releases import buckets, copying, releasing, rows
from server.merchant.releases.buckets import Bucket
from server.settings import Settings, from_environment
from server.store import Store, micros, open_store
from tests.support import bucket, mortal
from tests.support.copying import SETTINGS
from tests.support.production import Forked, Mailbox, Production

pytestmark = pytest.mark.anyio
BRAND = "harbour"


@pytest.fixture(scope="module")
def moto() -> Iterator[bucket.Moto]:
    with bucket.running() as server:
        yield server


@pytest.fixture
def dies(sqlite_url: str, clock: Callable[[], datetime]) -> Iterator[Callable[[int], bool]]:
    """Let a worker copy what is due, and die at this step; False: it ended first."""
    with mortal.asking("tests.support.copying", sqlite_url) as dies:
        yield lambda last: dies(last, micros(clock()))


def site(number: int) -> dict[str, bytes]:
    """A release whose pages name two files; every name and every byte changes with the next one."""
    names = [f"static/{kind}.{number}.{kind}" for kind in ("css", "js")]
    head = f'<link rel="stylesheet" href="/{names[0]}"><script src="/{names[1]}"></script>'
    page = f"<!doctype html><title>{number}</title>{head}{f'<p>{number}</p>' * 200}</html>".encode()
    assets = {name: f"/* {number} */".encode() * 200 for name in names}
    return {**assets, "help/index.html": page, f"p/login/test_{number}/index.html": page}


async def test_a_kill_at_any_step_of_a_copy_leaves_whole_pages_and_the_next_worker_finishes_it(
    moto: bucket.Moto, dies: Callable[[int], bool], sqlite_store: Store, clock: Any
) -> None:  # threat 120
    moto.clear()
    await _keep(SETTINGS, sqlite_store, moto)

    async def publish(number: int) -> None:
        files = {f"site/{path}": content for path, content in site(number).items()}
        given = rows.adding(BRAND, files, operator="", now=clock(), allow=releasing.anybody)
        await sqlite_store.write(given)

    await publish(0)
    assert not dies(0)
    for last in range(1, 100):
        await publish(last)
        killed = dies(last)
        there = moto.hashes()
        assert not (wrong := _broken(there, last)), f"step {last}: {wrong}"
        if not killed:
            break
        if last == 4:
            assert not dies(1), "another worker waits until the one that died has not gone on for two minutes"
            assert moto.hashes() == there
        clock.forward(minutes=2, seconds=1)
        assert not dies(0)
        assert _is_shown(moto.hashes(), last), f"step {last}"
    assert _is_shown(there, last)
    assert last > 20, "it counts too few steps"


def _is_shown(there: dict[str, str], number: int) -> bool:
    """Whether the pages are those of this release, and no others."""
    pages = {key: each for key, each in there.items() if key.endswith(".html")}
    return pages == {key: each for key, each in _hashes(number).items() if key.endswith(".html")}


def _broken(there: dict[str, str], newest: int) -> list[str]:
    """What a visitor would find: a page that is neither of the last two releases', or that names a file that is not there,
    and a file that is no release's."""
    found = [key for key, each in there.items() if not any(_hashes(n).get(key) == each for n in range(newest + 1))]
    for key in (key for key in there if key.endswith(".html")):
        number = next((n for n in (newest, newest - 1) if _hashes(n).get(key) == there[key]), None)
        if number is None:
            found.append(key)
            continue
        page = site(number)[key.removeprefix("shop/")].decode()
        named = re.findall(r'(?:href|src)="/([^"]+)"', page)
        assert len(named) == 2
        found += [
            f"{key} names {each}" for each in named if there.get(f"shop/{each}") != _hashes(number)[f"shop/{each}"]
        ]
    return found


@cache
def _hashes(number: int) -> dict[str, str]:
    """As the bucket lists them."""
    return {f"shop/{path}": hashlib.md5(each, usedforsecurity=False).hexdigest() for path, each in site(number).items()}


def test_a_worker_that_is_killed_while_it_copies_leaves_whole_files_and_the_next_one_finishes(
    tmp_path: Path, moto: bucket.Moto
) -> None:  # threat 120
    mailbox = Mailbox()
    moto.clear()
    server = Forked(
        tmp_path, mailbox, BRAND, "plain",
        PORTAL_STUDIO_ORIGIN="https://studio.example", PORTAL_STUDIO_PRIVATE_TARGETS="yes",
        PORTAL_RELEASES=str(tmp_path / "releases"),
    )  # fmt: skip
    try:
        site = asyncio.run(_publish_into(server, moto))
        scripts = {path for path in site if path.startswith("static/")}
        for kills in (1, 2, 0):  # the third worker is let to its end
            there, until = moto.count(), time.monotonic() + 60
            server.work()
            while moto.count() <= there if kills else not _is_whole(tmp_path):
                assert time.monotonic() < until, "nothing is copied"
            server.end_work()
            files = {key.removeprefix("shop/"): content for key, content in moto.files().items()}
            assert not [path for path, content in files.items() if site[path] != content]
            assert not any(path.endswith(".html") for path in files) or scripts <= set(files)
            assert _is_whole(tmp_path) is not bool(kills)
            with closing(sqlite3.connect(tmp_path / "portal.sqlite")) as file, file:
                file.execute("UPDATE release_bucket SET taken_until = 0")  # two minutes later
        assert files == site
    finally:
        server.stop()
        mailbox.stop()


async def _keep(settings: Settings, store: Store, moto: bucket.Moto) -> None:
    """Name the bucket."""
    into = Bucket(moto.endpoint, bucket.REGION, bucket.NAME, "shop/", moto.key_id)
    row = buckets.keeping(settings, BRAND, into, moto.secret)
    await store.write(lambda transaction: buckets.keep(transaction, row))


async def _publish_into(server: Production, moto: bucket.Moto) -> dict[str, bytes]:
    """Names the bucket and publishes; the files that are to be there."""
    settings = from_environment(server.environment)
    store, now = open_store(settings.database), datetime.now(UTC)
    await _keep(settings, store, moto)
    n = await releasing.publish(settings, store, BRAND, operator="", now=now)
    site = copying.site_of(await rows.find(store, BRAND, n))
    await store.close()
    return site


def _is_whole(tmp_path: Path) -> bool:
    with closing(sqlite3.connect(tmp_path / "portal.sqlite")) as file:
        return file.execute("SELECT turn FROM release_bucket").fetchone() == (1,)
