"""The stand-in as an ASGI app: `/v1` and `/v2` are the API, the rest are hosted pages and what a test may order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.stripe import control, hosted
from tests.stripe.app import Answer, Request, Standin
from tests.stripe.webhooks import deliver

Message = dict[str, Any]


class Closed(httpx.RemoteProtocolError):
    """The connection was closed in the middle: what an in-process client sees, and `serving` closes the socket on."""


class App:
    def __init__(self, standin: Standin, *, delivers: bool = True) -> None:
        self.standin, self.delivers = standin, delivers
        self.tasks: set[asyncio.Task[None]] = set()

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
        answer = await self.answer(
            Request(scope["method"].lower(), path, scope["query_string"].decode(), headers, body)
        )
        await self._wait(answer, headers)
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
            return self.standin.answer(request)
        if request.path.startswith("/_standin/"):
            return control.answer(self.standin, request)
        self.standin.tick()
        return hosted.answer(self.standin, request)

    async def _wait(self, answer: Answer, headers: dict[str, str]) -> None:
        """An answer that is late keeps its idempotency key in use."""
        place = headers.get("authorization", "").removeprefix("Bearer "), headers.get("idempotency-key", "")
        if answer.delay:
            self.standin.answers.in_flight.add(place)
        await asyncio.sleep(answer.delay)
        if answer.delay:
            self.standin.answers.in_flight.discard(place)

    async def _deliver(self) -> None:
        """The webhooks of what just happened; nobody waits for them."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            await deliver(self.standin.world, self.standin.feed, client)
