"""Where a customer is logged in, and how to end it.

| URL | does |
|---|---|
| `GET /my/sessions` | every session that is open, the log-in before this one |
| `POST /my/sessions/{name}/end` | ends one; one that is gone is gone |
| `POST /my/sessions/end-others` | ends all but this one |
| `POST /my/logout-everywhere` | ends this one too |

Each form carries the customer, so that a tab of another account ends nothing here. Twice is the same as once.
"""

from __future__ import annotations

from litestar import Response, get, post

from server.access import other_sessions
from server.access.sessions import LoggedIn
from server.features.login import session_views
from server.features.login.routes import logged_out
from server.portal import Portal
from server.web.cookies import token_of
from server.web.responding import AnyRequest, go_in_place, show
from server.web.visit import Visit

Answer = Response[str] | Response[bytes]


@get("/my/sessions")
async def sessions(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    opened = await other_sessions.opened(portal, customer, portal.clock())
    view = session_views.sessions(
        customer.customer_id,
        opened,
        await other_sessions.before(portal, customer),
        portal.settings,
        done=request.query_params.get("done", ""),
    )
    return show(request, portal, view, account=customer.account, address=customer.address)


@post("/my/sessions/{session_id:str}/end", status_code=200)
async def end_session(request: AnyRequest, portal: Portal, customer: LoggedIn, session_id: str) -> Answer:
    await Visit.posting(request, portal, customer)
    ended = await other_sessions.end_one(portal, customer, session_id, portal.clock())
    if ended and session_id == other_sessions.name_of(portal, customer.customer_id, customer.id_hash):
        return logged_out(request, portal, customer)
    return go_in_place(portal.paths.sessions_after("ended" if ended else "gone"))


@post("/my/sessions/end-others", status_code=200)
async def end_other_sessions(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    await Visit.posting(request, portal, customer)
    mark = token_of(request, portal, "browser")
    ended = await other_sessions.end_others(portal, customer, portal.clock(), mark=mark)
    return go_in_place(portal.paths.sessions_after("others" if ended else "no_others"))


@post("/my/logout-everywhere", status_code=200)
async def logout_everywhere(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    # Its button has no words, and a request without a form wants the same.
    if request.headers.get("content-type"):
        await Visit.posting(request, portal, customer)
    await other_sessions.end_all(portal, customer, portal.clock())
    return logged_out(request, portal, customer)


handlers = (sessions, end_session, end_other_sessions, logout_everywhere)
