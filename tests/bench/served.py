"""What the benchmark's server process serves: the real application, and beside it a bare Litestar handler as its peer."""

from __future__ import annotations

from functools import cache
from typing import Any

from litestar import Litestar, get
from litestar.enums import MediaType

from server import app

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

    async def either(scope: Any, receive: Any, send: Any) -> None:
        ours = scope["type"] == "lifespan" or not scope["path"].startswith(BARE)
        await (real if ours else peer)(scope, receive, send)

    return either
