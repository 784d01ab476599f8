"""Which mails a customer gets, and in which language the pages are.

| URL | does |
|---|---|
| `GET, POST /my/mails` | the reminders, each with its switch; the form holds all of them, so twice is the same as once |
| `POST /my/language` | remembers the language of the pages in this browser; the form is on the page above |
| `GET /mails/{kind}/{token}` | the link of a reminder: a page with a button; scanners of mails follow links, so it changes nothing |
| `POST /mails/{kind}/{token}` | stops this kind; sent by that button, and by mail providers when somebody clicks "unsubscribe" there |
| `POST /mails/{kind}/{token}/again` | takes that back; sent by our own page alone |

The third POST is the one that `web.guard.Guard` takes from anywhere: it looks at its URL and at nothing else, neither at
a cookie nor at the body, and it is answered alike whether the token is one of ours or not. RFC 8058 forbids it to
redirect.
"""

from __future__ import annotations

from litestar import Response, get, post

from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.features.mails import views
from server.mail import reminder_choices, stopping
from server.portal import Portal
from server.store import Transaction
from server.web import languages
from server.web.responding import AnyRequest, go, go_in_place, show
from server.web.visit import Visit, fresh_key

Answer = Response[str] | Response[bytes]


@get("/my/mails")
async def mails(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer)
    return it.show(_view(it, await _off(it), done=request.query_params.get("done", "")))


@post("/my/mails", status_code=200)
async def choose_mails(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = await Visit.posting(request, portal, customer)
    offered = portal.brand.config.mail.stoppable
    wanted = {kind: it.form.get(kind) == "on" for kind in offered}
    if not it.key:
        return it.show(_view(it, {kind for kind in offered if not wanted[kind]}, again="out_of_date"), status=422)

    def work(transaction: Transaction) -> None:
        for kind in offered:
            reminder_choices.choose(
                transaction, portal.name, customer.customer_id, kind,
                wanted=wanted[kind], now=it.now, browser=customer.browser,
            )  # fmt: skip

    await portal.store.write(work)
    return go_in_place(portal.paths.mails_saved)


@post("/my/language", status_code=200)
async def choose_language(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = await Visit.posting(request, portal, customer)
    wanted = it.form.get("language")
    if not it.key or wanted not in portal.brand.config.site.locales:
        return it.show(_view(it, await _off(it), again="out_of_date"), status=422)
    # All around the fragment speaks the language too, so the whole page is loaded.
    response = go(request, portal.paths.language_saved)
    languages.remember_own(response, portal, wanted)
    return response


@get("/mails/{kind:str}/{token:str}")
async def before_stopping(request: AnyRequest, portal: Portal, kind: str, token: str) -> Answer:
    _is_offered(portal, kind)
    return show(request, portal, views.Stop(kind, token))


@post("/mails/{kind:str}/{token:str}", status_code=200)
async def stop(request: AnyRequest, portal: Portal, kind: str, token: str) -> Answer:
    await _choose(portal, kind, token, wanted=False)
    return show(request, portal, views.Stop(kind, token, "stopped"))


@post("/mails/{kind:str}/{token:str}/again", status_code=200)
async def send_again(request: AnyRequest, portal: Portal, kind: str, token: str) -> Answer:
    await _choose(portal, kind, token, wanted=True)
    return show(request, portal, views.Stop(kind, token, "again"))


async def _choose(portal: Portal, kind: str, token: str, *, wanted: bool) -> None:
    _is_offered(portal, kind)
    customer_id, now = stopping.customer_of(portal, kind, token), portal.clock()
    if customer_id:
        await portal.store.write(
            lambda transaction: reminder_choices.choose(
                transaction, portal.name, customer_id, kind, wanted=wanted, now=now, browser=""
            )
        )


def _is_offered(portal: Portal, kind: str) -> None:
    if not portal.brand.config.mail.may_stop(kind):
        raise NotFound


async def _off(it: Visit) -> set[str]:
    return set(await reminder_choices.switched_off(it.portal.store, it.portal.name, it.customer.customer_id))


def _view(it: Visit, off: set[str], *, done: str = "", again: str = "") -> views.Choices:
    portal, own = it.portal, it.account.customer
    locale = languages.locale_for(it.request, portal, it.account)
    offered = portal.renderer.languages(lambda _: portal.paths.mails, locale)
    return views.choices(
        own.id, own.email, portal.brand.config.mail, off, key=fresh_key(), languages=offered, done=done, again=again
    )


handlers = (mails, choose_mails, choose_language)
for_anybody = (before_stopping, stop, send_again)
