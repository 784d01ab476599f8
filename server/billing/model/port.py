"""The verbs of the port, one protocol a feature; `Billing` in the package is all of them together.

A verb that reads is given the customer's id, a verb that changes something who asks for it (`By`); both come from the
session, never from the request. A verb that changes something raises `Refused` and `NotFound` and answers the account as
it is then; the same key again has no second effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, overload, runtime_checkable

import msgspec

from server.billing.model.account import LATEST_INVOICES, Account, Catalog, Invoice
from server.billing.model.change import (
    Action,
    Cancel,
    Cancellation,
    Done,
    Move,
    Paying,
    PlanChange,
    Preview,
    Restart,
    Restarts,
    Retain,
    RetentionOffer,
    Stale,
    Unpause,
    Unpausing,
    Update,
)
from server.billing.model.errors import Refusal
from server.brands.features import Features


class By(msgspec.Struct, frozen=True):
    """Who asks for a change, and under which conditions."""

    customer_id: str
    features: Features
    """What this session's configuration allows: the brand's, or the one that a session of the API carries."""
    now: datetime
    key: str = ""
    """The idempotency key of the form; a preview needs none."""
    browser: str = ""
    """What the history says of where it came from."""


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

    def is_within(self, at: datetime) -> bool:
        """Whether that moment is one of those that are wanted."""
        return (self.since_at is None or self.since_at <= at) and (self.until_at is None or at < self.until_at)


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

    async def refetch(self, customer_id: str, now: datetime) -> Account:
        """The same; where it is a copy of what is billed elsewhere, read again from there. Raises `NotFound`, `Unavailable`."""
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

    async def document(self, customer_id: str, invoice_id: str, kind: str) -> str:
        """Where the billing side's own PDF is now: `invoice`, `receipt`, or the id of a credit note of it; empty: it has none. Anybody who knows such a
        URL can read it, so it is asked for when somebody clicks and kept nowhere. Raises `NotFound`, `Unavailable`."""
        ...

    async def pay(self, by: By, invoice_id: str, payment_method_id: str) -> Paying:
        """Pay what is due of it with one of the customer's payment methods. A payment that failed, or that has to be
        confirmed, is an answer; the same key answers what came of it. Raises `Refused`, `NotFound`."""
        ...


class Details(Protocol):
    """What invoices say of a customer, and where mail goes."""

    async def change_email(self, by: By, email: str) -> Account:
        """Put this address (canonical), which was proved, in the place of the one that is there. With it, sessions and known
        browsers of the old address end, but for a session in which the new one was proved, and the old address is
        told. Raises `Refused`, `NotFound`."""
        ...

    async def update_customer(self, by: By, update: Update, *, seen: str = "") -> Account:
        """Put these details in the place of those that are there. `seen` (`rules.details.mark`): what the form showed;
        with other details there by now, `details_changed` is refused. Raises `Refused`, `NotFound`."""
        ...

    async def add_tax_id(self, by: By, kind: str, number: str) -> Account:
        """Raises `Refused`, `NotFound`."""
        ...

    async def remove_tax_id(self, by: By, tax_id: str) -> Account:
        """Raises `Refused`, `NotFound`, also for one that is gone already."""
        ...


class Subscriptions(Protocol):
    """What may be done with a subscription."""

    async def catalog(self, features: Features, prices: Sequence[str] = ()) -> Catalog:
        """What the configuration names: the prices to move to, the coupon offered before a cancellation; and `prices`."""
        ...

    async def promotion_code(self, id_: str) -> str:
        """What customers type to redeem this promotion code; empty: there is none of that id. Raises `Unavailable`."""
        ...

    @overload
    async def preview(self, by: By, subscription_id: str, action: Cancel) -> Cancellation | Refusal: ...
    @overload
    async def preview(self, by: By, subscription_id: str, action: Move) -> PlanChange | Refusal: ...
    @overload
    async def preview(self, by: By, subscription_id: str, action: Unpause) -> Unpausing | Refusal: ...
    @overload
    async def preview(self, by: By, subscription_id: str, action: Restart) -> Restarts | Refusal: ...
    @overload
    async def preview(self, by: By, subscription_id: str, action: Retain) -> RetentionOffer | Refusal: ...
    async def preview(self, by: By, subscription_id: str, action: Action) -> Preview | Refusal:
        """What the action would mean now, or why it cannot be done. Raises `NotFound`."""
        ...

    async def apply(self, by: By, subscription_id: str, action: Action, *, shown: str = "") -> Done | Stale:
        """Do what was shown under this fingerprint; an action without a preview needs none. What is so already is done.
        Raises `Refused`, `NotFound`."""
        ...


class PaymentMethods(Protocol):
    """What is charged. A number is only ever typed on the provider's page."""

    async def setup(self, by: By, *, return_to: str, replaces: str = "", as_default: bool = True) -> str:
        """Begin to add one, in the place of `replaces` where that is named: the URL of the provider's page. It becomes the
        default as `as_default` says, or where the customer has none; in the place of another, where that one was.

        `return_to` is our page of payment methods, where going back leads. Once one was added the provider leads to
        `<return_to>/<its id>/added`, or, where it knows its own session only, to `<return_to>/returned/<the session>`.
        Raises `Refused`, `NotFound`.
        """
        ...

    async def returned(self, by: By, session_id: str) -> str:
        """Take in what was added in that session of the provider's; the id of the payment method. The same session again
        changes nothing more. Raises `NotFound`, also where the session is another customer's or not finished."""
        ...

    async def set_default(self, by: By, method_id: str, *, everywhere: bool) -> Account:
        """Choose the default; `everywhere`: subscriptions that name another one are charged to it too, from now on."""
        ...

    async def remove_payment_method(self, by: By, method_id: str) -> Account:
        """Remove it: what it was charged for goes to the default. Raises `Refused`, `NotFound`, which it also is the
        second time with another key."""
        ...


@runtime_checkable
class Remote(Protocol):
    """A backend that keeps copies of what is billed elsewhere: what the background work asks of it, and no page."""

    async def follow(self, now: datetime) -> None:
        """For the worker, again and again: learn what changed at the billing side. Harmless in several processes."""
        ...

    async def sync_asked(self, clock: Callable[[], datetime]) -> None:
        """For the worker, again and again: read everything of the billing side anew, where an operator asked for that. It
        may take hours. Harmless in several processes."""
        ...

    async def look_for(self, address: str) -> bool:
        """Whether the billing side knows a customer with this address whom the directory does not have yet; it does
        then. For the worker: it may take long. Raises `Unavailable`."""
        ...

    async def close(self) -> None:
        """Let go of the connections that it holds."""
        ...
