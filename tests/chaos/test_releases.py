"""Publishing that is killed at every step, and two servers that share nothing but a database and the folder of themes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from server.brands import load_all
from server.merchant.releases import folders, releasing
from server.merchant.releases.following import Following
from server.publishing import brand_files
from server.store import open_store
from tests.support import mortal
from tests.support.postgres import empty_database
from tests.support.production import Mailbox, Production
from tests.support.served import ROOT
from tests.support.world import SETTINGS

BRAND = "harbour"
STEPS = {"os.mkdir": 6, "open": 15, "os.rename": 1, "os.symlink": 1, "shutil.rmtree": 1}
"""By the name of the operation on the folder: it dies at the first one, and at each that is so many further on."""


@pytest.fixture
def themes(tmp_path: Path) -> Path:
    for brand in (BRAND, "plain"):
        shutil.copytree(ROOT / "themes" / brand, tmp_path / "themes" / brand)
    return tmp_path / "themes"


@pytest.fixture
def dies(tmp_path: Path, themes: Path) -> Iterator[Callable[[str, int], bool]]:
    """Publish, and die at this step; False: it ended first."""
    database = f"sqlite:{tmp_path / 'portal.sqlite'}"
    with mortal.asking("tests.support.releasing", database, themes, tmp_path / "releases") as dies:
        yield dies


def published(tmp_path: Path) -> tuple[int, int]:
    """How many releases the store has, and which is served; a release without its note in the history fails."""
    with closing(sqlite3.connect(tmp_path / "portal.sqlite")) as file:
        (kept, newest), live, (acts,) = (
            file.execute(sql).fetchone()
            for sql in (
                "SELECT count(*), max(n) FROM release",
                "SELECT n FROM release_live",
                "SELECT count(*) FROM studio_act WHERE what = 'published'",
            )
        )
    assert (newest or 0) == acts == (live or (0,))[0]
    return kept, acts


def test_a_kill_in_the_transaction_publishes_nothing(tmp_path: Path, dies: Callable[[str, int], bool]) -> None:
    # threat 120
    assert not dies("statement", 0)
    assert published(tmp_path) == (1, 1)
    number = 1
    while dies("statement", number):
        assert published(tmp_path) == (1, 1), f"statement {number}"
        number += 1
    assert number > 6
    assert published(tmp_path) == (2, 2)


def test_a_kill_at_any_file_leaves_the_old_release_or_the_new_and_the_next_start_finishes_it(
    tmp_path: Path, themes: Path, dies: Callable[[str, int], bool]
) -> None:  # threat 120
    settings = replace(SETTINGS, themes=themes, releases=tmp_path / "releases")
    assert not dies("open", 0)
    steps = {point: iter(range(1, 1000, step)) for point, step in STEPS.items()}
    while steps:
        point = next(iter(steps))
        number = next(steps[point])
        before = folders.current(settings.releases, BRAND)
        killed = dies(point, number)
        if not killed:
            assert number > 1, f"{point}: nothing of the kind is done"
            del steps[point]
        n = published(tmp_path)[1]
        served = folders.current(settings.releases, BRAND)
        assert served in ((before, n) if killed else (n,)), (point, number)
        assert folders.is_whole(settings.releases / BRAND / str(served)), (point, number)
        asyncio.run(_start(settings, f"sqlite:{tmp_path / 'portal.sqlite'}"))
        assert folders.current(settings.releases, BRAND) == n
        assert folders.is_whole(settings.releases / BRAND / str(n)), (point, number)
        left = {each.name for each in (settings.releases / BRAND).iterdir()}
        assert left == {"current", *map(str, range(max(1, n - 9), n + 1))}, (point, number)


class Reader(threading.Thread):
    """Somebody who reads pages of a server all the time: each is whole, and its style is what its headers allow."""

    def __init__(self, server: Production) -> None:
        super().__init__(daemon=True)
        self.url, self.seen, self.faults, self.over = f"http://127.0.0.1:{server.port}", [], [], False

    def run(self) -> None:
        with httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=60) as client:
            while not self.over:
                made, built = client.post(f"/{BRAND}/login", data={"link": "x"}), client.get(f"/{BRAND}/help/")
                self.seen.append(tuple(re.findall(r"Foot \d", each.text) for each in (made, built)))
                self.faults += [each.text for each in (made, built) if not self.is_whole(each)]
                time.sleep(0.05)

    def is_whole(self, answer: httpx.Response) -> bool:
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() if style else "?"
        return "</html>" in answer.text and digest in answer.headers["content-security-policy"]

    def until(self, says: str) -> None:
        """Until both pages say so: within a second or so, and a test does not measure."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self.is_alive():
            if self.seen and self.seen[-1] == ([says], [says]):
                return
            time.sleep(0.02)
        raise AssertionError(f"{says} was never served: {self.seen[-3:]}")


def test_two_servers_on_one_postgresql_serve_what_is_published_on_either(
    tmp_path: Path, themes: Path, postgres_url: str
) -> None:
    mailbox = Mailbox()
    (themes / "plain" / "portal.toml").unlink()  # a theme that the brand extends, and no brand
    with empty_database(postgres_url) as database:
        servers = [Production(tmp_path, mailbox, database=database) for _ in range(2)]
        settings = replace(SETTINGS, origin="http://127.0.0.1", themes=themes)

        async def does(foot: str, back: int) -> None:
            store, now = open_store(database), datetime.now(UTC)
            if back:
                await releasing.back(store, BRAND, back, operator="", now=now)
            else:
                colors = {"brand.background": "#ffffff" if foot == "Foot 2" else "#fbf6ee"}  # another style
                brand_files.change(themes / BRAND, {"words.footer_note": foot, **colors})
                await releasing.publish(settings, store, BRAND, operator="", now=now)
            await store.close()

        asyncio.run(does("Foot 1", 0))
        readers = []
        try:
            for number, server in enumerate(servers):
                server.environment |= {
                    "PORTAL_THEMES": str(themes), "PORTAL_RELEASES": str(tmp_path / f"host{number}"),
                }  # fmt: skip
                server.start(arguments=("--static", str(tmp_path / "none")))
                readers.append(Reader(server))
                readers[-1].start()
                readers[-1].until("Foot 1")
            for foot, back in (("Foot 2", 0), ("Foot 1", 1), ("Foot 2", 2)):
                asyncio.run(does(foot, back))
                for each in readers:
                    each.until(foot)
            assert not [each.faults[0] for each in readers if each.faults]
        finally:
            for each in readers:
                each.over = True
                each.join()
            for server in servers:
                server.stop()
            mailbox.stop()


async def _start(settings, database: str) -> None:
    store = open_store(database)
    await Following(settings, store, load_all(settings.themes)).look()
    await store.close()
