"""Opening the URL of a portal session, and the end of a flow.

| URL | does |
|---|---|
| `GET /p/session/{token}` | opens the portal, once: the session begins in this browser, and the page is the flow's first one or the overview |
| `GET /my/flow/{flow}` | leads whoever logged in by a link with `?flow=` to that page: of their one subscription, or to the overview |
| `GET /my/flow/done` | what comes after the flow: a confirmation, the business' own page, or the whole portal |

Opening is a GET, since the business' server redirects a browser here. So only a navigation opens it, and what merely looks ahead does
not: a HEAD, a prefetch, a script, a picture. Nor does a frame, in which nothing of ours is shown.
"""

from __future__ import annotations

from litestar import Response, get

from server.access import portal_sessions
from server.access.entry import admit
from server.access.portal_sessions import Flow
from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.billing.model.account import ENDED
from server.features.portal_sessions import views
from server.portal import Portal
from server.web import cookies, flow_pages, responding
from server.web.client_address import browser_of
from server.web.guard import asks_head
from server.web.responding import AnyRequest, go_in_place
from server.web.visit import Answer


@get("/p/session/{token:str}")
async def open_session(request: AnyRequest, portal: Portal, token: str) -> Answer:
    now, browser = portal.clock(), browser_of(request)
    session = cookies.token_of(request, portal)
    admitted = None
    if _is_navigation(request):
        admitted = await portal.store.write(
            lambda transaction: admit(transaction, portal, token=token, session=session, browser=browser, now=now)
        )
    if admitted is None:
        found = await portal_sessions.behind(portal, token)
        again = found.id if found and portal_sessions.recovers(found, now) else ""
        view = views.LinkUsed(can_log_in=bool(portal.link), session=again)
        return responding.show(request, portal, view, status=410)
    response = go_in_place(flow_pages.first_page(portal.paths, admitted.terms.flow))
    cookies.put(response, portal, "session", admitted.token)
    return response


@get("/my/flow/{flow:str}")
async def go_to_flow(portal: Portal, customer: LoggedIn, flow: str) -> Answer:
    paths, running = portal.paths, [each for each in customer.account.subscriptions if each.status not in ENDED]
    if flow in ("payment_method_update", "customer_update"):
        return go_in_place(flow_pages.first_page(paths, Flow(flow)))
    if flow in ("subscription_cancel", "subscription_pause", "subscription_update") and len(running) == 1:
        return go_in_place(flow_pages.first_page(paths, Flow(flow, running[0].id)))
    return go_in_place(paths.overview)


@get("/my/flow/done")
async def flow_done(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = customer.portal_session
    flow = it.terms.flow if it else None
    if it is None or flow is None or not it.flow_done:
        raise NotFound
    if flow.after == "portal_homepage":
        return go_in_place(portal.paths.overview)
    features, now = customer.features(portal), portal.clock()
    view = views.done(flow, customer.account, features, now, return_url=it.return_url)
    answer: Response[str] = responding.show(request, portal, view, account=customer.account, address=customer.address)
    if view.is_leaving:
        answer.headers["Refresh"] = f"0; url={view.return_url}"
    return answer


def _is_navigation(request: AnyRequest) -> bool:
    headers = request.headers
    looks_ahead = "prefetch" in headers.get("sec-purpose", "") + headers.get("purpose", "")
    is_page = headers.get("sec-fetch-mode", "navigate") == "navigate"
    in_a_window = headers.get("sec-fetch-dest", "document") == "document"
    return not asks_head(request.scope) and not looks_ahead and is_page and in_a_window


handlers = (flow_done, go_to_flow)
for_anybody = (open_session,)
