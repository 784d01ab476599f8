"""Everything that a customer can do with subscriptions, drawn at random, each held to what its page showed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Account, Invoice, PlanChange, Price, Refusal, Subscription, Tell
from server.billing.ledger.changes import pausing
from server.billing.ledger.changes.canceling import resume
from server.billing.ledger.changes.planning import Planned, Terms
from server.billing.ledger.changes.restarting import restart
from server.billing.ledger.changes.retention import tell
from server.billing.ledger.changes.schedules import undo
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.rules.canceling import may_cancel
from server.brands.features import Features
from tests.support.pages import apply, cancel_as_shown, cancellation, offer, preview, restarts, retain, unpausing
from tests.support.plans import accounts, all_terms, asked, catalogs, changed

Draw = Callable[[Any], Any]
READ_FOR = timedelta(minutes=7)
"""So long a customer looks at the page before."""


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Price], Account, Terms]:
    prices = draw(catalogs())
    return prices, draw(accounts(prices)), draw(all_terms(prices))


@st.composite
def odd_situations(draw: st.DrawFn) -> tuple[list[Price], Account, Terms]:
    """Also subscriptions with which little may be done."""
    prices, it, terms = draw(situations())
    (found,) = it.subscriptions
    odd: dict[str, Any] = draw(
        st.sampled_from(
            (
                {},
                {"collection_method": "send_invoice", "days_until_due": 14},
                {"items": (*found.items, replace(found.items[0], id="si_more"))},
                {"schedule": "sub_sched_1"},
                {"pause_behavior": "keep_as_draft"},
                {"cancel_at": found.current_period_end_at, "cancel_at_period_end": True},
                {"cancel_at": found.current_period_end_at - timedelta(hours=5)},
                *({"status": each} for each in ("past_due", "unpaid", "paused", "incomplete", "canceled", "sleeping")),
            )
        )
    )
    return prices, changed(it, replace(found, **odd)), terms


def later(draw: Draw, it: Account) -> tuple[Account, datetime, tuple[Invoice, ...]]:
    """The account some days on, and that moment: whatever was due has happened."""
    begun = max(it.as_of, min(each.created_at for each in it.subscriptions))
    now = draw(st.integers(1, 25 * 24 * 3600)) * timedelta(seconds=1) + begun
    after, invoices = bring_up_to_date(it, now)
    return after, now, invoices


def paid(invoices: tuple[Invoice, ...]) -> int:
    return sum(each.amount_paid.amount + each.amount_due.amount for each in invoices)


@dataclass
class Visit:
    """A customer who is about to do something with one subscription."""

    draw: Draw
    it: Account
    found: Subscription
    prices: list[Price]
    terms: Terms
    now: datetime

    @property
    def features(self) -> Features:
        return self.terms.features


Done = Account | Refusal | None
"""None: the page had become stale."""


def step(draw: Draw, it: Account, prices: list[Price], terms: Terms, now: datetime) -> Done:
    """One thing that a customer does."""
    found = draw(st.sampled_from(it.subscriptions))
    doing = draw(st.sampled_from((*(change,) * 6, *(cancel, unpause, begin_again) * 2, *_OTHERS)))
    made: Done = doing(Visit(draw, it, found, prices, terms, now))
    return made


def fresh(before: Account, after: Account) -> tuple[Invoice, ...]:
    known = {each.id for each in before.invoices}
    return tuple(each for each in after.invoices if each.id not in known)


def change(of: Visit) -> Done:
    wanted = of.draw(asked(of.prices))
    shown = preview(of.it, of.found.id, wanted, of.terms, of.now)
    if isinstance(shown, Refusal):
        assert apply(of.it, of.found.id, wanted, of.terms, token="", now=of.now) == shown
        return shown
    made = apply(of.it, of.found.id, wanted, of.terms, token=shown.fingerprint, now=of.now + READ_FOR)
    if isinstance(made, Planned):
        assert made.preview == replace(shown, fingerprint="")
        assert paid(made.invoices) == shown.due_now.amount
        return made.account
    return None if isinstance(made, PlanChange) else made


def cancel(of: Visit) -> Done:
    rule = of.features.subscription_cancel
    refused = may_cancel(of.found, rule, of.now)
    shown = cancellation(of.it, of.found.id, rule, of.now)
    token = "" if isinstance(shown, Refusal) else shown.fingerprint
    made = cancel_as_shown(of.it, of.found.id, rule, token=token, now=of.now + READ_FOR)
    if refused or not isinstance(made, Account):
        # Where its period ends while the page is read, the page is told again.
        return made if isinstance(made, Account | Refusal) else None
    after = made.subscription(of.found.id)
    assert after is not None
    if not shown.at_once:
        assert (after.cancel_at, made.invoices) == (shown.ends_at, of.it.invoices)
        return made
    total = sum(each.total.amount for each in fresh(of.it, made))
    assert total == (shown.due.amount if shown.due else -shown.credit.amount if shown.credit else 0)
    ended = "incomplete_expired" if of.found.status == "incomplete" else "canceled"
    assert (after.status, after.ended_at) == (ended, of.now + READ_FOR)
    return made


def take_back(of: Visit) -> Done:
    return resume(of.it, of.found.id, of.features.subscription_cancel, of.now)


def keep_the_plan(of: Visit) -> Done:
    return undo(of.it, of.found.id, of.features, of.now)


def have_a_pause(of: Visit) -> Done:
    return pausing.pause(of.it, of.found.id, of.draw(st.integers(1, 4)), of.features, of.now)


def unpause(of: Visit) -> Done:
    made = pausing.unpause(of.it, of.found.id, of.features, of.now)
    if isinstance(made, Account) and made != of.it:
        shown = unpausing(of.it, of.found, of.features, of.now)
        assert paid(fresh(of.it, made)) == (shown.due.amount if shown else 0)
    return made


def begin_again(of: Visit) -> Done:
    chosen = of.draw(st.sampled_from([*(each.id for each in of.prices), "price_none"]))
    made = restart(of.it, of.found.id, chosen, of.terms.catalog, features=of.features, now=of.now)
    if isinstance(made, Account) and made != of.it:
        offered = restarts(of.it, of.found, of.terms.catalog, of.features, of.now)
        shown = next(each for each in offered if each.price.id == chosen)
        begun = next(each for each in made.subscriptions if of.it.subscription(each.id) is None)
        assert paid(fresh(of.it, made)) == shown.charge.due.amount
        assert begun.current_period_end_at == shown.period_ends_at
    return made


def stay(of: Visit) -> Done:
    shown = offer(of.it, of.found.id, of.terms.catalog, of.features, of.now)
    made = retain(of.it, of.found.id, of.terms.catalog, of.features, of.now)
    if shown and isinstance(made, Account):
        assert next((each for each in made.upcoming if each.subscription == of.found.id), None) == shown.after
    return made


def say_why(of: Visit) -> Done:
    told = of.draw(st.sampled_from((("unused", ""), ("other", "Moving abroad"), ("moon", ""), ("other", "x" * 501))))
    return tell(of.it, of.found.id, Tell(*told), of.features, of.now)


_OTHERS = (take_back, keep_the_plan, have_a_pause, stay, say_why)
