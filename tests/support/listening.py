"""A merchant's endpoint in tests, the brand that tells it of things, and what sends them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from msgspec.structs import replace

from server.billing import By, Cancel
from server.billing.ledger.ledger import Ledger
from server.brands import Brand, Features
from server.brands.event_keys import Endpoint, Events
from server.brands.features import CustomerUpdate
from server.events.delivery import Teller
from server.portal import Portal, listeners_of
from tests.support.world import BRAND, World, brands

KEYS = (b"k" * 32,)
Answers = Callable[[int], bytes]


class Receiver:
    """A merchant's server on loopback: keeps what it was sent, and answers what `answer` says of the n-th request."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answer: Answers = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hooks"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])
            }
            self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
            writer.write(self.answer(len(self.got)))
            await writer.drain()
        finally:
            writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


def telling(url: str, *types: str, private: bool = True) -> Brand:
    brand = next(each for each in brands() if each.name == BRAND)
    endpoint = Endpoint(url, types) if types else Endpoint(url)
    return replace(brand, config=replace(brand.config, events=Events((endpoint,), allow_private=private)))


def teller(world: World, brand: Brand, trusted: ssl.SSLContext | None = None) -> Teller:
    portal = world.portal()
    told = Portal(**{name: getattr(portal, name) for name in Portal.__dataclass_fields__} | {"brand": brand})
    return Teller({BRAND: told}, world.store, world.clock, trusted)


def ledger(world: World, brand: Brand) -> Ledger:
    return Ledger(world.store, BRAND, keys=KEYS, listeners=listeners_of(brand))


def by(world: World, key: str) -> By:
    return By("cus_jenny", Features(customer_update=CustomerUpdate()), world.clock(), key=key.ljust(16, "k"))


async def cancel(world: World, brand: Brand, key: str = "one") -> None:
    billing, asked = ledger(world, brand), by(world, key)
    meant: Any = await billing.preview(asked, "sub_1", Cancel())
    await billing.apply(asked, "sub_1", Cancel(), shown=meant.fingerprint)


async def states(world: World) -> list[tuple[str, int]]:
    return [
        (state, tries) for state, tries in await world.store.read("SELECT state, attempts FROM event ORDER BY position")
    ]
