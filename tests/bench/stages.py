"""Where the time of the overview and of the invoices goes, for the portal and for the same pages by hand: one process, no
server, SQLite. Each stage is the least of 2,000 requests by the clock, which a busy machine disturbs least; what is left
of a request is Litestar, the guard, cookies, languages and headers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import jinja2

from server.access import sessions
from server.features.home import views as home
from server.features.invoices import views as invoices
from server.rendering.renderer import Renderer
from server.store.sqlite import SqliteStore
from server.web import cookies
from tests.bench import by_hand
from tests.bench.menu import Row
from tests.bench.peers import by_hand_of, ours_of, path_by_hand
from tests.bench.requests import BRAND, FRAGMENTS

REQUESTS, WARM = 2_000, 50
STAGES: dict[str, list[tuple[Any, str]]] = {
    "session": [(cookies, "find")],
    "query": [(SqliteStore, "read")],
    "decode": [(sessions, "decode_account"), (by_hand, "decode_account")],
    "view": [(home, "overview"), (invoices, "listing")],
    "template": [(Renderer, "titled"), (jinja2.Template, "render")],
}
"""By the name of a stage, the functions that are it; the session holds its query and its decode."""


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        yield from asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> list[Row]:
    store, ours = await ours_of(folder)
    hand = by_hand_of(store)
    taken: dict[str, list[float]] = {}
    for stage, functions in STAGES.items():
        for owner, name in functions:
            setattr(owner, name, _timed(getattr(owner, name), taken.setdefault(stage, [])))
    found = []
    for name, path in FRAGMENTS.items():
        least = []
        for answer, at in ((ours, f"/{BRAND}{path}"), (hand, path_by_hand(path))):
            for _ in range(WARM):
                await answer(at)
            for each in taken.values():
                each.clear()
            whole = _timed(answer, alls := [])
            for _ in range(REQUESTS):
                await whole(at)
            each = {stage: 1e6 * min(its, default=0) for stage, its in taken.items()}
            each["session"] = max(0, each["session"] - each["query"] - each["decode"])
            all_ = 1e6 * min(alls)
            least.append({**each, "the rest": all_ - sum(each.values()), "all": all_})
        mine, theirs = least
        found += [Row(f"{name}: {stage}", f"{mine[stage]:.0f} µs", f"by hand {theirs[stage]:.0f} µs", "", "")
                  for stage in mine]  # fmt: skip
    await store.close()
    return found


def _timed(function: Callable[..., Any], taken: list[float]) -> Callable[..., Any]:
    if iscoroutinefunction(function):

        async def timed(*given: Any, **named: Any) -> Any:
            began = perf_counter()
            answer = await function(*given, **named)
            taken.append(perf_counter() - began)
            return answer

        return timed

    def timed_here(*given: Any, **named: Any) -> Any:
        began = perf_counter()
        answer = function(*given, **named)
        taken.append(perf_counter() - began)
        return answer

    return timed_here
