"""One request of a customer: who asks, with which form, and how the answer is made. Every handler that changes something
begins with it; a feature adds what it looks for.

A form that changes something carries two hidden fields beside its own: `customer`, so that a page of another account
changes nothing here, and `key`, so that the same form sent twice acts once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from litestar import Response

from server.access import portal_sessions
from server.access.portal_sessions import Flow
from server.access.sessions import LoggedIn
from server.billing import Account, By, NotFound
from server.brands import Features
from server.portal import Portal
from server.rendering.views import View
from server.web import leaving, responding
from server.web.forms import Form, OfAnother, read_form
from server.web.problems.views import Repeat
from server.web.responding import AnyRequest

_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")
Answer = Response[Any]


@dataclass(frozen=True, slots=True)
class Visit:
    request: AnyRequest
    portal: Portal
    customer: LoggedIn
    now: datetime
    form: Form

    @classmethod
    def looking(cls, request: AnyRequest, portal: Portal, customer: LoggedIn) -> Self:
        """A page is asked for. Raises `NotFound` where the feature is switched off."""
        it = cls(request, portal, customer, portal.clock(), Form({}))
        if not it.is_offered:
            raise NotFound
        return it

    @classmethod
    async def posting(cls, request: AnyRequest, portal: Portal, customer: LoggedIn) -> Self:
        """A form was sent. Raises `NotFound` as `looking` does, and `OfAnother`."""
        it = replace(cls.looking(request, portal, customer), form=await read_form(request))
        if it.form.get("customer") not in ("", customer.customer_id):
            raise OfAnother
        return it

    @property
    def is_offered(self) -> bool:
        """Whether the configuration offers what the feature does; a feature with a switch says so."""
        return True

    @property
    def account(self) -> Account:
        return self.customer.account

    @property
    def features(self) -> Features:
        return self.customer.features(self.portal)

    @property
    def flow(self) -> Flow | None:
        """What the business' server leads the customer through, where it does."""
        return self.customer.portal_session.flow if self.customer.portal_session else None

    async def finished(self, *flows: str) -> Answer | None:
        """The end of the flow that the customer is in, where it is one of these; None: go on as ever."""
        it = self.customer.portal_session
        if it is None or self.flow is None or self.flow.type not in flows:
            return None
        await self.portal.store.write(
            lambda transaction: portal_sessions.flow_done(transaction, self.portal.name, it.id, self.now)
        )
        return responding.go(self.request, self.portal.paths.flow_done)

    @property
    def key(self) -> str:
        """The idempotency key, where the form is whole: a form without its customer is one of nobody's pages."""
        key = self.form.get("key")
        return key if self.form.get("customer") and _KEY.fullmatch(key) else ""

    @property
    def by(self) -> By:
        """Who asks, as the billing side wants to know it."""
        return By(self.customer.customer_id, self.features, self.now, self.key, self.customer.browser)

    @property
    def as_default(self) -> bool:
        """Whether the payment method that is added becomes the default, where the form asked."""
        return not self.form.get("asked") or self.form.get("default") == "yes"

    def show(
        self, view: View, *, account: Account | None = None, status: int = 200, beside: View | None = None
    ) -> Answer:
        """`account` is the changed one, where something was changed. `beside`: as in `responding.show`."""
        account, address = account or self.account, self.customer.address
        return responding.show(
            self.request, self.portal, view, account=account, address=address, status=status, beside=beside
        )

    def leave(self, url: str, *, back: str) -> Answer:
        """To a page of the billing side's: ours where the ledger plays one, else another site's, by `leaving`. `back`: our
        page that the customer comes from. Raises `Refused` for a URL that leads nowhere we send anybody."""
        if not url.startswith("/"):
            token = leaving.sealed(self.portal, self.customer.customer_id, url, back, self.now)
            url = self.portal.paths.leave(token)
        return responding.go(self.request, url)

    def repeatable(
        self, action: str, subject: str, fields: dict[str, str] | None = None, *, see: str = "subscription"
    ) -> None:
        """From here on, a failure offers to ask for this again with the same key. `action` and `see`: as in `Repeat`."""
        again = Repeat(action, subject, self.key, self.customer.customer_id, fields or {}, see=see)
        responding.repeatable(self.request, again)


def fresh_key() -> str:
    """The idempotency key of a new form."""
    return secrets.token_urlsafe(16)
