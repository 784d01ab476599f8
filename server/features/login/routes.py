"""Logging in and out.

| URL | does |
|---|---|
| `GET /login` | the e-mail form as a page of the server: `prefilled_email` and `flow` without JavaScript, `request_key` of a mail's link, `next` |
| `POST /login` | a challenge and its mail, then the code form; the same for every address. Where strangers asked too often, `request_key` of the newest mail is asked for |
| `GET /login/code` | the code form, also after the mail app was in between; with `letters` for a code of letters; `challenge` says of which tab |
| `POST /login/code` | tries the code; a right one begins the session and leads to `next` |
| `POST /login/resend` | another code, for the address of the form's `challenge` |
| `POST /logout` | ends this browser's session |

No answer before a right code depends on whether the address is a customer's. A form with a mistake leads to a page that says
so, see `mistakes`. Who is logged in sees no form, unless it is for another address.
"""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta

import msgspec
from litestar import Response, get, post

from server import telemetry
from server.access import known_browsers, passcodes, sessions
from server.access.entry import Entered, enter
from server.access.limits import Limits, NeedsKey
from server.access.passcodes import Asking, Challenge
from server.access.request_keys import is_key, shown
from server.features.login import challenges, mistakes, nextpage, views
from server.features.login.pages import led_on, show
from server.formats.email import EmailMistake, canonical
from server.portal import Portal
from server.web import cookies, flow_pages, languages
from server.web.client_address import browser_of, client_of
from server.web.forms import Form, read_form
from server.web.responding import AnyRequest, go, go_in_place, lead_to, wants_fragment

_log = logging.getLogger(__name__)

Answer = Response[str] | Response[bytes]


@get("/login")
async def ask_page(request: AnyRequest, portal: Portal) -> Answer:
    link = _link(portal)
    if not link:
        return _link_not_active(request, portal)
    # Whoever wrote the link may have left a plus sign as it is, which a query reads as a blank.
    given = canonical(request.query_params.get("prefilled_email", "").strip().replace(" ", "+"))
    email = "" if isinstance(given, EmailMistake) else given
    if answer := await led_on(request, portal, email, _next_in_query(request)):
        return answer
    key = request.query_params.get("request_key")
    if not email and (key is not None or "challenge" in request.query_params):
        token = challenges.token_of(request, portal, request.query_params.get("challenge", ""))
        challenge = await challenges.find(portal, token, portal.clock())
        email = challenge.address if challenge else ""
    view = views.Ask(
        link=link,
        email=email,
        request_key=shown(key or ""),
        reason="" if key is None else "has_key",
        next=_next_in_query(request),
    )
    return mistakes.ask_answer(request, portal, mistakes.in_query(request, portal, view))


@post("/login", status_code=200)
async def ask(request: AnyRequest, portal: Portal) -> Answer:
    form = await read_form(request)
    request.state.language = form.get("language")
    link = form.get("link")
    if not link or link != _link(portal):
        return _link_not_active(request, portal)
    address = canonical(form.get("email"))
    if isinstance(address, EmailMistake):
        page, kept = nextpage.known(form.get("next")), form.kept()
        view = views.Ask(link=link, email=form.get("email")[:254], mistake=address.value, next=page, kept=kept)
        return mistakes.ask_again(request, portal, view)
    if answer := await led_on(request, portal, address, nextpage.known(form.get("next"))):
        return answer
    now, key = portal.clock(), form.get("request_key").strip()
    if key and not is_key(portal.settings, address, key, now):
        page, kept = nextpage.known(form.get("next")), form.kept()
        view = views.Ask(link=link, email=address, reason="has_key", mistake="wrong_key", next=page, kept=kept)
        return mistakes.ask_again(request, portal, view)
    token, challenge = await challenges.of_address(request, portal, address, now)
    if key or not (challenge and challenge.is_live and _is_fresh(request, challenge, now)):
        return await _send(request, portal, address, form, showed=token, now=now)
    return await _to_code(request, portal, token, form)


