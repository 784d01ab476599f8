"""`GET /my/history`: what was done in the account."""

from __future__ import annotations

from litestar import get

from server.access.sessions import LoggedIn
from server.features.history import views
from server.portal import Portal
from server.web.responding import AnyRequest
from server.web.visit import Answer, Visit


@get("/my/history")
async def history(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer)
    return it.show(views.history(it.account, await portal.billing.history(customer.customer_id)))


handlers = (history,)
