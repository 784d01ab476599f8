"""Which account? What a customer sees who has several under the address that was proved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from server.access.directory import Openable
from server.billing import ENDED, Account, Money
from server.billing.model.names import more_items_of, name_of
from server.billing.rules.pausing import begins_at
from server.features.states import state_of
from server.rendering.views import View


class Held(msgspec.Struct, frozen=True):
    """A subscription of an account."""

    name: str
    state: str
    """One of `features.states.BADGES`, or `other`."""
    word: str
    """The billing side's own word."""
    more_items: int = 0
    paused_by_customer: bool = False
    pause_begins_at: datetime | None = None


class LastInvoice(msgspec.Struct, frozen=True):
    number: str
    created_at: datetime
    total: Money


class Choice(msgspec.Struct, frozen=True):
    """One account to open."""

    id: str
    name: str
    is_open: bool = False
    """The one that is open now."""
    subscriptions: tuple[Held, ...] = ()
    """Those that have not ended."""
    had_some: bool = False
    """There were some, and all have ended."""
    invoice: LastInvoice | None = None


class Accounts(View, frozen=True):
    """Every account of the address; the one that is open now among them."""

    here: ClassVar[str] = "accounts"

    address: str
    """The address that logged in."""
    customer: str
    """Goes with every form: in a tab of another account it switches nothing."""
    accounts: tuple[Choice, ...]


def accounts(customer_id: str, address: str, found: Sequence[Openable]) -> Accounts:
    return Accounts(address, customer_id, tuple(_choice(each, customer_id) for each in found))


def _choice(each: Openable, open_id: str) -> Choice:
    account = each.account
    if account is None:
        return Choice(each.id, each.name, each.id == open_id)
    held = tuple(
        Held(
            name_of(subscription),
            state_of(subscription),
            subscription.status,
            more_items_of(subscription),
            subscription.paused_at is not None,
            begins_at(subscription),
        )
        for subscription in account.subscriptions
        if subscription.status not in ENDED
    )
    return Choice(each.id, each.name, each.id == open_id, held, bool(account.subscriptions), _last_invoice(account))


def _last_invoice(account: Account) -> LastInvoice | None:
    last = max(account.invoices, key=lambda each: each.created_at, default=None)
    return LastInvoice(last.number, last.created_at, last.total) if last else None
