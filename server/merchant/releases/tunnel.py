"""The one way out of a copy into a bucket: a proxy on loopback that leads to one host and port, and only to an address that was
looked up and checked at that very connection.

The client of the bucket resolves names by itself and follows redirects. Through here, a name that leads to another address the
next time it is asked for gains nothing, and a redirect to another host, port or scheme ends here. TLS goes through untouched:
the client checks the certificate against the name.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from server.events.posting import is_public

PATIENCE = 10.0
"""Seconds to connect."""
_LONGEST_HEAD = 32 * 1024
_CONNECT = re.compile(rb"CONNECT (\S+):(\d{1,5}) HTTP/1\.1\r\n")
_PLAIN = re.compile(rb"[A-Z]+ (http://\S+) HTTP/1\.1\r\n")

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Tunnel:
    """`async with Tunnel(endpoint) as tunnel:` its `url` is the proxy's. `refused` says why a connection was not made."""

    def __init__(self, endpoint: str, *, allow_private: bool, resolve: Resolve = resolved) -> None:
        parts = urlsplit(endpoint)
        self._is_plain = parts.scheme == "http"
        self._host, self._port = parts.hostname or "", parts.port or (80 if self._is_plain else 443)
        self._allow_private, self._resolve = allow_private, resolve
        self._leading: set[asyncio.Task[None]] = set()
        self.url = self.refused = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._server.close()
        for each in self._leading:
            each.cancel()
        await asyncio.gather(*self._leading, return_exceptions=True)
        await self._server.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._leading.add(task := asyncio.create_task(self._lead(reader, writer)))
        task.add_done_callback(self._leading.discard)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        out = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            out = await self._connected(head)
            if out is None:
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            if self._is_plain:
                out[1].write(head)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pass_on(reader, out[1]), _pass_on(out[0], writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client sees a connection that ended
        finally:
            for each in (writer, *(out[1:] if out else ())):
                each.close()

    async def _connected(self, head: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """To where the head asks; None: it may not go there, and `refused` says why."""
        if self._target(head) != (self._host, self._port):
            self.refused = "it leads elsewhere, and redirects are not followed"
            return None
        try:
            addresses = await self._resolve(self._host, self._port)
        except OSError:
            addresses = []
        if not addresses:
            self.refused = "its name leads to no address"
        elif not self._allow_private and not all(map(is_public, addresses)):
            self.refused = "its name leads to an address that is not public; see PORTAL_STUDIO_PRIVATE_TARGETS"
        else:
            for address in addresses:
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        return await asyncio.open_connection(address, self._port)
            self.refused = "no connection to it"
        return None

    def _target(self, head: bytes) -> tuple[str, int]:
        """Host and port that the client asks for, by the scheme of the endpoint; empty: neither."""
        found = (_PLAIN if self._is_plain else _CONNECT).match(head)
        if not found:
            return "", 0
        if not self._is_plain:
            return found[1].decode("latin-1").strip("[]").lower(), int(found[2])
        parts = urlsplit(found[1].decode("latin-1"))
        return parts.hostname or "", parts.port or 80


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(64 * 1024):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
