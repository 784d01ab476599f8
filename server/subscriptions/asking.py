"""One request about one subscription: who asks, for what, and how the answer is made. Every handler of the feature
begins with it.

A form that changes something carries two hidden fields beside its own: `customer`, so that a page of another account
changes nothing here, and `key`, so that the same form sent twice acts once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from litestar import Response
from msgspec.structs import replace

from server.billing import Account, NotFound, Subscription
from server.forms import Form, read_form
from server.portal import Portal
from server.problems.views import Repeat
from server.rendering import View
from server.responding import AnyRequest, of_another, repeatable, show
from server.sessions import LoggedIn
from server.subscriptions import views
from server.themes import Features

_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")
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
    def features(self) -> Features:
        return self.portal.brand.portal.features

    @property
    def key(self) -> str:
        """The idempotency key, where the form is whole: a form without its customer is one of nobody's pages."""
        key = self.form.get("key")
        return key if self.form.get("customer") and _KEY.fullmatch(key) else ""

    def find(self, subscription_id: str) -> Subscription:
        """Raises `NotFound`, also for another customer's."""
        return find_in(self.account, subscription_id)

    def show(self, view: View, *, account: Account | None = None, status: int = 200) -> Page:
        """`account` is the changed one, where something was changed."""
        account = account or self.account
        return show(self.request, self.portal, view, account=account, address=self.customer.address, status=status)

    def card(
        self,
        found: Subscription,
        announcement: str,
        *,
        refusal: str = "",
        feedback: views.Feedback | None = None,
        account: Account | None = None,
        status: int = 200,
    ) -> Page:
        """The subscription as it stands, and what was just done to it."""
        view = views.card(found, account or self.account, self.features, self.now, key=fresh_key())
        view = replace(view, announcement=announcement, refusal=refusal, feedback=feedback)
        return self.show(view, account=account, status=status)

    def of_another(self) -> Page | None:
        """The form was made for another account: another tab has logged in to this one since."""
        return of_another(self.request, self.portal, self.customer, self.form)

    def may_repeat(self, action: str, found: Subscription, fields: dict[str, str] | None = None) -> None:
        """From here on, a failure offers to ask for this again with the same key. `action`: see `Repeat`."""
        repeatable(self.request, Repeat(action, found.id, self.key, self.customer.customer_id, fields or {}))


def looked_at(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Asked:
    return Asked(request, portal, customer, portal.clock(), Form({}))


async def asked(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Asked:
    """With the form that was sent."""
    return Asked(request, portal, customer, portal.clock(), await read_form(request))


def find_in(account: Account, subscription_id: str) -> Subscription:
    """Raises `NotFound`."""
    found = account.subscription(subscription_id)
    if found is None:
        raise NotFound
    return found


def fresh_key() -> str:
    return secrets.token_urlsafe(16)
