"""The mails that wait or failed, and a mail to oneself.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /mails/outbox` | `customers` | what waits, what failed and why |
| `POST /mails/outbox` | `customers` | sends one again, once; one that waits for an hour, within a minute |
| `GET /mails/test` | `edit` | chooses a mail |
| `POST /mails/test` | `edit` | sends it to the operator who asks, five an hour |

A test mail goes to the address of the operator's session. The form has no address, and one that is in it is not looked at.
"""

from __future__ import annotations

from litestar import get, post
from litestar.exceptions import ClientException

from server.brands import ThemeError
from server.brands.locales import own_name
from server.mail import outbox
from server.mail.kinds import MAILS
from server.merchant.studio import history, notices, previews
from server.merchant.studio.outbox import views
from server.merchant.studio.place import NAME, Studio, start_of
from server.merchant.studio.previews import Previews, State
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.store import Transaction
from server.web.responding import AnyRequest, go

_KINDS = tuple(sorted(MAILS))
_LAST = 5


@get("/b/{brand_name:str}/mails/outbox", right="customers")
async def unsent(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    found = await outbox.unsent(studio.store, operator.brand)
    waiting, failed = (tuple(each for each in found if each.state == state) for state in ("waiting", "expired"))
    done = request.query_params.get("done", "")
    return show(request, views.Outbox(waiting, failed, done if done in {"again", "nothing"} else ""))


@post("/b/{brand_name:str}/mails/outbox", status_code=200, right="customers")
async def again(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form, now = await posted(request), studio.clock()

    def work(transaction: Transaction) -> str:
        kind = outbox.again(transaction, operator.brand, form.get("mail"), now)
        if kind:
            data = {"mail": form.get("mail"), "kind": kind}
            history.note(transaction, "mail_again", data, operator=operator.address, brand=operator.brand, now=now)
        return kind

    done = "again" if await studio.store.write(work) else "nothing"
    return go(request, f"{start_of(operator.brand)}/mails/outbox?done={done}")


@get("/b/{brand_name:str}/mails/test", right="edit")
async def choose(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    sent = await outbox.about(studio.store, NAME, operator.address, 4 * _LAST)
    records = tuple(each for each in sent if each.kind == notices.TEST_MAIL)[:_LAST]
    asked = request.query_params
    try:
        state = await _state(request, studio, operator)
    except ThemeError as error:
        return show(request, views.Test((), (), records, mistakes=tuple(map(str, error.mistakes))))
    languages = tuple((tag, own_name(tag)) for tag in state.brand.config.site.locales)
    return show(request, views.Test(_KINDS, languages, records, asked.get("kind", ""), "done" in asked))


@post("/b/{brand_name:str}/mails/test", status_code=200, right="edit")
async def send(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form, now = await posted(request), studio.clock()
    state = await _state(request, studio, operator)
    kind, tag = form.get("kind"), form.get("language")
    if kind not in _KINDS or tag not in state.brand.config.site.locales:
        raise ClientException
    words = previews.mail(state, kind, 0, tag)
    mail = notices.TestMail(state.brand.config.business.name, tag, words.subject, words.text, words.html)

    def work(transaction: Transaction) -> None:
        studio.limits.use_test_mail(transaction, NAME, operator.address, now)
        notices.test_mail(transaction, operator.address, mail, now)
        history.note(transaction, "test_mail", {"kind": kind}, operator=operator.address, brand=operator.brand, now=now)

    await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/mails/test?done=1&kind={kind}")


async def _state(request: AnyRequest, studio: Studio, operator: Operator) -> State:
    """The brand with the operator's draft: a test mail is what the preview shows."""
    made: Previews = request.app.state.previews
    return await made.state(studio, operator.address, operator.brand, "auto")


handlers = (unsent, again, choose, send)
