"""The only file that knows the `stripe` SDK: one request to one Stripe account, and what went wrong, in our words.

    Stripe answers            we raise
    400, 402 with code        Refused, in our word (`refusals`)
    404                       NotFound
    401, 403                  Unavailable: the key was rolled, or lacks a permission; `doctor` names which
    409, the same request is on its way     as a late answer, below
    429, a refused connection, a time-out before anything was sent    Unavailable
    5xx, HTML, a cut or late answer, no list where one was asked for, after something was sent         a read: Unavailable; a write: Uncertain

A write always carries an idempotency key, so that `Uncertain` may be repeated. The body is decoded once, as plain JSON:
nothing above this file sees an object of the SDK. Telemetry is off: it would write into the home folder.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import httpx
import msgspec
import stripe
from stripe import _util

from server.billing.model.errors import NotFound, Refused, Unavailable, Uncertain
from server.billing.stripe.refusals import reason_of
from server.billing.stripe.wire import MOST

VERSION = "2026-10-28.endive"
"""The API version whose shapes `wire` reads; every request names it."""
CONNECT, READ = 2.0, 8.0
"""Seconds."""
_POOL = httpx.Limits(max_connections=20, max_keepalive_connections=10)
Raw = dict[str, Any]
_log = logging.getLogger(__name__)

stripe.enable_telemetry = False
_util.STRIPE_LOG = None  # of the environment: it would print whole answers, with their links, past our logs (16.1.0)


@functools.cache
def _tls() -> ssl.SSLContext:
    """The same for every brand: reading the authorities takes some 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


class _Unsent(stripe.APIConnectionError):
    """Nothing reached Stripe."""


class _Http(stripe.HTTPClient):
    """The SDK's requests over one httpx client: with our limits, and replaceable by a test's transport."""

    name = "httpx"

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__()
        timeout = httpx.Timeout(READ, connect=CONNECT)
        self._client = httpx.AsyncClient(
            verify=_tls(), limits=_POOL, timeout=timeout, transport=transport, trust_env=False
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            answer = await self._client.request(method, url, headers=headers, content=post_data)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _Unsent(type(error).__name__) from error  # type: ignore[no-untyped-call]
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error  # type: ignore[no-untyped-call]
        return answer.content, answer.status_code, answer.headers

    async def sleep_async(self, secs: float) -> None:
        await asyncio.sleep(secs)

    async def close_async(self) -> None:
        await self._client.aclose()


class KeyRefused(Unavailable):
    """Stripe does not take the key: it was rolled (401), or lacks a permission (403)."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Pace(Protocol):
    """Says when a request may be sent: `budget.Budget`."""

    async def wait(self) -> None: ...
    async def slow_down(self) -> None: ...


class Client:
    """One Stripe account, by one key. `base`: another address than Stripe's, for tests (`PORTAL_STRIPE_API_BASE`)."""

    def __init__(
        self,
        key: str,
        *,
        base: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace
        self._http = _Http(transport)
        addresses: Any = {"api": base} if base else {}
        self._sdk = stripe.StripeClient(
            key, stripe_version=VERSION, http_client=self._http, base_addresses=addresses, max_network_retries=0
        )
        self.is_live, self.base = "_live_" in key, base

    async def get(self, path: str, **params: Any) -> Raw:
        """Read. Raises `NotFound`, `Refused`, `Unavailable`."""
        return await self._ask("get", path, params, key="")

    async def list(self, path: str, **params: Any) -> Raw:
        """A page of a list. Raises as `get`; an answer that is no list is `Unavailable`."""
        page = await self.get(path, **params)
        if not isinstance(page.get("data"), list) or not all(isinstance(each, dict) for each in page["data"]):
            _log.error("Stripe answered no list", extra={"path": path})
            raise Unavailable
        return page

    async def post(self, path: str, *, key: str, **params: Any) -> Raw:
        """Write, once for the idempotency key. Raises `NotFound`, `Refused`, `Unavailable`, `Uncertain`."""
        answer = await self._ask("post", path, params, key=key)
        if not isinstance(answer.get("id"), str):  # something was done; what, this does not say
            _log.error("Stripe answered no object", extra={"path": path})
            raise Uncertain
        return answer

    async def invoice_preview(self, **params: Any) -> Raw:
        """The invoice that Stripe works out. Raises as `get`; an answer that is no invoice is `Unavailable`."""
        raw = await self.preview("/v1/invoices/create_preview", **params)
        lines, total = raw.get("lines"), raw.get("total")
        is_amount = type(total) is int and abs(total) <= MOST
        if not is_amount or not isinstance(lines, dict) or not isinstance(lines.get("data"), list):
            _log.error("Stripe answered no invoice")
            raise Unavailable
        return raw

    async def preview(self, path: str, **params: Any) -> Raw:
        """A POST that writes nothing. Raises as `get`."""
        return await self._ask("post", path, params, key="")

    async def delete(self, path: str, *, key: str, **params: Any) -> Raw:
        """As `post`."""
        return await self._ask("delete", path, params, key=key)

    async def pages(self, path: str, **params: Any) -> AsyncIterator[Sequence[Raw]]:
        """Every page of a list, in Stripe's order; each is one read."""
        after: dict[str, Any] = {}
        while True:
            page = await self.list(path, **{"limit": 100, **params, **after})
            yield page["data"]
            if not page.get("has_more") or not page["data"]:
                return
            if "id" not in page["data"][-1]:
                raise Unavailable
            after = {"starting_after": page["data"][-1]["id"]}

    async def close(self) -> None:
        await self._http.close_async()

    async def _ask(self, method: str, path: str, params: Mapping[str, Any], *, key: str) -> Raw:
        options = {"idempotency_key": key} if key else {}
        if self._pace:
            await self._pace.wait()
        try:
            answer = await self._sdk.raw_request_async(method, path, **params, **options)
        except stripe.StripeError as error:
            if self._pace and error.http_status == 429:
                await self._pace.slow_down()
            raise _translated(error, is_write=bool(key)) from None  # its traceback may hold the key
        try:
            found: Raw = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise _unheard(is_write=bool(key)) from error
        return found


def _translated(error: stripe.StripeError, *, is_write: bool) -> Exception:
    status, code = error.http_status or 0, error.code or ""
    if isinstance(error, _Unsent) or status == 429:
        return Unavailable()
    if status in (401, 403):
        _log.warning("Stripe refused the key", extra={"status": status, "code": code})
        return KeyRefused(status)
    if status == 404 or code == "resource_missing":
        return NotFound()
    # 409: the same request is on its way, from an earlier click or another process.
    return _refused(error, code) if status and status < 500 and status != 409 else _unheard(is_write=is_write)


def _refused(error: stripe.StripeError, code: str) -> Refused:
    if isinstance(error, stripe.IdempotencyError):  # it comes without a code
        return Refused("key_reused")
    detail = error.error.decline_code if error.error is not None and hasattr(error.error, "decline_code") else ""
    return Refused(*reason_of(code, detail or ""))


def _unheard(*, is_write: bool) -> Exception:
    """Something may have been done, and we do not know."""
    return Uncertain() if is_write else Unavailable()
