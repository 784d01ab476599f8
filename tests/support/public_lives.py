"""The life of one subscription by the public rules: what is invoiced, paid, owed and credited, and when.

`Life` knows the same acts as the ledger and shares nothing with it but the words for prices, coupons and rates. Amounts
are minor units, fractions until a line is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from server.billing import Discount, Price, Recurring, TaxRate
from server.billing.model.account import Phase
from tests.support.public_rules import (
    GRAINS,
    Bill,
    Line,
    Sale,
    Tax,
    bill,
    exact_net,
    listed,
    nth_end,
    rest,
    taxed,
    to_unit,
)

FOREVER = Recurring("year", 1000)


@dataclass(eq=False)
class Document:
    """An invoice as it should be."""

    at: datetime
    bill: Bill
    status: str = "open"
    applied: int = 0
    """Credit (negative) or debt of the balance that went into it."""
    before: int = 0
    """The balance before it."""
    after: int = 0
    paid: int = 0
    paid_at: datetime | None = None
    due: int = 0
    due_at: datetime | None = None
    next_try: datetime | None = None
    refunded: int = 0
    noted: int = 0
    """Given back by credit notes, beside the refunds."""

    @property
    def returned(self) -> Fraction:
        """The part of it that was given back."""
        return (
            min(Fraction(self.refunded + self.noted, self.bill.total), Fraction(1))
            if self.bill.total > 0
            else Fraction(0)
        )


@dataclass
class Worth:
    """What the running period is worth as a whole."""

    net: Fraction
    line: Line | None = None
    """The line that billed it; None: the plan changed since to one of another worth, and its rates count."""
    document: Document | None = None


@dataclass
class Setting:
    """What the business chose."""

    prorates: str
    leaving_prorates: str
    """What a cancellation credits; a move to a price of zero counts as one (portal-features)."""
    anchor: str
    ends_trial: bool
    days: tuple[int, ...]
    after_last: str


@dataclass
class Life:
    setting: Setting
    price: Price
    quantity: int
    rates: Sequence[TaxRate]
    exempt: bool
    discounts: list[Discount]
    anchor: datetime
    balance: int = 0
    number: int = 1
    status: str = "active"
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    paid_until: datetime | None = None
    """Where an end was taken back that had cut the running period short."""
    scheduled: tuple[Price, int, Discount | None] | None = None
    phases: list[Phase] = field(default_factory=list)
    resumes_at: datetime | None = None
    """Set while a pause runs or is to come."""
    paused_period: bool = False
    works: bool = True
    """The card."""
    days_to_pay: int = 0
    """Its invoices are sent, and this is how long the customer has; 0: the card is charged."""
    worth: Worth | None = None
    waiting: list[Line] = field(default_factory=list)
    """For the next invoice."""
    documents: list[Document] = field(default_factory=list)

    # --- periods

    @property
    def start(self) -> datetime:
        return (
            self.anchor if self.number == 1 else nth_end(self.anchor, self.price.recurring or FOREVER, self.number - 1)
        )

    @property
    def end(self) -> datetime:
        if self.trial_end is not None:
            return self.trial_end
        if self.paid_until is not None:
            return self.paid_until
        end = nth_end(self.anchor, self.price.recurring or FOREVER, self.number)
        return min(end, self.cancel_at) if self.cancel_at and self.cancel_at > self.start else end

    def begin(self, at: datetime, lines: Sequence[Line] = ()) -> Document:
        """A period that begins at `at` and the invoice of it."""
        counting = [each for each in self.discounts if each.end_at is None or at < each.end_at]
        whole = nth_end(self.anchor, self.price.recurring or FOREVER, self.number)
        part = (
            rest(self.start, self.start, whole)
            if self.end == whole
            else rest(whole - (self.end - self.start), self.start, whole)
        )
        made = bill([Sale(self.price, self.quantity, (), self.rates, part)], counting, at)
        own = made.lines[0]
        own.start, own.end = self.start, self.end
        made.lines = [*lines, own]
        document = Document(at, made)
        self.worth = Worth(Fraction(own.net), own, document)
        return document

    # --- money

    def issue(self, document: Document) -> None:
        """Asks for its money: a debt of the balance comes on top, a credit of the balance comes off, then the card."""
        total = document.bill.total
        self.documents.append(document)
        document.before = self.balance
        document.applied = self.balance if self.balance > 0 else -min(max(total, 0), -self.balance)
        self.balance -= document.applied
        document.due = max(total + document.applied, 0)
        taken = self._give(max(-total - document.applied, 0), document.at)
        document.after = self.balance - taken
        if self.days_to_pay and document.due:
            document.due_at = document.at + timedelta(days=self.days_to_pay)
        else:
            self.charge(document, document.at)

    def _give(self, credit: int, at: datetime) -> int:
        """A credit pays what is owed of this subscription, the newest first; the rest is in the balance (decision 49). What
        was paid so is told by both documents: it goes to the balance with one and comes from it with the other."""
        whole = 0
        for each in reversed(self.documents):
            if each.status == "open" and each.due and credit:
                taken = min(each.due, credit)
                each.due, each.before, credit, whole = (
                    each.due - taken,
                    each.before - taken,
                    credit - taken,
                    whole + taken,
                )
                if not each.due:
                    each.status, each.next_try, each.paid_at = "paid", None, at
        self.balance -= credit
        return whole

    def charge(self, document: Document, at: datetime) -> None:
        if not document.due or self.works:
            document.paid, document.due = document.paid + document.due, 0
            document.status, document.paid_at, document.next_try = "paid", at, None
            newer = self.documents[self.documents.index(document) + 1 :]
            behind = any(each.status == "open" and (each.due_at or at) <= at for each in newer)
            if self.status in ("past_due", "unpaid") and not behind:
                self.status = "active"
            return
        if self.status == "active" and document is self.documents[-1]:
            self.status = "past_due"
        tries = [document.at + timedelta(days=each) for each in self.setting.days]
        document.next_try = next((each for each in tries if each > at), None)
        if document.next_try is None:
            self._give_up(at)

    def _give_up(self, at: datetime) -> None:
        """The last try failed (decision 48)."""
        if self.status != "past_due":
            return
        if self.setting.after_last == "cancel":
            self.ended(at)
        elif self.setting.after_last == "unpaid":
            self.status = "unpaid"

    # --- what a part of a period is worth

    def unused(self, at: datetime, *, leaving: bool) -> list[Line]:
        """The credit for the rest of the period: of what was billed for it, and no more than was paid and kept."""
        worth = self.worth
        if worth is None or self.status in ("trialing", "unpaid") or (leaving and self.status != "active"):
            return []
        if worth.document and (worth.document.status == "void" or (leaving and worth.document.status == "open")):
            return []
        currency = self.price.currency
        grain = GRAINS.get(currency, 1)
        amount = min(to_unit(worth.net * rest(at, self.start, self.end), currency), int(self.kept() / grain) * grain)
        if amount <= 0:
            return []
        if worth.line is None:
            return [Line(-amount, 0, taxed(Fraction(-amount), self.rates, currency), at, self.end)]
        billed = worth.line
        taxes = [
            Tax(each.rate, to_unit(Fraction(-amount * each.amount, billed.net), currency)) for each in billed.taxes
        ]
        return [Line(-amount, 0, taxes, at, self.end)]

    def kept(self) -> Fraction:
        """What was paid for the running period and not given back (decision 40)."""
        paid = Fraction(sum(each.net for each in self.waiting if each.end == self.end))
        for each in self.documents:
            lines = [line for line in each.bill.lines if line.end == self.end]
            paid += sum(line.net for line in lines) * (1 - each.returned) if each.status != "void" else 0
        return paid

    # --- acts of a customer

    def move(self, at: datetime, price: Price, quantity: int, discount: Discount | None, *, now: bool) -> None:
        if not now:
            self.scheduled = price, quantity, discount
            return
        same = (price, quantity) == (self.price, self.quantity)
        if self.trial_end is not None and not self.setting.ends_trial:
            self._become(price, quantity, discount)
            return
        anew = self.trial_end is not None or price.recurring != self.price.recurring or self.setting.anchor == "now"
        anew = anew or (listed(self.price, self.quantity) == 0 < listed(price, quantity))
        leaving = listed(price, quantity) == 0 < listed(self.price, self.quantity)
        if same:
            self._become(price, quantity, discount)
            return
        self.scheduled = None
        if anew or leaving:
            prorates = self.setting.leaving_prorates if leaving else self.setting.prorates
            credit = self.unused(at, leaving=leaving) if prorates != "none" else []
            self._anew(at, price, quantity, discount, credit)
        else:
            credit = self.unused(at, leaving=False)
            self._become(price, quantity, discount)
            self._within(at, credit, self.setting.prorates)

    def _become(self, price: Price, quantity: int, discount: Discount | None) -> None:
        self.price, self.quantity = price, quantity
        if discount is not None:
            self.discounts = [each for each in self.discounts if not each.promotion_code] + [discount]

    def _anew(self, at: datetime, price: Price, quantity: int, discount: Discount | None, credit: list[Line]) -> None:
        """A new period begins at this moment and is paid in full; what is left of the old one comes back."""
        lines = self.waiting + credit
        self._become(price, quantity, discount)
        self.status = "active" if self.status == "trialing" else self.status
        self.trial_end, self.paid_until, self.anchor, self.number, self.waiting = None, None, at, 1, []
        self.issue(self.begin(at, lines))
        self._used_up(at)

    def _within(self, at: datetime, credit: list[Line], prorates: str, *, says_nothing: bool = True) -> None:
        """The period goes on: what is left of the old plan comes back, and what is left of it costs by the new one. Only a
        change of the customer's own says that the rest costs nothing."""
        if prorates == "none":
            return
        whole, billed = exact_net(self.price, self.quantity, self.discounts, at), self.worth
        charge = to_unit(whole * rest(at, self.start, self.end), self.price.currency)
        self.waiting += credit
        if charge or says_nothing:
            self.waiting.append(Line(charge, 0, taxed(Fraction(charge), self.rates, self.price.currency), at, self.end))
        self.worth = Worth(whole)
        if billed and billed.net == whole and prorates == "create_prorations":
            self.worth = billed
        if prorates == "always_invoice":
            self.worth.document = self._settle(at)

    def _settle(self, at: datetime) -> Document | None:
        """An invoice of what waits."""
        if not self.waiting:
            return None
        document = Document(at, Bill(self.waiting))
        self.waiting = []
        self.issue(document)
        return document

    def _used_up(self, at: datetime) -> None:
        self.discounts = [
            each
            for each in self.discounts
            if each.coupon.duration != "once" and (each.end_at is None or at < each.end_at)
        ]

    def cancel(self, at: datetime, *, now: bool, gives_back: bool) -> None:
        if not now and self.status in ("active", "trialing", "past_due", "unpaid"):
            self.cancel_at = self.end
            return
        if gives_back:
            self.waiting += self.unused(at, leaving=True)
        self.ended(at)

    def ended(self, at: datetime) -> None:
        """What waits is settled, and nothing is tried any more."""
        self.status, self.ended_at, self.scheduled, self.phases = "canceled", at, None, []
        self._settle(at)
        for each in self.documents:
            each.next_try = None

    def resume(self) -> None:
        """What was paid for is used to its end; whole periods follow."""
        short, self.cancel_at = self.end, None
        self.paid_until = short if short < self.end else None

    def pause(self, cycles: int) -> None:
        self.resumes_at = nth_end(self.anchor, self.price.recurring or FOREVER, self.number + cycles)

    def unpause(self, at: datetime) -> None:
        """Ended before it began: it never was. Later: a period begins at this moment and is paid."""
        self.resumes_at = None
        if self.paused_period:
            self.paused_period = False
            self._anew(at, self.price, self.quantity, None, [])

    # --- what happens by itself

    def coming(self) -> tuple[datetime, int] | None:
        """When something is charged next, and how much, if nobody does anything and the card works."""
        ahead = copy(self)
        ahead.documents, ahead.waiting = [copy(each) for each in self.documents], list(self.waiting)
        ahead.phases, ahead.works = list(self.phases), True
        while ahead.status != "canceled" and len(ahead.documents) == len(self.documents):
            ahead.until(min(each[0] for each in ahead._events()))
        if ahead.status == "canceled":
            return None
        new = ahead.documents[-1]
        return None if new.status == "void" else (new.at, new.bill.total)

    def until(self, now: datetime) -> None:
        while True:
            due = sorted(self._events(), key=lambda each: each[:2])
            if not due or due[0][0] > now:
                return
            at, _, happen = due[0]
            happen(at)

    def _overdue(self, _: datetime) -> None:
        self.status = "past_due"

    def _events(self) -> Iterator[tuple[datetime, int, Callable[[datetime], None]]]:
        for each in self.documents:
            if each.next_try and each.status == "open":
                yield each.next_try, 1, lambda at, each=each: self.charge(each, at)  # type: ignore[misc]
        if self.status == "canceled":
            return
        if self.cancel_at:
            yield self.cancel_at, 0, self.ended
        if self.phases:
            yield self.phases[0].at, 2, self._phase
        newest = self.documents[-1] if self.documents else None
        if self.status == "active" and newest and newest.status == "open" and newest.due_at:
            yield newest.due_at, 1, self._overdue  # the newest invoice decides (decision 17)
        yield self.end, 3, self._renew

    def _phase(self, at: datetime) -> None:
        """A phase says everything anew: plan, discounts, rates. Within a running period it is prorated as it says."""
        phase = self.phases.pop(0)
        (item,) = phase.items
        plan, prorates = (self.price, self.quantity), phase.proration_behavior
        credit = self.unused(at, leaving=False) if prorates != "none" else []
        # From the moment that a pause is asked for, invoices of the business are void (Stripe's `pause_collection`).
        is_billed = self.status in ("active", "past_due") and not self.resumes_at
        within = at < self.end
        other_interval = item.price.recurring != self.price.recurring
        self.price, self.quantity, self.discounts = item.price, item.quantity, list(phase.discounts)
        self.rates = () if self.exempt else phase.default_tax_rates
        if within and is_billed and (other_interval or phase.is_new_anchor):
            self._anew(at, item.price, item.quantity, None, credit)
        elif within and (other_interval or phase.is_new_anchor):
            self.anchor, self.number, self.worth = at, 1, None
        elif other_interval:
            self.anchor, self.number = at, 0
        elif within and plan != (item.price, item.quantity):
            if is_billed:
                self._within(at, credit, prorates, says_nothing=False)
            else:
                self.worth = None

    def _renew(self, at: datetime) -> None:
        if self.scheduled:
            price, quantity, discount = self.scheduled
            if price.recurring != self.price.recurring:
                self.anchor, self.number = at, 0
            self._become(price, quantity, discount)
            self.scheduled = None
        if self.trial_end is not None or self.paid_until is not None:
            self.status = "active" if self.trial_end else self.status
            self.trial_end, self.paid_until, self.anchor, self.number = None, None, at, 0
        self.number += 1
        if self.resumes_at and self.resumes_at <= at:
            self.resumes_at, self.paused_period = None, False
        if self.status == "unpaid":
            self.worth = None
            return
        if self.resumes_at:
            # Nobody is asked: the balance, what waits and a coupon that counts once stay (decision 39).
            document = self.begin(at)
            document.status, self.paused_period, self.worth = "void", True, None
            self.documents.append(document)
            return
        lines, self.waiting = self.waiting, []
        document = self.begin(at, lines)
        self.issue(document)
        self._used_up(at)
