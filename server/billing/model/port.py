"""The verbs of the port, one protocol a feature; `Billing` in the package is all of them together.

Every verb is given the customer's id from the session, never from the request. A verb that changes something takes the
idempotency key of the form that asked for it, raises `Refused` and `NotFound`, and answers the account as it is then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from server.billing.detail_types import Update
from server.billing.ledger.sandbox import ProviderSession
from server.billing.model.account import LATEST_INVOICES, Account, Catalog, Invoice, PaymentMethod
from server.billing.model.change import Canceled, Change, Changed, Preview
from server.billing.model.errors import Refusal
from server.billing.paying_types import Paying


class InvoicePage(msgspec.Struct, frozen=True):
    invoices: tuple[Invoice, ...]
    """Newest first."""
    before: str = ""
    """The cursor of the next, older page; empty: this was the last."""


class InvoiceFilter(msgspec.Struct, frozen=True):
    """Which invoices are wanted; what is left out chooses nothing."""

    since_at: datetime | None = None
    until_at: datetime | None = None
    """The first moment after them."""
    status: str = ""
    """One of Stripe's words, as in `Invoice.status`."""


class Activity(msgspec.Struct, frozen=True):
    """One line of a customer's history."""

    at: datetime
    kind: str
    """`login`, `subscription.canceled`, `subscription.resumed`, …"""
    subject: str
    """The id of what it was done to, or empty."""
    data: dict[str, str]
    browser: str


class Accounts(Protocol):
    """One customer as a whole."""

    async def account(self, customer_id: str, now: datetime) -> Account:
        """The account as it is now. Raises `NotFound`."""
        ...

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        """What was done, newest first, without the newest `skip`."""
        ...


class Invoices(Protocol):
    """Every invoice of a customer, also those that the account does not hold."""

    async def invoices(
        self,
        customer_id: str,
        *,
        before: str = "",
        limit: int = LATEST_INVOICES,
        only: InvoiceFilter | None = None,
    ) -> InvoicePage:
        """One page of the history, newest first. An unknown or foreign cursor raises `NotFound`; with a filter it may
        be answered by an empty page instead, since what was there before can have another status now."""
        ...

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        """Raises `NotFound`, also for another customer's."""
        ...

    async def pay(
        self, customer_id: str, invoice_id: str, payment_method_id: str, *, key: str, now: datetime, browser: str
    ) -> Paying:
        """Pay what is due of it with one of the customer's payment methods. A payment that failed, or that has to be
        confirmed, is an answer; the same key answers what came of it. Raises `Refused`, `NotFound`."""
        ...


class Details(Protocol):
    """What invoices say of a customer. There is no verb for the e-mail address: it is what a link session logs in with."""

    async def update_customer(
        self, customer_id: str, update: Update, *, seen: str = "", key: str, now: datetime, browser: str
    ) -> Account:
        """Put these details in the place of those that are there. `seen` (`details.mark`): what the form showed; with
        other details there by now, `details_changed` is refused. Raises `Refused`, `NotFound`."""
        ...

    async def add_tax_id(
        self, customer_id: str, kind: str, number: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        """Raises `Refused`, `NotFound`."""
        ...

    async def remove_tax_id(self, customer_id: str, tax_id: str, *, key: str, now: datetime, browser: str) -> Account:
        """Raises `Refused`, `NotFound`, also for one that is gone already."""
        ...


class Subscriptions(Protocol):
    """What may be done with a subscription."""

    async def catalog(self, prices: Sequence[str] = ()) -> Catalog:
        """What the configuration names: the prices to move to, the coupon offered before a cancellation; and `prices`."""
        ...

    async def preview_change(
        self, customer_id: str, subscription_id: str, change: Change, *, now: datetime
    ) -> Preview | Refusal:
        """What the change would mean now. Raises `NotFound`."""
        ...

    async def change(
        self,
        customer_id: str,
        subscription_id: str,
        change: Change,
        *,
        token: str,
        key: str,
        now: datetime,
        browser: str,
    ) -> Changed:
        """Make the change that was shown under this token; with other numbers by now, nothing is changed and the new
        preview is answered. Raises `Refused`, `NotFound`."""
        ...

    async def undo_change(
        self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        """Take back a change that was to come; nothing was: unchanged. Raises `Refused`, `NotFound`."""
        ...

    async def feedback(
        self,
        customer_id: str,
        subscription_id: str,
        reason: str,
        comment: str,
        *,
        key: str,
        now: datetime,
        browser: str,
    ) -> Account:
        """Keep why it was canceled: a word of the configuration, and the customer's own words. Raises as the others."""
        ...

    async def retain(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        """Accept the coupon that is offered before a cancellation; taken already: unchanged. Raises as the others."""
        ...

    async def pause(
        self, customer_id: str, subscription_id: str, cycles: int, *, key: str, now: datetime, browser: str
    ) -> Account:
        """Ask for no money for so many periods after the running one. Raises as the others."""
        ...

    async def unpause(
        self, customer_id: str, subscription_id: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Account:
        """End the customer's own pause; not paused: unchanged. Raises as the others, and `Refused` (`shown_otherwise`)
        where it would charge something else than what was shown under this token."""
        ...

    async def restart(
        self, customer_id: str, subscription_id: str, price: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Account:
        """Start an ended subscription again, as a new one; done already: unchanged. Raises as `unpause`."""
        ...

    async def cancel(
        self, customer_id: str, subscription_id: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Canceled:
        """Cancel as it was shown under this token; with other numbers by now, nothing is changed and they are answered.
        Already canceled: unchanged. Raises `Refused`, `NotFound`."""
        ...

    async def resume(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        """Take back an end that has not come yet; nothing to take back: unchanged. Raises `Refused`, `NotFound`."""
        ...


class PaymentMethods(Protocol):
    """What is charged. A number is only ever typed on the provider's page."""

    async def setup(self, customer_id: str, *, return_to: str, now: datetime, replaces: str = "") -> str:
        """Begin to add one, in the place of `replaces` where that is named: the URL of the provider's page.

        `return_to` is our page of payment methods, where going back leads. Once one was added the provider leads to
        `<return_to>/<its id>/added`. Raises `Refused`, `NotFound`.
        """
        ...

    async def set_default(
        self, customer_id: str, method_id: str, *, everywhere: bool, key: str, now: datetime, browser: str
    ) -> Account:
        """Choose the default; `everywhere`: subscriptions that name another one are charged to it too, from now on."""
        ...

    async def remove_payment_method(
        self, customer_id: str, method_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        """Remove it: what it was charged for goes to the default. Raises `Refused`, `NotFound`, which it also is the
        second time with another key."""
        ...

    async def unpin(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        """Charge the subscription to the default again; it is so already: unchanged. Raises as the others."""
        ...


@runtime_checkable
class Sandbox(Protocol):
    """What only a backend without a provider of its own has: its sandbox page tells it what a provider would."""

    async def add_payment_method(
        self, customer_id: str, method: PaymentMethod, *, replaces: str, key: str, now: datetime, browser: str
    ) -> Account:
        """The provider is content with this one: it is the default now, or stands where `replaces` stood."""
        ...

    async def payment_confirmed(
        self, customer_id: str, seen: ProviderSession, *, succeeded: bool, key: str, now: datetime, browser: str
    ) -> Paying:
        """What the customer did on the bank's page, about the payment of that session: it is paid, or it failed. Raises
        `Refused` where it does not wait any more, `NotFound`."""
        ...
