"""One request about the billing details: who asks, with which form. Every handler of the feature that changes something
begins with it.

A form carries `customer`, so that a page of another account changes nothing here; `key`, so that the same form sent
twice acts once; and `seen`, so that it undoes nothing that was saved elsewhere since.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from litestar import Response

from server.billing import Account, Address, NotFound
from server.billing.details import may_update
from server.details import views
from server.forms import Form, read_form
from server.portal import Portal
from server.problems.views import OtherCustomer, Repeat
from server.rendering import View
from server.responding import AnyRequest, locale_for, repeatable, show
from server.sessions import LoggedIn
from server.themes.features import CustomerUpdate

_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")
_MOST = 2_000
"""Characters of a field that come back to the form; everything that can be kept is shorter."""
Page = Response[str]


@dataclass(frozen=True, slots=True)
class Asked:
    request: AnyRequest
    portal: Portal
    customer: LoggedIn
    now: datetime
    form: Form

    @property
    def account(self) -> Account:
        return self.customer.account

    @property
    def rule(self) -> CustomerUpdate:
        return self.portal.brand.portal.features.customer_update

    @property
    def key(self) -> str:
        """The idempotency key, where the form is whole: a form without its customer is one of nobody's pages."""
        key = self.form.get("key")
        return key if self.form.get("customer") and _KEY.fullmatch(key) else ""

    @property
    def language(self) -> str:
        return locale_for(self.request, self.portal, self.account)

    @property
    def home(self) -> str:
        """The country of the business."""
        return self.portal.brand.portal.business.address.country

    @property
    def seen(self) -> str:
        seen = self.form.get("seen")
        return seen if re.fullmatch("[0-9a-f]{32}", seen) else ""

    def typed(self, name: str) -> str:
        return self.form.get(name)[:_MOST].strip()

    def address(self) -> Address:
        return Address(*(self.typed(name) for name in Address.__struct_fields__))

    def allowed(self, *words: str) -> Asked:
        """Raises `NotFound` where the brand lets nobody change any of these."""
        if not any(may_update(self.rule, each) for each in words):
            raise NotFound
        return self

    def of_another(self) -> Page | None:
        """The form was made for another account: another tab has logged in to this one since."""
        if self.form.get("customer") in ("", self.customer.customer_id):
            return None
        return self.show(OtherCustomer(), status=409)

    def may_repeat(self, action: str, subject: str, *fields: str) -> None:
        """From here on, a failure offers to ask for this again with the same key. `action`: see `Repeat`."""
        said = {name: self.form.get(name) for name in fields if self.form.get(name)}
        repeatable(self.request, Repeat(action, subject, self.key, self.customer.customer_id, said, see="details"))

    def show(self, view: View, *, account: Account | None = None, status: int = 200) -> Page:
        """`account` is the changed one, where something was changed."""
        account = account or self.account
        return show(self.request, self.portal, view, account=account, address=self.customer.address, status=status)

    def saved(self, account: Account, what: str) -> Page:
        return self.show(views.details(account, self.rule, saved=what), account=account)


def looked_at(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Asked:
    return Asked(request, portal, customer, portal.clock(), Form({}))


async def asked(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Asked:
    """With the form that was sent."""
    return Asked(request, portal, customer, portal.clock(), await read_form(request))


def fresh_key() -> str:
    return secrets.token_urlsafe(16)
