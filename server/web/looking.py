"""The portal as a customer sees it, for the merchant's studio: who is looked at stands where else the session says who is
logged in.

`app.looking` has a few GET routes for it, and nobody reaches them from outside: the studio asks them inside the process and
puts the customer's id into the state of the request. No session is made, and no form is taken.
"""

from __future__ import annotations

from server.access import directory
from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.portal import Portal
from server.web.responding import AnyRequest

CUSTOMER = "looked_at"
"""The key of the customer's id in the state of the request."""


async def looked_at(request: AnyRequest, portal: Portal) -> LoggedIn:
    """The dependency `customer` of these routes. The account is as it was written last: bringing it up to date would write.
    Raises `NotFound` where the server has nothing of it yet."""
    customer_id, now = str(request.scope["state"][CUSTOMER]), portal.clock()
    account = await directory.account_of(portal.store, portal.name, customer_id)
    if account is None:
        raise NotFound
    found = LoggedIn(customer_id, account.customer.email, "link", b"", now, "", account, 0)
    request.state.customer = found
    return found
