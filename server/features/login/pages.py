"""How a step of log-in is shown: in the language that was chosen, with a way to the others; and what is shown in
place of a page when nobody is logged in."""

from __future__ import annotations

from urllib.parse import urlencode

from server.access import sessions
from server.features.login import nextpage
from server.features.login.views import Again, Ask, Code, LinkNotActive
from server.portal import Portal
from server.rendering.views import Language, View
from server.web import cookies, languages, responding
from server.web.cookies import NoSession
from server.web.responding import AnyRequest, go, go_in_place, no_brand, portal_of, wants_fragment
from server.web.visit import Answer


def show(
    request: AnyRequest, portal: Portal, view: View, *, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    return responding.show(
        request, portal, view, status=status, headers=headers, offered=_offered(request, portal, view)
    )


def nobody_is_logged_in(request: AnyRequest, error: NoSession) -> Answer:
    """A page goes to log in; a fragment opens log-in in its place, and what was asked for is then done. The words of a form
    go along, its key does not."""
    portal = portal_of(request)
    if portal is None:
        return no_brand(request, 404)
    link = portal.link
    after = nextpage.of_request(portal.name, request.url.path)
    kept = error.form.to_keep() if error.form else {}
    view: View = LinkNotActive()
    if link and (error.address or error.form or wants_fragment(request)):
        view = Again(link=link, email=error.address, next=after, kept=kept)
    elif link:
        view = Ask(link=link, next=after)
    return show(request, portal, view, status=401)


async def led_on(request: AnyRequest, portal: Portal, address: str, page: str) -> Answer | None:
    """Where log-in leads, for who is logged in; None: nobody is, or somebody else than the address says, or what log-in would
    begin is another session than this one."""
    if nextpage.portal_session_in(page):
        return None
    found = await sessions.find(portal, cookies.token_of(request, portal), portal.clock())
    if not isinstance(found, sessions.LoggedIn) or address not in ("", found.address):
        return None
    path = nextpage.path_of(portal.paths, page)
    return go_in_place(path) if wants_fragment(request) and nextpage.is_in_place(page) else go(request, path)


def _offered(request: AnyRequest, portal: Portal, view: View) -> tuple[Language, ...]:
    """This page in the brand's languages; none where it answers a form or says a mistake: a link would lose
    what was typed."""
    if isinstance(view, Ask | Again):
        page, asked = portal.paths.login, {"next": view.next, "prefilled_email": view.email}
    elif isinstance(view, Code):
        page, asked = portal.paths.login_code, {"challenge": view.challenge, "next": view.next}
    else:
        return ()
    kept = {name: value for name, value in asked.items() if value}
    if request.method != "GET" or wants_fragment(request) or getattr(view, "mistake", "") != "":
        return ()
    locale = languages.locale_for(request, portal)
    return portal.renderer.languages(lambda tag: f"{page}?{urlencode({**kept, 'language': tag})}", locale)
