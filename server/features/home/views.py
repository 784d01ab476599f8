"""The overview: everything of one customer on one page, made of the same parts as the features' own pages."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.billing import ENDED, Account, Money
from server.brands import Features
from server.features.details import views as details
from server.features.invoices import views as invoices
from server.features.payment_methods import views as payment_methods
from server.features.subscriptions import views as subscriptions
from server.rendering.views import View

_OLD = timedelta(hours=6)


class Overview(View, frozen=True):
    """The account at a glance. A part that the business switched off is None, and is not shown."""

    address: str
    """The address that logged in."""
    as_of: datetime
    """How fresh everything below is."""
    subscriptions: subscriptions.List
    is_old: bool = False
    """Hours old, so that the time of day alone would mislead."""
    payment_methods: payment_methods.List | None = None
    invoices: tuple[invoices.InvoiceRow, ...] | None = None
    """The latest few."""
    has_more_invoices: bool = False
    details: details.Show | None = None
    has_other_accounts: bool = False
    """The address has others too, and the business lets the customer choose."""
    balance: Money | None = None
    """Credit (negative) or debt (positive) that the next invoice takes into account; None: nothing."""
    has_other_currency: bool = False
    """A subscription is charged in another currency than that of the balance, which does nothing for it."""


class Beside(View, frozen=True):
    """What else the overview says that a change of one subscription may have changed: it comes with the changed card, and
    takes the place of what the page showed. On a page without these parts the browser drops it."""

    ended: int = 0
    """How many subscriptions have ended."""
    balance: Money | None = None
    has_other_currency: bool = False
    """A subscription is charged in another currency than that of the balance, which does nothing for it."""
    payment_methods: payment_methods.List | None = None
    invoices: tuple[invoices.InvoiceRow, ...] | None = None
    has_more_invoices: bool = False


def beside(account: Account, features: Features, now: datetime) -> Beside:
    shown = _latest(account, features, now)
    return Beside(
        ended=sum(each.status in ENDED for each in account.subscriptions),
        balance=account.balance or None,
        has_other_currency=_has_other_currency(account),
        payment_methods=_methods(account, features, now),
        invoices=shown,
        has_more_invoices=_has_more(account, shown),
    )


def overview(
    account: Account,
    features: Features,
    now: datetime,
    *,
    address: str,
    key: str,
    as_of: datetime | None = None,
    has_other_accounts: bool = False,
) -> Overview:
    """`key` is fresh for this page: the forms of the cards get theirs from it. `as_of` where the account is fresher
    than its document says."""
    as_of = as_of or account.as_of
    shown = _latest(account, features, now)
    return Overview(
        address=address,
        as_of=as_of,
        is_old=now - as_of > _OLD,
        subscriptions=subscriptions.listing(account, features, now, key=key),
        payment_methods=_methods(account, features, now),
        invoices=shown,
        has_more_invoices=_has_more(account, shown),
        details=details.details(account) if features.customer_update.enabled else None,
        has_other_accounts=has_other_accounts,
        balance=account.balance or None,
        has_other_currency=_has_other_currency(account),
    )


def _methods(account: Account, features: Features, now: datetime) -> payment_methods.List | None:
    """Without a key: they are changed on their own page."""
    return payment_methods.listing(account, features, now, key="") if features.payment_method_update.enabled else None


def _latest(account: Account, features: Features, now: datetime) -> tuple[invoices.InvoiceRow, ...] | None:
    return invoices.latest(account, now) if features.invoice_history.enabled else None


def _has_more(account: Account, shown: tuple[invoices.InvoiceRow, ...] | None) -> bool:
    return shown is not None and (len(account.invoices) > len(shown) or account.has_older_invoices)


def _has_other_currency(account: Account) -> bool:
    running = (each for each in account.subscriptions if each.status not in ENDED)
    return account.balance is not None and any(each.currency != account.balance.currency for each in running)
