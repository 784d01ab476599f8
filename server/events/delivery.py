"""One round of sending events: what is due is taken, signed and posted, many endpoints at a time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime

from server import telemetry
from server.events import outbox
from server.events.outbox import Taken
from server.events.posting import NotPosted, Poster, secret_of, signature
from server.portal import Portal
from server.store import Store

AT_ONCE = 20
"""Events that one process takes at a time."""


class Teller:
    """`trusted`: the certificates to trust, where they are not the system's."""

    def __init__(
        self,
        portals: Mapping[str, Portal],
        store: Store,
        clock: Callable[[], datetime],
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._portals, self._store, self._clock = portals, store, clock
        self._trusted, self._posters = trusted, dict[bool, Poster]()

    async def round(self) -> int:
        """Send what is due; how many were taken up. An endpoint that is gone from `portal.toml` gets nothing more."""
        taken = await outbox.take(self._store, self._clock(), AT_ONCE)
        await asyncio.gather(*map(self._send, taken))
        return len(taken)

    async def close(self) -> None:
        for each in self._posters.values():
            await each.close()
        self._posters.clear()

    async def _send(self, it: Taken) -> None:
        try:
            answer = await self._post(it)
        except NotPosted as error:
            telemetry.count("events", "failed")
            await outbox.later(self._store, it, self._clock(), str(error))
        else:
            telemetry.count("events", "sent")
            await outbox.sent(self._store, it, answer)

    async def _post(self, it: Taken) -> str:
        portal = self._portals.get(it.brand)
        events = portal.brand.config.events if portal else None
        if portal is None or events is None or it.endpoint not in [each.url for each in events.endpoints]:
            raise NotPosted("it is no endpoint of this brand any more")
        private = events.allow_private
        poster = self._posters.setdefault(private, Poster(allow_private=private, trusted=self._trusted))
        signed = signature(secret_of(portal.settings.secrets, it.brand, it.endpoint), it.body, self._clock())
        return await poster.post(it.endpoint, it.body, signed)
