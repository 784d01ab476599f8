"""The API for a merchant's back end, at the root of a host: what Stripe's official SDKs call, with another host and key.

| URL | does |
|---|---|
| `/v1/…` | every endpoint of `endpoints.ENDPOINTS`; anything else is Stripe's "Unrecognized request URL" |

The key says which brand and whether live or test data; cookies are not looked at. A request goes: key, limit, endpoint,
permission, parameters, then what the endpoint does. Every answer has a `Request-Id`; a log line says who asked for what.
"""

from __future__ import annotations

import base64
import binascii
import logging
import math
import secrets
from typing import Any

import msgspec
from litestar import HttpMethod, Response, route
from litestar.exceptions import HTTPException

from server import telemetry
from server.access import api_keys
from server.access.api_keys import ApiKey
from server.access.limits import TooMany
from server.access.sealing import Sealer
from server.billing import BillingError, Refused, Uncertain
from server.features.api import endpoints, forms, replays
from server.features.api.call import Call, Change, Endpoint
from server.features.api.errors import ApiError
from server.portal import Portal
from server.store import StoreUnavailable, StoreUncertain, Transaction
from server.store.telling import VERSION
from server.web.forms import body_of
from server.web.responding import RETRY_AFTER, AnyRequest

_METHODS = [HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE]
"""Every one that SDKs use, to tell them in their words what there is not."""
_log = logging.getLogger(__name__)


class Answered(msgspec.Struct, frozen=True):
    body: bytes
    replayed: str = ""
    """The id of the request that was answered so first."""


@route("/v1/{path:path}", http_method=_METHODS)
async def api(request: AnyRequest) -> Response[bytes]:
    request_id = f"req_{secrets.token_hex(8)}"
    try:
        answered = await _answer(request, request_id)
    except Exception as error:  # noqa: BLE001 (each becomes Stripe's error object; an unexpected one is logged)
        return _refused(_error_of(request, error, request_id), request_id)
    headers = {"Original-Request": answered.replayed, "Idempotent-Replayed": "true"} if answered.replayed else {}
    return _json(answered.body, 200, request_id, headers)


def _error_of(request: AnyRequest, error: Exception, request_id: str) -> ApiError:
    """What happened, in Stripe's words."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TooMany):
        telemetry.refused(_log, "limit_reached", "a key of the API asks too often", request=request_id)
        now = next(iter(request.app.state.portals.values())).clock()
        wait = max(1, math.ceil((error.retry_at - now).total_seconds()))
        words = "Too many requests with this key. Try again after the seconds of Retry-After."
        return ApiError(words, status=429, code="rate_limit", retry_after=wait)
    if isinstance(error, Refused):
        return ApiError(f"The billing side refused this: {error.reason}.", code=error.reason)
    if isinstance(error, StoreUnavailable | BillingError):
        if isinstance(error, StoreUnavailable):
            telemetry.refused(_log, error.kind, "the database is away", why=str(error))
        words = "We could not reach what keeps this. Nothing was changed; try again."
        if isinstance(error, StoreUncertain | Uncertain):
            words = "No answer came from what keeps this: it was done or not. Ask again with the same Idempotency-Key."
        return ApiError(words, status=503, kind="api_error", retry_after=int(RETRY_AFTER))
    if isinstance(error, HTTPException) and error.status_code < 500:
        return ApiError("Invalid request: it cannot be read.", status=error.status_code)
    _log.error("an unexpected error", extra={"reference": request_id}, exc_info=error)
    words = f"Something went wrong on our side. Its number is {request_id}."
    return ApiError(words, status=500, kind="api_error")


async def _answer(request: AnyRequest, request_id: str) -> Answered:
    shown = _shown(request)
    portal, key = await _opened(request, shown)
    now = portal.clock()

    def count(transaction: Transaction) -> None:
        request.app.state.limits.use_key(transaction, portal.name, key.id, now)
        api_keys.used(transaction, portal.settings, shown, key, now)

    await portal.store.write(count)
    method, path = request.method, request.scope["path"]
    _log.info("api", extra={"key": key.id, "brand": key.brand, "request": request_id, "asked": f"{method} {path}"})
    endpoint, id_ = endpoints.find(method, path)
    _check_permission(endpoint.permission, key)
    _check_account(request)
    form = await _form(request) if method == "POST" else request.scope["query_string"]
    call = _call(endpoint, portal, key, forms.tree(form), id_)
    name = request.headers.get("idempotency-key", "") if method == "POST" else ""
    if not name:
        return Answered(await _plainly(endpoint, call))
    it, sealer = replays.named(key.id, name, (method, path, form), request_id, now), Sealer(portal.settings.secrets)
    done = await replays.before(portal.store, sealer, it) or await _once(endpoint, call, sealer, it)
    return Answered(done.body, done.request_id) if isinstance(done, replays.Replay) else Answered(done)


async def _form(request: AnyRequest) -> bytes:
    """The body, within the time and the size that any form of ours has. Raises `ApiError`, and Litestar's 408 and 413."""
    body = await body_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/x-www-form-urlencoded":
        raise ApiError("Invalid request: send parameters as application/x-www-form-urlencoded.")
    return body


