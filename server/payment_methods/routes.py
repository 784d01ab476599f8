"""The payment methods page. Asking shows; nothing is changed here yet."""

from __future__ import annotations

from litestar import Response, get

from server.billing import NotFound
from server.payment_methods import views
from server.portal import Portal
from server.responding import AnyRequest, show
from server.sessions import LoggedIn


@get("/my/payment-methods")
async def payment_methods(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    if not portal.brand.portal.features.payment_method_update.enabled:
        raise NotFound
    view = views.listing(customer.account, portal.clock())
    return show(request, portal, view, account=customer.account, address=customer.address)


handlers = (payment_methods,)
