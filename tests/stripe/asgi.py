"""The stand-in as an ASGI app: `/v1` and `/v2` are the API, the rest are hosted pages and what a test may order.

It may hold several accounts, each with a key and a name of its own: a request to the API says by its key whose it is, and
hosted pages and orders are below `/<name>/`. An account alone needs no name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx

from tests.stripe import control, hosted
from tests.stripe.app import Answer, Request, Standin
from tests.stripe.webhooks import deliver

Message = dict[str, Any]
QUIET = 0.2
"""Seconds without a request, after which no reading of an account is under way any more."""


class Closed(httpx.RemoteProtocolError):
    """The connection was closed in the middle: what an in-process client sees, and `serving` closes the socket on."""


class App:
    def __init__(self, *standins: Standin) -> None:
        self.standins = standins
        self.tasks: set[asyncio.Task[None]] = set()
        self.asked_at = 0.0
        """When the last request to the API came, by the event loop's clock."""

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode().partition("?")[0]
        request = Request(scope["method"].lower(), path, scope["query_string"].decode(), headers, body)
        answer = await self.answer(request)
        self._deliver()
        await self._wait(answer, request)
        if answer.cut_after == 0:
            raise Closed("The stand-in closed the connection.")
        content = ("content-length", str(len(answer.body)))
        sent = [(name.encode(), value.encode()) for name, value in (*answer.headers.items(), content)]
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        if answer.cut_after is not None:
            await send({"type": "http.response.body", "body": answer.body[: answer.cut_after], "more_body": True})
            raise Closed("The stand-in closed the connection in the middle of the answer.")
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, request: Request) -> Answer:
        if request.path.startswith(("/v1/", "/v2/")):
            self.asked_at = asyncio.get_running_loop().time()
            return self._whose(request).answer(request)
        name, _, path = request.path.removeprefix("/").partition("/")
        standin = next((each for each in self.standins if each.name == name), None) if name else None
        if standin is None:
            standin, path = self.standins[0], request.path.removeprefix("/")
        request = replace(request, path=f"/{path}")
        if request.path.startswith("/_standin/"):
            answer = control.answer(standin, request)
            if request.path == "/_standin/begin-again":
                await self._quiet()  # what was read before is written down by then, so the caller can put it right
            return answer
        standin.tick()
        return hosted.answer(standin, request)

    async def _quiet(self) -> None:
        while (left := self.asked_at + QUIET - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 (a pause, no event)
            await asyncio.sleep(left)

    def _whose(self, request: Request) -> Standin:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        return next((each for each in self.standins if key in each.keys), self.standins[0])

    async def _wait(self, answer: Answer, request: Request) -> None:
        """An answer that is late keeps its idempotency key in use."""
        headers = request.headers
        place = headers.get("authorization", "").removeprefix("Bearer "), headers.get("idempotency-key", "")
        in_flight = self._whose(request).answers.in_flight
        if answer.delay:
            in_flight.add(place)
        await asyncio.sleep(answer.delay)
        if answer.delay:
            in_flight.discard(place)

    def _deliver(self) -> None:
        """The webhooks of what just happened; nobody waits for them."""
        for each in self.standins:
            if each.feed.waiting and each.world.tables["webhook_endpoint"]:
                task = asyncio.create_task(_delivered(each))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)


async def _delivered(standin: Standin) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        await deliver(standin.world, standin.feed, client)
