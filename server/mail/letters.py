"""The mails about a customer's subscriptions and invoices: what each says, read off what the ledger noted of the event.

Amounts and dates are those of the event, whenever the mail leaves. Whether it is still wanted is asked when it leaves:
an invoice that was paid meanwhile, or a trial that was canceled, needs no mail any more. Nothing that a customer can
type about themselves, such as a name, is in a mail: somebody else may have typed it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from server.billing import Account, Invoice, Money, PaymentMethod, Subscription, Upcoming
from server.billing.model.notices import Event
from server.mail.messages import Mail


class Letter(Mail, frozen=True, kw_only=True):
    """What every mail about a customer has."""

    at: datetime
    """When what it tells of happened."""
    link: str = ""
    """The log-in page, the customer's address filled in; empty where no link is active."""


class AboutInvoice(Letter, frozen=True, kw_only=True):
    """What the mails about one invoice share."""

    invoice: Invoice
    """With its first lines; `has_more_lines` where there are more."""
    subscription: Subscription | None = None
    """What it is for, where it belongs to one."""
    method: PaymentMethod | None = None
    """What it was or would be taken from."""


class InvoiceToPay(AboutInvoice, frozen=True, kw_only=True):
    """An invoice that the customer pays by hand."""

    template: ClassVar[str] = "invoice"
    is_overdue: bool = False


class Receipt(AboutInvoice, frozen=True, kw_only=True):
    """Money was taken."""

    template: ClassVar[str] = "receipt"


class PaymentFailed(AboutInvoice, frozen=True, kw_only=True):
    """A charge did not work."""

    template: ClassVar[str] = "payment_failed"
    failure: str = ""
    """The decline code; empty where there was nothing to charge."""
    after_last: str = ""
    """What the last failed try does to the subscription: `cancel`, `unpaid` or `past_due`; empty: nobody says."""
    last_try_at: datetime | None = None
    """When the last try will be. The next one is `invoice.next_attempt_at`; without it, this was the last."""


class PaymentActionRequired(AboutInvoice, frozen=True, kw_only=True):
    """The bank wants the customer to confirm a charge."""

    template: ClassVar[str] = "payment_action_required"
    after_last: str = ""
    """As in `PaymentFailed`."""
    last_try_at: datetime | None = None


class AboutRenewal(Letter, frozen=True, kw_only=True):
    """What is charged next, said before it is."""

    subscription: Subscription
    upcoming: Upcoming
    method: PaymentMethod | None = None


class TrialEnding(AboutRenewal, frozen=True, kw_only=True):
    template: ClassVar[str] = "trial_ending"


class RenewalReminder(AboutRenewal, frozen=True, kw_only=True):
    template: ClassVar[str] = "renewal_reminder"


class CardExpiring(Letter, frozen=True, kw_only=True):
    template: ClassVar[str] = "card_expiring"
    method: PaymentMethod
    names: tuple[str, ...] = ()
    """What is charged to it."""


class SubscriptionCanceled(Letter, frozen=True, kw_only=True):
    template: ClassVar[str] = "subscription_canceled"
    state: str
    """`ends`: later; `ended`; `kept`: the cancellation was taken back."""
    subscription: Subscription
    upcoming: Upcoming | None = None
    """What is charged next, where it was kept."""
    credit: Money | None = None
    """Given back for unused time."""
    debt: Money | None = None
    """What is still to be paid of it, where it ends or has ended."""


class PlanChanged(Letter, frozen=True, kw_only=True):
    template: ClassVar[str] = "plan_changed"
    state: str
    """`now`; `scheduled`: later; `kept`: a later change was taken back."""
    before: Subscription
    subscription: Subscription
    invoice: Invoice | None = None
    """Of the change itself."""
    upcoming: Upcoming | None = None


LETTERS: tuple[type[Letter], ...] = (
    *(InvoiceToPay, Receipt, PaymentFailed, PaymentActionRequired),
    *(TrialEnding, RenewalReminder, CardExpiring, SubscriptionCanceled, PlanChanged),
)


def page_of(kind: type[Letter], event: Event) -> str:
    """The page that it tells of, by its name in `login.nextpage`."""
    if event.invoice and issubclass(kind, AboutInvoice):
        return f"{'invoice_pay' if kind in (PaymentFailed, PaymentActionRequired) else 'invoice'}:{event.invoice.id}"
    if kind is CardExpiring:
        return "payment_methods"
    if event.state == "ended":
        return "invoices"
    return f"subscription:{event.subscription.id}" if event.subscription else "home"


def letter(kind: type[Letter], event: Event, *, way: str = "", link: str = "", stop: str = "") -> Letter:
    """The mail of this kind. Fields that a kind shares with `Event` have the same names."""
    fields = {name: getattr(event, name) for name in kind.__struct_fields__ if hasattr(event, name)}
    if kind is InvoiceToPay:
        fields["is_overdue"] = event.state == "overdue"
    if kind is PaymentFailed and event.invoice and event.invoice.payments:
        fields["failure"] = event.invoice.payments[-1].failure
    return kind(way=way, link=link, stop=stop, **fields)


def _invoice_open(event: Event, account: Account) -> bool:
    now = next((each for each in account.invoices if event.invoice and each.id == event.invoice.id), None)
    return now is None or now.status == "open"


def _still_charged(event: Event, account: Account) -> bool:
    now = account.subscription(event.subscription.id) if event.subscription else None
    if now is None or event.subscription is None or event.upcoming is None:
        return False
    return now.status == event.subscription.status and not (now.cancel_at and now.cancel_at <= event.upcoming.at)


def _card_kept(event: Event, account: Account) -> bool:
    return event.method is not None and account.payment_method(event.method.id) == event.method


_NEEDED: dict[type[Letter], Callable[[Event, Account], bool]] = {
    InvoiceToPay: _invoice_open,
    PaymentFailed: _invoice_open,
    PaymentActionRequired: _invoice_open,
    TrialEnding: _still_charged,
    RenewalReminder: _still_charged,
    CardExpiring: _card_kept,
}


def is_needed(kind: type[Mail], event: Event, account: Account) -> bool:
    """Whether the mail still says what is so; `account`: as it is when the mail leaves."""
    ask = next((ask for each, ask in _NEEDED.items() if each is kind), None)
    return ask is None or ask(event, account)
