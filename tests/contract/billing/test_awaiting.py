"""What a customer's change charges, where the bank wants them to confirm it, over both backends: one payment or none."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Cancel, Done, Move, Pause, Refusal, Refused, Restart, Resume, UndoMove, Unpause
from server.billing.ledger.sandbox import find
from server.brands.features import InvoiceHistory, SubscriptionCancel
from tests.contract.billing.test_plans import FEATURES, kinds
from tests.contract.billing.test_plans import records as of_plans
from tests.stripe import hosted
from tests.stripe.app import Request
from tests.support import exports
from tests.support.backends import allowing
from tests.support.ledger_accounts import NOW, day, eur

pytestmark = pytest.mark.anyio
DAY_LATER = NOW + timedelta(days=1)
IN_APRIL = day(2026, 4, 10)
FORM = {"content-type": "application/x-www-form-urlencoded"}


def records():
    """The bank asks about the first customer's card; another card of theirs works."""
    for each in of_plans():
        asks = each["object"] == "payment_method" and each["id"] == "pm_1"
        yield {**each, "metadata": {"portal_behavior": "requires_action"}} if asks else each
    yield exports.method("pm_good", customer="cus_1")


@pytest.fixture
async def billing(backend):
    found = await backend.begun(records(), FEATURES)
    await found.account("cus_1", NOW)
    return found


async def do(billing, action, *, key="key-1", now=NOW):
    """As a customer does it: look at its page where it has one, then send its form. The account after it."""
    by, shown = billing.by("cus_1", key=key, now=now), ""
    if isinstance(action, Cancel | Move | Unpause | Restart):
        meant = await billing.preview(by, "sub_1", action)
        assert not isinstance(meant, Refusal), meant
        options = getattr(meant, "options", ())
        shown = next((each for each in options if each.price.id == action.price), meant).fingerprint
    done = await billing.apply(by, "sub_1", action, shown=shown)
    assert isinstance(done, Done)
    return done.account


async def to_the_bank(billing, invoice, *, key="bank-1", method="pm_1", now=NOW):
    return await billing.pay(billing.by("cus_1", key=key, now=now), invoice, method)


async def bank_says(backend, billing, waits, word="yes", now=NOW):
    """The customer answers on the page that the payment led to."""
    if backend.name == "stripe":
        path = "/i/" + waits.confirm_at.rpartition("/")[2]
        hosted.answer(backend.standin, Request("post", path, "", FORM, f"confirm={word}".encode()))
        return await billing.refetch("cus_1", now)
    seen = await find(billing.store, "plain", "cus_1", waits.confirm_at.rpartition("/")[2], NOW)
    by = billing.by("cus_1", key="visit", now=now)
    return (await billing.payment_confirmed(by, seen, succeeded=word == "yes")).account


async def ended(billing):
    """The backend, once the subscription ended: for sessions that may end one at once."""
    at_once = allowing(billing, replace(billing.features, subscription_cancel=SubscriptionCancel(mode="immediately")))
    await do(at_once, Cancel(), key="cancel")
    return at_once


async def money(billing, now=NOW):
    """What was paid by now, of every invoice that is not void, oldest first; and the balance."""
    found = (await billing.invoices("cus_1")).invoices
    paid = [each.amount_paid.amount for each in reversed(found) if each.status != "void"]
    return paid, (await billing.account("cus_1", now)).balance


async def test_a_change_waits_with_all_as_it_was_and_is_made_once_it_is_confirmed(backend, billing):
    before = (await billing.account("cus_1", NOW)).subscriptions[0]
    found = (await do(billing, Move("price_2"))).subscriptions[0]
    waits = found.awaiting
    assert (waits.price.id, waits.quantity, waits.until) == ("price_2", 1, NOW + timedelta(hours=23))
    assert (found.status, found.items, found.discounts) == (before.status, before.items, before.discounts)
    assert await money(billing) == ([0], None)
    assert await kinds(billing) == ["subscription.change_awaits"]
    asked = await to_the_bank(billing, waits.invoice)
    assert (asked.payment.status, asked.account.subscriptions[0].items) == ("open", before.items)
    account = await bank_says(backend, billing, asked)
    found = account.subscriptions[0]
    assert (found.awaiting, found.items[0].price.id, found.latest_invoice) == (None, "price_2", waits.invoice)
    assert await money(billing) == ([1550], None)
    assert "subscription.changed" in await kinds(billing)
    april = await billing.account("cus_1", day(2026, 4, 2))
    assert [each.total for each in april.invoices] == [eur(6200), eur(1550)]


