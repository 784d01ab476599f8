"""Changing the contact (name and phone), the billing address, the shipping address.

A form's button says what is wanted (`step`): `save`; `copy` and `remove` for shipping; anything else, such as a choice
of another country without scripts, only shows the form again with the words that were typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import BillingAddress, Contact, Refused, Shipping, Update
from server.billing.model.change import CONTACT
from server.billing.rules.details import checked, may_update
from server.features.details import form_views as views
from server.features.details.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.rendering.views import View
from server.web.responding import AnyRequest

_ADDRESS = ("country", "line1", "line2", "city", "state", "postal_code")
Form = Callable[..., View]
"""Shows one form: with `typed`, `mistakes`, `again`, `chosen`, `seen` and `account` where they matter."""


@get("/my/details/contact")
async def edit_contact(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).allowed(*CONTACT)
    return it.show(_contact_form(it)())


@post("/my/details/contact", status_code=200)
async def save_contact(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).allowed(*CONTACT)
    it.may_repeat("details_contact", "", *CONTACT, "seen", "step")
    # A field that may not be changed is none of the form's, whatever was sent.
    typed = Contact(*(it.typed(each) if may_update(it.rule, each) else None for each in CONTACT))
    return await _save(it, typed, _contact_form(it), "contact")


@get("/my/details/address")
async def edit_address(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).allowed("address")
    return it.show(_address_form(it)())


@post("/my/details/address", status_code=200)
async def save_address(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).allowed("address")
    typed = it.address()
    if it.form.get("step") != "save":
        return it.show(_address_form(it)(typed=typed, chosen=True, seen=it.seen))
    it.may_repeat("details_address", "", *_ADDRESS, "seen", "step")
    return await _save(it, BillingAddress(typed), _address_form(it), "address")


@get("/my/details/shipping")
async def edit_shipping(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).allowed("shipping")
    return it.show(_shipping_form(it)())


@post("/my/details/shipping", status_code=200)
async def save_shipping(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).allowed("shipping")
    typed, step = Shipping(it.typed("name"), it.typed("phone"), it.address()), it.form.get("step")
    if step == "copy":
        own = it.account.customer
        typed = Shipping(typed.name or own.name, typed.phone, own.address)
    if step not in ("save", "remove"):
        return it.show(_shipping_form(it)(typed=typed, chosen=True, seen=it.seen))
    it.may_repeat("details_shipping", "", "name", "phone", *_ADDRESS, "seen", "step")
    if step == "remove":
        return await _save(it, Shipping(), _shipping_form(it), "shipping_removed")
    # Without a word in it there is nothing to save, though a country is always chosen.
    return await _save(it, typed, _shipping_form(it), "shipping")


async def _save(it: Visit, update: Update, form: Form, what: str) -> Answer:
    typed: Any = update.address if isinstance(update, BillingAddress) else update
    kept, mistakes = checked(it.account.customer, update)
    if mistakes or not it.key:
        again = "" if mistakes else "out_of_date"
        return it.show(form(typed=typed, mistakes=mistakes, again=again, seen=it.seen), status=422)
    try:
        account = await it.portal.billing.update_customer(it.by, kept, seen=it.seen)
    except Refused as refused:
        if refused.reason not in ("details_changed", "key_reused", "details_invalid"):
            raise
        # What is kept now is shown beside what was typed, and the form takes it as seen.
        account = await it.portal.billing.account(it.customer.customer_id, it.now)
        again = "changed" if refused.reason == "details_changed" else "out_of_date"
        return it.show(form(account=account, typed=typed, again=again), account=account, status=409)
    return await it.finished("customer_update") or it.saved(account, what)


def _contact_form(it: Visit) -> Form:
    def form(*, account: Any = None, typed: Contact | None = None, **rest: Any) -> View:
        return views.edit_contact(account or it.account, it.rule, typed, key=fresh_key(), **rest)

    return form


def _address_form(it: Visit) -> Form:
    def form(*, account: Any = None, typed: Any = None, **rest: Any) -> View:
        return views.edit_address(account or it.account, it.language, typed, home=it.home, key=fresh_key(), **rest)

    return form


def _shipping_form(it: Visit) -> Form:
    def form(*, account: Any = None, typed: Any = None, **rest: Any) -> View:
        return views.edit_shipping(account or it.account, it.language, typed, home=it.home, key=fresh_key(), **rest)

    return form


handlers = (edit_contact, save_contact, edit_address, save_address, edit_shipping, save_shipping)
