"""The application of now, which another one may replace while requests are being answered."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Scope, Send

from server.billing import Remote
from server.brands import Brand
from server.portal import Portal
from server.settings import Settings
from server.web.guard import Guard


class Exchange:
    """A request is answered to its end by what it began with: its page and its headers belong together."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Served:
    """The application over the portals of now."""

    def __init__(
        self,
        routed: Litestar,
        portals: dict[str, Portal],
        settings: Settings,
        make: Callable[[Sequence[Brand]], Awaitable[dict[str, Portal]]],
    ) -> None:
        self._routed, self.portals, self._settings, self._make = routed, portals, settings, make
        self._made = [*portals.values()]
        self.app = Exchange(Guard(routed, portals=portals, settings=settings))

    async def exchange(self, brands: Sequence[Brand]) -> None:
        """From now on, requests that begin are answered by these. Requests under way end with what they have."""
        known = {each.brand.name: each.brand for each in self.portals.values()}
        made = await self._make([each for each in brands if known.get(each.name) is not each])
        self._made += made.values()
        self.portals = {**self.portals, **made}
        own = copy.copy(self._routed)
        own.state = State({**self._routed.state.dict(), "portals": self.portals})
        self.app.app = Guard(own, portals=self.portals, settings=self._settings)

    async def close(self) -> None:
        for each in self._made:
            if isinstance(each.billing, Remote):
                await each.billing.close()
