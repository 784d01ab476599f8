"""What holds for every account and every sequence of changes, with generated ones: more than 2,000 in all."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.changes.pausing import pause, unpause
from server.billing.ledger.changes.planning import Planned
from server.billing.ledger.changes.schedules import undo
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.model.documents import decode_account, encode_account
from tests.support.accounts import lines_add_up
from tests.support.ledger_accounts import WITH_CREDIT
from tests.support.pages import apply, preview
from tests.support.plans import accounts, all_terms, asked, catalogs, often, only


@st.composite
def situations(draw):
    prices = draw(catalogs())
    return prices, draw(accounts(prices)), draw(all_terms(prices))


def later(draw, it):
    """The account some days on, and that moment: whatever was due has happened."""
    now = draw(st.integers(1, 25 * 24 * 3600)) * timedelta(seconds=1) + max(it.as_of, only_start(it))
    after, invoices = bring_up_to_date(it, now)
    return after, now, invoices


def only_start(it):
    return it.subscriptions[0].created_at


def worth(money):
    return money.amount if money else 0


def accounted(invoice):
    """What was paid of it, what is open, and what nobody owes any more; the balance gave the rest, or took it."""
    given_up = invoice.total.amount + worth(invoice.balance_applied) if invoice.status == "void" else 0
    return invoice.amount_paid.amount + invoice.amount_due.amount + given_up


def waiting(it):
    """What lies ready for next invoices, taxes included."""
    return sum(
        each.line.amount.amount + sum(tax.amount.amount for tax in each.taxes if not tax.inclusive)
        for found in it.subscriptions
        for each in found.pending
    )


@settings(max_examples=often(900), deadline=None)
@given(st.data(), situations())
def test_what_is_shown_is_what_is_billed(data, situation):
    prices, start, terms = situation
    before, now, _ = later(data.draw, start)
    change = data.draw(asked(prices))
    frozen = encode_account(before)
    shown = preview(before, "sub_1", change, terms, now)
    if isinstance(shown, Refusal):
        assert apply(before, "sub_1", change, terms, token="", now=now) == shown
        assert encode_account(before) == frozen
        return
    made = apply(before, "sub_1", change, terms, token=shown.fingerprint, now=now + timedelta(minutes=5))
    if isinstance(made, Refusal):
        assert made.reason == "payment_failed"
        assert shown.due_now.amount > 0
        return
    assert made.preview == replace(shown, fingerprint="")
    after = made.account
    if any(each.status == "open" for each in made.invoices):  # the bank asks first: until then nothing is otherwise
        assert sum(each.amount_due.amount for each in made.invoices) == shown.due_now.amount > 0
        assert (only(after).items, only(after).current_period_end_at) == (
            only(before).items,
            only(before).current_period_end_at,
        )
        return
    assert sum(each.amount_paid.amount for each in made.invoices) == shown.due_now.amount
    assert sum(each.total.amount for each in made.invoices) == (shown.charge.total.amount if shown.charge else 0)
    assert [line for each in made.invoices for line in each.lines] == list(shown.charge.lines if shown.charge else ())
    assert all(each.amount_due.amount == 0 for each in made.invoices)
    assert only(after).current_period_end_at == shown.period_ends_at
    if shown.at_once:
        assert (only(after).items[0].price, only(after).items[0].quantity) == (shown.after.price, shown.after.quantity)
    else:
        assert (only(after).items[0], made.invoices) == (only(before).items[0], ())
    if shown.next_charge:
        _, invoices = bring_up_to_date(after, shown.next_charge.at)
        assert (invoices[-1].created_at, invoices[-1].total) == (shown.next_charge.at, shown.next_charge.total)
        assert invoices[-1].lines == shown.next_lines


def step(draw, it, prices, terms, now):
    """One thing that a customer does; the account after it and what was invoiced."""
    what = draw(st.sampled_from((*("change",) * 6, "cancel", "resume", "undo", "pause", "pause", "unpause")))
    features = terms.features
    if what == "change":
        change = draw(asked(prices))
        shown = preview(it, "sub_1", change, terms, now)
        made = (
            shown if isinstance(shown, Refusal) else apply(it, "sub_1", change, terms, token=shown.fingerprint, now=now)
        )
        return (made.account, made.invoices) if isinstance(made, Planned) else (it, ())
    made = {
        "cancel": lambda: cancel(it, "sub_1", features.subscription_cancel, now),
        "resume": lambda: resume(it, "sub_1", features.subscription_cancel, now),
        "undo": lambda: undo(it, "sub_1", features, now),
        "pause": lambda: pause(it, "sub_1", draw(st.integers(1, 3)), features, now),
        "unpause": lambda: unpause(it, "sub_1", features, now),
    }[what]()
    if isinstance(made, Refusal):
        return it, ()
    known = {each.id for each in it.invoices}
    return made, tuple(each for each in made.invoices if each.id not in known)


@settings(max_examples=often(500), deadline=None)
@given(st.data(), situations())
def test_no_sequence_makes_or_loses_money(data, situation):
    """What was invoiced is what was paid, what is open, what was voided, and what the balance gave or took; and nobody
    ever gets more credit than was charged, but for half a minor unit a line."""
    prices, it, terms = situation
    first, put_off = it, []
    made = {each.id: each for each in first.invoices}  # also those that became too old for the account
    for _ in range(data.draw(st.integers(2, 6))):
        it, now, due = later(data.draw, it)
        made |= {each.id: each for each in (*due, *it.invoices)}
        it, invoices = step(data.draw, it, prices, terms, now)
        made |= {each.id: each for each in (*invoices, *it.invoices)}
        put_off += [each.line for each in only(it).pending if each.line not in put_off]
        assert decode_account(encode_account(it)) == it
    known = tuple(made.values())
    assert len(known) == len({each.number for each in known})
    new = known[len(first.invoices) :]
    assert all(lines_add_up(each) for each in new)  # I7
    billed = sum(each.total.amount for each in new)
    before, after = (sum(map(accounted, invoices)) for invoices in (first.invoices, known))
    assert worth(first.balance) + billed == after - before + worth(it.balance)
    # Whatever was put off is on one invoice that counts, or still waits.
    counted = [line for each in known if each.status != "void" for line in each.lines]
    still = [each.line for each in only(it).pending]
    assert all((counted + still).count(each) == 1 for each in put_off)
    given_back = sum(each.total.amount for each in known) + waiting(it)
    assert given_back >= -sum(len(each.lines) * 2 for each in known) - 2 * len(only(it).pending)


@settings(max_examples=often(250), deadline=None)
@given(st.data(), situations())
def test_a_cancellation_after_a_change_gives_back_no_more_than_was_charged(data, situation):
    prices, start, terms = situation
    it, now, invoices = later(data.draw, start)
    made = [*start.invoices, *invoices]
    change = data.draw(asked(prices))
    shown = preview(it, "sub_1", change, terms, now)
    planned = (
        shown if isinstance(shown, Refusal) else apply(it, "sub_1", change, terms, token=shown.fingerprint, now=now)
    )
    if isinstance(planned, Refusal):
        return
    known = {each.id for each in planned.account.invoices}
    after = cancel(planned.account, "sub_1", WITH_CREDIT, now)
    made += [*planned.invoices, *(each for each in after.invoices if each.id not in known)]
    assert sum(each.total.amount for each in made) >= -2 * sum(len(each.lines) for each in made)


@settings(max_examples=often(250), deadline=None)
@given(st.data(), situations())
def test_what_can_be_undone_restores_the_account(data, situation):
    prices, start, terms = situation
    before, now, _ = later(data.draw, start)
    change = data.draw(asked(prices))
    shown = preview(before, "sub_1", change, terms, now)
    if isinstance(shown, Refusal) or shown.at_once or shown.replaces:
        return
    made = apply(before, "sub_1", change, terms, token=shown.fingerprint, now=now)
    ending = cancel(made.account, "sub_1", terms.features.subscription_cancel, now)
    if only(ending).cancel_at and only(ending).ended_at is None:
        assert resume(ending, "sub_1", terms.features.subscription_cancel, now) == made.account
    assert undo(made.account, "sub_1", terms.features, now) == before


@settings(max_examples=often(250), deadline=None)
@given(st.data(), situations(), st.lists(st.integers(1, 25), min_size=1, max_size=6))
def test_catching_up_once_after_changes_is_the_same_as_day_by_day(data, situation, days):
    prices, it, terms = situation
    for _ in range(2):
        it, now, _ = later(data.draw, it)
        it, _ = step(data.draw, it, prices, terms, now)
    stepwise, invoices = it, ()
    for each in days:
        now += timedelta(days=each)
        stepwise, more = bring_up_to_date(stepwise, now)
        invoices += more
    assert bring_up_to_date(it, now) == (stepwise, invoices)


@settings(max_examples=often(250), deadline=None)
@given(st.data(), situations())
def test_there_and_back_at_the_same_moment_costs_nothing(data, situation):
    """With credits and charges in the same period, and no discount that only one of the two would get."""
    prices, start, terms = situation
    before, now, _ = later(data.draw, start)
    sold = only(before)
    change = data.draw(asked(prices))
    if change.code or sold.discounts or sold.status != "active":
        return
    back = type(change)(sold.items[0].price.id, sold.items[0].quantity)
    there = preview(before, "sub_1", change, terms, now)
    if isinstance(there, Refusal) or not there.pending:
        return
    made = apply(before, "sub_1", change, terms, token=there.fingerprint, now=now)
    home = preview(made.account, "sub_1", back, terms, now)
    if isinstance(home, Refusal) or not home.pending:
        return
    returned = apply(made.account, "sub_1", back, terms, token=home.fingerprint, now=now).account
    assert abs(waiting(returned) - waiting(before)) <= 1
