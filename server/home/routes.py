"""The overview: what a customer sees first."""

from __future__ import annotations

import secrets

from litestar import Response, get

from server.home import views
from server.portal import Portal
from server.responding import AnyRequest, show
from server.sessions import LoggedIn


@get("/my/overview")
async def overview(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    features, key = portal.brand.portal.features, secrets.token_urlsafe(16)
    view = views.overview(customer.account, features, portal.clock(), address=customer.address, key=key)
    return show(request, portal, view, account=customer.account, address=customer.address)


handlers = (overview,)