@get("/login/code")
async def code_page(request: AnyRequest, portal: Portal) -> Answer:
    token = challenges.token_of(request, portal, request.query_params.get("challenge", ""))
    page = _next_in_query(request)
    challenge = await challenges.find(portal, token, portal.clock())
    if answer := await led_on(request, portal, challenge.address if challenge else "", page):
        return answer
    if challenge is None:
        return go_in_place(portal.paths.login)
    if not challenge.is_live:
        return _lapsed(request, portal, challenge, Form({"next": page}), token)
    view = _code_view(request, challenge, token, Form({"next": page}))
    return mistakes.code_answer(request, portal, mistakes.code_in_query(request, portal, view))


@post("/login/code", status_code=200)
async def enter_code(request: AnyRequest, portal: Portal) -> Answer:
    form, now = await read_form(request), portal.clock()
    token = challenges.token_of(request, portal, form.get("challenge"))
    challenge = await challenges.find(portal, token, now)
    if challenge is None or not challenge.is_live:
        address, page = challenge.address if challenge else "", nextpage.known(form.get("next"))
        return await led_on(request, portal, address, page) or _lapsed(request, portal, challenge, form, token)
    if challenge.link != _link(portal):
        return _link_not_active(request, portal)
    code = passcodes.normalized(form.get("code"))
    if not code:
        mistake = "no_code" if form.get("code").strip() else "empty"
        return _mistake(request, portal, challenge, form, token=token, mistake=mistake)
    client, browser = client_of(request, portal.settings), browser_of(request)
    limits, session = _limits(request), cookies.token_of(request, portal)
    mark = cookies.token_of(request, portal, "browser")

    entered = await portal.store.write(
        lambda transaction: enter(
            transaction,
            portal,
            limits,
            challenge=token,
            code=code,
            session=session,
            mark=mark,
            client=client,
            browser=browser,
            now=now,
            recovered=nextpage.portal_session_in(form.get("next")),
        )
    )
    if isinstance(entered, Entered):
        telemetry.count("logins")
        return _logged_in(request, portal, form, entered, token)
    if not entered.tries_left:
        return _lapsed(request, portal, challenge, form, token)
    challenge = msgspec.structs.replace(challenge, tries_left=entered.tries_left)
    return _mistake(request, portal, challenge, form, token=token, mistake="wrong")


@post("/login/resend", status_code=200)
async def resend(request: AnyRequest, portal: Portal) -> Answer:
    form, now = await read_form(request), portal.clock()
    token = challenges.token_of(request, portal, form.get("challenge"))
    challenge = await challenges.find(portal, token, now)
    if challenge is None:
        return _lapsed(request, portal, None, form, token)
    if challenge.link != _link(portal):
        return _link_not_active(request, portal)
    if challenge.is_live and _is_fresh(request, challenge, now):
        return _mistake(request, portal, challenge, form, token=token, mistake="too_soon")
    return await _send(request, portal, challenge.address, form, showed=token, now=now)


@post("/logout", status_code=200)
async def logout(request: AnyRequest, portal: Portal) -> Answer:
    form = await read_form(request) if request.headers.get("content-type") else Form({})
    request.state.language = form.get("language")
    await sessions.end(portal, cookies.token_of(request, portal))
    return logged_out(request, portal)


def logged_out(request: AnyRequest, portal: Portal, customer: sessions.LoggedIn | None = None) -> Answer:
    """The answer that takes the session's cookie away, and stays in the language of the page before."""
    account = customer.account if customer else None
    language = languages.locale_for(request, portal, account) if account else languages.chosen(request, portal)
    response = go(request, portal.paths.login_in(language if len(portal.brand.config.site.locales) > 1 else ""))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    cookies.put(response, portal, "session", "", max_age=0)
    return response


async def _send(request: AnyRequest, portal: Portal, address: str, form: Form, *, showed: str, now: datetime) -> Answer:
    """A new challenge, and on to the code form; or the form that asks for the request key."""
    asking = Asking(
        address=address,
        client=client_of(request, portal.settings),
        browser=browser_of(request),
        shown=showed,
        mark=cookies.token_of(request, portal, "browser"),
        key=form.get("request_key"),
        language=languages.locale_for(request, portal),
    )
    limits = _limits(request)
    try:
        asked = await portal.store.write(lambda transaction: passcodes.ask(transaction, portal, limits, asking, now))
    except NeedsKey as error:
        return _needs_key(request, portal, asking, form, error.retry_at - now)
    if not asked.is_sent:
        telemetry.refused(_log, "limit_reached", "somebody asks too often", path=request.url.path)
    return await _to_code(request, portal, asked.token, form, gone=showed)


