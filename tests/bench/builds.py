"""Seconds for one brand, for 200 and for 1,000 (`POSTERN_BENCH_BRANDS` takes other numbers, such as `1 200`), each with its own
colors and five languages, as `build.py build` takes them, with every check. The peer is Hugo, which writes the same pages
(`hugo.py`), in turns; that they are the same is looked at first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.brands import load_all
from tests.bench import brands, hugo
from tests.bench.menu import Row
from tests.support.served import ROOT

ROUNDS = 3


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
            rounds = [(_ours(folder), hugo.build(folder / "site")) for _ in range(ROUNDS if number < 500 else 1)]
            hugo.compare(folder / "dist", folder / "site" / "public")
        ours, theirs = (min(each) for each in zip(*rounds, strict=True))
        yield Row(f"build of {number:,} brand{'s' if number > 1 else ''}", f"{ours:.2f} s", f"Hugo {theirs:.2f} s",
                  f"{ours / theirs:.1f}", f"≤ {limit}", ours / theirs <= limit)  # fmt: skip


def _ours(folder: Path) -> float:
    shutil.rmtree(folder / "dist", ignore_errors=True)
    command = [sys.executable, "build.py", "build", "--out", str(folder / "dist")]
    environment = {**os.environ, "PORTAL_THEMES": str(folder / "themes")}
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began
