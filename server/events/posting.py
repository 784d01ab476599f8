"""Posting one event to an endpoint: signed as Stripe signs, to a public address only, and following no redirect.

The address is looked up, checked and connected to here, in one step: a name that leads to another address the next time it
is asked for (DNS rebinding) gains nothing. The certificate is checked against the name in the URL.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpcore
from httpcore import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream

from server.access import sealing

PATIENCE = 10.0
"""Seconds for each step of a request."""
LONGEST = 30.0
"""Seconds for all of it."""


class NotPosted(Exception):
    """The endpoint did not take it; the message says why, for the merchant."""


def secret_of(master_secrets: Sequence[bytes], brand: str, url: str) -> list[str]:
    """What the endpoint verifies signatures with, `whsec_…`: one for each of the server's secrets, the newest first."""
    keys = sealing.keys(master_secrets, "event signatures")
    return [f"whsec_{sealing.mac(key, brand.encode(), url.encode()).hex()}" for key in keys]


def signature(secrets: Iterable[str], body: bytes, now: datetime) -> str:
    """The header `Stripe-Signature`."""
    at = str(int(now.timestamp()))
    signed = (hmac.new(each.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest() for each in secrets)
    return ",".join([f"t={at}", *(f"v1={each}" for each in signed)])


class Poster:
    """`allow_private`: addresses of private networks and of this machine may be posted to."""

    def __init__(self, *, allow_private: bool, trusted: ssl.SSLContext | None = None) -> None:
        backend = _Checked(allow_private=allow_private)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted or ssl.create_default_context(), network_backend=backend, max_connections=10
        )

    async def post(self, url: str, body: bytes, signed: str) -> str:
        """What the endpoint answered, a 2xx. Raises `NotPosted`."""
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "Stripe-Signature": signed,
            "User-Agent": "Postern",
        }
        steps = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
        try:
            async with (
                asyncio.timeout(LONGEST),
                self._pool.stream("POST", url, headers=headers, content=body, extensions={"timeout": steps}) as answer,
            ):
                status = answer.status
        except NotPosted:
            raise
        except (TimeoutError, httpcore.TimeoutException):
            raise NotPosted("no answer in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise NotPosted(f"no connection: {str(error)[:150] or type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotPosted(
                f"it answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
            )
        return f"it answered {status}"

    async def close(self) -> None:
        await self._pool.aclose()


class _Checked(AsyncNetworkBackend):
    """Connects to an address that was checked, and to no other."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private, self._backend = allow_private, AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *args: Any, **rest: Any) -> AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise NotPosted("its name leads to no address") from None
        addresses = [str(each[4][0]) for each in found]
        if not self._allow_private and not all(map(is_public, addresses)):
            raise NotPosted("its name leads to an address that is not public; see events.allow_private")
        for address in addresses[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):  # no way to IPv6 from here, for one
                return await self._backend.connect_tcp(address, port, *args, **rest)
        return await self._backend.connect_tcp(addresses[-1], port, *args, **rest)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> AsyncNetworkStream:
        raise NotPosted("no endpoint is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def is_public(address: str) -> bool:
    """Whether the whole internet reaches it. An IPv6 address that stands for an IPv4 one is what that one is."""
    it = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(it, ipaddress.IPv6Address):
        inner = it.ipv4_mapped or it.sixtofour or (it.teredo[1] if it.teredo else None)
        if inner is None and it in _NAT64:
            inner = ipaddress.IPv4Address(int(it) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return it.is_global and not it.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
