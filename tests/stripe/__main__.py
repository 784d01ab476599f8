"""`python -m tests.stripe --port N`: the stand-in alone, with the sample customers of a brand, until Ctrl-C.

It prints what a portal needs to stand on it:

    stripe <URL>
    key <its restricted key>
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from tests.stripe import routing
from tests.stripe.app import KEY, Standin
from tests.stripe.asgi import App
from tests.stripe.loading import load_samples
from tests.stripe.serving import listen
from tests.stripe.world import World


async def _serve(port: int, brand: str, start: datetime | None) -> None:
    world = World(int(start.timestamp()) if start else None)
    app = App(Standin(world))
    server, bound = await listen(app, port)
    routing.found("get", "/v1/account")  # read the SDK's types now, not while the first request waits
    load_samples(world, brand, start or datetime.now(UTC))
    print(f"stripe http://127.0.0.1:{bound}", flush=True)
    print(f"key {KEY}", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.stripe", description="A stand-in for Stripe on this machine."
    )
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--brand", default="harbour", help="whose sample customers it holds")
    parser.add_argument(
        "--now", default="", help="the moment at which its clock stands, ISO 8601; empty: the real time"
    )
    asked = parser.parse_args()
    start = datetime.fromisoformat(asked.now) if asked.now else None
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(asked.port, asked.brand, start.astimezone(UTC) if start else None))


if __name__ == "__main__":
    main()
