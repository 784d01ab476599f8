"""Publishing a brand, and going back.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /publish` | `look` | what differs from what is served, and the releases that are kept |
| `POST /publish` | `publish` | builds the brand, holds it to every rule, and serves it; needs a passkey shown a moment ago |
| `GET /publish/copy` | `look` | how far the copy in the brand's bucket is |
| `POST /publish/copy` | `publish` | tries again at once |
| `POST /publish/back` | `publish` | serves another release that is kept; the same |
"""

from __future__ import annotations

from functools import partial

from litestar import get, post
from msgspec.structs import replace

from server.brands import ThemeError
from server.merchant.releases import buckets, copying, releasing, rows, sources
from server.merchant.releases.releasing import ChangedMeanwhile, OtherBilling
from server.merchant.releases.rows import NoRelease
from server.merchant.releases.sources import Refused
from server.merchant.studio import drafts, sessions
from server.merchant.studio.computing import apart
from server.merchant.studio.pages import changing
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.publish import pending, views
from server.merchant.studio.publish.pending import Pending
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.publishing.rules.html_rules import Problem
from server.store import Transaction
from server.web.responding import AnyRequest, go, wants_fragment


@get("/b/{brand_name:str}/publish", right="look")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    done = request.query_params.get("done", "")
    view = await _view(studio, operator)
    return show(request, replace(view, done=done if done in ("published", "back") else ""))


@post("/b/{brand_name:str}/publish", status_code=200, right="publish")
async def publish(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    shown, allow = (await posted(request)).get("fingerprint"), _allow(studio, operator)
    await studio.store.write(allow)  # before the work; it is asked again in the transaction of the act
    try:
        await releasing.publish(
            studio.settings, studio.store, operator.brand, operator=operator.address, now=studio.clock(), allow=allow,
            shown=shown,
        )  # fmt: skip
    except ChangedMeanwhile:
        return show(request, replace(await _view(studio, operator), problem="stale"), status=409)
    except Refused as error:
        mistakes = tuple(map(_mistake, error.problems))
        return show(request, replace(await _view(studio, operator), mistakes=mistakes), status=422)
    return await _done(request, studio, operator, "published")


@post("/b/{brand_name:str}/publish/back", status_code=200, right="publish")
async def back(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    asked = (await posted(request)).get("release")
    n = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    try:
        await releasing.back(
            studio.store, operator.brand, n, operator=operator.address, now=studio.clock(),
            allow=_allow(studio, operator),
        )  # fmt: skip
    except NoRelease:
        return show(request, replace(await _view(studio, operator), problem="gone"), status=409)
    except OtherBilling:
        return show(request, replace(await _view(studio, operator), problem="billing"), status=409)
    return await _done(request, studio, operator, "back")


@get("/b/{brand_name:str}/publish/copy", right="look")
async def copy(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    view = await _copy(studio, operator)
    if view is None or not wants_fragment(request):
        return go(request, f"{start_of(operator.brand)}/publish")
    return show(request, view)


@post("/b/{brand_name:str}/publish/copy", status_code=200, right="publish")
async def copy_again(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    await posted(request)
    await studio.store.write(lambda transaction: buckets.again(transaction, operator.brand))
    return go(request, f"{start_of(operator.brand)}/publish")


async def _copy(studio: Studio, operator: Operator) -> views.Copy | None:
    """None: the brand has no bucket, or was never published."""
    kept, live = await buckets.find(studio.store, operator.brand), await rows.live_of(studio.store, operator.brand)
    if not kept or not live:
        return None
    objects = await buckets.objects(studio.store, operator.brand)
    there = sum(bool(each.hash) and each.turn == live.turn for each in objects.values())
    whole = await rows.find(studio.store, operator.brand, live.n)
    total = sum(path.startswith(sources.SITE) for path in whole.files) - len(copying.NOT_PAGES)
    return views.Copy(
        f"{start_of(operator.brand)}/publish/copy", kept.bucket.name, kept.turn == live.turn, there, total,
        kept.trouble, kept.due_at if kept.trouble else None, operator.may("publish"),
    )  # fmt: skip


async def _done(request: AnyRequest, studio: Studio, operator: Operator, what: str) -> Answer:
    if studio.written:
        await studio.written(operator.brand)
    return go(request, f"{start_of(operator.brand)}/publish?done={what}")


def _allow(studio: Studio, operator: Operator) -> releasing.Allow:
    def allow(transaction: Transaction) -> None:
        sessions.require_passkey(transaction, studio, operator.session, studio.clock())

    return allow


async def _view(studio: Studio, operator: Operator) -> views.Publish:
    kept, live = await rows.kept(studio.store, operator.brand), await rows.live_of(studio.store, operator.brand)
    releases = tuple(
        views.Kept(each.n, each.operator, each.made_at, live is not None and each.n == live.n) for each in kept
    )
    url, may_publish = f"{start_of(operator.brand)}/publish", operator.may("publish")
    view = views.Publish(url, releases=releases, may_publish=may_publish, copy=await _copy(studio, operator))
    try:
        source = await apart(sources.copied, studio.themes, operator.brand)
        found = await pending.find(studio, operator.brand)
    except ThemeError as error:
        return replace(view, mistakes=tuple(views.Mistake(str(each.file), str(each)) for each in error.mistakes))
    draft = await drafts.find(studio.store, operator.address, operator.brand)
    view = replace(view, fingerprint=sources.fingerprint(source), is_saved=not draft.changes)
    return await apart(partial(_with_changes, view, studio, operator, found)) if found else view


def _with_changes(view: views.Publish, studio: Studio, operator: Operator, found: Pending) -> views.Publish:
    folder = studio.themes / operator.brand
    before, after = found.own(found.before), found.own(found.after)
    changed, lines = changing.difference(folder, operator, before, after)
    return replace(view, changed=changed, lines=lines, files=tuple(found.files))


def _mistake(problem: Problem) -> views.Mistake:
    where = ":".join(str(each) for each in (problem.where, problem.line) if each)
    return views.Mistake(where, problem.message)


handlers = (page, publish, back, copy, copy_again)
