"""An upgrade while the version before serves: visitors of an old server, the newest schema under it, then the new server beside
it, and visitors of both.

The old version is a commit of this repository (`POSTERN_UPGRADE_FROM`), by default the last one before the newest
migration. Only run when it is named; on PostgreSQL, since one host alone has SQLite.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.store import migrations, open_store
from tests.bench import soak
from tests.bench.menu import Row
from tests.support.production import Production
from tests.support.served import ROOT

CUSTOMERS = int(os.environ.get("POSTERN_UPGRADE_CUSTOMERS", "20000"))
SECONDS = 20.0
_FILL = "import asyncio, sys; from tests.support.crowd import fill; asyncio.run(fill(sys.argv[1], int(sys.argv[2])))"


def rows() -> Iterator[Row]:
    commit = os.environ.get("POSTERN_UPGRADE_FROM") or _before_the_newest()
    with TemporaryDirectory() as folder, soak.database(Path(folder), "postgresql") as (url, run):
        old = _checked_out(commit, Path(folder) / "old")
        subprocess.run([sys.executable, "-c", _FILL, url, str(CUSTOMERS)], cwd=old, check=True)
        ((first,),) = run("SELECT MAX(number) FROM migration")
        mailbox = soak.Flaky()
        mailbox.is_well = True
        before, after = (Production(_made(Path(folder) / name), mailbox, database=url) for name in ("a", "b"))
        before.root, after.environment["PORTAL_SECRETS"] = old, before.environment["PORTAL_SECRETS"]
        try:
            before.start()
            people = soak.Load(before, mailbox, owing=False)
            time.sleep(SECONDS)
            began = time.monotonic()
            asyncio.run(open_store(url).close())
            took, at = time.monotonic() - began, len(people.slowest)
            after.start()
            beside = soak.Load(after, mailbox, owing=False, first=CUSTOMERS // 2)
            time.sleep(SECONDS)
            people.end()
            beside.end()
            soak.drain(run)
            ((last,),) = run("SELECT MAX(number) FROM migration")
            yield Row(
                f"schema {first} to {last} under {commit[:8]}, {CUSTOMERS:,} customers", f"{took:.2f} s", "", "", ""
            )
            near = slice(max(0, at - 20), at + 20)
            meanwhile, otherwise = (max(each, default=0) for each in (people.slowest[near], people.slowest[at + 20 :]))
            yield Row("slowest read of the old around it", f"{1000 * meanwhile:.0f} ms",
                      f"later {1000 * otherwise:.0f} ms", "", "")  # fmt: skip
            for name, each, server in (("old", people, before), ("new, beside it", beside, after)):
                done = sum(each.done.values())
                yield Row(f"answers of the {name}", f"{done:,}, {len(each.people)} visits", "", "", "")
                errors = [line for line in server.log.read_text().splitlines() if '"level": "error"' in line]
                yield soak.none(f"wrong answers and errors of the {name}", each.faults + errors)
                yield soak.none(f"acknowledged by the {name} and not in the store", soak.lost(each, run))
        finally:
            before.stop()
            after.stop()
            mailbox.stop()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _before_the_newest() -> str:
    newest = migrations.pending(())[-1]
    path = f"server/store/schema/{newest.number:04}_{newest.name}.sql"
    return _git("log", "--format=%H", "--diff-filter=A", "-1", "--", path).decode().strip() + "^"


def _checked_out(commit: str, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit))) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S607
