"""How a view becomes an answer: the only file that knows the HX headers.

One URL, one fragment, two wrappings: htmx gets the fragment, everybody else the same fragment inside its layout.

    what happened                         how it travels            what the customer sees
    something odd was typed               a value                   the same form, 422, their words kept
    a rule says no                        a value                   the reason and a way forward
    the billing side says no              billing.Refused           our sentence for it, 409
    it is away, nothing was sent          billing.Unavailable       "Nothing was changed", 503
    asked and heard nothing               billing.Uncertain         "We do not know yet", 503, a safe repeat
    not theirs, or not there              billing.NotFound          404, the same bytes for both
    nobody is logged in                   sessions.NoSession        a page goes to log in; a fragment opens log-in in place
    too often                             limits.TooMany            429 with when to try again
    the database is away                  store.StoreUnavailable    503, Retry-After
    we were wrong                         anything else             500, a reference number, one full log line
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType

from server.billing import Account
from server.portal import Portal
from server.rendering import Frame, View, choose_locale, template_of

AnyRequest = Request[Any, Any, Any]


def wants_fragment(request: AnyRequest) -> bool:
    """Whether htmx asks: a navigation is never answered with a bare fragment, whatever headers it brings."""
    return request.headers.get("hx-request") == "true" and request.headers.get("sec-fetch-dest", "empty") == "empty"


def locale_for(request: AnyRequest, portal: Portal, account: Account | None = None) -> str:
    offered = portal.brand.portal.site.locales
    if len(offered) == 1:
        return offered[0]
    wanted = account.customer.preferred_locales if account else ()
    return choose_locale(offered, wanted, request.headers.get("accept-language", ""))


def show(
    request: AnyRequest,
    portal: Portal,
    view: View,
    *,
    account: Account | None = None,
    address: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response[str]:
    """The view as a fragment or inside its layout, as the browser needs it."""
    locale = locale_for(request, portal, account)
    if wants_fragment(request):
        body = portal.renderer.fragment(view, locale)
        # portal.js swaps nothing without it: a proxy's error page or a captive portal is not ours.
        headers = {**(headers or {}), "X-Portal-Fragment": "1"}
    else:
        name = account.customer.name if account else ""
        feature = template_of(type(view)).split("/")[1]
        body = portal.renderer.page(view, Frame(address=address, customer_name=name, here=feature), locale)
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=headers)


def go(request: AnyRequest, path: str) -> Response[None]:
    """Send the browser to one of our own pages as a whole page: `path` comes from `Paths`, never from a visitor."""
    if wants_fragment(request):
        return Response(None, status_code=200, headers={"HX-Redirect": path})
    return Response(None, status_code=303, headers={"Location": path})


def go_in_place(path: str) -> Response[None]:
    """Show another fragment where this one was asked for: `fetch` follows, and htmx swaps what comes."""
    return Response(None, status_code=303, headers={"Location": path})
