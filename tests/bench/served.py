"""What the benchmark's server process serves: the real application, and beside it its peers, a bare Litestar handler and the
same pages written by hand."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from litestar import Litestar, get
from litestar.enums import MediaType

from server import app, settings
from server.store import open_store
from tests.bench import by_hand

BARE = "/_bare"


@cache
def _body(size: int) -> str:
    return "x" * size


@get(BARE + "/{size:int}", media_type=MediaType.HTML)
async def bare(size: int) -> str:
    """As many bytes as the fragment has: what is left to compare is our work."""
    return _body(size)


def served() -> Any:
    """The ASGI application: Granian's worker calls this once."""
    real = app.from_environment()
    peer = Litestar([bare], openapi_config=None, logging_config=None)

    hand = by_hand.application(open_store(settings.from_environment(os.environ).database))

    async def one_of_them(scope: Any, receive: Any, send: Any) -> None:
        path = "" if scope["type"] == "lifespan" else scope["path"]
        chosen = peer if path.startswith(BARE) else hand if path.startswith(by_hand.AT) else real
        await chosen(scope, receive, send)

    return one_of_them
