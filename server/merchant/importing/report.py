"""What an import did, or would do: counts, what it noticed, what comes next. Written as text and as JSON.

kinds        of each kind of object: how many are new, changed, the same, or left out, and why
named        fields and objects that say more than the ledger can keep, each with its first place
carried      subscriptions whose period was over: it was taken as billed by the former billing side
unfinished   lists whose last page is in none of the files
coming       what each customer is charged within 31 days, in a dry run
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from server.billing.model.account import Account
from server.billing.model.names import name_of
from server.formats.minor_units import in_units
from server.formats.money import Money

SOON = timedelta(days=31)


class Counts(msgspec.Struct):
    """Of one kind of object."""

    new: int = 0
    changed: int = 0
    same: int = 0
    left_out: dict[str, int] = {}
    """By the reason."""

    def leave_out(self, why: str) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + 1


class Named(msgspec.Struct):
    """Something that an import noticed, with the place of the first."""

    what: str
    why: str
    count: int
    first: str


class Coming(msgspec.Struct, frozen=True):
    """What a customer is charged next: a period, or an open invoice once more."""

    customer: str
    name: str
    subscription: str
    at: datetime
    total: Money | None
    plus_usage: bool
    plus_tax: bool
    balance: Money | None = None
    """What the customer's balance adds to it: a credit is negative."""
    how: str = ""
    """`charged to visa 4242`, `sent as an invoice`, `no payment method`."""


class Notes:
    """Gathers the counts and what was noticed, while records are read and merged."""

    def __init__(self) -> None:
        self.kinds: dict[str, Counts] = {}
        self._named: dict[tuple[str, str], Named] = {}
        self.unreachable: list[str] = []

    def of(self, kind: str) -> Counts:
        return self.kinds.setdefault(kind, Counts())

    def name(self, what: str, why: str, place: object, count: int = 1) -> None:
        found = self._named.setdefault((what, why), Named(what, why, 0, str(place)))
        found.count += count

    @property
    def named(self) -> tuple[Named, ...]:
        return tuple(sorted(self._named.values(), key=lambda each: each.what))


class Imported(msgspec.Struct, frozen=True):
    """What an import did. Counts are of customers, except where it says so."""

    new: int
    changed: int
    unchanged: int
    unreachable: int
    """Have no address that a mail could reach: they cannot log in."""
    objects: dict[str, int]
    """How many of each kind were new or changed."""
    ignored: dict[str, int]
    """Kinds of records that the portal does not use."""
    unfinished: tuple[str, ...] = ()
    """Lists whose last page is in none of the files, see `Lists`."""
    kinds: dict[str, Counts] = {}
    named: tuple[Named, ...] = ()
    unreachable_ids: tuple[str, ...] = ()
    carried: int = 0
    """Subscriptions whose period was over."""
    billed_until: datetime | None = None
    broken: tuple[str, ...] = ()
    """What was left out because it was wrong: place and reason, one an object."""
    is_dry: bool = False
    coming: tuple[Coming, ...] = ()


def coming(account: Account, now: datetime) -> Iterator[Coming]:
    left = account.balance
    for each in sorted(account.upcoming, key=lambda each: each.at):
        subscription = account.subscription(each.subscription)
        if subscription is not None and each.at <= now + SOON:
            used, left = _from_balance(left, each.total)
            yield Coming(
                customer=account.customer.id,
                name=account.customer.name or account.customer.email,
                subscription=name_of(subscription) or subscription.id,
                at=each.at,
                total=each.total,
                plus_usage=each.plus_usage,
                plus_tax=each.plus_tax,
                balance=used,
                how=_how(account, each.subscription),
            )
    for invoice in account.invoices:
        if invoice.status == "open" and invoice.next_attempt_at and invoice.next_attempt_at <= now + SOON:
            yield Coming(
                customer=account.customer.id,
                name=account.customer.name or account.customer.email,
                subscription=f"invoice {invoice.number} again",
                at=invoice.next_attempt_at,
                total=invoice.amount_due,
                plus_usage=False,
                plus_tax=False,
                how=_how(account, invoice.subscription),
            )


def _from_balance(balance: Money | None, total: Money | None) -> tuple[Money | None, Money | None]:
    """What it adds to the total, and what is left of it."""
    if not balance or total is None or balance.currency != total.currency:
        return None, balance
    used = max(balance.amount, -max(total.amount, 0))
    return Money(used, total.currency) if used else None, Money(balance.amount - used, total.currency)


def _how(account: Account, subscription_id: str) -> str:
    subscription = account.subscription(subscription_id)
    if subscription is not None and subscription.collection_method == "send_invoice":
        return f"an invoice, due within {subscription.days_until_due} days"
    pinned = subscription.default_payment_method if subscription else ""
    method = account.payment_method(pinned or account.customer.default_payment_method)
    return f"charged to {method.brand or method.kind} {method.last4}".strip() if method else "no payment method"


def lines(done: Imported) -> Iterator[str]:
    """The report as text."""
    would = "would be" if done.is_dry else "are"
    yield f"{done.new} customers {would} new, {done.changed} changed, {done.unchanged} are as they were."
    for kind, counts in sorted(done.kinds.items()):
        said = [f"{counts.new} new", f"{counts.changed} changed", f"{counts.same} the same"]
        said += [f"{count} left out ({why})" for why, count in sorted(counts.left_out.items())]
        yield f"  {kind}: " + ", ".join(said)
    if done.ignored:
        yield "Not used: " + ", ".join(f"{count} of {kind}" for kind, count in sorted(done.ignored.items()))
    if done.carried and done.billed_until:
        until = f"{done.billed_until:%Y-%m-%d %H:%M} UTC"
        yield f"{done.carried} subscriptions were past their period. What fell due until {until} counts as billed elsewhere;"
        yield "  their running periods begin after it. Nothing was billed, mailed or tried for the past."
    if done.unreachable:
        some = ", ".join(done.unreachable_ids[:20]) + (", …" if done.unreachable > 20 else "")
        yield f"{done.unreachable} have no address that a mail could reach: they cannot log in ({some})."
    for each in done.named:
        yield f"{each.what}: {each.count} ({each.why}; first: {each.first})"
    for url in done.unfinished:
        yield f"{url}: its last page is in none of these files (has_more); import the rest, too."
    if done.broken:
        yield f"{len(done.broken)} records were left out because they are wrong."
    if done.is_dry:
        yield from _next(done)


def _next(done: Imported) -> Iterator[str]:
    yield f"What comes next, within {SOON.days} days:" if done.coming else f"Nobody is charged within {SOON.days} days."
    for each in sorted(done.coming, key=lambda each: (each.at, each.customer)):
        plus = [word for word, is_so in (("usage", each.plus_usage), ("tax", each.plus_tax)) if is_so]
        total = "?" if each.total is None else _said(each.total)
        if each.balance:
            total += f" ({_said(each.balance)} from the balance)"
        on_top = f" plus {' and '.join(plus)}" if plus else ""
        yield f"  {each.at:%Y-%m-%d %H:%M} {each.customer} {each.name}: {each.subscription}, {total}{on_top}, {each.how}"


def _said(amount: Money) -> str:
    return f"{in_units(amount.amount, amount.currency):f} {amount.currency}"


def as_json(done: Imported) -> str:
    return msgspec.json.format(msgspec.json.encode(done), indent=2).decode()
