"""A merchant's back end in tests: the official SDK for Python, speaking to the application in memory."""

from __future__ import annotations

from typing import Any

import httpx
import stripe

from server.access import api_keys
from tests.support.served import PLAIN
from tests.support.world import BRAND, World


class InMemory(stripe.HTTPClient):
    """Sends what the SDK sends, and what a browser would add: nothing."""

    name = "in memory"

    def __init__(self, world: World) -> None:
        super().__init__()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(world.app), base_url=world.settings.origin, verify=PLAIN
        )

    async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        answer = await self.client.request(method, url, headers=dict(headers), content=post_data or b"")
        return answer.content, answer.status_code, dict(answer.headers)

    async def close_async(self) -> None:
        await self.client.aclose()

    async def sleep_async(self, secs: float) -> None:  # noqa: ARG002 (the SDK's)
        raise AssertionError("no test waits")


def sdk(world: World, key: str) -> stripe.StripeClient:
    base = {"api": world.settings.origin}
    return stripe.StripeClient(key, http_client=InMemory(world), base_addresses=base, max_network_retries=0)


async def key_for(world: World, *may: str, brand: str = BRAND, live: bool = False) -> str:
    """A new key of the brand."""
    now = world.clock()
    key, _ = await world.store.write(
        lambda transaction: api_keys.create(transaction, world.settings, brand, live=live, may=may, now=now)
    )
    return key


async def back_end(world: World, *may: str, brand: str = BRAND, live: bool = False) -> stripe.StripeClient:
    return sdk(world, await key_for(world, *may, brand=brand, live=live))
