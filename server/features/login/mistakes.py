"""A form of log-in with a mistake leads to the page that says it, so that Back and reload send no form again and spend no try.

    the URL names     the mistake, by a word of a closed set; which challenge; until when to wait, in minutes
    a cookie keeps    for a minute what was typed in place of an address: it may be anything, and stays out of URLs

In place, and with the words of another form along, which must not travel in a URL either, the form is the answer itself.
"""

from __future__ import annotations

import math
import re
from urllib.parse import quote, unquote, urlencode

import msgspec

from server.access.passcodes import Challenge
from server.features.login import challenges, nextpage
from server.features.login.pages import show
from server.features.login.views import Ask, Code
from server.portal import Portal
from server.web import cookies, languages
from server.web.forms import Form
from server.web.responding import AnyRequest, go_in_place, wants_fragment
from server.web.visit import Answer

_NO_ADDRESS = ("empty", "not_an_address")
_REASONS = ("lapsed", "needs_key")
_OF_CODE = ("empty", "no_code", "wrong", "too_soon")
_TYPED_SECONDS = 60


def ask_again(request: AnyRequest, portal: Portal, view: Ask, *, challenge: str = "") -> Answer:
    """The form for an address was sent, and something is wrong. `challenge`: the mark of the one whose address is shown."""
    if view.kept or wants_fragment(request):
        return ask_answer(request, portal, view)
    is_address = not challenge and view.mistake not in _NO_ADDRESS
    response = _lead(
        request,
        portal,
        portal.paths.login,
        mistake=view.mistake or view.reason,
        challenge=challenge,
        minutes=str(view.minutes or ""),
        next=view.next,
        prefilled_email=view.email if is_address else "",
    )
    if view.mistake in _NO_ADDRESS:
        cookies.put(response, portal, "typed", quote(view.email, safe="")[:200], max_age=_TYPED_SECONDS)
    return response


def in_query(request: AnyRequest, portal: Portal, view: Ask) -> Ask:
    """The form with the mistake that the URL names."""
    mistake, minutes = request.query_params.get("mistake", ""), request.query_params.get("minutes", "")
    if mistake in _NO_ADDRESS:
        typed = unquote(cookies.token_of(request, portal, "typed"), errors="ignore")
        return msgspec.structs.replace(view, mistake=mistake, email=typed)
    if mistake == "wrong_key":
        return msgspec.structs.replace(view, mistake=mistake, reason="has_key")
    if mistake in _REASONS:
        minute = int(minutes) if re.fullmatch(r"[1-9][0-9]{0,3}", minutes) else 1
        return msgspec.structs.replace(view, reason=mistake, minutes=minute)
    return view


def ask_answer(request: AnyRequest, portal: Portal, view: Ask) -> Answer:
    if view.reason == "needs_key":
        return show(request, portal, view, status=429, headers={"Retry-After": str(view.minutes * 60)})
    return show(request, portal, view, status=422 if view.mistake or view.reason == "lapsed" else 200)


def lapsed(request: AnyRequest, portal: Portal, challenge: Challenge | None, form: Form, token: str) -> Answer:
    """The challenge is over or unknown: another code is needed."""
    view = Ask(
        link=portal.link,
        email=challenge.address if challenge else "",
        reason="lapsed",
        next=nextpage.known(form.get("next")),
        kept=form.kept(),
    )
    return ask_again(request, portal, view, challenge=challenges.mark_of(token))


def code_again(request: AnyRequest, portal: Portal, view: Code, form: Form) -> Answer:
    """The form for the code was sent, and something is wrong, as `view` says."""
    letters = view.letters or any(each.isalpha() for each in form.get("code"))
    if view.kept or wants_fragment(request):
        return code_answer(request, portal, msgspec.structs.replace(view, letters=letters))
    path, known = portal.paths.login_code, {"challenge": view.challenge, "mistake": view.mistake, "next": view.next}
    return _lead(request, portal, path, letters="1" if letters else "", **known)


def code_in_query(request: AnyRequest, portal: Portal, view: Code) -> Code:
    """The form with the mistake that the URL names."""
    mistake, letters = request.query_params.get("mistake", ""), "letters" in request.query_params
    is_over = mistake == "too_soon" and view.may_resend_at <= portal.clock()
    mistake = mistake if mistake in _OF_CODE and not is_over else ""
    return msgspec.structs.replace(view, mistake=mistake, letters=view.letters or letters)


def code_answer(request: AnyRequest, portal: Portal, view: Code) -> Answer:
    if view.mistake != "too_soon":
        return show(request, portal, view, status=422 if view.mistake else 200)
    seconds = math.ceil((view.may_resend_at - portal.clock()).total_seconds())
    return show(request, portal, view, status=429, headers={"Retry-After": str(max(seconds, 1))})


def _lead(request: AnyRequest, portal: Portal, path: str, **query: str) -> Answer:
    response: Answer = go_in_place(f"{path}?{urlencode({name: value for name, value in query.items() if value})}")
    if language := languages.chosen(request, portal):
        languages.remember(response, portal, language)
    return response