def _shown(request: AnyRequest) -> str:
    """The key of the request: `Bearer <key>`, or the name of Basic. Raises `ApiError`."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            shown = ""
    if scheme.lower() not in ("bearer", "basic") or not shown.strip():
        words = "You did not provide an API key. Send it as: Authorization: Bearer YOUR_SECRET_KEY."
        raise ApiError(words, status=401)
    return shown.strip()


async def _opened(request: AnyRequest, shown: str) -> tuple[Portal, ApiKey]:
    portals: dict[str, Portal] = request.app.state.portals
    first = next(iter(portals.values()))
    key = await api_keys.find(first.store, first.settings, shown)
    if key is None or key.brand not in portals:
        telemetry.refused(_log, "unknown_api_key", "a request showed a key that opens nothing")
        raise ApiError(f"Invalid API Key provided: {'*' * 8}{shown[-4:] if len(shown) > 12 else ''}", status=401)
    return portals[key.brand], key


def _check_permission(needed: str, key: ApiKey) -> None:
    if not key.may(needed):
        words = (
            f"The provided key '{key.hint}' does not have the required permissions for this endpoint. Having the "
            f"'{needed}' permission would allow this request to continue."
        )
        raise ApiError(words, status=403)


def _check_account(request: AnyRequest) -> None:
    """Who means another account must not get this one's."""
    for name in ("Stripe-Account", "Stripe-Context"):
        if name in request.headers:
            raise ApiError(f"A brand has one account, and the key is its own: leave out {name}.", status=403)


def _call(endpoint: Endpoint, portal: Portal, key: ApiKey, values: dict[str, Any], id_: str) -> Call:
    wanted = values.pop("expand", {})
    expand = tuple(wanted.values()) if isinstance(wanted, dict) else (wanted,)
    for each in expand:
        if not isinstance(each, str) or each not in endpoint.expands:
            words = f"This property cannot be expanded ({str(each)[:100]})."
            raise ApiError(words, code="parameter_invalid", param="expand")
        _check_permission(endpoint.expands[each], key)
    return Call(portal, key, portal.clock(), values, id_, expand)


async def _plainly(endpoint: Endpoint, call: Call) -> bytes:
    made = await endpoint.does(call)
    return msgspec.json.encode(await call.portal.store.write(made) if callable(made) else made)


async def _once(endpoint: Endpoint, call: Call, sealer: Sealer, it: replays.Named) -> bytes | replays.Replay:
    made = await endpoint.does(call)
    change: Change = made if callable(made) else lambda _: made
    return await call.portal.store.write(lambda transaction: replays.once(transaction, sealer, it, change))


def _refused(error: ApiError, request_id: str) -> Response[bytes]:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return _json(msgspec.json.encode({"error": error.error}), error.status, request_id, headers)


def _json(body: bytes, status: int, request_id: str, headers: dict[str, str]) -> Response[bytes]:
    own = {"Request-Id": request_id, "Stripe-Version": VERSION, **headers}
    return Response(body, status_code=status, media_type="application/json", headers=own)


for_back_ends = (api,)
