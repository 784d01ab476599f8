"""What an invoice took is there again once nobody is asked for that invoice: in a pause, and where it is void."""

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount
from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.proration import worth_of
from server.billing.ledger.sums.upcoming import settled
from server.billing.model.account import Awaiting, Becoming
from tests.support.ledger_accounts import WITH_CREDIT, account, day, eur, item, price, subscription
from tests.support.plans import only

UNCLAIMED = ("void", "mark_uncollectible")
ONCE = Discount("di_1", Coupon("half", percent_off="50", duration="once"))


def paused(behavior, *items, balance=None, **more):
    """April and May are paused; June is charged."""
    found = subscription(*items, pause_behavior=behavior, pause_resumes_at=day(2026, 5, 31), **more)
    return settled(account(found, balance=balance))


@pytest.mark.parametrize("behavior", [*UNCLAIMED, "keep_as_draft"])
def test_a_pause_leaves_a_credit_for_the_period_that_is_charged(behavior):  # case money 3
    # 50.00 of credit; April and May take nothing of it, June takes 31.00 and leaves 19.00.
    it, _ = bring_up_to_date(paused(behavior, balance=eur(-5000)), day(2026, 5, 30))
    assert it.balance == eur(-5000)
    it, (june,) = bring_up_to_date(it, day(2026, 6, 1))
    assert (june.balance_applied, june.amount_paid, it.balance) == (eur(-3100), eur(0), eur(-1900))


@pytest.mark.parametrize("behavior", UNCLAIMED)
def test_a_pause_forgives_no_debt_of_the_balance(behavior):
    it, _ = bring_up_to_date(paused(behavior, balance=eur(250)), day(2026, 5, 30))
    assert it.balance == eur(250)
    it, (june,) = bring_up_to_date(it, day(2026, 6, 1))
    assert (june.balance_applied, june.amount_paid, it.balance) == (eur(250), eur(3350), None)


@pytest.mark.parametrize("behavior", UNCLAIMED)
def test_an_invoice_that_nobody_is_asked_for_says_that_no_balance_went_into_it(behavior):
    _, (april, may) = bring_up_to_date(paused(behavior, balance=eur(-5000)), day(2026, 5, 30))
    for each in (april, may):
        assert (each.status, each.total, each.balance_applied, each.amount_due) == (
            behavior.removeprefix("mark_"), eur(3100), None, eur(0),
        )  # fmt: skip


@pytest.mark.parametrize("behavior", UNCLAIMED)
@pytest.mark.parametrize("of_the_item", [False, True])
def test_a_pause_does_not_use_up_a_coupon_that_counts_once(behavior, of_the_item):
    whole = paused(behavior, *((replace(item(), discounts=(ONCE,)),) if of_the_item else ()))
    if not of_the_item:
        whole = paused(behavior, discounts=(ONCE,))
    it, _ = bring_up_to_date(whole, day(2026, 5, 30))
    it, (june,) = bring_up_to_date(it, day(2026, 6, 1))
    assert june.total == eur(1550)
    _, (july,) = bring_up_to_date(it, day(2026, 7, 1))
    assert july.total == eur(3100)


@pytest.mark.parametrize("behavior", UNCLAIMED)
def test_a_paused_period_stays_worth_nothing_when_its_invoice_is_out_of_sight(behavior):
    it, _ = bring_up_to_date(paused(behavior), day(2026, 4, 16))
    it = replace(it, invoices=())
    running = replace(only(it), pause_behavior="")
    worth = worth_of(it, running, running.items[0], goes_on=True)
    assert worth is None


def incomplete(applied, balance):
    """Nobody paid the first invoice of 31.00; `applied` of the balance went into it."""
    begun = subscription(status="incomplete", created_at=day(2026, 3, 1))
    _, (open_one,) = bring_up_to_date(account(subscription(), payment_methods=()), day(2026, 4, 1))
    owed = replace(open_one, balance_applied=applied, amount_due=eur(3100 + applied.amount))
    return settled(account(begun, invoices=(owed,), balance=balance))


@pytest.mark.parametrize(
    ("applied", "balance", "after"),
    [
        (eur(-1000), None, eur(-1000)),  # 10.00 of credit come back
        (eur(-1000), eur(-200), eur(-1200)),
        (eur(-1000), eur(1000), None),  # they meet a debt that came in the meantime
        (eur(250), None, eur(250)),  # a debt that went into it is owed again
    ],
)
@pytest.mark.parametrize("ends", ["expires", "is canceled", "has an end"])
def test_a_beginning_that_ends_gives_back_what_came_from_the_balance(applied, balance, after, ends):  # case money 7
    it, moment = incomplete(applied, balance), day(2026, 3, 1, 12)
    if ends == "is canceled":
        it = cancel(it, "sub_1", WITH_CREDIT, moment)
    elif ends == "has an end":
        it = replace(it, subscriptions=(replace(only(it), cancel_at=moment),))
    it, _ = bring_up_to_date(it, day(2026, 3, 2) if ends == "expires" else moment)
    (void,) = it.invoices
    assert (only(it).status, void.status, void.amount_due) == ("incomplete_expired", "void", eur(0))
    assert (it.balance, void.balance_applied) == (after, None)


@pytest.mark.parametrize("behavior", UNCLAIMED)
def test_a_pause_does_not_use_up_a_coupon_that_makes_a_period_free(behavior):
    free = Discount("di_1", Coupon("all", percent_off="100", duration="once"))
    it, (april, _) = bring_up_to_date(paused(behavior, discounts=(free,)), day(2026, 5, 30))
    assert april.status == behavior.removeprefix("mark_")
    it, (june,) = bring_up_to_date(it, day(2026, 6, 1))
    assert (june.total, june.status) == (eur(0), "paid")
    _, (july,) = bring_up_to_date(it, day(2026, 7, 1))
    assert july.total == eur(3100)


@pytest.mark.parametrize("end", [day(2026, 3, 1, 12), day(2026, 3, 1, 23)])
def test_an_end_gives_up_a_change_that_waits_for_its_payment(end):
    it = incomplete(eur(-1000), None)
    debt = it.invoices[0]
    becomes = Becoming("active", only(it).items, day(2026, 3, 1))
    waits = Awaiting(price("6200"), 1, debt.id, day(2026, 3, 1, 23), becomes)
    it = replace(it, subscriptions=(replace(only(it), status="active", awaiting=waits, cancel_at=end),))
    it, _ = bring_up_to_date(it, day(2026, 3, 2))
    assert (only(it).status, only(it).awaiting, it.invoices[0].status, it.balance) == (
        "canceled",
        None,
        "void",
        eur(-1000),
    )
