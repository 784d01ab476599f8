"""In which language a page is: the customer's own, else the one that was chosen on the way in, else the browser's.

The way in says which it is in: its form carries it (``language``), and so do links to its pages in another. What was
chosen is kept in a cookie, for the pages that follow and the next visit.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from server.access.sessions import cookie, token_of
from server.billing import Account
from server.features.login.views import Again, Ask, Code
from server.portal import Portal
from server.rendering.renderer import Language, View

REMEMBERED = timedelta(days=365)
"""How long a language that was chosen is remembered."""

AnyRequest = Request[Any, Any, Any]


def locale_for(request: AnyRequest, portal: Portal, account: Account | None = None) -> str:
    """The customer's preferred language, else the one that was chosen on the way in, else the browser's."""
    offered = portal.brand.config.site.locales
    if len(offered) == 1:
        return offered[0]
    wanted = account.customer.preferred_locales if account else ()
    asked = chosen(request, portal)
    # Not by `request.headers`, which Litestar makes for each request anew: 20 µs of a page's 400.
    accepted = next((value for name, value in request.scope["headers"] if name == b"accept-language"), b"")
    return choose_locale(offered, (*wanted, asked) if asked else wanted, accepted[:500].decode("latin-1"))


def chosen(request: AnyRequest, portal: Portal) -> str:
    """The language that this form or link is in, or that the last one was; only one that the brand speaks, or empty."""
    given = (
        getattr(request.state, "language", ""),
        request.query_params.get("language", ""),
        token_of(request, portal, "language"),
    )
    return next((each for each in given if each in portal.brand.config.site.locales), "")


def remember(response: Response[Any], portal: Portal, locale: str) -> None:
    """Pages before log-in are in this language from now on, whatever the browser prefers."""
    if len(portal.brand.config.site.locales) > 1:
        response.cookies.append(cookie(portal, "language", locale, max_age=int(REMEMBERED.total_seconds())))


def offered(request: AnyRequest, portal: Portal, view: View, locale: str) -> tuple[Language, ...]:
    """This page of log-in in the brand's languages; none where it answers a form, whose words a link would lose."""
    if isinstance(view, Ask | Again):
        page, asked = portal.paths.login, {"next": view.next, "prefilled_email": view.email}
    elif isinstance(view, Code):
        page, asked = portal.paths.login_code, {"next": view.next}
    else:
        return ()
    kept = {name: value for name, value in asked.items() if value}
    if request.method != "GET":
        return ()
    return portal.renderer.languages(lambda tag: f"{page}?{urlencode({**kept, 'language': tag})}", locale)


@lru_cache(maxsize=1024)
def choose_locale(offered: tuple[str, ...], wanted: tuple[str, ...], accept_language: str = "") -> str:
    """One of `offered`: the first of `wanted` that fits (the customer's preference), else the browser's, else the first."""
    ranked = [(tag, 1.0) for tag in wanted] + _accepted(accept_language)
    for tag, _ in ranked:
        for candidate in (tag.lower(), tag.lower().split("-")[0]):
            for each in offered:
                if candidate in (each.lower(), each.lower().split("-")[0]):
                    return each
    return offered[0]


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        tag, _, rest = part.strip().partition(";")
        quality = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weight = float(quality[1]) if quality else (0.0 if rest else 1.0)
        if weight > 0 and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", tag):
            found.append((tag, weight))
    return sorted(found, key=lambda each: -each[1])
