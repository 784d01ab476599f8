"""How a brand with very many customers at Stripe is synced.

The customers are nowhere: the stand-in of this file makes each page of them when it is asked for, in a process of its own.
What syncs is the portal's own code with its budget of requests, in this process, at the real rate.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs

from server.billing.stripe.backend import Stripe
from server.billing.stripe.budget import Budget
from server.billing.stripe.client import Client
from server.billing.stripe.syncing import CUSTOMERS, sync
from server.store import open_store
from tests.bench.menu import Row
from tests.stripe import routing
from tests.stripe.app import KEY, Answer, Request, Standin
from tests.stripe.asgi import App
from tests.stripe.defaults import DEFAULTS
from tests.stripe.serving import listen
from tests.stripe.world import Json, World

MANY = 100_000
RATE = 10
"""Requests a second, as with a live key."""


class Crowd(App):
    """A stand-in with so many customers, each made when its page is asked for; everything else is the usual one's."""

    def __init__(self, many: int) -> None:
        super().__init__(Standin(World()))
        self.many, self.moments = many, list[float]()
        self.standin = self.standins[0]

    async def answer(self, request: Request) -> Answer:
        self.moments.append(time.monotonic())
        if (request.verb, request.path) != ("get", "/v1/customers"):
            return await super().answer(request)
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        first = int(asked["starting_after"].removeprefix("cus_")) + 1 if "starting_after" in asked else 0
        last = min(first + int(asked["limit"]), self.many)
        rows = [self._customer(number) for number in range(first, last)]
        body = {"object": "list", "data": rows, "has_more": last < self.many, "url": "/v1/customers"}
        found = routing.found("get", "/v1/customers")
        assert found
        found[0].check_answer({**body, "data": rows[:1]})
        return Answer(200, {"content-type": "application/json"}, json.dumps(body).encode())

    def _customer(self, number: int) -> Json:
        head = {"id": f"cus_{number:08}", "object": "customer", "created": 1_700_000_000, "livemode": False}
        subscriptions = {"object": "list", "has_more": False, "url": "/v1/subscriptions", "data": []}
        named = {
            "name": f"Customer {number}",
            "email": f"Customer.{number}@Example.com",
            "subscriptions": subscriptions,
        }
        return {**head, **DEFAULTS["customer"], **named}


async def _serve(many: int, pipe: Connection) -> None:
    app = Crowd(many)
    server, port = await listen(app)
    routing.found("get", "/v1/account")
    pipe.send(port)
    async with server:
        await asyncio.to_thread(pipe.recv)
        pipe.send(app.moments)


def serve(many: int, pipe: Connection) -> None:
    asyncio.run(_serve(many, pipe))


def resident() -> int:
    """What this process holds now, in bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


async def _sync(port: int, many: int) -> tuple[int, float, list[int]]:
    held: list[int] = []

    def progress(kind: str, read: int) -> None:
        if kind == CUSTOMERS and read * 10 // many > len(held) - 1:
            held.append(resident())

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:{folder}/portal.sqlite")
        client = Client(KEY, base=f"http://127.0.0.1:{port}", pace=Budget(store, "harbour", RATE))
        billing = Stripe(store, "harbour", client, keys=(b"k" * 32,), origin="https://portal.example")
        began = time.monotonic()
        done = await sync(billing, lambda: datetime.now(UTC), progress)
        took = time.monotonic() - began
        await billing.close()
        await store.close()
    return done.read, took, held


def busiest_second(moments: list[float]) -> int:
    return max(
        sum(at <= other < at + 1 for other in moments[place : place + 4 * RATE]) for place, at in enumerate(moments)
    )


def rows() -> Iterator[Row]:
    many = int(os.environ.get("POSTERN_BENCH_CUSTOMERS", str(MANY)))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    standin = context.Process(target=serve, args=(many, theirs))
    standin.start()
    try:
        read, took, held = asyncio.run(_sync(ours.recv(), many))
        ours.send("end")
        moments = ours.recv()
    finally:
        standin.join(10)
        standin.kill()
    pace = len(moments) / took
    what = f"{read:,} customers synced from Stripe"
    yield Row(what, f"{len(moments):,} calls in {took:.0f} s", f"{RATE} a second", f"{pace / RATE:.2f}", "")
    most, burst = busiest_second(moments), RATE + RATE // 2
    yield Row("calls within one second", str(most), "", "", f"{burst}: the rate, and half a bucket", most <= burst)
    first, last = held[1] / 1e6, held[-1] / 1e6
    yield Row("memory at the end", f"{last:.0f} MB", f"{first:.0f} MB at a tenth", f"{last / first:.2f}", "1.1",
              last < 1.1 * first)  # fmt: skip
