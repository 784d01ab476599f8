"""`/my/leave/<token>`: out to a page of the billing side's, without a word to it of where the customer was."""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar import get

from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.features.leaving import views
from server.portal import Portal
from server.web import leaving
from server.web.responding import AnyRequest, show
from server.web.visit import Answer


@get("/my/leave/{token:str}")
async def leave(request: AnyRequest, portal: Portal, customer: LoggedIn, token: str) -> Answer:
    way = leaving.opened(portal, customer.customer_id, token, portal.clock())
    if way is None:
        raise NotFound
    view = views.Leave(way.url, urlsplit(way.url).hostname or "", way.back)
    headers = {"Refresh": f"0; url={way.url}", "Referrer-Policy": "no-referrer"} if way.url else {}
    status, account = 200 if way.url else 410, customer.account
    return show(request, portal, view, account=account, address=customer.address, status=status, headers=headers)


handlers = (leave,)