async def test_who_comes_back_twice_or_with_another_card_pays_once(backend, billing):
    waits = (await do(billing, Move("price_2"))).subscriptions[0].awaiting
    first = await to_the_bank(billing, waits.invoice, key="bank-1")
    second = await to_the_bank(billing, waits.invoice, key="bank-2")
    await bank_says(backend, billing, second)
    for late in (first, second):
        with suppress(Refused):
            await bank_says(backend, billing, late)
    with pytest.raises(Refused, match="already_paid"):
        await to_the_bank(billing, waits.invoice, key="bank-3", method="pm_good")
    again = await billing.apply(billing.by("cus_1", key="key-1", now=NOW), "sub_1", Move("price_2"), shown="old")
    assert again.account.subscriptions[0].items[0].price.id == "price_2"
    assert await money(billing) == ([1550], None)


async def test_the_same_form_four_times_at_once_waits_once_and_is_paid_once(backend, billing):
    by = billing.by("cus_1", key="key-1", now=NOW)
    shown = (await billing.preview(by, "sub_1", Move("price_2"))).fingerprint
    await asyncio.gather(*(billing.apply(by, "sub_1", Move("price_2"), shown=shown) for _ in range(4)))
    (invoice,) = (await billing.invoices("cus_1")).invoices
    assert invoice.status == "open"
    await asyncio.gather(
        *(to_the_bank(billing, invoice.id, key=f"bank-{each}", method="pm_good") for each in range(4)),
        return_exceptions=True,
    )
    assert await money(billing) == ([1550], None)
    assert (await billing.account("cus_1", NOW)).subscriptions[0].items[0].price.id == "price_2"


@pytest.mark.parametrize("gives_up", [UndoMove(), None])
async def test_a_change_that_is_given_up_costs_nothing_and_is_never_made(backend, billing, gives_up):
    """None: the customer does not come back."""
    before = (await billing.account("cus_1", NOW)).subscriptions[0].items
    waits = (await do(billing, Move("price_2"))).subscriptions[0].awaiting
    asked = await to_the_bank(billing, waits.invoice)
    now = NOW if gives_up else DAY_LATER
    account = await do(billing, gives_up, key="key-2") if gives_up else await billing.account("cus_1", now)
    found = account.subscriptions[0]
    assert (found.awaiting, found.items, found.status) == (None, before, "active")
    with suppress(Refused):
        await bank_says(backend, billing, asked, now=now)
    assert (await billing.account("cus_1", now)).subscriptions[0].items == before
    assert await money(billing, now) == ([], None)
    assert "subscription.changed" not in await kinds(billing)
    april = await billing.account("cus_1", day(2026, 4, 2))
    assert april.invoices[0].total == eur(3100)


async def test_a_code_whose_change_nobody_paid_for_may_be_used_again(billing):
    account = await do(billing, Move("price_2", 3, "half"))
    assert account.subscriptions[0].awaiting
    await billing.account("cus_1", DAY_LATER)
    by = billing.by("cus_1", key="key-2", now=DAY_LATER)
    for number in (2, 3):  # as often as the code may be used at all
        other = billing.by(f"cus_{number}", key="key-2", now=DAY_LATER)
        page = await billing.preview(other, f"sub_{number}", Move(code="half"))
        assert not isinstance(page, Refusal), page
        await billing.apply(other, f"sub_{number}", Move(code="half"), shown=page.fingerprint)
    assert await billing.preview(by, "sub_1", Move(code="half")) == Refusal("code_used_up")


