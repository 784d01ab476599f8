"""Adding a tax number, and removing one."""

from __future__ import annotations

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import NotFound, Refused, TaxId
from server.billing.rules import details
from server.features.details import form_views as views
from server.features.details.visit import Answer, Visit, fresh_key
from server.formats import tax_numbers
from server.formats.tax_types import BY_CODE
from server.portal import Portal
from server.web.responding import AnyRequest

_MISTAKES = {"tax_id_invalid": "form", "tax_id_taken": "taken", "too_many_tax_ids": "full"}


@get("/my/details/tax-ids")
async def add_tax_id(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).allowed("tax_id")
    full = {"number": "full"} if len(it.account.customer.tax_ids) >= tax_numbers.MOST_TAX_NUMBERS else {}
    return it.show(views.add_tax_id(it.account, key=fresh_key(), mistakes=full))


@post("/my/details/tax-ids", status_code=200)
async def save_tax_id(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).allowed("tax_id")
    kind, number = it.typed("kind"), it.typed("number")
    mistakes = {} if kind in BY_CODE else {"kind": "choice"}
    if not number:
        mistakes["number"] = "missing"
    if mistakes:
        return _form(it, mistakes)
    if not it.key:
        return _form(it, {}, again="out_of_date")
    it.may_repeat("details_tax_ids", "", "kind", "number")
    try:
        account = await portal.billing.add_tax_id(it.by, kind, number)
    except Refused as refused:
        if refused.reason == "key_reused":
            return _form(it, {}, again="out_of_date")
        if refused.reason not in _MISTAKES:
            raise
        return _form(it, {"number": _MISTAKES[refused.reason]})
    return await it.finished("customer_update") or it.saved(account, "tax_id")


@get("/my/details/tax-ids/{tax_id:str}/remove")
async def confirm_remove(request: AnyRequest, portal: Portal, customer: LoggedIn, tax_id: str) -> Answer:
    it = Visit.looking(request, portal, customer).allowed("tax_id")
    return it.show(views.remove_tax_id(it.account, _find(it, tax_id), key=fresh_key()))


@post("/my/details/tax-ids/{tax_id:str}/remove", status_code=200)
async def remove_tax_id(request: AnyRequest, portal: Portal, customer: LoggedIn, tax_id: str) -> Answer:
    it = (await Visit.posting(request, portal, customer)).allowed("tax_id")
    if not it.key:
        again = views.remove_tax_id(it.account, _find(it, tax_id), key=fresh_key(), again="out_of_date")
        return it.show(again, status=422)
    it.may_repeat("details_tax_id_remove", tax_id)
    account = await portal.billing.remove_tax_id(it.by, tax_id)
    return await it.finished("customer_update") or it.saved(account, "tax_id_removed")


def _form(it: Visit, mistakes: details.Mistakes, *, again: str = "") -> Answer:
    typed = it.typed("number")[: tax_numbers.LONGEST_TAX_NUMBER]
    view = views.add_tax_id(it.account, it.typed("kind"), typed, key=fresh_key(), mistakes=mistakes, again=again)
    return it.show(view, status=422)


def _find(it: Visit, tax_id: str) -> TaxId:
    """Raises `NotFound`, also for another customer's."""
    found = next((each for each in it.account.customer.tax_ids if each.id == tax_id), None)
    if found is None:
        raise NotFound
    return found


handlers = (add_tax_id, save_tax_id, confirm_remove, remove_tax_id)
