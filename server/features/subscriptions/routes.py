"""The subscriptions: looking at them. What changes one is beside this file, in `cancel_routes` and its like.

A change goes: read the form, ask the rule, ask the billing side, show the card as it is now. The rule is asked
again by the billing side, inside its transaction; what it refuses or leaves open is an exception, see `responding`.
"""

from __future__ import annotations

from litestar import get

from server.access.sessions import LoggedIn
from server.features.subscriptions import cancel_routes, change_routes, pause_routes, views
from server.features.subscriptions.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.web.responding import AnyRequest


@get("/my/subscriptions")
async def subscriptions(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer)
    return it.show(views.listing(it.account, it.features, it.now, key=fresh_key()))


@get("/my/subscriptions/{subscription_id:str}")
async def subscription(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    found = it.find(subscription_id)
    activities = await portal.billing.history(customer.customer_id)
    return it.show(views.card(found, it.account, it.features, it.now, key=fresh_key(), activities=activities))


handlers = (
    subscriptions,
    subscription,
    *cancel_routes.handlers,
    *change_routes.handlers,
    *pause_routes.handlers,
)
