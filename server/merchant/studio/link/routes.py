"""The log-in link of a brand: activated, replaced, deactivated.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /link` | `look` | the link and its QR code |
| `POST /link` | `edit` | `do`: `activate` or `deactivate`; a link that is active dies only after `sure` is said |

A link for live data, the one that is made as well as the one that dies, needs the right `publish` and a passkey.
"""

from __future__ import annotations

from litestar import get, post
from litestar.exceptions import ClientException
from msgspec.structs import replace

from server.access import kept_secrets
from server.brands import Brand, ThemeError
from server.merchant import link
from server.merchant.studio import history, saving, sessions
from server.merchant.studio.link import views
from server.merchant.studio.operators import NotAllowed
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.portal import check_backend
from server.settings import SettingsError
from server.store import Transaction
from server.web.responding import AnyRequest, go


@get("/b/{brand_name:str}/link", right="look")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    asked = request.query_params
    try:
        brand = await saving.brand_of(studio.themes, operator.brand)
    except ThemeError as error:
        return _refused(request, studio, operator, None, *map(str, error.mistakes), status=200)
    done = asked.get("done", "")
    view = _view(studio, operator, brand)
    return show(request, replace(view, done=done if done in _DONE.values() else "", is_new="made" in asked))


@post("/b/{brand_name:str}/link", status_code=200, right="edit")
async def change(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await posted(request)
    verb, kind = form.get("do"), form.get("kind") or "test"
    if verb not in _DONE or kind not in ("test", "live"):
        raise ClientException
    try:
        brand = await saving.brand_of(studio.themes, operator.brand)
        before = link.url(brand, studio.settings.origin)
        was_test = brand.config.login_page.link.startswith("test_")
        is_live = (bool(before) and not was_test) or (verb == "activate" and kind == "live")
        if is_live and not operator.may("publish"):
            raise NotAllowed
        if before and not form.get("sure"):
            return show(request, views.ConfirmLink(before, verb, kind, was_test))
        if verb == "activate":
            await _check(studio, brand, kind)
        await _do(studio, operator, verb, kind, needs_passkey=is_live)
    except ThemeError as error:
        return _refused(request, studio, operator, None, *map(str, error.mistakes))
    except SettingsError as error:
        return _refused(request, studio, operator, brand, str(error))
    if studio.written:
        await studio.written(operator.brand)
    return go(request, f"{start_of(operator.brand)}/link?done={_DONE[verb]}")


async def _do(studio: Studio, operator: Operator, verb: str, kind: str, *, needs_passkey: bool) -> None:
    now, folder = studio.clock(), saving.folder_of(studio.themes, operator.brand)

    def work(transaction: Transaction) -> None:
        """The note and the file, or neither; where the file cannot be written, the note is taken back."""
        if needs_passkey:
            sessions.require_passkey(transaction, studio, operator.session, now)
        said = {"kind": kind} if verb == "activate" else {}
        history.note(transaction, f"link_{_DONE[verb]}", said, operator=operator.address, brand=operator.brand, now=now)
        if verb == "activate":
            link.activate(folder, test=kind == "test")
        else:
            link.deactivate(folder)

    await studio.store.write(work)


async def _check(studio: Studio, brand: Brand, kind: str) -> None:
    """Raises `SettingsError` where the brand's backend is for the other kind of data."""
    settings = await kept_secrets.joined(studio.settings, studio.store)
    token = "test_" if kind == "test" else "live"
    login_page = replace(brand.config.login_page, link=token)
    check_backend(replace(brand, config=replace(brand.config, login_page=login_page)), settings)


def _view(studio: Studio, operator: Operator, brand: Brand | None) -> views.Link:
    return views.Link(
        url=link.url(brand, studio.settings.origin) if brand else "",
        is_test=brand is not None and brand.config.login_page.link.startswith("test_"),
        may_edit=bool(brand) and operator.may("edit"),
        may_go_live=operator.may("publish"),
        is_served=studio.written is not None,
    )


def _refused(
    request: AnyRequest, studio: Studio, operator: Operator, brand: Brand | None, *why: str, status: int = 422
) -> Answer:
    return show(request, replace(_view(studio, operator, brand), mistakes=why), status=status)


_DONE = {"activate": "activated", "deactivate": "deactivated"}
handlers = (page, change)
