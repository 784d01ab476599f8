"""The billing details page. Asking shows; nothing is changed here yet."""

from __future__ import annotations

from litestar import Response, get

from server.billing import NotFound
from server.details import views
from server.portal import Portal
from server.responding import AnyRequest, show
from server.sessions import LoggedIn


@get("/my/details")
async def details(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    if not portal.brand.portal.features.customer_update.enabled:
        raise NotFound
    return show(request, portal, views.details(customer.account), account=customer.account, address=customer.address)


handlers = (details,)
