"""The brand chooser, and the start of a brand.

| URL | right | does |
|---|---|---|
| `GET /_studio/` | `operator` | the brands that the operator has a role for |
| `GET /_studio/b/<brand>` | `look` | what is left to do for the brand, in order |
"""

from __future__ import annotations

import tomllib

from litestar import get

from server.access import declarations, kept_secrets
from server.brands import PORTAL_FILE, Brand, ThemeError
from server.merchant import findings, link
from server.merchant.studio import drafts, passkeys, saving
from server.merchant.studio.computing import apart
from server.merchant.studio.forms import told
from server.merchant.studio.place import PLACES, Studio, start_of
from server.merchant.studio.start import views
from server.merchant.studio.start.views import Choice, Step
from server.merchant.studio.visit import Answer, Operator, show
from server.web.responding import AnyRequest
from server.web.studio_guard import BASE


@get("/", right="operator")
async def brands(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    found = await apart(_choices, studio, operator)
    return show(request, views.Brands(found, may_add="edit" in operator.everywhere))


def _choices(studio: Studio, operator: Operator) -> tuple[Choice, ...]:
    return tuple(Choice(each, _business(studio, each), start_of(each)) for each in operator.brands)


def _business(studio: Studio, name: str) -> str:
    """As its file says it. Nothing else of the brand is read: there may be hundreds."""
    try:
        found = tomllib.loads((studio.themes / name / PORTAL_FILE).read_text("utf-8"))
        return str(found["business"]["name"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


@get("/b/{brand_name:str}", right="look")
async def start(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    draft = await drafts.find(studio.store, operator.address, operator.brand)
    try:
        brand = await saving.brand_of(studio.themes, operator.brand)
    except ThemeError as error:
        mistakes = tuple(map(told, error.mistakes))
        return show(request, views.Start("", mistakes=mistakes, unwritten=len(draft.changes)))
    has_passkey = bool(await passkeys.of(studio.store, operator.address))
    page, settings = brand.config.login_page, await kept_secrets.joined(studio.settings, studio.store)
    found = await findings.at_a_glance(settings, [brand], studio.store, studio.clock, is_running=True)
    view = views.Start(
        brand.config.business.name,
        _steps(brand, operator, has_passkey=has_passkey),
        unwritten=len(draft.changes),
        link=link.url(brand, studio.settings.origin) or "",
        is_test=page.link.startswith("test_"),
        wrong=sum(not each.is_fine for each in found),
        health=f"{start_of(operator.brand)}/settings/health",
        cases=await declarations.waiting(studio.store, brand.name) if operator.may("customers") else 0,
    )
    return show(request, view)


def _steps(brand: Brand, operator: Operator, *, has_passkey: bool) -> tuple[Step, ...]:
    business, page = brand.config.business, brand.config.login_page
    return (
        Step("address", bool(business.address.line1 and business.address.country), _page_of("business", operator)),
        Step("contact", bool(business.support_email or business.support_url), _page_of("business", operator)),
        Step(
            "terms",
            bool(business.privacy_policy_url and business.terms_of_service_url),
            _page_of("business", operator),
        ),
        Step("link", page.enabled and bool(page.link), _page_of("link", operator)),
        Step("passkey", has_passkey, f"{BASE}passkey"),
    )


def _page_of(place: str, operator: Operator) -> str:
    """The path of a place where the operator may change something; empty: there is none."""
    found = next((each for each in PLACES if each.name == place), None)
    return start_of(operator.brand) + found.path if found and operator.may("edit") else ""


handlers = (brands, start)
