"""Requests that break off, dawdle or have no path: an answer with its headers, never a fault of ours. Rows 81, 95."""

import asyncio
import logging
from typing import Any, ClassVar

import pytest

from server.web.forms import TooSlowError, read_form
from tests.support.world import BRAND, ORIGIN, World

pytestmark = pytest.mark.anyio
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def scope_of(method: str, path: str, *headers: tuple[bytes, bytes]) -> Any:
    host, origin = ORIGIN.removeprefix("https://").encode(), ORIGIN.encode()
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "extensions": {}, "state": {},
        "headers": [(b"host", host), (b"origin", origin), *headers], "client": ("192.0.2.1", 1), "server": (host, 443),
    }  # fmt: skip


async def asked(world: World, scope: Any, *messages: Any) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to what arrives in these messages, after which nothing more does."""
    left, sent = list(messages), []

    async def receive() -> Any:
        return left.pop(0) if left else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await world.app(scope, receive, send)
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize("path", ["*", "", "evil.example:443"])
async def test_a_request_without_a_path_is_refused_with_all_headers(world: World, path: str) -> None:  # threat 81
    status, headers = await asked(world, scope_of("GET", path), {"type": "http.request", "body": b""})
    assert status == 400
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_form_that_breaks_off_is_no_fault_of_ours(world: World, caplog: Any) -> None:  # threat 95
    part = {"type": "http.request", "body": b"email=jenny", "more_body": True}
    with caplog.at_level(logging.ERROR):
        status, headers = await asked(
            world, scope_of("POST", f"/{BRAND}/login", FORM), part, {"type": "http.disconnect"}
        )
    assert (status, headers["cache-control"]) == (400, "no-store")
    assert not caplog.records
    assert await world.rows("challenge") == []


class Dawdling:
    """As much of a request as a form is read from; its body never ends."""

    headers: ClassVar = {"content-type": FORM[1].decode()}

    async def body(self) -> bytes:
        await asyncio.Event().wait()
        return b""


async def test_a_form_that_does_not_come_to_its_end_is_given_up() -> None:  # threat 95
    dawdling: Any = Dawdling()
    with pytest.raises(TooSlowError) as given_up:
        await read_form(dawdling, patience=0.01)
    assert given_up.value.status_code == 408
