"""A server with a thousand brands, each with its own colors and five languages, against one with three: processor time until
it can answer, what it holds in memory, and what a page takes, of one brand and of all in turns. Each in a process of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.rendering.renderer import Renderer
from server.rendering.views import View
from tests.bench.menu import Row
from tests.support.served import ROOT

FEW, MANY = 3, 1_000
NUMBERS = 5


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        found = {}
        for number in (FEW, 100, MANY):
            themes = Path(folder) / str(number)
            for each in range(number):
                write_brand(themes / f"brand-{each:04}", f"#{each * 7 % 96:02x}{each * 3 % 96:02x}{each % 96:02x}")
            found[number] = min((_measured(themes, folder) for _ in range(2)), key=lambda each: each[0])
    few = found.pop(FEW)
    for number, many in found.items():
        name, last = f"{number:,} brands", number == MANY
        for what, at, shown, budget in (
            ("start", 0, "{:.2f} s", 2.0), ("a page of one brand", 2, "{:.2f} ms", 1.1),
            ("a page, 100 brands in turns", 3, "{:.2f} ms", 1.1),
        ):  # fmt: skip
            ratio = many[at] / few[at]
            yield Row(f"{name}: {what}", shown.format(many[at]), f"{FEW} brands: {shown.format(few[at])}",
                      f"{ratio:.2f}", f"≤ {budget}" if last else "", ratio <= budget if last else None)  # fmt: skip
        for what, at in (("memory at the start", 1), ("memory after a page of each", 4)):
            yield Row(f"{name}: {what}", f"{many[at]:.0f} MB", f"{FEW} brands: {few[at]:.0f} MB",
                      f"{many[at] / few[at]:.2f}", "≤ 250 MB" if last else "", many[at] <= 250 if last else None)  # fmt: skip


def write_brand(folder: Path, color: str) -> None:
    shutil.copytree(ROOT / "themes" / "plain", folder)
    theme = folder / "theme.toml"
    theme.write_text(re.sub(r'(?m)^(color|accent) = ".*"', rf'\1 = "{color}"', theme.read_text()))


def _measured(themes: Path, folder: str) -> list[float]:
    environment = {
        **os.environ, "PORTAL_SECRETS": secrets.token_urlsafe(48), "PORTAL_ORIGIN": "http://127.0.0.1:8000",
        "PORTAL_DATABASE": f"sqlite:{folder}/brands.sqlite", "PORTAL_THEMES": str(themes), "PORTAL_LOG_LEVEL": "error",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.brands"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return [float(each) for each in done.stdout.split()[-NUMBERS:]]


def measure() -> None:
    """Prints seconds to start, MB, milliseconds for a page of one brand and of many in turns, and MB after a page of each."""
    from server import app, brands, making, settings

    assert app.from_environment()
    numbers = [time.process_time(), _megabytes()]
    from tests.bench.pages import fullest

    view = fullest("home", "overview")
    renderers = [making.renderer_of(each) for each in brands.load_all(settings.from_environment(os.environ).themes)]
    numbers += [_page(renderers[:1], view), _page(renderers[-100:], view)]
    for each in renderers:
        each.fragment(view)
    print(*numbers, _megabytes())


def _page(renderers: list[Renderer], view: View) -> float:
    """Milliseconds, the least of some rounds, after one that makes them ready."""
    rounds = []
    for _ in range(12):
        began = time.process_time()
        for at in range(100):
            renderers[at % len(renderers)].fragment(view)
        rounds.append(10 * (time.process_time() - began))
    return min(rounds[1:])


def _megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    measure()
