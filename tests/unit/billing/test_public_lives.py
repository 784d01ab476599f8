"""The ledger against the oracle (`tests/support/public_lives.py`) in generated lives: to the unit, document by document."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Coupon, CreditNote, Discount, Money, Move, Refusal, TaxRate
from server.billing.ledger.changes import pausing
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.changes.schedules import undo
from server.billing.ledger.events.renewals import bring_up_to_date, due_at
from server.billing.ledger.sums import paying
from server.billing.ledger.sums.upcoming import settled
from server.billing.model.account import Item, Phase, PhaseItem
from server.brands.dunning import Dunning
from tests.support.ledger_accounts import CARD, account, day, subscription
from tests.support.pages import apply, preview
from tests.support.plans import all_terms, catalogs, changed, often, only, paid
from tests.support.public_lives import Life, Setting
from tests.support.public_rules import nth_end

GOOD = replace(CARD, exp_year=9999)
POOR = replace(GOOD, behavior="insufficient_funds")
MONEY = {"payment_failed"}
STARTS = (0, 5, 16, 27, 28, 29, 30, 40, 58, 97, 120, 150, 211, 303, 423, 424)
"""Days after 1 January 2027: ends of months, the leap day, and what a trial of two weeks ends on them."""
GAPS = (0, 1, 2, 3, 5, 8, 13, 14, 20, 27, 31, 45)
"""Days between two acts: a retry, a week, most of a month, more than one."""
RATES = (
    (),
    (TaxRate("t", "19", "MwSt", inclusive=True),),
    (TaxRate("t", "8.875", "Tax"),),
    (TaxRate("t", "10", "Tax"), TaxRate("u", "5", "City")),
)


class Both:
    """One customer at the ledger and by the rules."""

    def __init__(self, draw):
        self.random = draw(st.randoms(use_true_random=True))
        pick = self.random.choice
        self.prices = draw(catalogs())
        self.terms = draw(all_terms(self.prices))
        self.dunning = Dunning(pick(((1, 2, 3, 5, 7, 9, 12, 14), (3,), ())),
                               pick(("cancel", "unpaid", "past_due")))  # fmt: skip
        update = self.terms.features.subscription_update
        setting = Setting(
            update.proration_behavior, self.terms.features.subscription_cancel.proration_behavior,
            update.billing_cycle_anchor, update.trial_update_behavior == "end_trial",
            self.dunning.retry_days, self.dunning.after_last,
        )  # fmt: skip
        price, quantity = pick(self.prices), self.random.randint(1, 12)
        self.now = start = day(2027, 1, 1) + timedelta(days=pick(STARTS))
        rates, exempt = pick(RATES), pick(("", "", "", "reverse", "exempt"))
        old = Discount("di", Coupon("old", percent_off="12.5", duration=pick(("forever", "once"))))
        discounts = pick(((), (), (old,)))
        balance = pick((0, 0, -5000, 250))
        trial = start + timedelta(days=14) if pick(range(6)) == 0 else None
        days = pick((0, 0, 0, 0, 14, 40))
        self.life = Life(
            setting, price, quantity, () if exempt else rates, bool(exempt), list(discounts), start, balance,
            status="trialing" if trial else "active", trial_end=trial, days_to_pay=days,
        )  # fmt: skip
        self.currency = price.currency
        sent = {"collection_method": "send_invoice", "days_until_due": days} if days else {}
        end = trial or nth_end(start, price.recurring, 1)
        found = subscription(
            Item("si_1", price, start, end, quantity), currency=price.currency, created_at=start,
            billing_cycle_anchor_at=start, default_tax_rates=rates, tax_exempt=exempt, discounts=discounts, **sent,
            **({"status": "trialing", "trial_start_at": start, "trial_end_at": trial} if trial else {}),
        )  # fmt: skip
        holder = account(balance=self.money(balance) if balance else None, payment_methods=(GOOD,))
        holder = replace(holder, as_of=start)
        if trial:
            self.it = changed(replace(holder, subscriptions=(found,)), found)
        else:
            self.it = paid(holder, found, start)
            self.it = changed(self.it, self._lasting(only(self.it)))
            self.life.issue(self.life.begin(start))
            self.life._used_up(start)
        self.invoices = {each.id: each for each in self.it.invoices}
        self.told = []

    def _lasting(self, found):
        return replace(found, discounts=tuple(each for each in found.discounts if each.coupon.duration != "once"))

    def money(self, amount):
        return Money(amount, self.currency)

    @property
    def found(self):
        return only(self.it)

    def took(self, after):
        self.invoices |= {each.id: each for each in after.invoices}
        self.it = after

    def later(self, days=None):
        gap = timedelta(days=self.random.choice(GAPS), seconds=self.random.choice((1, 7_777, 43_200, 61_234)))
        self.now += gap if days is None else timedelta(days=days)
        self.told.append(f"{self.now}")
        due = self.now
        while due and due <= self.now:  # a single call goes through so many events
            after, made = bring_up_to_date(self.it, self.now, self.dunning)
            self.invoices |= {each.id: each for each in made}
            self.took(after)
            due = due_at(after)
        self.life.until(self.now)

    # --- acts

    def move(self):
        price = self.random.choice(["", *(each.id for each in self.prices)])
        code = self.random.choice(("", "", "half", " THIRD ", "all", "all", "some"))
        change = Move(price, self.random.choice((None, 0, 1, 2, 5, 6, 12)), code)
        shown = preview(self.it, "sub_1", change, self.terms, self.now)
        if isinstance(shown, Refusal):
            self.told.append(f"{change} refused {shown}")
            return
        made = apply(self.it, "sub_1", change, self.terms, token=shown.fingerprint, now=self.now)
        if isinstance(made, Refusal):
            assert made.reason in MONEY
            assert not self.life.works
            return
        self.told.append(f"{change} at once={shown.at_once}")
        self.life.move(self.now, shown.after.price, shown.after.quantity, shown.discount, now=shown.at_once)
        self.took(made.account)

    def cancel(self):
        rule = self.terms.features.subscription_cancel
        after = cancel(self.it, "sub_1", rule, self.now)
        if isinstance(after, Refusal) or after is self.it:
            return
        self.told.append(f"cancel {rule.mode} {rule.proration_behavior}")
        at_once = rule.mode == "immediately"
        self.life.cancel(self.now, now=at_once, gives_back=rule.proration_behavior == "create_prorations")
        self.took(after)

    def resume(self):
        after = resume(self.it, "sub_1", self.terms.features.subscription_cancel, self.now)
        if not isinstance(after, Refusal) and after is not self.it:
            self.told.append("resume")
            self.life.resume()
            self.took(after)

    def undo(self):
        after = undo(self.it, "sub_1", self.terms.features, self.now)
        if not isinstance(after, Refusal) and after is not self.it:
            self.told.append("undo")
            self.life.scheduled = None
            self.took(after)

    def pause(self):
        if self.life.phases:
            return  # Stripe pauses nothing that has a schedule
        cycles = self.random.randint(1, 3)
        after = pausing.pause(self.it, "sub_1", cycles, self.terms.features, self.now)
        if not isinstance(after, Refusal) and after is not self.it:
            self.told.append(f"pause {cycles}")
            self.life.pause(cycles)
            self.took(after)

    def unpause(self):
        after = pausing.unpause(self.it, "sub_1", self.terms.features, self.now)
        if isinstance(after, Refusal):
            assert after.reason not in MONEY or not self.life.works
        elif after is not self.it:
            self.told.append("unpause")
            self.life.unpause(self.now)
            self.took(after)

    def card(self):
        self.life.works = not self.life.works
        self.told.append(f"card works={self.life.works}")
        self.took(replace(self.it, payment_methods=(GOOD if self.life.works else POOR,)))

    def pay(self):
        """The customer pays what is open, with a card that works."""
        owed = next((each for each in reversed(self.life.documents) if each.status == "open"), None)
        if owed is None or not self.life.works:
            return
        invoice = next(
            each
            for each in self.it.invoices
            if (each.created_at, each.status) == (owed.at, "open") and each.amount_due.amount == owed.due
        )
        done = paying.pay(self.it, invoice, "pm_1", payment_id=f"inpay_{len(self.told)}", now=self.now)
        assert not isinstance(done, Refusal), done
        self.told.append(f"pay {owed.due}")
        self.life.charge(owed, self.now)
        self.invoices[done.invoice.id] = done.invoice  # the account drops old ones that are paid
        self.took(done.account)

    def credit(self):
        """The business changes the balance."""
        amount = self.random.choice((-700, 300, -20000))
        self.told.append(f"balance {amount:+}")
        self.life.balance += amount
        self.took(replace(self.it, balance=self.money(self.life.balance) if self.life.balance else None))

    def refund(self):
        """A part of the newest paid invoice goes back to the card, or is credited to the balance by a note."""
        of = next((each for each in reversed(self.life.documents) if each.paid and each.status == "paid"), None)
        if of is None or of.bill.total <= 0:
            return
        newest = next(
            (each for each in self.it.invoices if (each.created_at, each.total.amount) == (of.at, of.bill.total)), None
        )
        if newest is None:
            return
        left = of.paid - of.refunded - of.noted
        amount = min(left, max(1, left * self.random.choice((3, 40, 80, 97, 100)) // 100))
        if amount <= 0:
            return
        noted = self.random.choice((False, True))
        self.told.append(f"{'note' if noted else 'refund'} {amount} of {of.paid}")
        if noted:
            of.noted += amount
            note = CreditNote(
                f"cn_{of.noted}",
                "CN",
                "issued",
                self.now,
                self.money(amount),
                self.money(amount),
                to_balance=self.money(amount),
            )
            credited = self.money(of.noted)
            newest = replace(newest, credited=credited, credit_notes=(*newest.credit_notes, note))
            self.life.balance -= amount
        else:
            of.refunded += amount
            last = next(each for each in newest.payments if each.status == "paid")
            given = replace(last, refunded=self.money(of.refunded))
            newest = replace(newest, payments=tuple(given if each is last else each for each in newest.payments))
        balance = self.money(self.life.balance) if self.life.balance else None
        invoices = tuple(newest if each.id == newest.id else each for each in self.it.invoices)
        self.took(settled(replace(self.it, invoices=invoices, balance=balance)))

    def schedule(self):
        """The business plans a phase."""
        if (
            self.found.status in ("canceled", "trialing")
            or self.found.scheduled
            or self.found.cancel_at
            or self.life.resumes_at
        ):
            return
        at = self.found.current_period_end_at
        if self.random.choice((False, True)):
            at = self.now + (at - self.now) * self.random.randint(1, 99) // 100
            at = at.replace(microsecond=0)
        if at <= self.now:
            return
        half = Coupon("half", percent_off="50", duration=self.random.choice(("once", "forever")))
        phase = Phase(
            at, (PhaseItem(self.random.choice(self.prices), self.random.randint(1, 9)),),
            discounts=self.random.choice(((), self.found.discounts, (Discount("di_phase", half),))),
            default_tax_rates=self.random.choice((self.found.default_tax_rates, self.found.default_tax_rates, *RATES)),
            proration_behavior=self.random.choice(("create_prorations", "always_invoice", "none")),
            is_new_anchor=self.random.choice((False, False, True)),
        )  # fmt: skip
        self.told.append(f"phase {at} {phase.items} {phase.proration_behavior} {phase.is_new_anchor}")
        self.life.phases = [phase]
        self.took(changed(self.it, replace(self.found, phases=(phase,), schedule="sub_sched_1")))

    def end(self):
        """The business ends it at a moment of its own, which may lie within a later period."""
        if self.found.status != "active" or self.found.cancel_at or self.life.resumes_at or self.life.phases:
            return
        at = self.now + timedelta(days=self.random.randint(1, 70))
        if at <= self.found.current_period_end_at:
            return
        self.told.append(f"ends {at}")
        self.life.cancel_at = at
        self.took(changed(self.it, replace(self.found, cancel_at=at, canceled_at=self.now)))

    # --- compared

    def compare(self):
        found, life = self.found, self.life
        ledger = {
            "status": found.status,
            "balance": self.it.balance.amount if self.it.balance else 0,
            "cancel_at": found.cancel_at,
            "ended_at": found.ended_at,
            "waiting": sorted(each.line.amount.amount for each in found.pending),
        }
        rules = {
            "status": life.status,
            "balance": life.balance,
            "cancel_at": life.cancel_at,
            "ended_at": life.ended_at,
            "waiting": sorted(each.amount for each in life.waiting),
        }
        if life.status != "canceled":
            ledger["period"] = (found.items[0].current_period_start_at, found.items[0].current_period_end_at)
            rules["period"] = (life.start, life.end)
        if self.it.upcoming or life.status in ("active", "trialing", "past_due"):
            ledger["coming"] = next(((each.at, each.total.amount) for each in self.it.upcoming), None)
            rules["coming"] = life.coming()
        for each in self.invoices.values():
            assert each.adds_up, (each.gap, self.told)
        documents = sorted(map(_read, self.invoices.values()), key=lambda each: (each["at"], each["total"]))
        expected = sorted(map(_said, life.documents), key=lambda each: (each["at"], each["total"]))
        wrong = [f"{key}: ledger {ledger[key]}, rules {rules[key]}" for key in ledger if ledger[key] != rules[key]]
        for n in range(max(len(documents), len(expected))):
            one, other = (each[n] if n < len(each) else {} for each in (documents, expected))
            keys = [each for each in (one or other) if one.get(each) != other.get(each)]
            wrong += [
                f"{(one or other)['at']} {each}: ledger {one.get(each)}, rules {other.get(each)}" for each in keys
            ]
        assert not wrong, "\n".join((*map(str, self.told), *wrong))


def _read(invoice):
    return {
        "at": invoice.created_at,
        "lines": sorted((each.amount.amount, each.period_start_at, each.period_end_at) for each in invoice.lines),
        "discounts": invoice.discounted.amount,
        "taxes": {
            (each.percentage, each.inclusive): each.amount.amount for each in invoice.taxes if each.amount.amount
        },
        "subtotal": invoice.subtotal.amount,
        "total": invoice.total.amount,
        "status": invoice.status,
        "applied": invoice.balance_applied.amount if invoice.balance_applied else 0,
        "before": invoice.starting_balance.amount if invoice.starting_balance else 0,
        "after": invoice.ending_balance.amount if invoice.ending_balance else 0,
        "paid at": invoice.paid_at,
        "paid": invoice.amount_paid.amount,
        "due": invoice.amount_due.amount,
        "due at": invoice.due_at,
        "next try": invoice.next_attempt_at,
    }


def _said(document):
    return {
        "at": document.at,
        "lines": sorted((each.amount, each.start, each.end) for each in document.bill.lines),
        "discounts": sum(document.bill.discounts),
        "taxes": {key: amount for key, amount in document.bill.taxes.items() if amount},
        "subtotal": document.bill.subtotal,
        "total": document.bill.total,
        "status": document.status,
        "applied": document.before - document.after,
        "before": document.before,
        "after": document.after,
        "paid at": document.paid_at,
        "paid": document.paid,
        "due": document.due,
        "due at": document.due_at,
        "next try": document.next_try,
    }


def live(data, acts):
    both = Both(data.draw)
    both.compare()
    for _ in range(both.random.randint(3, 10)):
        both.later()
        both.compare()
        if both.life.status == "canceled":
            break
        act = both.random.choice(acts)
        getattr(both, act)()
        both.compare()
    both.later(days=60)
    both.compare()


@settings(max_examples=often(40), deadline=None)
@given(st.data())
def test_changes_and_cancellations_cost_what_the_rules_say(data):
    live(data, (*("move",) * 7, "cancel", "resume", "undo", "end"))


@settings(max_examples=often(40), deadline=None)
@given(st.data())
def test_pauses_balances_and_failing_cards_do_what_the_rules_say(data):
    live(data, ("move", "move", "cancel", "resume", "pause", "pause", "unpause", "card", "card", "credit", "pay"))


@settings(max_examples=often(40), deadline=None)
@given(st.data())
def test_refunds_notes_and_schedules_do_what_the_rules_say(data):
    live(data, ("move", "cancel", "refund", "refund", "schedule", "schedule", "credit", "end"))


@settings(max_examples=often(40), deadline=None)
@given(st.data())
def test_everything_together_does_what_the_rules_say(data):
    live(
        data,
        ("move", "cancel", "resume", "undo", "pause", "unpause", "card", "credit", "pay", "refund", "schedule", "end"),
    )