def _needs_key(request: AnyRequest, portal: Portal, asking: Asking, form: Form, wait: timedelta) -> Answer:
    """Strangers asked for too many codes: when it works again by itself, and a field for what the newest mail says."""
    telemetry.refused(_log, "limit_reached", "somebody asks too often", path=request.url.path)
    view = views.Ask(
        link=portal.link,
        email=asking.address,
        reason="needs_key",
        minutes=max(math.ceil(wait / timedelta(minutes=1)), 1),
        next=nextpage.known(form.get("next")),
        kept=form.kept(),
    )
    return mistakes.ask_again(request, portal, view)


async def _to_code(request: AnyRequest, portal: Portal, token: str, form: Form, *, gone: str = "") -> Answer:
    """To the code form, whose URL may be loaded again when the mail app was in between. `gone`: a challenge that died."""
    challenge = await challenges.find(portal, token, portal.clock()) if form.kept() else None
    if challenge:
        # Words must not travel in a URL, so the form is the answer itself.
        response: Answer = show(request, portal, _code_view(request, challenge, token, form))
    else:
        page = nextpage.known(form.get("next"))
        response = go_in_place(portal.paths.login_code_of(challenges.mark_of(token), page))
    challenges.keep(response, request, portal, token, gone=gone)
    if language := languages.chosen(request, portal):
        languages.remember(response, portal, language)
    return response


def _code_view(request: AnyRequest, challenge: Challenge, token: str, form: Form) -> views.Code:
    return views.Code(
        address=challenge.address,
        challenge=challenges.mark_of(token),
        sent_at=challenge.sent_at,
        may_resend_at=_limits(request).may_resend_at(challenge.sent_at),
        letters=challenge.letters,
        tries_left=challenge.tries_left,
        next=nextpage.known(form.get("next")),
        kept=form.kept(),
    )


def _mistake(
    request: AnyRequest, portal: Portal, challenge: Challenge, form: Form, *, token: str, mistake: str
) -> Answer:
    view = msgspec.structs.replace(_code_view(request, challenge, token, form), mistake=mistake)
    return mistakes.code_again(request, portal, view, form)


def _lapsed(request: AnyRequest, portal: Portal, challenge: Challenge | None, form: Form, token: str) -> Answer:
    if not _link(portal):
        return _link_not_active(request, portal)
    return mistakes.lapsed(request, portal, challenge, form, token)


def _logged_in(request: AnyRequest, portal: Portal, form: Form, entered: Entered, token: str) -> Answer:
    page = nextpage.known(form.get("next"))
    if entered.terms:
        path = flow_pages.first_page(portal.paths, entered.terms.flow)
    elif entered.has_choice and page in ("", "home", "overview"):
        page = "accounts" if nextpage.is_in_place(page) else ""  # in place where the overview would have been
        path = portal.paths.accounts
    else:
        path = nextpage.path_of(portal.paths, page)
    if form.kept() and nextpage.takes_form(page):
        # The browser posts the same body there, and the words in it are shown in their form again.
        response: Answer = lead_to(path, with_form=True)
    elif wants_fragment(request) and nextpage.is_in_place(page):
        response = go_in_place(path)
    else:
        response = go(request, path)
    cookies.put(response, portal, "session", entered.token)
    challenges.keep(response, request, portal, "", gone=token)
    kept = int(known_browsers.KEPT.total_seconds())
    cookies.put(response, portal, "browser", entered.mark, max_age=kept)
    return response


def _link(portal: Portal) -> str:
    """The token of the link that is active now, or empty."""
    return portal.link


def _link_not_active(request: AnyRequest, portal: Portal) -> Answer:
    return show(request, portal, views.LinkNotActive(), status=404)


def _is_fresh(request: AnyRequest, challenge: Challenge, now: datetime) -> bool:
    return now < _limits(request).may_resend_at(challenge.sent_at)


def _next_in_query(request: AnyRequest) -> str:
    if flow := request.query_params.get("flow", ""):
        return nextpage.known(f"flow:{flow}")
    return nextpage.known(request.query_params.get("next", ""))


def _limits(request: AnyRequest) -> Limits:
    limits: Limits = request.app.state.limits
    return limits


handlers = (ask_page, ask, code_page, enter_code, resend, logout)
