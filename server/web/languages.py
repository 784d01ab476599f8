"""In which language a page is: the first of these that the brand speaks.

1. the one that was chosen while logged in, in this browser;
2. the one that the business' server asked for when it made the session;
3. the customer's preferred one;
4. the one that was chosen on the way in;
5. the browser's.

The way in says which it is in: its form carries it (``language``), and so do links to its pages in another. What was
chosen is kept in a cookie, for the pages that follow and the next visit. The two choices have a cookie each: every log-in
says a language, also where nobody chose one, and that is no reason to pass over what the customer prefers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Request, Response

from server.access.sessions import LoggedIn
from server.billing import Account
from server.formats.languages import choose_locale
from server.portal import Portal
from server.web.cookies import put, token_of

REMEMBERED = timedelta(days=365)
"""How long a language that was chosen is remembered."""

AnyRequest = Request[Any, Any, Any]


def locale_for(request: AnyRequest, portal: Portal, account: Account | None = None) -> str:
    """The first language in the order above; the first three only with `account`, which is of who is logged in."""
    offered = portal.brand.config.site.locales
    if len(offered) == 1:
        return offered[0]
    wanted = account.customer.preferred_locales if account else ()
    # Litestar makes `request.state` and `request.headers` again each time they are read.
    state = request.scope.get("state", {})
    customer: LoggedIn | None = state.get("customer")
    if customer and customer.portal_session and customer.portal_session.terms.locale not in ("", "auto"):
        wanted = (customer.portal_session.terms.locale, *wanted)
    if account and (own := token_of(request, portal, "own_language")) in offered:
        wanted = (own, *wanted)
    asked = chosen(request, portal)
    accepted = next((value for name, value in request.scope["headers"] if name == b"accept-language"), b"")
    return choose_locale(offered, (*wanted, asked) if asked else wanted, accepted[:500].decode("latin-1"))


def chosen(request: AnyRequest, portal: Portal) -> str:
    """The language that this form or link is in, or that the last one was; only one that the brand speaks, or empty."""
    offered = portal.brand.config.site.locales
    for given in (request.scope.get("state", {}).get("language", ""), request.query_params.get("language", "")):
        if given in offered:
            return str(given)
    kept = token_of(request, portal, "language")
    return kept if kept in offered else ""


def remember(response: Response[Any], portal: Portal, locale: str) -> None:
    """Pages before log-in are in this language from now on, whatever the browser prefers."""
    if len(portal.brand.config.site.locales) > 1:
        put(response, portal, "language", locale, max_age=int(REMEMBERED.total_seconds()))


def remember_own(response: Response[Any], portal: Portal, locale: str) -> None:
    """Pages before and after log-in are in this language from now on, whatever the customer or the browser prefers."""
    remember(response, portal, locale)
    put(response, portal, "own_language", locale, max_age=int(REMEMBERED.total_seconds()))