async def test_who_cancels_or_pauses_gives_up_what_waits(billing):
    now = allowing(billing, replace(FEATURES, subscription_cancel=SubscriptionCancel(mode="immediately")))
    for asked, action in ((billing, Pause(1)), (billing, Cancel()), (now, Cancel())):
        await do(billing, Move("price_2"), key=f"move {asked is now} {action}")
        found = (await do(asked, action, key=f"then {asked is now} {action}")).subscriptions[0]
        assert (found.awaiting, found.items[0].price.id) == (None, "price_1")
        assert await money(billing) == ([], None)
        if found.status == "active":
            await do(billing, Unpause() if found.paused_at else Resume(), key=f"back {action}")


async def test_a_restart_begins_incomplete_and_runs_once_it_is_confirmed(backend, billing):
    billing = await ended(billing)
    account = await do(billing, Restart("price_1"))
    begun = account.subscription(account.subscription("sub_1").restarted_as)
    assert (begun.status, await money(billing)) == ("incomplete", ([0], None))
    meant = await billing.preview(billing.by("cus_1", now=NOW), "sub_1", Restart("price_1"))
    assert meant == Refusal("already_restarted")
    asked = await to_the_bank(billing, begun.latest_invoice)
    account = await bank_says(backend, billing, asked)
    assert account.subscription(begun.id).status == "active"
    assert await money(billing) == ([3100], None)


async def test_a_restart_that_nobody_confirms_never_ran_and_may_be_asked_for_again(billing):
    billing = await ended(billing)
    await do(billing, Restart("price_1"))
    account = await billing.account("cus_1", DAY_LATER)
    assert [each.status for each in account.subscriptions] == ["incomplete_expired", "canceled"]
    assert await money(billing, DAY_LATER) == ([], None)
    again = await do(billing, Restart("price_1"), key="key-2", now=DAY_LATER)
    assert again.subscription(again.subscription("sub_1").restarted_as).status == "incomplete"


async def test_who_cancels_what_has_not_begun_owes_nothing_of_it(billing):
    billing = await ended(billing)
    begun = (await do(billing, Restart("price_1"))).subscriptions[0]
    by = billing.by("cus_1", key="no", now=NOW)
    shown = (await billing.preview(by, begun.id, Cancel())).fingerprint
    account = (await billing.apply(by, begun.id, Cancel(), shown=shown)).account
    assert account.subscription(begun.id).status == "incomplete_expired"
    assert await money(billing) == ([], None)
    with pytest.raises(Refused, match="void"):
        await to_the_bank(billing, begun.latest_invoice)
    again = await do(billing, Restart("price_1"), key="key-2")
    assert again.subscriptions[0].status == "incomplete"


async def test_a_pause_that_ends_with_a_charge_is_behind_until_it_is_confirmed(backend, billing):
    await do(billing, Pause(3), key="pause")
    await billing.account("cus_1", IN_APRIL)
    account = await do(billing, Unpause(), now=IN_APRIL)
    found = account.subscriptions[0]
    assert (found.status, found.pause_behavior, found.paused_at) == ("past_due", "", None)
    assert await money(billing, IN_APRIL) == ([0], None)
    asked = await to_the_bank(billing, found.latest_invoice, now=IN_APRIL)
    account = await bank_says(backend, billing, asked, now=IN_APRIL)
    assert account.subscriptions[0].status == "active"
    assert await money(billing, IN_APRIL) == ([3100], None)
    assert account.subscriptions[0].current_period_end_at == day(2026, 5, 10)


async def test_without_a_page_to_pay_on_the_change_is_refused(billing):
    closed = allowing(billing, replace(FEATURES, invoice_history=InvoiceHistory(enabled=False)))
    with pytest.raises(Refused, match="payment_needs_confirmation"):
        await do(closed, Move("price_2"))
    with pytest.raises(Refused, match="payment_needs_confirmation"):
        await do(await ended(closed), Restart("price_1"), key="key-2")
    assert await money(billing) == ([], None)
