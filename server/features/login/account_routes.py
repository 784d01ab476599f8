"""Several customers with one address: which one to open. Where the brand has not switched it on, there are no such pages.

| URL | does |
|---|---|
| `GET /my/accounts` | every customer with the proved address who may log in |
| `POST /my/accounts/{id}/open` | the session goes on as that one, under a new token; the old one is dead |

Nobody comes here before the passcode, so no answer before it depends on how many there are.
"""

from __future__ import annotations

from litestar import Response, get, post

from server.access import directory, known_browsers, sessions
from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.features.login import account_views
from server.portal import Portal
from server.store import Transaction, activities
from server.web import cookies
from server.web.responding import AnyRequest, go, go_in_place, show
from server.web.visit import Visit

Answer = Response[str] | Response[bytes]


@get("/my/accounts")
async def accounts(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    _is_offered(portal, customer)
    found = await directory.openable(portal.store, portal.name, customer.address)
    view = account_views.accounts(customer.customer_id, customer.address, found)
    return show(request, portal, view, account=customer.account, address=customer.address)


@post("/my/accounts/{account_id:str}/open", status_code=200)
async def open_account(request: AnyRequest, portal: Portal, customer: LoggedIn, account_id: str) -> Answer:
    _is_offered(portal, customer)
    await Visit.posting(request, portal, customer)
    if account_id == customer.customer_id:
        return go(request, portal.paths.overview)
    now, mark = portal.clock(), cookies.token_of(request, portal, "browser")

    def work(transaction: Transaction) -> str:
        token = sessions.switch(transaction, portal, customer, account_id, now)
        if token:
            if mark:
                mark_now = known_browsers.mark(mark)
                known_browsers.note(transaction, portal, account_id, mark_now, address=customer.address, now=now)
            activities.note(transaction, portal.name, account_id, "account.switched", now=now, browser=customer.browser)
        return token

    token = await portal.store.write(work)
    if not token:
        # Another tab was faster, and the browser has the newer cookie; or it is no account of theirs.
        if isinstance(await sessions.find(portal, cookies.token_of(request, portal), now), str):
            return go_in_place(portal.paths.accounts)
        raise NotFound
    response = go(request, portal.paths.overview)
    cookies.put(response, portal, "session", token)
    return response


def _is_offered(portal: Portal, customer: LoggedIn) -> None:
    """Nor in a session that the business' server made: nobody proved the address there."""
    if not portal.account_choice or customer.portal_session:
        raise NotFound


handlers = (accounts, open_account)
