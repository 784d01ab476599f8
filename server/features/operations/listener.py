"""The operator's own address: a small HTTP server in threads, inside the process that it reports on.

It is the standard library's and not Granian, because it must answer while every HTTP worker is busy or dead. The store
belongs to one event loop, so a thread holds a loop for it and the handlers ask through that.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server.features.operations.answers import Answer, Operations

LONGEST = 15.0
"""Seconds that an answer may take: a database that is away is waited for less long."""


class Listener:
    """Answers from `start` to `stop`. Raises `OSError` where the address cannot be had."""

    def __init__(self, operations: Operations, host: str, port: int) -> None:
        self._operations = operations
        self._loop = asyncio.new_event_loop()
        self._server = _server_class(host)((host, port), self._handler())
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._loop.run_forever, "operations-store"), (self._server.serve_forever, "operations"))
        ]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        asyncio.run_coroutine_threadsafe(self._operations.store.close(), self._loop).result(LONGEST)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for each in self._threads:
            each.join(LONGEST)
        self._loop.close()

    def _answer(self, path: str) -> Answer:
        asked = asyncio.run_coroutine_threadsafe(self._operations.answer(path.partition("?")[0]), self._loop)
        try:
            return asked.result(LONGEST)
        except TimeoutError:
            asked.cancel()
            return Answer(503, "no answer in time\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            timeout = LONGEST
            server_version, sys_version = "Postern", ""

            def do_GET(self) -> None:
                found = answer(self.path)
                body = found.body.encode()
                self.send_response(found.status)
                for name, value in (
                    ("Content-Type", found.content_type),
                    ("Content-Length", str(len(body))),
                    ("Cache-Control", "no-store"),
                    ("X-Content-Type-Options", "nosniff"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 (the same)

            def log_message(self, *_: object) -> None:
                """A scrape every few seconds belongs in no log."""

        return Handler


def _server_class(host: str) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    return Server
