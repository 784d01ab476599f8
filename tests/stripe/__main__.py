"""`python -m tests.stripe --port N`: the stand-in alone, with the sample customers of a brand, until Ctrl-C.

It prints what a portal needs to stand on it:

    stripe <URL>
    key <its restricted key>

Where several brands are named, each has an account of its own at Stripe, and a line with its key, in the same order.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from tests.stripe import routing
from tests.stripe.app import KEY, Standin
from tests.stripe.asgi import App
from tests.stripe.keys import Key
from tests.stripe.loading import load_samples
from tests.stripe.serving import listen
from tests.stripe.world import World


async def _serve(port: int, brands: Sequence[str], start: datetime | None) -> None:
    found = [_account(brand if len(brands) > 1 else "", start) for brand in brands]
    app = App(*found)
    server, bound = await listen(app, port)
    routing.found("get", "/v1/account")  # read the SDK's types now, not while the first request waits
    for brand, each in zip(brands, found, strict=True):
        load_samples(each.world, brand, start or datetime.now(UTC))
    print(f"stripe http://127.0.0.1:{bound}", flush=True)
    for each in found:
        print(f"key {next(iter(each.keys))}", flush=True)
    async with server:
        await server.serve_forever()


def _account(name: str, start: datetime | None) -> Standin:
    world, key = World(int(start.timestamp()) if start else None), f"{KEY}{name.replace('-', '')}"
    return Standin(world, {key: Key(key)}, name=name)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.stripe", description="A stand-in for Stripe on this machine."
    )
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    words = "whose sample customers it holds (harbour, where none is named); again: one more account"
    parser.add_argument("--brand", action="append", help=words)
    parser.add_argument(
        "--now", default="", help="the moment at which its clock stands, ISO 8601; empty: the real time"
    )
    asked = parser.parse_args()
    start = datetime.fromisoformat(asked.now) if asked.now else None
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(asked.port, asked.brand or ["harbour"], start.astimezone(UTC) if start else None))


if __name__ == "__main__":
    main()
