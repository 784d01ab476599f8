"""The overview: what a customer sees first."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from litestar import Response, get
from msgspec.structs import replace

from server.access.sessions import LoggedIn
from server.billing import Unavailable
from server.features.home import views
from server.portal import Portal
from server.web.languages import locale_for
from server.web.responding import AnyRequest, go, show, wants_fragment
from server.web.visit import fresh_key

_AGAIN = timedelta(seconds=10)
"""Sooner than this after the last time, a copy is not read anew, however often somebody asks."""


@get("/my/overview")
async def overview(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str] | Response[bytes]:
    # The static page around it cannot know the customer's language: it says its own, and gives way to the right one.
    query = request.query_params
    shell = query.get("shell")
    if shell is not None and wants_fragment(request):
        locale = locale_for(request, portal, customer.account)
        if shell != locale:
            return go(request, portal.speaking(locale).paths.account)
    features, key, now = customer.features(portal), fresh_key(), portal.clock()
    if query.get("fresh") and customer.account.as_of < now - _AGAIN:
        with suppress(Unavailable):
            account = await portal.billing.refetch(customer.customer_id, now)
            customer = replace(customer, account=account)
    # The ledger is the billing itself: what it holds is as of now, however long ago it was written.
    as_of = now if portal.is_the_billing else None
    others, address = customer.has_others, customer.address
    view = views.overview(
        customer.account, features, now, address=address, key=key, as_of=as_of, has_other_accounts=others
    )
    return show(request, portal, view, account=customer.account, address=address)


handlers = (overview,)
