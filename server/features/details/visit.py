"""One request about the billing details. Every handler of the feature that changes something begins with it.

Beside `customer` and `key`, a form carries `seen`, so that it undoes nothing that was saved elsewhere since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.access import email_changes
from server.billing import Account, Address, NotFound
from server.billing.rules.details import may_update
from server.brands.features import CustomerUpdate
from server.features.details import views
from server.web import visit
from server.web.languages import locale_for
from server.web.visit import Answer, fresh_key

__all__ = ["Answer", "Visit", "fresh_key"]

_LONGEST_FIELD = 2_000
"""Characters of a field that come back to the form; everything that can be kept is shorter."""


@dataclass(frozen=True, slots=True)
class Visit(visit.Visit):
    @property
    def rule(self) -> CustomerUpdate:
        return self.features.customer_update

    @property
    def language(self) -> str:
        return locale_for(self.request, self.portal, self.account)

    @property
    def home(self) -> str:
        """The country of the business."""
        return self.portal.brand.config.business.address.country

    @property
    def seen(self) -> str:
        seen = self.form.get("seen")
        return seen if re.fullmatch("[0-9a-f]{32}", seen) else ""

    def typed(self, name: str) -> str:
        return self.form.get(name)[:_LONGEST_FIELD].strip()

    def address(self) -> Address:
        return Address(*(self.typed(name) for name in Address.__struct_fields__))

    def allowed(self, *words: str) -> Visit:
        """Raises `NotFound` where the brand lets nobody change any of these."""
        if not any(may_update(self.rule, each) for each in words):
            raise NotFound
        return self

    def may_change_email(self) -> Visit:
        """Raises `NotFound` where the session may not change the address."""
        if not email_changes.may_change(self.portal, self.customer):
            raise NotFound
        return self

    def may_repeat(self, action: str, subject: str, *fields: str) -> None:
        said = {name: self.form.get(name) for name in fields if self.form.get(name)}
        self.repeatable(action, subject, said, see="details")

    def saved(self, account: Account, what: str) -> Answer:
        may_change = email_changes.may_change(self.portal, self.customer)
        return self.show(views.details(account, self.rule, saved=what, may_change_email=may_change), account=account)
