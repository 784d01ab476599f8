"""The forms of the brand's files, the change that they make, and taking one back.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /portal` | `look` | every feature, and whether it is on |
| `GET` and `POST /portal/<page>`, `/look[/…]`, `/business[/…]`, `/mails` | `look`, `edit` | a page of controls; what is posted is kept as a draft |
| `GET` and `POST /settings/endpoints` | `keys` | the same |
| `GET` and `POST /change` | `look`, `edit` | what would be written; `do`: `write`, `drop`, `decide` |
| `GET /change.patch` | `look` | the same, to be applied by hand |
| `GET /writes` | `look` | the last ten writes |
| `GET` and `POST /writes/<id>` | `look`, `edit` | one of them, and taking it back |
| `GET /pictures/<name>` | `look` | a picture of the brand, or of the draft |
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from server.billing.rows import catalog_of
from server.brands import ThemeError, images
from server.merchant.studio import drafts, saving, sessions
from server.merchant.studio.computing import apart
from server.merchant.studio.drafts import Write
from server.merchant.studio.operators import NotAllowed
from server.merchant.studio.pages import changing, contents, forming, posting
from server.merchant.studio.pages.contents import Page
from server.merchant.studio.pages.selling import Sold, sold
from server.merchant.studio.pages.work import Work, work_on
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.saving import Proposal
from server.merchant.studio.visit import Answer, Operator, send_again, show
from server.publishing.brand_files import ChangedMeanwhile
from server.web.forms import read_posted
from server.web.responding import AnyRequest, go, wants_fragment

_BRAND = "/b/{brand_name:str}"
_FORMS = [
    *(f"{_BRAND}/{place}" for place in ("look", "business", "mails")),
    *(f"{_BRAND}/{place}/{{rest:path}}" for place in ("portal", "look", "business")),
]
_ENDPOINTS = f"{_BRAND}/settings/endpoints"
_PRODUCTS = "features.subscription_update.products"


@get(f"{_BRAND}/portal", right="look")
async def overview(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    work = await work_on(studio, operator)
    return show(request, forming.overview(work, operator, studio.clock()))


async def _form(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    work = await work_on(studio, operator)
    page, sells, now = _page(request, operator, work), await _sold(studio, operator), studio.clock()
    return await apart(lambda: show(request, forming.form(work, page, operator, sells, now)))


async def _keep(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    """Nothing is written: what was touched is kept, and the answer says what is wrong with it."""
    work = await work_on(studio, operator, judged=False)
    page = _page(request, operator, work)
    posted, sells = await read_posted(request), await _sold(studio, operator)
    controls = [each for _, found in contents.controls_of(page, work.tags) for each in found]
    taken = await posting.take(studio, operator, posted, controls, held=work.held, starts={_PRODUCTS: sells.starts()})
    work, now, (verb, target) = await work_on(studio, operator), studio.clock(), posting.verb_of(posted)
    if wants_fragment(request):
        opened = {
            name.removeprefix("open:"): texts[-1] == "yes"
            for name, texts in posted.texts.items()
            if name.startswith("open:")
        }

        def live() -> Answer:
            view = forming.live(
                work, page, operator, sells, now, refused=taken.refused, open_groups=opened, received=taken.received
            )
            return show(request, view)

        return await apart(live)
    is_tried = verb in ("save", "preview")
    made = await apart(forming.form, work, page, operator, sells, now, refused=taken.refused, attempted=is_tried)
    if made.wrong:
        return show(request, made, status=422)
    if verb == "save":
        return go(request, f"{start_of(operator.brand)}/change")
    return go(request, forming.url_of(operator, page, posting.place_of(verb, target)))


form, keep = get(_FORMS, right="look")(_form), post(_FORMS, status_code=200, right="edit")(_keep)
endpoints = get(_ENDPOINTS, right="keys")(_form)
keep_endpoints = post(_ENDPOINTS, status_code=200, right="keys")(_keep)


@get(f"{_BRAND}/change", right="look")
async def change(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    work = await work_on(studio, operator)
    return show(request, changing.change(work, operator, studio.clock()))


@post(f"{_BRAND}/change", status_code=200, right="edit")
async def write(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    """`do`: `drop` forgets the draft, `decide` says whose value counts, anything else writes what the page showed."""
    texts = (await read_posted(request)).texts
    verb, start = (texts.get("do") or ["write"])[-1], start_of(operator.brand)
    if verb == "drop":
        await drafts.drop(studio.store, operator.address, operator.brand)
        return go(request, f"{start}/portal")
    work = await work_on(studio, operator)
    if verb == "decide":
        return await _decide(request, studio, operator, work, texts)
    why = ""
    problem = "" if texts.get("fingerprint") == [work.proposal.fingerprint] else "stale"
    if not problem and changing.change(work, operator, studio.clock()).may_write:
        problem, why = await _write(request, studio, operator, work, work.proposal)
        if not problem:
            return go(request, f"{start}/writes?written=1")
        work = await work_on(studio, operator)
    view = changing.change(work, operator, studio.clock(), problem=problem, why=why)
    return show(request, view, status=409 if problem else 422)


@get(f"{_BRAND}/change.patch", right="look")
async def patch(studio: Studio, operator: Operator) -> Response[bytes]:
    work = await work_on(studio, operator)
    kept = {"Content-Disposition": f'attachment; filename="{operator.brand}.patch"'}
    return Response(work.proposal.patch.encode(), media_type="text/x-patch", headers=kept)


@get(f"{_BRAND}/writes", right="look")
async def writes(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    work, found = await work_on(studio, operator), await drafts.writes(studio.store, operator.brand)
    written = "written" in request.query_params
    return show(request, changing.writes(work, operator, found, studio.clock(), written=written))


@get(f"{_BRAND}/writes/{{write_id:str}}", right="look")
async def one_write(request: AnyRequest, studio: Studio, operator: Operator, write_id: str) -> Answer:
    work, found, proposal = await _undoing(studio, operator, write_id)
    return show(request, changing.undo(work, operator, found, proposal, studio.clock()))


@post(f"{_BRAND}/writes/{{write_id:str}}", status_code=200, right="edit")
async def undo(request: AnyRequest, studio: Studio, operator: Operator, write_id: str) -> Answer:
    texts = (await read_posted(request)).texts
    work, found, proposal = await _undoing(studio, operator, write_id)
    view = changing.undo(work, operator, found, proposal, studio.clock())
    problem, why = "stale", ""
    if texts.get("fingerprint") == [proposal.fingerprint] and view.lines and not view.elsewhere:
        problem, why = await _write(request, studio, operator, work, proposal, is_undo=True)
        if not problem:
            return go(request, f"{start_of(operator.brand)}/writes?written=1")
        work, found, proposal = await _undoing(studio, operator, write_id)
    return show(
        request, changing.undo(work, operator, found, proposal, studio.clock(), problem=problem, why=why), status=409
    )


@get(f"{_BRAND}/pictures/{{name:path}}", right="look")
async def picture(studio: Studio, operator: Operator, name: str) -> Response[bytes]:
    """Shown by `<img>` alone: what is answered here may do nothing when it is opened."""
    uploads = await drafts.uploads(studio.store, operator.address, operator.brand)
    folder = saving.folder_of(studio.themes, operator.brand)
    content = uploads.get(name[1:]) or await apart(saving.picture_of, folder, name[1:])
    if content is None:
        raise NotFoundException
    try:
        kind = images.image(content).kind
    except ValueError:
        raise NotFoundException from None
    return Response(content, media_type={"svg": "image/svg+xml"}.get(kind, f"image/{kind}"))


async def _decide(
    request: AnyRequest, studio: Studio, operator: Operator, work: Work, texts: dict[str, list[str]]
) -> Answer:
    chosen = {each.path: (texts.get(f"whose:{each.path}") or [""])[-1] for each in work.proposal.conflicts}
    if any(each not in ("mine", "theirs") for each in chosen.values()):
        view = changing.change(work, operator, studio.clock(), problem="undecided")
        return show(request, view, status=422)
    mine, theirs = ([path for path, whose in chosen.items() if whose == each] for each in ("mine", "theirs"))
    await drafts.settle(studio.store, work.draft, mine=mine, theirs=theirs, held=work.held, now=studio.clock())
    return go(request, f"{start_of(operator.brand)}/change")


async def _write(
    request: AnyRequest, studio: Studio, operator: Operator, work: Work, proposal: Proposal, *, is_undo: bool = False
) -> tuple[str, str]:
    """What was in the way, and why; nothing: it was written."""
    if proposal.needs_keys:
        if not operator.may("keys"):
            raise NotAllowed
        send_again(request, {"fingerprint": proposal.fingerprint})
        now = studio.clock()
        await studio.store.write(lambda it: sessions.require_passkey(it, studio, operator.session, now))
    try:
        await saving.save(
            studio.store, work.folder, operator.address, proposal, now=studio.clock(), ends_draft=not is_undo
        )
    except ChangedMeanwhile:
        return "stale", ""
    except ThemeError as error:
        return "refused", str(error.mistakes[0])
    if studio.written:
        await studio.written(operator.brand)
    return "", ""


async def _undoing(studio: Studio, operator: Operator, write_id: str) -> tuple[Work, Write, Proposal]:
    work = await work_on(studio, operator)
    found = next((each for each in await drafts.writes(studio.store, operator.brand) if each.id == write_id), None)
    if found is None:
        raise NotFoundException
    return work, found, await apart(saving.propose_undo, work.folder, found, studio=studio.origin)


def _page(request: AnyRequest, operator: Operator, work: Work) -> Page:
    page = contents.find(request.url.path.removeprefix(f"{start_of(operator.brand)}/"), work.tags)
    if page is None:
        raise NotFoundException
    return page


async def _sold(studio: Studio, operator: Operator) -> Sold:
    return sold(await catalog_of(studio.store, operator.brand))


handlers = (overview, form, keep, endpoints, keep_endpoints, change, write, patch, writes, one_write, undo, picture)
