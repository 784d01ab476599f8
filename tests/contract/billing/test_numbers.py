"""What customers do, counted: over the ledger and over Stripe the numbers are what became of the accounts."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.billing import Cancel, Done, Move, Refusal, Refused, Resume, Retain, Tell
from server.merchant.studio.numbers import days, sums
from tests.contract.billing.test_plans import FEATURES, records
from tests.support import exports
from tests.support.ledger_accounts import NOW, day

pytestmark = pytest.mark.anyio
ZONE = ZoneInfo("America/New_York")
CUSTOMERS = (1, 2, 3)
FAILING = 4
"""Does nothing until the period ends."""
REASONS = ("unused", "too_expensive", "other")
ACTS = (Cancel(), Resume(), Retain(), Move("price_2"), Move("price_0"), Move("price_1", 3), *map(Tell, REASONS))


def filled():
    for each in records(limit=99):
        if each["id"] == f"pm_{FAILING}":
            each |= {"metadata": {"portal_behavior": "insufficient_funds"}}
        yield each
    yield exports.method("pm_good", customer=f"cus_{FAILING}")


async def do(billing, number, act, now, key):
    """As a customer does it who looked at the page; the account before and after, None where it may not be."""
    by = billing.by(f"cus_{number}", key=key, now=now)
    before = await billing.account(f"cus_{number}", now)
    page = await billing.preview(by, f"sub_{number}", act) if isinstance(act, Cancel | Move | Retain) else None
    if isinstance(page, Refusal):
        return None
    try:
        answer = await billing.apply(by, f"sub_{number}", act, shown=page.fingerprint if page else "")
    except Refused:
        return None
    assert isinstance(answer, Done)
    return before.subscription(f"sub_{number}"), answer.account.subscription(f"sub_{number}")


def figure_of(act, old, new):
    """What the change of the account says that it was; None: nothing that is counted."""
    if isinstance(act, Cancel):
        return "cancellations" if new.cancel_at and not old.cancel_at else None
    if isinstance(act, Resume):
        return "resumed" if old.cancel_at and not new.cancel_at else None
    if isinstance(act, Retain):
        return "retained" if new.retained != old.retained else None
    return "plan_changes" if plan(old) != plan(new) else None


def plan(subscription):
    item = subscription.items[0]
    return item.price.id, item.quantity


async def test_numbers_are_what_became_of_the_accounts(backend):
    rng, billing = random.Random(11), await backend.begun(filled(), FEATURES)
    for number in (*CUSTOMERS, FAILING):
        await billing.account(f"cus_{number}", NOW)
    found, gave = {figure: Counter() for figure in sums.FIGURES}, set()
    at = NOW
    for nth in range(40):
        at += timedelta(minutes=rng.randrange(1, 600))
        number, act = rng.choice(CUSTOMERS), rng.choice(ACTS)
        done = await do(billing, number, act, at, f"key-{nth}")
        if done and isinstance(act, Tell) and done[0].feedback != done[1].feedback:
            gave.add((number, act.reason))
        elif done and (figure := figure_of(act, *done)):
            found[figure][at.astimezone(ZONE).date()] += 1
    assert at < day(2026, 4, 1)
    before = {number: await billing.account(f"cus_{number}", at) for number in (*CUSTOMERS, FAILING)}
    await renewed(billing, before, found)
    period = days.period("90", datetime(2026, 4, 1, 12, tzinfo=UTC).date())
    counted = await sums.count(backend.store, "plain", period, ZONE)
    assert {figure: dict(on) for figure, on in found.items()} == counted.by_day
    assert all(counted.total(each) for each in ("cancellations", "resumed", "retained", "plan_changes"))
    why = await sums.why(backend.store, "plain", period, ZONE)
    assert why.total == len(gave)


async def renewed(billing, before, found):
    """Let the period end, and the customer whose card fails pay with another one."""
    now = day(2026, 4, 1, 2)
    for number, was in before.items():
        account = await billing.account(f"cus_{number}", now)
        old, new = was.subscription(f"sub_{number}"), account.subscription(f"sub_{number}")
        if old.scheduled and plan(old) != plan(new):
            found["plan_changes"][old.scheduled.at.astimezone(ZONE).date()] += 1
        failed = [
            (invoice.id, payment.at)
            for invoice in account.invoices
            for payment in invoice.payments
            if payment.status == "failed"
        ]
        assert bool(failed) == (number == FAILING)
        for invoice, at in failed:
            found["failed_payments"][at.astimezone(ZONE).date()] += 1
            await billing.pay(billing.by(f"cus_{number}", key="key-of-pay", now=now), invoice, "pm_good")
            found["paid_later"][now.astimezone(ZONE).date()] += 1
