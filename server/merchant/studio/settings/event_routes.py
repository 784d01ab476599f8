"""What is told to servers of the merchant, and what became of it. Which servers those are, a page of controls sets:
`…/settings/endpoints`.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /settings/events` | `keys` | the endpoints, and the newest events |
| `POST /settings/events` | `keys` | `do`: `again` sends an event once more; `secrets` shows what signatures are verified with, after a passkey |
| `GET /settings/events/<id>` | `keys` | one event, as it is posted |
"""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.exceptions import ClientException, NotFoundException
from msgspec.structs import replace

from server.brands.event_keys import TYPES
from server.events import outbox
from server.events.posting import secret_of
from server.merchant.studio import history, saving, sessions
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.settings.event_views import Endpoint, Event, Events, Told
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.store import Row, Transaction, moment
from server.web.responding import AnyRequest, go

LISTED = 50


@get("/b/{brand_name:str}/settings/events", right="keys")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    done = request.query_params.get("done", "")
    return show(request, replace(await _view(studio, operator), done=done if done in ("again", "gone") else ""))


@post("/b/{brand_name:str}/settings/events", status_code=200, right="keys")
async def change(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await posted(request)
    verb = form.get("do")
    if verb == "again":
        done = "again" if await _again(studio, operator, form.get("event")) else "gone"
        return go(request, f"{start_of(operator.brand)}/settings/events?done={done}")
    if verb != "secrets":
        raise ClientException
    now = studio.clock()

    def note(transaction: Transaction) -> None:
        sessions.require_passkey(transaction, studio, operator.session, now)
        history.note(transaction, "event_secrets_shown", {}, operator=operator.address, brand=operator.brand, now=now)

    await studio.store.write(note)
    view = await _view(studio, operator)
    shown = tuple(
        replace(each, secrets=tuple(secret_of(studio.settings.secrets, operator.brand, each.url)))
        for each in view.endpoints
    )
    return show(request, replace(view, endpoints=shown, done="secrets"))


@get("/b/{brand_name:str}/settings/events/{event_id:str}", right="keys")
async def one(request: AnyRequest, studio: Studio, operator: Operator, event_id: str) -> Answer:
    rows = await outbox.one(studio.store, operator.brand, event_id)
    if not rows:
        raise NotFoundException
    told = tuple(_told((event_id, *row[:7]), next_at=row[7]) for row in rows)
    document = msgspec.json.format(bytes(rows[0][8]), indent=2).decode()
    return show(request, Event(event_id, told, document))


async def _again(studio: Studio, operator: Operator, event_id: str) -> bool:
    now = studio.clock()

    def work(transaction: Transaction) -> bool:
        if not outbox.again(transaction, operator.brand, event_id, now):
            return False
        said = {"event": event_id}
        history.note(transaction, "event_again", said, operator=operator.address, brand=operator.brand, now=now)
        return True

    return await studio.store.write(work)


async def _view(studio: Studio, operator: Operator) -> Events:
    """Raises `ThemeError`."""
    brand = await saving.brand_of(studio.themes, operator.brand)
    served = studio.portals().get(operator.brand)
    told_now = {each.url: each.types for each in served.brand.config.events.endpoints} if served else {}
    endpoints = tuple(
        Endpoint(each.url, () if each.types == TYPES else each.types, told_now.get(each.url) == each.types)
        for each in brand.config.events.endpoints
    )
    rows = await outbox.latest(studio.store, operator.brand, LISTED)
    return Events(endpoints, tuple(map(_told, rows)), brand.config.billing.backend == "ledger")


def _told(row: Row, *, next_at: int = 0) -> Told:
    id_, type_, customer, endpoint, state, attempts, detail, at = row
    later = moment(next_at) if next_at and state == "waiting" else None
    return Told(id_, type_, customer, endpoint, state, attempts, detail, moment(at), later)


handlers = (page, change, one)
