"""An operator's own passkeys: made, shown, taken away.

| URL | does |
|---|---|
| `GET /_studio/passkey` | the passkeys, and the form for another one |
| `POST /_studio/passkey/options` | what the browser is to ask an authenticator for, as JSON: `kind` is `register` or `verify` |
| `POST /_studio/passkey` | keeps a new one; the first with a word, a further one with a passkey shown a moment ago |
| `POST /_studio/passkey/verify` | takes what an authenticator signed; the session goes on under a new token |
| `POST /_studio/passkey/remove` | takes one away, with a passkey shown a moment ago |

`site/static/studio/passkey.js` asks for the options and the authenticator. WebAuthn has no other way than a script.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, get, post

from server.access.limits import TooMany
from server.merchant.studio import history, notices, passkeys, sessions
from server.merchant.studio.passkey import views
from server.merchant.studio.passkeys import REGISTER, VERIFY, NotAsked, Passkey, Wrong
from server.merchant.studio.place import Studio
from server.merchant.studio.visit import Answer, NobodyLoggedIn, Operator, posted, show
from server.store import Transaction
from server.web import cookies
from server.web.client_address import browser_of
from server.web.forms import read_form
from server.web.responding import AnyRequest, go
from server.web.studio_guard import BASE

PAGE = f"{BASE}passkey"


@get("/passkey", right="operator")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    done = request.query_params.get("done", "")
    return await _page(request, studio, operator, done=done if done in ("added", "removed") else "")


@post("/passkey/options", status_code=200, right="operator")
async def options(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    form, now, session = await read_form(request), studio.clock(), operator.session
    kind, known = form.get("kind"), await passkeys.of(studio.store, operator.address)
    if kind == VERIFY and not known:
        return _problem("You have no passkey yet. Register one on the page “Your passkeys” first.")
    if (
        kind == REGISTER
        and not known
        and not await passkeys.is_word(studio.store, operator.address, form.get("word"), now)
    ):
        return _problem("This is not the word, or it is older than a week. “operators add” prints a new one.")
    if kind not in (VERIFY, REGISTER):
        return _problem("Nothing was asked for.")
    if kind == REGISTER and known and not session.is_fresh(now):
        return Response({"verify": True})  # the script does so first; the transaction that keeps the new one asks again

    def work(transaction: Transaction) -> bytes:
        studio.limits.use_client(transaction, studio.name, "try", f"passkey {operator.address}", now)
        return passkeys.begin(transaction, session, kind, now)

    try:
        challenge = await studio.store.write(work)
    except TooMany:
        return _problem("That was too often. Try again in ten minutes.")
    if kind == VERIFY:
        text = passkeys.options_to_verify(studio, known, challenge)
    else:
        text = passkeys.options_to_register(studio, session, known, challenge)
    return Response(text.encode(), media_type="application/json")


@post("/passkey", status_code=200, right="operator")
async def register(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form, now, session = await read_form(request), studio.clock(), operator.session
    try:
        challenge = await studio.store.write(lambda transaction: passkeys.take(transaction, session, REGISTER, now))
        made = passkeys.registered(studio, session, form.get("credential"), challenge, form.get("name"))
    except (Wrong, NotAsked) as error:
        await _refused(studio, operator, error, now)
        return await _page(request, studio, operator, mistake="refused", status=422)
    word, browser = form.get("word"), browser_of(request)

    def work(transaction: Transaction) -> str | None:
        """The new token of the session; None: neither the word nor a passkey."""
        if not passkeys.of_in(transaction, operator.address):
            if not passkeys.use_word(transaction, operator.address, word, now):
                return None
        else:
            sessions.require_passkey(transaction, studio, session, now)
        if not passkeys.add(transaction, made):
            return None
        history.note(transaction, "passkey_added", {"name": made.name}, operator=operator.address, now=now)
        notices.passkey_added(transaction, operator.address, made.name, browser, now)
        return sessions.verified(transaction, studio, session, now)

    token = await studio.store.write(work)
    if token is None:
        return await _page(request, studio, operator, mistake="word", status=422)
    return _renewed(studio, go(request, f"{PAGE}?done=added"), token)


@post("/passkey/verify", status_code=200, right="operator")
async def verify(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    form, now = await read_form(request), studio.clock()
    try:
        token = await _recognize(studio, operator, form.get("credential"), now)
    except (Wrong, NotAsked) as error:
        await _refused(studio, operator, error, now)
        return _problem("The passkey was not accepted. Try again.")
    return _renewed(studio, Response({"ok": True}), token)


async def _recognize(studio: Studio, operator: Operator, credential: str, now: datetime) -> str:
    """The new token of the session. Raises `Wrong` and `NotAsked`."""
    session, store = operator.session, studio.store
    challenge = await store.write(lambda transaction: passkeys.take(transaction, session, VERIFY, now))
    shown, counted = passkeys.recognized(studio, await passkeys.of(store, operator.address), credential, challenge)

    def work(transaction: Transaction) -> str:
        if not passkeys.used(transaction, shown, counted, now):
            raise Wrong("it was shown at the same time elsewhere, or taken away")
        return sessions.verified(transaction, studio, session, now)

    return await store.write(work)


@post("/passkey/remove", status_code=200, right="operator")
async def remove(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form, now = await posted(request), studio.clock()

    def work(transaction: Transaction) -> bool:
        sessions.require_passkey(transaction, studio, operator.session, now)
        known = passkeys.of_in(transaction, operator.address)
        found = next((each for each in known if each.key == form.get("key")), None)
        if found is None or len(known) == 1:
            return False
        passkeys.remove(transaction, found)
        history.note(transaction, "passkey_removed", {"name": found.name}, operator=operator.address, now=now)
        return True

    if not await studio.store.write(work):
        return await _page(request, studio, operator, mistake="last", status=422)
    return go(request, f"{PAGE}?done=removed")


async def _page(
    request: AnyRequest, studio: Studio, operator: Operator, *, mistake: str = "", done: str = "", status: int = 200
) -> Answer:
    found = await passkeys.of(studio.store, operator.address)
    return show(request, views.Passkeys(tuple(map(_known, found)), mistake, done), status=status)


def _known(it: Passkey) -> views.Known:
    return views.Known(it.key, it.name, it.created_at, it.used_at)


async def _refused(studio: Studio, operator: Operator, error: Exception, now: datetime) -> None:
    """What was refused may be an attack, such as a passkey that was copied: the history has it. What was not asked for is
    not told there: nothing would limit how often."""
    if isinstance(error, Wrong):
        why, whose = {"why": str(error)[:300]}, operator.address
        await studio.store.write(
            lambda transaction: history.note(transaction, "passkey_refused", why, operator=whose, now=now)
        )


def _renewed(studio: Studio, response: Response[Any], token: str) -> Response[Any]:
    if not token:
        raise NobodyLoggedIn
    cookies.put_studio(response, "studio", token, secure=studio.is_secure)
    return response


def _problem(words: str) -> Response[Any]:
    """For the script, which shows the words beside the button."""
    return Response({"problem": words}, status_code=422)


handlers = (page, options, register, verify, remove)
