"""Declarations that anybody made without logging in, as cases to decide.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /cases` | `customers` | those that wait, by their deadline, and those that are decided |
| `GET /cases/<id>` | `customers` | one: what was declared and when, who has the address, what became of it |
| `POST /cases/<id>` | `customers` | answers it, by mail to the address that was typed; once |
| `GET /cases/<id>/pdf` | `customers` | the case as a document, with the fingerprint of what was declared |
"""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from server.access import declarations, directory
from server.access.declarations import Case
from server.brands import ThemeError
from server.features.doors import routes as doors
from server.mail import outbox
from server.merchant.studio import history, saving
from server.merchant.studio.cases.views import Cases, OneCase
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.store import Transaction, posting
from server.web.responding import AnyRequest, go, save

LONGEST = 4000
"""Characters of an answer."""
_MAILS = 5


@get("/b/{brand_name:str}/cases", right="customers")
async def cases(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    waiting, decided = await declarations.of_brand(studio.store, operator.brand)
    try:
        opened = (await saving.brand_of(studio.themes, operator.brand)).config.doors
    except ThemeError:
        return show(request, Cases(tuple(waiting), tuple(decided)))
    return show(request, Cases(tuple(waiting), tuple(decided), opened.cancel or opened.withdraw))


@get("/b/{brand_name:str}/cases/{case_id:str}", right="customers")
async def case(request: AnyRequest, studio: Studio, operator: Operator, case_id: str) -> Answer:
    found, done = await _case(studio, operator, case_id), request.query_params.get("done", "")
    return show(request, await _view(studio, found, done=done if done in ("answered", "late") else ""))


@post("/b/{brand_name:str}/cases/{case_id:str}", status_code=200, right="customers")
async def answer(request: AnyRequest, studio: Studio, operator: Operator, case_id: str) -> Answer:
    found, now = await _case(studio, operator, case_id), studio.clock()
    words = (await posted(request)).get("words").replace("\r\n", "\n").strip()
    mistake = "empty" if not words else "long" if len(words) > LONGEST else ""
    if mistake:
        return show(request, await _view(studio, found, mistake=mistake, answer=words), status=422)

    def work(transaction: Transaction) -> bool:
        if not declarations.answer(
            transaction, operator.brand, case_id, operator=operator.address, words=words, now=now
        ):
            return False
        posting.enqueue(
            transaction, brand=operator.brand, customer_id="", kind="declaration_answer",
            data=declarations.told(found, words), now=now, expires_at=now + doors.CONFIRMED_WITHIN,
        )  # fmt: skip
        said = {"case": case_id}
        history.note(transaction, "case_answered", said, operator=operator.address, brand=operator.brand, now=now)
        return True

    done = "answered" if await studio.store.write(work) else "late"
    return go(request, f"{start_of(operator.brand)}/cases/{case_id}?done={done}")


@get("/b/{brand_name:str}/cases/{case_id:str}/pdf", right="customers")
async def pdf(request: AnyRequest, studio: Studio, operator: Operator, case_id: str) -> Response[Any]:
    found, portal = await _case(studio, operator, case_id), studio.portals().get(operator.brand)
    if portal is None or studio.printer is None:
        raise NotFoundException
    body = partial(doors.printed, studio.printer, portal, found)
    return await save(request, body, f"{found.id.replace('_', '-')}.pdf", "application/pdf")


async def _case(studio: Studio, operator: Operator, case_id: str) -> Case:
    """Of the operator's brand. Raises `NotFoundException`, also for another brand's."""
    found = await declarations.find(studio.store, operator.brand, case_id)
    if found is None:
        raise NotFoundException
    return found


async def _view(studio: Studio, found: Case, *, mistake: str = "", answer: str = "", done: str = "") -> OneCase:
    brand, address = found.declaration.brand, found.said.email
    customers = await directory.explain(studio.store, brand, address)
    mails = await outbox.about(studio.store, brand, address, _MAILS)
    return OneCase(found, tuple(customers), tuple(mails), found.is_whole, mistake, answer, done)


handlers = (cases, case, answer, pdf)
