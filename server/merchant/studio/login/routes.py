"""Logging in to the studio and out of it, by a passcode to the operator's address.

| URL | does |
|---|---|
| `GET /_studio/login` | the e-mail form |
| `POST /_studio/login` | a challenge and its mail, then the code form; the same for every address |
| `GET /_studio/login/code` | the code form |
| `POST /_studio/login/code` | tries the code; a right one of an operator begins a session |
| `POST /_studio/login/resend` | another code |
| `POST /_studio/logout` | ends this browser's session |

No answer before a right code depends on whether the address is an operator's. Codes, their limits and the request key of a
mail are those of customers (`access.passcodes`), with a purpose of their own: a code for one is none for the other.
"""

from __future__ import annotations

import math
from datetime import datetime
from urllib.parse import urlencode

from litestar import Response, get, post

from server.access import known_browsers, passcodes
from server.access.limits import NeedsKey
from server.access.passcodes import Asking, Challenge
from server.access.request_keys import is_key
from server.formats.email import EmailMistake, canonical
from server.merchant.studio import sessions
from server.merchant.studio.login import codes, views
from server.merchant.studio.place import Studio
from server.merchant.studio.visit import LOGIN, Answer, known_next, show
from server.web import cookies
from server.web.client_address import browser_of, client_of
from server.web.forms import Form, read_form
from server.web.responding import AnyRequest, go
from server.web.studio_guard import BASE

CODE = f"{LOGIN}/code"


@get("/login", right="anyone")
async def ask_page(request: AnyRequest) -> Answer:
    return show(request, views.Ask(next=known_next(request.query_params.get("next", ""))))


@post("/login", status_code=200, right="anyone")
async def ask(request: AnyRequest, studio: Studio) -> Answer:
    form, now = await read_form(request), studio.clock()
    address, page = canonical(form.get("email")), known_next(form.get("next"))
    if isinstance(address, EmailMistake):
        return show(request, views.Ask(form.get("email")[:254], address.value, next=page), status=422)
    key = form.get("request_key").strip()
    if key and not is_key(studio.settings, address, key, now):
        return show(request, views.Ask(address, "wrong_key", "needs_key", next=page), status=422)
    challenge = await _challenge(request, studio, now)
    if (
        not key
        and challenge
        and challenge.is_live
        and challenge.address == address
        and not _may_resend(studio, challenge)
    ):
        return go(request, _to_code(page))
    return await _send(request, studio, address, form, now)


@get("/login/code", right="anyone")
async def code_page(request: AnyRequest, studio: Studio) -> Answer:
    challenge, page = (
        await _challenge(request, studio, studio.clock()),
        known_next(request.query_params.get("next", "")),
    )
    if challenge is None:
        return go(request, LOGIN)
    if not challenge.is_live:
        return show(request, views.Ask(challenge.address, reason="lapsed", next=page))
    return _code(request, studio, challenge, page, letters="letters" in request.query_params)


@post("/login/code", status_code=200, right="anyone")
async def enter_code(request: AnyRequest, studio: Studio) -> Answer:
    form, now = await read_form(request), studio.clock()
    challenge, page = await _challenge(request, studio, now), known_next(form.get("next"))
    if challenge is None or not challenge.is_live:
        address = challenge.address if challenge else ""
        return show(request, views.Ask(address, reason="lapsed", next=page), status=422)
    code = passcodes.normalized(form.get("code"))
    if not code:
        mistake = "no_code" if form.get("code").strip() else "empty"
        return _code(request, studio, challenge, page, mistake=mistake, status=422)
    trying = codes.Trying(
        challenge=_token(request, studio, "studio-challenge"),
        code=code,
        session=_token(request, studio, "studio"),
        mark=_token(request, studio, "studio-browser"),
        client=client_of(request, studio.settings),
        browser=browser_of(request),
    )
    entered = await studio.store.write(lambda transaction: codes.enter(transaction, studio, trying, now))
    if isinstance(entered, codes.Entered):
        return _logged_in(request, studio, entered, page)
    if not entered.tries_left:
        return show(request, views.Ask(challenge.address, reason="lapsed", next=page), status=422)
    return _code(request, studio, challenge, page, mistake="wrong", tries_left=entered.tries_left, status=422)


