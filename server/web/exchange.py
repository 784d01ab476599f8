"""The application of now, which another one may replace while requests are being answered."""

from __future__ import annotations

from litestar.types import ASGIApp, Receive, Scope, Send


class Exchange:
    """A request is answered to its end by what it began with: its page and its headers belong together."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
