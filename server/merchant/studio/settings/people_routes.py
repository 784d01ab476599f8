"""Who may do what with a brand.

| URL | right | does |
|---|---|---|
| `GET …/settings/people` | `people` | everybody with a role for the brand, or for every brand |
| `POST …/settings/people` | `people` | gives a role, in place of one before; needs a passkey shown a moment ago |
| `POST …/settings/people/remove` | `people` | takes a role away; the same |

A role for every brand is given and taken by whoever has the right for every brand. Whose role changes must log in again.
"""

from __future__ import annotations

from litestar import get, post

from server.formats.email import EmailMistake, canonical
from server.merchant.studio import operators, sessions
from server.merchant.studio.operators import Change, LastOwner
from server.merchant.studio.place import Studio
from server.merchant.studio.rights import RIGHTS
from server.merchant.studio.settings import views
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.store import Transaction
from server.web.forms import Form
from server.web.responding import AnyRequest


@get("/b/{brand_name:str}/settings/people", right="people")
async def people(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    return await _page(request, studio, operator)


@post("/b/{brand_name:str}/settings/people", status_code=200, right="people")
async def give(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await posted(request)
    address, role = canonical(form.get("address")), form.get("role")
    if isinstance(address, EmailMistake) or role not in RIGHTS:
        mistake = "address" if isinstance(address, EmailMistake) else "role"
        where = "everywhere" if form.get("where") == "everywhere" else "here"
        said = {"mistake": mistake, "address": form.get("address")[:254], "role": role, "where": where}
        return await _page(request, studio, operator, status=422, **said)
    return await _change(request, studio, operator, _wanted(operator, form, address, role))


@post("/b/{brand_name:str}/settings/people/remove", status_code=200, right="people")
async def remove(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await posted(request)
    return await _change(request, studio, operator, _wanted(operator, form, form.get("address"), ""))


def _wanted(operator: Operator, form: Form, address: str, role: str) -> Change:
    brand = "" if form.get("where") == "everywhere" else operator.brand
    return Change(address=address, brand=brand, role=role, by=operator.address)


async def _change(request: AnyRequest, studio: Studio, operator: Operator, it: Change) -> Answer:
    now = studio.clock()

    def work(transaction: Transaction) -> tuple[bool, str]:
        sessions.require_passkey(transaction, studio, operator.session, now)
        done = operators.change_in(transaction, it, now)
        return done, operators.word_for(transaction, it.address, now, by=operator.address) if it.role else ""

    try:
        done, word = await studio.store.write(work)
    except LastOwner:
        return await _page(request, studio, operator, status=422, mistake="last")
    said = ("given" if it.role else "removed") if done else "same"
    return await _page(request, studio, operator, done=said, word=word, address=it.address, role=it.role)


async def _page(request: AnyRequest, studio: Studio, operator: Operator, *, status: int = 200, **said: str) -> Answer:
    everywhere = "people" in operator.everywhere
    found = await operators.of_brand(studio.store, operator.brand)
    rows = tuple(
        views.Person(
            each.address,
            each.role,
            not each.brand,
            each.added_at,
            has_passkey,
            may_change=everywhere or bool(each.brand),
        )
        for each, has_passkey in found
    )
    return show(request, views.People(rows, tuple(RIGHTS), everywhere, **said), status=status)


handlers = (people, give, remove)
