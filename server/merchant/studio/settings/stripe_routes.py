"""The Stripe account that bills a brand: its restricted key, the webhook's secret, and whether Stripe bills at all.

| URL | right | does |
|---|---|---|
| `GET …/settings/stripe` | `keys` | what there is; of a secret, its kind, its last four and a fingerprint |
| `POST …/settings/stripe` | `keys` | `do`: `key`, `webhook`, `forget_key`, `forget_webhook`, `bill`, `sync`, `unlock`; needs a passkey shown a moment ago |
| `GET …/settings/stripe/sync` | `keys` | how far the sync is; asked for once a second while one runs |

A key is asked for each thing that the portal does with it before it is kept. What was entered is never shown again: not in
a field, an error, the history, or the form that is sent again after a passkey was shown. `bill` makes the change a draft
like any other key's.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import get, post
from litestar.exceptions import ClientException
from msgspec.structs import replace

from server.access import kept_secrets
from server.access.kept_secrets import STRIPE_KEY, STRIPE_WEBHOOK_SECRET
from server.merchant.findings import QUIET
from server.merchant.studio import drafts, history, saving, sessions
from server.merchant.studio.computing import apart
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.settings import views
from server.merchant.studio.settings.views import Secret, Sync
from server.merchant.studio.visit import Answer, Operator, send_again, show
from server.portal import check_backend
from server.settings import Settings, SettingsError, stripe_suffix
from server.store import Transaction, rounds
from server.web.forms import read_form
from server.web.responding import AnyRequest, go

_NAMES = {"key": STRIPE_KEY, "webhook": STRIPE_WEBHOOK_SECRET}
_DONE = {"key_kept", "webhook_kept", "key_forgotten", "webhook_forgotten"}


@get("/b/{brand_name:str}/settings/stripe", right="keys")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    done = request.query_params.get("done", "")
    return show(request, replace(await _view(studio, operator), done=done if done in _DONE else ""))


@post("/b/{brand_name:str}/settings/stripe", status_code=200, right="keys")
async def change(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form, now = await read_form(request), studio.clock()
    verb = form.get("do")
    send_again(request, {"do": "unlock" if verb in _NAMES else verb}, is_whole=verb not in _NAMES)
    # Asked before Stripe is, and again in the transaction that writes.
    await studio.store.write(lambda it: sessions.require_passkey(it, studio, operator.session, now))
    if verb == "unlock":
        return go(request, f"{start_of(operator.brand)}/settings/stripe")
    if verb == "bill":
        return await _bill(request, studio, operator)
    if verb == "sync":
        return await _sync(request, studio, operator)
    what = verb.removeprefix("forget_")
    if what not in _NAMES:
        raise ClientException
    if verb != what:
        return await _forget(request, studio, operator, what)
    secret = form.get(f"secret-{what}").strip()
    mistake, why = await _mistake(studio, operator, what, secret)
    if mistake:
        return await _refused(request, studio, operator, mistake=mistake, what=what, why=why)
    await _keep(studio, operator, what, secret)
    return go(request, f"{start_of(operator.brand)}/settings/stripe?done={what}_kept")


async def _mistake(studio: Studio, operator: Operator, what: str, secret: str) -> tuple[str, str]:
    """What is wrong with it, and more words about that; empty: nothing. Raises `ThemeError`."""
    if kept_secrets.about(_NAMES[what], secret) is None:
        return "shape", ""
    if what == "webhook":
        return "", ""
    link = (await saving.brand_of(studio.themes, operator.brand)).config.login_page.link
    if link and link.startswith("test_") == ("_live_" in secret):
        return "link", "test" if link.startswith("test_") else "live"
    from server.merchant import stripe_findings  # noqa: PLC0415 (the SDK is slow to import)

    found = await stripe_findings.check_key(secret, studio.settings.stripe_api_base)
    return ("", "") if found.state == "fine" else (found.state, found.lacks)


async def _keep(studio: Studio, operator: Operator, what: str, secret: str) -> None:
    now = studio.clock()

    def work(transaction: Transaction) -> None:
        sessions.require_passkey(transaction, studio, operator.session, now)
        kept = kept_secrets.keep(
            transaction, studio.settings, operator.brand, _NAMES[what], secret, operator=operator.address, now=now
        )
        said = {"hint": kept.hint, "fingerprint": kept.fingerprint}
        _note(transaction, studio, operator, f"stripe_{what}_kept", said)

    await studio.store.write(work)


async def _forget(request: AnyRequest, studio: Studio, operator: Operator, what: str) -> Answer:
    now, view = studio.clock(), await _view(studio, operator)
    if what == "key" and view.is_billing and view.key.source == "kept":
        return await _refused(request, studio, operator, mistake="needed", what=what)

    def work(transaction: Transaction) -> None:
        sessions.require_passkey(transaction, studio, operator.session, now)
        if kept_secrets.forget(transaction, operator.brand, _NAMES[what]):
            _note(transaction, studio, operator, f"stripe_{what}_forgotten", {})

    await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/settings/stripe?done={what}_forgotten")


def _note(transaction: Transaction, studio: Studio, operator: Operator, what: str, said: Mapping[str, object]) -> None:
    history.note(transaction, what, said, operator=operator.address, brand=operator.brand, now=studio.clock())


async def _bill(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    """Make it a draft that Stripe bills; the page of the change says what is written."""
    brand = await saving.brand_of(studio.themes, operator.brand)
    settings = await kept_secrets.joined(studio.settings, studio.store)
    billing = replace(brand.config.billing, backend="stripe")
    try:
        check_backend(replace(brand, config=replace(brand.config, billing=billing)), settings)
    except SettingsError as error:
        return await _refused(request, studio, operator, mistake="billing", why=str(error))
    held = await apart(saving.held_by, brand.folder)
    touched = {"billing.backend": "stripe"}
    await drafts.keep(studio.store, operator.address, operator.brand, touched=touched, held=held, now=studio.clock())
    return go(request, f"{start_of(operator.brand)}/change")


async def _sync(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    """Ask for everything to be read from Stripe; a worker does it."""
    from server.merchant import syncing  # noqa: PLC0415 (the SDK is slow to import)

    if not (await _view(studio, operator)).is_billing:
        raise ClientException  # it would drop the ledger's accounts
    now = studio.clock()

    def work(transaction: Transaction) -> None:
        sessions.require_passkey(transaction, studio, operator.session, now)
        if syncing.ask(transaction, operator.brand, operator.address, now):
            _note(transaction, studio, operator, "stripe_sync", {})

    await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/settings/stripe")


@get("/b/{brand_name:str}/settings/stripe/sync", right="keys")
async def progress(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    return show(request, views.StripeSync(await _seen(studio, operator.brand)))


async def _refused(request: AnyRequest, studio: Studio, operator: Operator, **said: str) -> Answer:
    return show(request, replace(await _view(studio, operator), **said), status=422)


async def _view(studio: Studio, operator: Operator) -> views.Stripe:
    brand = await saving.brand_of(studio.themes, operator.brand)
    settings = await kept_secrets.joined(studio.settings, studio.store)
    kept = await kept_secrets.of_brand(studio.store, operator.brand)
    key, webhook = (_secret(settings, operator.brand, name, kept.get(name)) for name in _NAMES.values())
    is_billing = brand.config.billing.backend == "stripe"
    sync = await _seen(studio, operator.brand) if is_billing else None
    return views.Stripe(
        is_billing=is_billing,
        key=key,
        webhook=webhook,
        webhook_url=f"{brand.config.site.url or settings.origin}{brand.base}/webhooks/stripe",
        is_fresh=operator.session.is_fresh(studio.clock()),
        is_live=settings.stripe_of(operator.brand).is_live,
        may_bill=bool(key.source) and not is_billing,
        sync=sync,
        is_followed=await _is_followed(studio, operator.brand),
    )


async def _is_followed(studio: Studio, brand: str) -> bool:
    """Whether a worker looks for what changes at Stripe: it was started after Stripe began to bill."""
    since = studio.clock() - QUIET
    return any(each.step == f"follow_{brand}" and each.done_at > since for each in await rounds.find(studio.store))


async def _seen(studio: Studio, brand: str) -> Sync:
    from server.merchant import syncing  # noqa: PLC0415 (the SDK is slow to import)

    return Sync(**msgspec.structs.asdict(await syncing.seen(studio.store, brand, studio.clock())))


def _secret(settings: Settings, brand: str, name: str, kept: kept_secrets.About | None) -> Secret:
    attribute = name.removeprefix("stripe_")
    own = getattr(settings.stripe.get(stripe_suffix(brand)), attribute, "")
    now = getattr(settings.stripe_of(brand), attribute)
    source = "environment" if own else "kept" if now else ""
    return Secret(source, kept_secrets.about(name, own) if own else kept if now else None)


handlers = (page, change, progress)
