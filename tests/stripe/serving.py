"""Puts the stand-in on a loopback port. It closes a connection in the middle where a fault says so: a web server would not."""

from __future__ import annotations

import asyncio
from typing import Any

import h11

from tests.stripe.asgi import App, Closed, Message

_CHUNK = 65_536


async def listen(app: App, port: int = 0) -> tuple[asyncio.Server, int]:
    """A server that accepts connections, and its port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _talk(app, reader, writer)
        except (Closed, ConnectionError, h11.ProtocolError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    bound = server.sockets[0].getsockname()[1]
    for each in app.standins:
        each.world.base = f"http://127.0.0.1:{bound}" + (f"/{each.name}" if each.name else "")
    return server, bound


async def _talk(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h11.Connection(h11.SERVER)
    while True:
        event = await _next(connection, reader)
        if not isinstance(event, h11.Request):
            return
        await app(_scope(event), _receiver(connection, reader), _sender(connection, writer))
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    return event


def _scope(request: h11.Request) -> Message:
    path, _, query = request.target.partition(b"?")
    head = {"type": "http", "method": request.method.decode(), "headers": list(request.headers)}
    return {**head, "path": path.decode(), "raw_path": path, "query_string": query}


def _receiver(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    async def receive() -> Message:
        event = await _next(connection, reader)
        if isinstance(event, h11.Data):
            return {"type": "http.request", "body": bytes(event.data), "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def _sender(connection: h11.Connection, writer: asyncio.StreamWriter) -> Any:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent = connection.send(h11.Response(status_code=message["status"], headers=message["headers"]))
        else:
            sent = connection.send(h11.Data(data=message["body"]))
            if not message.get("more_body"):
                sent = (sent or b"") + (connection.send(h11.EndOfMessage()) or b"")
        writer.write(sent or b"")
        await writer.drain()

    return send
