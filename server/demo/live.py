"""What `build.py dev` tells the pages that are open: that something was saved, by server-sent events at `/_demo/changes`.

Each event is `{"at": …, "refused": "…"}`: when the pages were last built, in milliseconds, and what is wrong with what was
saved since; empty: nothing. A page that was loaded before `at` loads itself again (`site/static/reload.js`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from server.brands import Brand
from server.rendering.compiled import SITE
from server.web.static_files import PLAIN, answer_bare

PATH = "/_demo/changes"
_QUIET_MS = 10
"""So long nothing more has to be written until a save counts as whole: editors write a file in one go."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class Live:
    """ASGI middleware around `app`, which may be put in the place of another while pages are open."""

    def __init__(self, host: str) -> None:
        self.app: ASGIApp
        self._host = host.encode()
        self._at, self._refused = _now(), ""
        self._news = asyncio.Event()
        self._over = False

    def built(self, app: ASGIApp) -> None:
        """From now on `app` answers, and every page that is open shows it."""
        self.app, self._at, self._refused = app, _now(), ""
        self._tell()

    def refused(self, why: str) -> None:
        """What was saved is not as it may be, so every page that is open says why."""
        self._refused = why
        self._tell()

    def end(self) -> None:
        """Let go of the pages: a server that stops waits for its answers."""
        self._over = True
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"] != PATH:
            await self.app(scope, receive, send)
        elif scope.get("method") != "GET" or dict(scope["headers"]).get(b"host") != self._host:
            await answer_bare(send, 403, PLAIN, b"This is for the pages of this machine only.\n")
        else:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            gone = asyncio.create_task(_gone(receive))
            try:
                async for event in self._events(gone):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                gone.cancel()

    async def _events(self, gone: asyncio.Task[None]) -> AsyncIterator[bytes]:
        """The state as it is, and again each time that it changes, until the page is gone."""
        while not (gone.done() or self._over):
            news = asyncio.create_task(self._news.wait())
            yield f"data: {json.dumps({'at': self._at, 'refused': self._refused})}\n\n".encode()
            await asyncio.wait([news, gone], return_when=asyncio.FIRST_COMPLETED)
            news.cancel()


async def saves(themes: Path) -> AsyncIterator[set[Path]]:
    """The files of each save below the themes or the site."""
    from watchfiles import awatch  # noqa: PLC0415 (only `dev` needs it)

    async for changes in awatch(themes, SITE, step=_QUIET_MS):
        yield {Path(path) for _, path in changes}


def concerned(brands: Sequence[Brand], changed: set[Path]) -> tuple[Brand, ...]:
    """Those that have any of these files, or extend a theme that has; all of them where the site's own were saved."""
    files = {path.resolve() for path in changed}
    if any(file.is_relative_to(SITE.resolve()) for file in files):
        return tuple(brands)
    folders = {each.name: [folder.resolve() for folder in each.lineage] for each in brands}
    return tuple(
        each for each in brands if any(file.is_relative_to(own) for file in files for own in folders[each.name])
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