@post("/login/resend", status_code=200, right="anyone")
async def resend(request: AnyRequest, studio: Studio) -> Answer:
    form, now = await read_form(request), studio.clock()
    challenge, page = await _challenge(request, studio, now), known_next(form.get("next"))
    if challenge is None:
        return go(request, LOGIN)
    if challenge.is_live and not _may_resend(studio, challenge):
        return _code(request, studio, challenge, page, mistake="too_soon", status=429)
    return await _send(request, studio, challenge.address, form, now)


@post("/logout", status_code=200, right="anyone")
async def logout(request: AnyRequest, studio: Studio) -> Answer:
    await sessions.end(studio, _token(request, studio, "studio"))
    response = go(request, LOGIN)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    cookies.put_studio(response, "studio", "", secure=studio.is_secure, max_age=0)
    return response


async def _send(request: AnyRequest, studio: Studio, address: str, form: Form, now: datetime) -> Answer:
    """A new challenge, and on to the code form; or the form that asks for the request key."""
    asking = Asking(
        address=address,
        client=client_of(request, studio.settings),
        browser=browser_of(request),
        shown=_token(request, studio, "studio-challenge"),
        mark=_token(request, studio, "studio-browser"),
        key=form.get("request_key"),
        purpose=codes.PURPOSE,
    )
    page, limits = known_next(form.get("next")), studio.limits
    try:
        asked = await studio.store.write(lambda transaction: passcodes.ask(transaction, studio, limits, asking, now))
    except NeedsKey as error:
        seconds = max(1, math.ceil((error.retry_at - now).total_seconds()))
        view = views.Ask(address, reason="needs_key", minutes=math.ceil(seconds / 60), next=page)
        return show(request, view, status=429, headers={"Retry-After": str(seconds)})
    response = go(request, _to_code(page))
    lives = studio.settings.code_minutes * 60
    cookies.put_studio(response, "studio-challenge", asked.token, secure=studio.is_secure, max_age=lives)
    return response


def _logged_in(request: AnyRequest, studio: Studio, entered: codes.Entered, page: str) -> Response[bytes]:
    response = go(request, page or BASE)
    cookies.put_studio(response, "studio", entered.token, secure=studio.is_secure)
    cookies.put_studio(response, "studio-challenge", "", secure=studio.is_secure, max_age=0)
    kept = int(known_browsers.KEPT.total_seconds())
    cookies.put_studio(response, "studio-browser", entered.mark, secure=studio.is_secure, max_age=kept)
    return response


def _code(
    request: AnyRequest, studio: Studio, challenge: Challenge, page: str, *, letters: bool = False, mistake: str = "",
    tries_left: int = 0, status: int = 200,
) -> Answer:  # fmt: skip
    view = views.Code(
        challenge.address,
        studio.limits.may_resend_at(challenge.sent_at),
        letters=letters or challenge.letters,
        mistake=mistake,
        tries_left=tries_left,
        next=page,
    )
    return show(request, view, status=status)


async def _challenge(request: AnyRequest, studio: Studio, now: datetime) -> Challenge | None:
    token = _token(request, studio, "studio-challenge")
    return passcodes.find(await studio.store.read(*passcodes.finding(studio, token)), now) if token else None


def _may_resend(studio: Studio, challenge: Challenge) -> bool:
    return studio.clock() >= studio.limits.may_resend_at(challenge.sent_at)


def _to_code(page: str) -> str:
    return f"{CODE}?{urlencode({'next': page})}" if page else CODE


def _token(request: AnyRequest, studio: Studio, name: str) -> str:
    return cookies.token_named(request, cookies.studio_name(name, secure=studio.is_secure))


handlers = (ask_page, ask, code_page, enter_code, resend, logout)
