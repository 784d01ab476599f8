"""The demo's clock, and its page `/_demo/clock`: time goes on as usual, or jumps ahead when it is told to.

So a renewal, the end of a trial, a change that was put off and a payment that fails can be watched. Time never goes
back: what happened in the sample ledger has happened. A session that is too old by then asks for a new log-in, as it
would in life.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from server.billing.model.periods import add_months
from server.demo.inbox import page
from server.rendering.renderer import Renderer
from server.web.guard import is_same_origin
from server.web.static_files import PLAIN, answer_bare

PATH = "/_demo/clock"
FURTHEST = timedelta(days=3653)
"""So far ahead of the real time the clock may be: a daily subscription has some thousand periods by then."""
_STEPS: dict[str, Callable[[datetime], datetime]] = {
    "hour": lambda at: at + timedelta(hours=1),
    "day": lambda at: at + timedelta(days=1),
    "week": lambda at: at + timedelta(days=7),
    "month": lambda at: add_months(at, 1),
    "year": lambda at: add_months(at, 12),
}
_LARGEST = 1024


class Clock:
    """Call it for the time. `real` is the clock of the machine."""

    def __init__(self, real: Callable[[], datetime], start: datetime | None = None) -> None:
        self._real = real
        self._ahead = (start - real()) if start else timedelta(0)

    def __call__(self) -> datetime:
        return self._real() + self._ahead

    def move(self, step: str, to: str) -> str:
        """Jump by a step, or to a moment written as ISO 8601 in UTC. Why not, in words; empty: done."""
        now = self()
        if step in _STEPS:
            wanted = _STEPS[step](now)
        else:
            try:
                wanted = moment(to)
            except ValueError as error:
                return str(error)
        if wanted <= now:
            return "Time does not go back: choose a moment after the one that it is now."
        if wanted - self._real() > FURTHEST:
            return "That is more than ten years ahead; the demo goes no further."
        self._ahead += wanted - now
        return ""


def moment(text: str) -> datetime:
    """A moment as somebody types it; UTC where no zone is named. Raises `ValueError` with words for a person."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a moment such as 2026-12-31T12:00:00Z") from None
    if not 2000 <= found.year < 2200:
        raise ValueError(f"{text[:40]!r}: the demo knows the years 2000 to 2199")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


class ClockPage:
    """ASGI middleware. A POST must come from the page itself. `moved` is called after each jump, with the time then."""

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock,
        renderer: Renderer,
        origin: str,
        portals: list[tuple[str, str]],
        *,
        moved: Callable[[datetime], Awaitable[None]] | None = None,
    ) -> None:
        self._app, self._clock, self._renderer, self._origin, self._portals = app, clock, renderer, origin, portals
        self._moved = moved

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        method, host = scope.get("method"), dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        is_ours = f"http://{host}" == self._origin
        if is_ours and method == "GET":
            await self._show(send, "")
        elif is_ours and method == "POST" and is_same_origin(list(scope["headers"]), self._origin):
            form = parse_qs(await _body(receive))
            refused = self._clock.move(form.get("step", [""])[0], form.get("to", [""])[0])
            if refused:
                await self._show(send, refused)
            else:
                if self._moved:
                    await self._moved(self._clock())
                await answer_bare(send, 303, [(b"location", PATH.encode())])
        else:
            await answer_bare(send, 403, PLAIN, b"The clock is for this machine only.\n")

    async def _show(self, send: Send, refused: str) -> None:
        now = self._clock()
        await page(
            send, self._renderer, "demo/clock.html", form=True, status=422 if refused else 200,
            now=now, steps=tuple(_STEPS), refused=refused, portals=self._portals,
        )  # fmt: skip


async def _body(receive: Receive) -> str:
    found, more = b"", True
    while more and len(found) <= _LARGEST:
        message = await receive()
        if message["type"] != "http.request":
            break
        found += message.get("body", b"")
        more = bool(message.get("more_body", False))
    return found[:_LARGEST].decode("latin-1")
