"""The bucket into which a brand's pages are copied.

| URL | right | does |
|---|---|---|
| `GET …/settings/publishing` | `keys` | which one it is; of the key, the last four characters of its id |
| `POST …/settings/publishing` | `keys` | tries the key, and keeps it sealed; needs a passkey shown a moment ago |
| `POST …/settings/publishing/drop` | `keys` | copies no more, and forgets the key; the same |
"""

from __future__ import annotations

from functools import partial

from litestar import get, post
from msgspec.structs import replace

from server.merchant.releases import buckets, copying, folders
from server.merchant.releases.buckets import Bucket
from server.merchant.releases.copying import NotCopied
from server.merchant.studio import history, sessions
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.settings import bucket_views as views
from server.merchant.studio.visit import Answer, Operator, posted, send_again, show
from server.store import Transaction
from server.web.forms import Form, read_form
from server.web.responding import AnyRequest, go


@get("/b/{brand_name:str}/settings/publishing", right="keys")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    done = request.query_params.get("done", "")
    view = await _view(studio, operator)
    return show(request, replace(view, done=done if done in ("kept", "dropped") else ""))


@post("/b/{brand_name:str}/settings/publishing", status_code=200, right="keys")
async def keep(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await read_form(request)
    send_again(request, {name: value for name, value in form.whole.items() if name != "secret"}, is_whole=False)
    bucket, secret = _bucket(form), form.get("secret").strip()
    wrong = buckets.mistakes(bucket, allow_private=studio.settings.studio_private_targets)
    if not 8 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable():
        wrong |= {"secret": "Enter the whole secret that belongs to the id"}
    mistakes = tuple(views.Wrong("bucket" if name == "name" else name, words) for name, words in wrong.items())
    view = replace(_filled(await _view(studio, operator), bucket), wrong=mistakes)
    if wrong:
        return show(request, view, status=422)
    await studio.store.write(partial(_require, studio, operator))  # before the endpoint hears of the key
    try:
        await copying.check(studio.settings, bucket, secret)
    except NotCopied as error:
        return show(request, replace(view, trouble=str(error)), status=422)
    row = buckets.keeping(studio.settings, operator.brand, bucket, secret)

    def work(transaction: Transaction) -> None:
        _require(studio, operator, transaction)
        buckets.keep(transaction, row)
        _note(transaction, studio, operator, "bucket_kept", bucket)

    await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/settings/publishing?done=kept")


@post("/b/{brand_name:str}/settings/publishing/drop", status_code=200, right="keys")
async def drop(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    await posted(request)
    kept = await buckets.find(studio.store, operator.brand)

    def work(transaction: Transaction) -> None:
        _require(studio, operator, transaction)
        if kept and buckets.drop(transaction, operator.brand):
            _note(transaction, studio, operator, "bucket_dropped", kept.bucket)

    await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/settings/publishing?done=dropped")


def _require(studio: Studio, operator: Operator, transaction: Transaction) -> None:
    sessions.require_passkey(transaction, studio, operator.session, studio.clock())


def _note(transaction: Transaction, studio: Studio, operator: Operator, what: str, bucket: Bucket) -> None:
    said = {"bucket": bucket.name, "endpoint": bucket.endpoint, "key": bucket.key_id[-4:]}
    history.note(transaction, what, said, operator=operator.address, brand=operator.brand, now=studio.clock())


def _bucket(form: Form) -> Bucket:
    text = {name: form.get(name).strip()[:300] for name in ("endpoint", "region", "bucket", "prefix", "key_id")}
    return Bucket(text["endpoint"].rstrip("/"), text["region"], text["bucket"], text["prefix"], text["key_id"])


async def _view(studio: Studio, operator: Operator) -> views.Publishing:
    kept, settings = await buckets.find(studio.store, operator.brand), studio.settings
    view = views.Publishing(
        f"{start_of(operator.brand)}/settings/publishing",
        folder=str(folders.site_of(settings.releases, operator.brand)),
        allow_private=settings.studio_private_targets,
        prefix=f"{operator.brand}/",
    )
    if not kept:
        return view
    it = kept.bucket
    shown = views.Kept(it.endpoint, it.name, it.prefix, it.key_id[-4:])
    return replace(_filled(view, it), key_id="", kept=shown)


def _filled(view: views.Publishing, bucket: Bucket) -> views.Publishing:
    return replace(
        view,
        endpoint=bucket.endpoint,
        region=bucket.region,
        bucket=bucket.name,
        prefix=bucket.prefix,
        key_id=bucket.key_id,
    )


handlers = (page, keep, drop)
