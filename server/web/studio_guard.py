"""`StudioGuard` is around the studio, which is an application of its own at a host of its own (`AtHost`): no brand's
address leads there, and no page of a brand is shown there.

| step | refuses |
|---|---|
| one `Host`, the studio's | 400; `AtHost` lets nothing else in |
| no zero byte | 404 |
| GET, HEAD or POST | 405 |
| a POST comes from our own pages: `Sec-Fetch-Site: same-origin` and `Origin` exactly the studio's, both | 403 |
| a script of another site does not read, but for what is below `PREVIEW`: a sandboxed frame counts as another site | 403 |
| an operator who has not spent a second's requests, see `merchant.studio.computing` | 429 |
| a path below `/_studio/`, as our links write it | 404: the studio's page of it; for a picture, a line |

Stricter than the portal's `Guard`, which also takes browsers that send no `Sec-Fetch-Site`. Every answer leaves with the
security headers; a page may run the studio's scripts, all else may do nothing. What is below `PREVIEW` may bring a policy
of its own and be framed as that says, and what is below `STATIC` may be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast
from urllib.parse import urlsplit

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from server.web import policy
from server.web.client_address import Headers
from server.web.guard import (
    FRAGMENT,
    NO_FORM,
    NO_HOST,
    NO_READER,
    SAFE,
    Ours,
    Refusal,
    all_of,
    answer,
    is_exact,
    is_ours_to_send,
    reads_from_elsewhere,
    refusing,
)

BASE = "/_studio/"
PREVIEW = f"{BASE}preview/"
"""What is shown in the frames of a preview. The token in its path is its right: no cookie is looked at."""
STATIC = f"{BASE}static/"
_NOWHERE = f"{BASE}nowhere"
"""A path that no route has: what is asked for elsewhere is answered as what is not there."""
_AT_THE_DOOR = frozenset({"/", BASE.rstrip("/")})
_NOT_THERE: Refusal = (404, "There is nothing at such an address.", ())
_TOO_OFTEN: Refusal = (429, "Nothing was changed. Try again in a second.", ((b"retry-after", b"1"),))
_CSP, _CORP, _FRAMES = b"content-security-policy", b"cross-origin-resource-policy", b"x-frame-options"
_REFERRER = b"referrer-policy"
_KEPT = (b"cache-control", b"cdn-cache-control", b"vary")


class AtHost:
    """What comes to this host and port goes to `studio`, and everything else to `app`."""

    def __init__(self, app: ASGIApp, studio: ASGIApp, host: str) -> None:
        self._app, self._studio, self._host = app, studio, host.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_studio = scope["type"] == ScopeType.HTTP and self._host in map(
            bytes.lower, all_of(scope["headers"], b"host")
        )
        await (self._studio if is_studio else self._app)(scope, receive, send)


class StudioGuard:
    """The studio behind these checks. `is_spent`: whether who asks has asked too often."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        origin: str,
        scripts: tuple[str, ...],
        style: str,
        is_spent: Callable[[HTTPScope], bool],
    ) -> None:
        secure = origin.startswith("https://")
        self._app, self._origin, self._is_spent = app, origin.encode(), is_spent
        self._host = urlsplit(origin).netloc.encode()
        self._page, self._other = (
            Ours(policy.studio(scripts, style, secure=secure)),
            Ours(policy.bare(secure=secure)),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP  # noqa: S101 (AtHost sends nothing else)
        refused, answered = self._refused(scope), partial(self._answered, scope["path"])
        if scope["path"] in _AT_THE_DOOR and not refused:
            refused = 303, "", ((b"location", BASE.encode()),)
        elif not refused and not _is_below(scope):
            refused = _NOT_THERE if all_of(scope["headers"], b"sec-fetch-dest") == [b"image"] else None
            scope = cast("HTTPScope", {**scope, "path": _NOWHERE, "raw_path": _NOWHERE.encode()})
        await answer(refusing(refused) if refused else self._app, scope, receive, send, answered=answered)

    def _refused(self, scope: HTTPScope) -> Refusal | None:
        headers = scope["headers"]
        if [each.lower() for each in all_of(headers, b"host")] != [self._host]:
            return NO_HOST
        path = scope["path"]
        if "\0" in path or b"%00" in scope["query_string"]:
            return _NOT_THERE
        if scope["method"] in SAFE:
            if reads_from_elsewhere(headers) and not path.startswith(PREVIEW):
                return NO_READER
        elif scope["method"] != HttpMethod.POST:
            return 405, "Nothing here is asked for in that way.", ()
        elif all_of(headers, b"sec-fetch-site") != [b"same-origin"] or all_of(headers, b"origin") != [self._origin]:
            return NO_FORM
        return _TOO_OFTEN if self._is_spent(scope) else None

    def _answered(self, path: str, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers of the answer with ours in place of any of the same name."""
        kept = [(key.lower(), value) for key, value in headers]
        values = dict(kept)
        is_page = values.get(b"content-type", b"").startswith(b"text/html") and FRAGMENT not in values
        own: tuple[bytes, ...] = ()
        if path.startswith(PREVIEW) and _CSP in values:
            own = (_CSP, _CORP, _FRAMES, _REFERRER)
        elif path.startswith(STATIC) and b"cache-control" in values:
            own = _KEPT
        ours = self._page if is_page else self._other
        answered = [each for each in kept if (each[0] in own or each[0] not in ours.names) and is_ours_to_send(*each)]
        return answered + [
            each for each in ours.headers if each[0] not in own or (each[0] == _CORP and _CORP not in values)
        ]


def _is_below(scope: HTTPScope) -> bool:
    path = scope["path"]
    return path == BASE or (path.startswith(BASE) and _is_exact(scope))


def _is_exact(scope: HTTPScope) -> bool:
    """As `is_exact`; pages of a preview may end with a slash, as those of a brand do."""
    if not scope["path"].startswith(PREVIEW):
        return is_exact(scope)
    return is_exact(cast("HTTPScope", {**scope, "raw_path": scope["raw_path"].removesuffix(b"/")}))
