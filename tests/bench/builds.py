"""Seconds for one brand, for 200 and for 1,000 (`POSTERN_BENCH_BRANDS` takes other numbers, such as `1 200`), each with its own
colors and five languages, as `build.py build` takes them, both of its halves, with every check. The peer is Hugo, which writes
the same pages (`hugo.py`), in turns; that they are the same is looked at first. Two rows for each number: by the clock, and by
the processor's time, which other work on the machine changes less. The least of the rounds counts: the first one works out
what is kept on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.brands import load_all
from tests.bench import brands, hugo
from tests.bench.menu import Row
from tests.support.served import ROOT

ROUNDS, FOR_ONE = 3, 10


def rows() -> Iterator[Row]:
    if not hugo.PROGRAM:
        yield Row("builds", "not measured", "Hugo is not installed: apt-get install hugo", "", "")
        return
    for number in map(int, os.environ.get("POSTERN_BENCH_BRANDS", "1 200 1000").split()):
        with TemporaryDirectory() as name:
            folder, limit = Path(name), 3.0 if number == 1 else 1.5
            for each in range(number):
                color = f"#{each * 7 % 96:02x}{each * 3 % 96:02x}{each % 96:02x}"
                brands.write_brand(folder / "themes" / f"brand-{each:04}", color)
            hugo.write_site(load_all(folder / "themes"), folder / "site")
            times = FOR_ONE if number == 1 else ROUNDS if number < 500 else 2
            rounds = [(*_measured(_ours, folder), *_measured(hugo.build, folder / "site")) for _ in range(times)]
            hugo.compare(folder / "dist", folder / "site" / "public")
        ours, our_work, theirs, their_work = (min(each) for each in zip(*rounds, strict=True))
        name = f"build of {number:,} brand{'s' if number > 1 else ''}"
        for what, mine, other in (("the clock", ours, theirs), ("processor time", our_work, their_work)):
            yield Row(f"{name}, {what}", f"{mine:.2f} s", f"Hugo {other:.2f} s",
                      f"{mine / other:.1f}", f"≤ {limit}", mine / other <= limit)  # fmt: skip


def _measured(build: Callable[[Path], object], folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor, all processes that it starts included."""
    before, began = os.times(), time.perf_counter()
    build(folder)
    after = os.times()
    work = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, work


def _ours(folder: Path) -> None:
    shutil.rmtree(folder / "dist", ignore_errors=True)
    command = [sys.executable, "build.py", "build", "--out", str(folder / "dist")]
    # Not `POSTERN_INSIDE_VENV`: what begins is the half for any Python.
    own = {name: value for name, value in os.environ.items() if not name.startswith("POSTERN_")}
    environment = {**own, "PORTAL_THEMES": str(folder / "themes")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
