"""Runs the benchmarks that are named, or all, and prints one table with the machine under it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

NAMES = (
    *("pages", "saving", "builds", "requests", "peers", "downloads", "oracle", "beside", "copying"),
    *("drawn", "flooded", "brands", "stages"),
)
LONG = ("soak", "upgrade", "million")
"""Only run when they are named."""


class Row(NamedTuple):
    """One line of the table. `budget` is the bound of the design, empty where there is none."""

    what: str
    measured: str
    peer: str
    ratio: str
    budget: str
    holds: bool | None = None


def run(names: list[str]) -> int:
    unknown = set(names) - {*NAMES, *LONG}
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are {', '.join((*NAMES, *LONG))}.")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers it started end with it
    print("| what | measured | peer | ratio | budget | |")
    print("|---|---|---|---|---|---|", flush=True)
    for row in _rows([name for name in (*NAMES, *LONG) if name in (names or NAMES)]):
        verdict = {True: "holds", False: "**falls short**", None: ""}[row.holds]
        print(f"| {row.what} | {row.measured} | {row.peer} | {row.ratio} | {row.budget} | {verdict} |", flush=True)
    print(f"\n{machine()}")
    return 0


def _rows(names: list[str]) -> Iterator[Row]:
    for name in names:
        yield from import_module(f"tests.bench.{name}").rows()


def machine() -> str:
    """What the numbers were measured on."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("litestar", "granian", "psycopg"))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}."
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", described.read_text()) if described.exists() else None
    return named[1] if named else platform.processor() or platform.machine()
