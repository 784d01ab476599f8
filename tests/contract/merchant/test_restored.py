"""A backup that was put back: what it remembers of sessions, codes and mails is over."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from server.mail import outbox
from server.merchant import restored
from server.store import open_store
from tests.conftest import Clock
from tests.support.client import Client
from tests.support.world import BRAND, ROOT, World

pytestmark = pytest.mark.anyio
OVERVIEW = f"/{BRAND}/my/overview"
SESSION, CHALLENGE = f"__Host-{BRAND}-session", f"__Host-{BRAND}-challenge"


class Remembered:
    """What somebody kept of a session that was logged out and of a code that was used."""

    def __init__(self, session: str, challenge: str, code: str) -> None:
        self.session, self.challenge, self.code = session, challenge, code

    def thief(self, world: World) -> Client:
        browser = world.client()
        browser.cookies.set(SESSION, self.session, domain="portal.example")
        browser.cookies.set(CHALLENGE, self.challenge, domain="portal.example")
        return browser


async def begin(world: World) -> Remembered:
    """Jenny is logged in, and Sam's code is under way."""
    await world.customer()
    await world.customer("cus_sam", "sam@example.com")
    jenny, sam = world.client(), world.client()
    await world.log_in(jenny)
    await world.ask(sam, "sam@example.com")
    return Remembered(jenny.cookies[SESSION], sam.cookies[CHALLENGE], await world.code("sam@example.com"))


def put_back(backup: Path, live: Path) -> None:
    for each in live.parent.glob(f"{live.name}*"):
        each.unlink()
    shutil.copy(backup, live)


def run_restored(database: Path) -> subprocess.CompletedProcess[str]:
    given = {"PORTAL_SECRETS": "0123456789abcdef0123456789ABCDEF", "PORTAL_DATABASE": f"sqlite:{database}"}
    command = [sys.executable, "-m", "server", "restored"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False)


async def test_the_command_ends_what_yesterdays_database_remembers(tmp_path: Path, clock: Clock) -> None:
    live, backup = tmp_path / "portal.sqlite", tmp_path / "backup.sqlite"
    world = World(open_store(f"sqlite:{live}"), clock)
    kept = await begin(world)
    with closing(sqlite3.connect(live)) as now, closing(sqlite3.connect(backup)) as then:
        now.backup(then)
    await kept.thief(world).post(f"/{BRAND}/logout")
    assert (await world.try_code(kept.thief(world), kept.code)).status_code == 303
    await world.store.close()
    put_back(backup, live)
    done = run_restored(live)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ended: 1 sessions, 2 codes, 2 mails that had not left." in done.stdout

    again = World(open_store(f"sqlite:{live}"), clock)
    assert (await kept.thief(again).get(OVERVIEW)).status_code == 401
    assert (await again.try_code(kept.thief(again), kept.code)).status_code == 422
    assert await again.count("session") == 0
    await again.store.close()


async def test_no_clock_that_steps_back_revives_any_of_it(any_world: World, clock: Clock) -> None:
    kept = await begin(any_world)
    await restored.end_everything(any_world.store)
    clock.at -= timedelta(hours=1)
    assert (await kept.thief(any_world).get(OVERVIEW)).status_code == 401
    assert (await any_world.try_code(kept.thief(any_world), kept.code)).status_code == 422


async def test_mails_of_before_do_not_leave(any_world: World, clock: Clock) -> None:
    await begin(any_world)
    await restored.end_everything(any_world.store)
    assert await outbox.claim(any_world.store, clock.forward(minutes=2), 10) == []
    assert {row[0] for row in await any_world.store.read("SELECT data FROM outbox")} == {None}


async def test_ending_everything_twice_ends_nothing_more(any_world: World) -> None:
    await begin(any_world)
    await restored.end_everything(any_world.store)
    assert await restored.end_everything(any_world.store) == restored.Ended(0, 0, 0)


async def test_customers_log_in_again_and_find_what_is_theirs(any_world: World, clock: Clock) -> None:
    await begin(any_world)
    await restored.end_everything(any_world.store)
    clock.forward(minutes=2)
    browser = any_world.client()
    await any_world.log_in(browser)
    assert (await browser.get(OVERVIEW)).status_code == 200
    assert (await any_world.count("account"), await any_world.count("activity")) == (2, 2)
