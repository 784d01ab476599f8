"""Paying an invoice: hand-computed cases, and that no way of paying makes or loses money. Row I4."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Invoice, Payment, Refusal
from server.billing.ledger.events.renewals import bring_up_to_date, catch_up
from server.billing.ledger.sums import paying
from server.billing.ledger.sums.invoicing import as_kept, with_invoices
from server.billing.model.account import LATEST_INVOICES, MOST_DEBTS, PAYABLE
from server.billing.rules.paying import owed as owed_of
from server.billing.rules.paying import waiting
from server.billing.rules.remedies import remedies_of
from server.brands.dunning import Dunning
from server.brands.features import Features
from tests.support.ledger_accounts import CARD, NOW, account, day, eur, subscription

BAD = replace(CARD, id="pm_bad", last4="0341", behavior="insufficient_funds")
ASKS = replace(CARD, id="pm_asks", last4="3184", behavior="requires_action")
OLD = replace(CARD, id="pm_old", exp_year=2026, exp_month=2)
METHODS = (CARD, BAD, ASKS, OLD)


MARCH = day(2026, 3, 1)


def owed(id_="in_2", due=3100, at=MARCH, **more):
    """An open invoice over 31 euros, of which `due` is left."""
    fields = {
        "status": "open",
        "subscription": "sub_1",
        "number": id_,
        "amount_paid": eur(0),
        "total": eur(3100),
    } | more
    return Invoice(
        id_, currency="EUR", created_at=at, subtotal=eur(3100), amount_due=eur(due), **fields
    )  # fmt: skip


def late(*invoices, status="past_due", **more):
    """An account that is behind with these invoices, the newest first."""
    latest = invoices[0].id if invoices else ""
    behind = subscription(status=status, latest_invoice=latest, **more.pop("changed", {}))
    return account(behind, invoices=tuple(invoices), payment_methods=METHODS, **more)


def pay(it, invoice=None, method="pm_1", now=NOW, key="a", **more):
    return paying.pay(it, invoice or it.invoices[0], method, payment_id=f"inpay_{key}", now=now, **more)


# --- what is paid -------------------------------------------------------------------------------------------------------


def test_all_that_is_due_is_paid():  # I4
    done = pay(late(owed()))
    assert done.payment == Payment("inpay_a", "paid", eur(3100), NOW, method="visa 4242")
    paid = done.account.invoices[0]
    assert (paid.status, paid.amount_paid, paid.amount_due, paid.paid_at) == ("paid", eur(3100), eur(0), NOW)
    assert (paid.payments, paid.next_attempt_at) == ((done.payment,), None)


def test_what_was_paid_before_is_not_paid_again():
    """31.00 in all, 11.00 paid, so 20.00 is due: after it 31.00 is paid."""
    before = Payment("inpay_0", "paid", eur(1100), NOW - timedelta(days=3))
    done = pay(late(owed(due=2000, amount_paid=eur(1100), payments=(before,))))
    assert done.payment.amount == eur(2000)
    assert (done.invoice.amount_paid, done.invoice.payments) == (eur(3100), (before, done.payment))


def test_a_credit_note_has_lessened_what_is_due():
    """31.00 in all, a credit note over 6.00: 25.00 is paid, no more."""
    done = pay(late(owed(due=2500, credited=eur(600))))
    assert (done.payment.amount, done.invoice.amount_paid, done.invoice.credited) == (eur(2500), eur(2500), eur(600))


def test_the_balance_was_taken_into_account_before_and_stays():
    """31.00 less a credit of 5.00 that went into it: 26.00 is due. The 2.00 of credit that came since wait."""
    done = pay(late(owed(due=2600, balance_applied=eur(-500)), balance=eur(-200)))
    assert (done.payment.amount, done.account.balance) == (eur(2600), eur(-200))


def test_an_invoice_without_a_subscription_is_paid():  # I5
    alone = owed(subscription="")
    done = pay(account(invoices=(alone,)), alone)
    assert (done.invoice.status, done.account.subscriptions) == ("paid", ())


def test_an_invoice_that_was_written_off_can_still_be_paid():
    done = pay(late(owed(status="uncollectible")))
    assert (done.invoice.status, done.account.subscriptions[0].status) == ("paid", "active")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": "paid"}, "already_paid"),
        ({"status": "void"}, "void"),
        ({"status": "draft"}, "not_payable"),
        ({"status": "dreamt"}, "not_payable"),
        ({"due": 0}, "nothing_due"),
        ({"due": -100}, "nothing_due"),
    ],
)
def test_what_is_not_to_be_paid_says_why(changed, reason):
    assert pay(late(owed(**changed))) == Refusal(reason)


@pytest.mark.parametrize("method", ["", "pm_9", "PM_1"])
def test_only_a_method_of_the_customer_pays(method):
    assert pay(late(owed()), method=method) == Refusal("payment_method_missing")


# --- what becomes of the subscription ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["past_due", "unpaid", "incomplete"])
def test_paying_the_newest_invoice_brings_the_subscription_back(status):  # S12
    done = pay(late(owed(), status=status))
    assert done.account.subscriptions[0].status == "active"
    (coming,) = done.account.upcoming
    assert (coming.at, coming.total) == (day(2026, 4, 1), eur(3100))


def test_of_two_open_invoices_the_newer_one_brings_it_back():
    newer, older = owed("in_2"), owed("in_1", at=day(2026, 2, 1))
    it = late(newer, older)
    first = pay(it, older)
    assert (first.invoice.status, first.account.subscriptions[0].status) == ("paid", "past_due")
    then = pay(first.account, newer, key="b")
    assert then.account.subscriptions[0].status == "active"
    assert pay(it, newer).account.subscriptions[0].status == "active"
    assert [each.status for each in pay(it, newer).account.invoices] == ["paid", "open"]


def test_a_newer_invoice_that_is_not_owed_does_not_keep_it_behind():
    older = owed("in_1", at=day(2026, 2, 1))
    for status in ("void", "paid", "uncollectible"):
        it = late(owed("in_2", due=0, status=status), older)
        assert pay(it, older).account.subscriptions[0].status == "active"


def test_an_invoice_that_only_the_history_has_is_paid_too():
    old = owed("in_0", at=day(2025, 2, 1))
    it = late(*(owed(f"in_{n}", status="paid", due=0, at=day(2026, 1, n)) for n in range(LATEST_INVOICES, 0, -1)))
    newest = owed("in_99")
    assert pay(it, old, later=[newest]).account == it  # still behind with the newest, which the account does not hold
    done = pay(it, old)
    assert (done.invoice.status, done.account.invoices) == ("paid", it.invoices)
    assert done.account.subscriptions[0].status == "active"


def paid_since(number: int) -> list[Invoice]:
    """So many newer ones."""
    return [owed(f"in_9{n:02}", status="paid", due=0, at=day(2026, 2, 2) + timedelta(hours=n)) for n in range(number)]


def test_an_account_keeps_what_is_owed_however_old_it_is():  # S12
    debts = [owed("in_1", at=day(2024, 2, 1)), owed("in_2", at=day(2024, 3, 1), status="uncollectible")]
    it = as_kept(
        with_invoices(late(), [*debts, owed("in_3", due=0, status="paid", at=day(2024, 4, 1)), *paid_since(30)])
    )
    assert [each.id for each in it.older_debts] == ["in_2", "in_1"]
    assert len(it.latest_invoices) == LATEST_INVOICES
    assert it.has_older_invoices
    assert [each.id for each in owed_of(it, it.subscriptions[0])] == ["in_1", "in_2"]
    assert remedies_of(it.subscriptions[0], it, Features(), NOW)[0] == "pay"
    done = pay(it, debts[0])
    assert done.account.subscriptions[0].status == "active"
    assert [each.id for each in as_kept(done.account).older_debts] == ["in_2"]


def test_an_account_does_not_grow_with_what_is_owed():
    debts = [owed(f"in_{n:03}", at=day(2024, 1, 1) + timedelta(hours=n)) for n in range(80)]
    lost = [owed(f"in_x{n}", at=day(2025, 1, 1) + timedelta(hours=n), status="uncollectible") for n in range(9)]
    it = as_kept(with_invoices(late(), [*debts, *lost, *paid_since(LATEST_INVOICES)]))
    assert [each.id for each in it.older_debts] == [f"in_{n:03}" for n in range(79, 79 - MOST_DEBTS, -1)]


def test_an_old_invoice_that_is_charged_by_itself_is_told_of():  # M2
    old = replace(owed("in_1", at=day(2026, 2, 1)), next_attempt_at=NOW)
    it = as_kept(with_invoices(late(), [old, *paid_since(LATEST_INVOICES)]))
    done = catch_up(it, NOW)
    assert [each.status for each in done.invoices] == ["paid"]
    assert [each.kind for each in done.notices] == ["receipt"]
    assert done.account.older_debts == ()


def test_a_sent_invoice_can_be_paid_and_a_newer_one_has_its_time():
    sent = {"changed": {"collection_method": "send_invoice"}}
    newer, older = (
        owed("in_2", due_at=NOW + timedelta(days=9)),
        owed("in_1", at=day(2026, 2, 1), due_at=day(2026, 3, 1)),
    )
    assert pay(late(newer, older, **sent), older).account.subscriptions[0].status == "active"
    overdue = replace(newer, due_at=NOW - timedelta(days=1))
    assert pay(late(overdue, older, **sent), older).account.subscriptions[0].status == "past_due"


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired", "active", "trialing", "paused"])
def test_any_other_state_stays_as_it_is(status):
    it = late(owed(), status=status)
    assert pay(it).account.subscriptions == it.subscriptions


def test_what_was_not_billed_while_unpaid_stays_so_and_the_next_period_is_charged():
    """Unpaid since March. April begins unbilled; paid on the 10th of April, the 1st of May is charged again."""
    april, _ = bring_up_to_date(late(owed(), status="unpaid"), day(2026, 4, 10))
    assert len(april.invoices) == 1
    done = pay(april, now=day(2026, 4, 10))
    assert [each.at for each in done.account.upcoming] == [day(2026, 5, 1)]
    _, made = bring_up_to_date(done.account, day(2026, 5, 2))
    assert [each.amount_paid for each in made] == [eur(3100)]


def test_an_invoice_of_a_subscription_that_never_began_is_void_after_a_day():
    begun = {"changed": {"created_at": NOW - timedelta(hours=22)}}
    it, made = bring_up_to_date(late(owed(), status="incomplete", **begun), NOW + timedelta(hours=2))
    assert (it.subscriptions[0].status, it.invoices[0].status, it.invoices[0].amount_due) == (
        "incomplete_expired",
        "void",
        eur(0),
    )
    assert made == it.invoices
    assert pay(it) == Refusal("void")


# --- what does not work -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "code"), [("pm_bad", "insufficient_funds"), ("pm_old", "expired_card")])
def test_a_declined_payment_is_noted_and_nothing_else_changes(method, code):
    it = late(owed(next_attempt_at=NOW + timedelta(days=2)))
    done = pay(it, method=method)
    assert (done.payment.status, done.payment.failure, done.payment.amount) == ("failed", code, eur(3100))
    assert done.invoice == replace(it.invoices[0], payments=(done.payment,))
    assert done.account == replace(it, invoices=(done.invoice,))


def test_a_payment_to_confirm_waits_until_the_customer_has_done_so():
    waits = pay(late(owed()), method="pm_asks")
    assert (waits.payment.status, waits.payment.failure) == ("open", "authentication_required")
    assert waiting(waits.invoice) == waits.payment
    assert (waits.invoice.status, waits.account.subscriptions[0].status) == ("open", "past_due")
    done = paying.confirm(waits.account, waits.invoice, "inpay_a", now=NOW)
    assert (done.payment.status, done.payment.failure, done.invoice.amount_paid) == ("paid", "", eur(3100))
    assert done.account.subscriptions[0].status == "active"
    assert len(done.invoice.payments) == 1


def test_a_payment_that_is_not_confirmed_has_failed():
    waits = pay(late(owed()), method="pm_asks")
    done = paying.confirm(waits.account, waits.invoice, "inpay_a", failure=paying.NOT_CONFIRMED, now=NOW)
    assert (done.payment.status, done.payment.failure, done.invoice.status) == ("failed", paying.NOT_CONFIRMED, "open")
    assert paying.confirm(done.account, done.invoice, "inpay_a", now=NOW) == Refusal("not_waiting")


def test_another_payment_takes_the_place_of_the_one_that_waits():
    waits = pay(late(owed()), method="pm_asks")
    again = pay(waits.account, method="pm_asks", key="b")
    assert [each.status for each in again.invoice.payments] == ["canceled", "open"]
    assert paying.confirm(again.account, again.invoice, "inpay_a", now=NOW) == Refusal("not_waiting")
    assert paying.confirm(again.account, again.invoice, "inpay_b", now=NOW).invoice.amount_paid == eur(3100)


def test_after_eight_failed_tries_within_an_hour_it_is_not_tried_again():
    it = late(owed())
    for number in range(8):
        it = pay(it, method="pm_bad", key=str(number), now=NOW + timedelta(minutes=number)).account
    soon, later = NOW + timedelta(minutes=59), NOW + timedelta(minutes=61)
    assert pay(it, key="x", now=soon) == Refusal("too_many_tries")
    assert pay(it, key="x", now=later).invoice.status == "paid"


def test_an_invoice_remembers_so_many_failed_tries_and_every_payment():
    paid = Payment("inpay_paid", "paid", eur(100), day(2026, 1, 1))
    it = late(owed(due=3000, amount_paid=eur(100), payments=(paid,)))
    for number in range(60):
        it = pay(it, method="pm_bad", key=str(number), now=NOW + timedelta(hours=number)).account
    tries = it.invoices[0].payments
    assert (len(tries), tries[0], tries[-1].id) == (32, paid, "inpay_59")


# --- tried again by itself -----------------------------------------------------------------------------------------------------


def test_an_open_invoice_is_charged_again_on_the_day_that_was_told():
    it, made = bring_up_to_date(late(owed(next_attempt_at=NOW + timedelta(days=3))), NOW + timedelta(days=4))
    assert [each.status for each in made] == ["paid"]
    assert (it.invoices[0].paid_at, it.subscriptions[0].status) == (NOW + timedelta(days=3), "active")


@pytest.mark.parametrize(
    ("method", "tries"), [("pm_bad", ["insufficient_funds"]), ("pm_asks", ["authentication_required"]), ("", [])]
)
def test_where_that_fails_after_the_schedule_is_over_nothing_more_is_tried(method, tries):
    it = late(owed(next_attempt_at=NOW + timedelta(days=3)))
    it = replace(it, customer=replace(it.customer, default_payment_method=method))
    after, _ = bring_up_to_date(it, NOW + timedelta(days=4), Dunning(retry_days=(1,), after_last="past_due"))
    invoice = after.invoices[0]
    assert (invoice.status, [each.failure for each in invoice.payments]) == ("open", tries)
    assert (invoice.next_attempt_at, after.subscriptions[0].status) == (None, "past_due")
    assert all(each.status == "failed" for each in invoice.payments)


# --- paying never makes or loses money ---------------------------------------------------------------------------------------


AMOUNTS = st.integers(0, 500_000)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(("open", "uncollectible", "paid", "void")), AMOUNTS, AMOUNTS), min_size=1, max_size=5
    ),
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(("pm_1", "pm_bad", "pm_asks", "pm_old", "pm_9")), st.booleans()),
        max_size=12,
    ),
    st.sampled_from((None, -700, 300)),
)
def test_paying_never_makes_or_loses_money(invoices, steps, balance):
    made = [
        owed(f"in_{n}", due if status in PAYABLE else 0, at=day(2026, 3, 1) + timedelta(hours=n),
             status=status, amount_paid=eur(before), total=eur(before + due))
        for n, (status, before, due) in enumerate(invoices)
    ]  # fmt: skip
    it = late(*reversed(made), balance=eur(balance) if balance else None)
    taken = {each.id: 0 for each in made}
    for number, (which, method, succeeds) in enumerate(steps):
        now = NOW + timedelta(minutes=10 * number)
        before = next(each for each in it.invoices if each.id == made[which % len(made)].id)
        done = pay(it, before, method, now, str(number))
        if not isinstance(done, Refusal) and done.payment.status == "open":
            failure = "" if succeeds else paying.NOT_CONFIRMED
            done = paying.confirm(done.account, done.invoice, done.payment.id, failure=failure, now=now)
        if isinstance(done, Refusal):
            continue
        after = next(each for each in done.account.invoices if each.id == before.id)
        assert after == done.invoice
        assert after.amount_paid + after.amount_due == before.amount_paid + before.amount_due
        if done.payment.status == "paid":
            taken[after.id] += done.payment.amount.amount
            assert after.amount_due == eur(0)
        else:
            assert (after.amount_paid, after.status) == (before.amount_paid, before.status)
        assert done.account.balance == it.balance
        it = done.account
    for was in made:
        now_ = next(each for each in it.invoices if each.id == was.id)
        assert taken[was.id] in (0, was.amount_due.amount)
        assert now_.amount_paid.amount == was.amount_paid.amount + taken[was.id]
        assert sum(each.amount.amount for each in now_.payments if each.status == "paid") == taken[was.id]
