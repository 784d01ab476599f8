"""The ledger behind the port, on both stores."""

import asyncio
from datetime import timedelta

import pytest

from server.billing import Billing, NotFound, Refused, Resume
from server.brands.features import Features, SubscriptionCancel
from server.merchant.importing.files import import_records
from server.store import micros
from tests.support import canceling, exports
from tests.support.ledger_accounts import NOW, day, eur
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio
BROWSER = "Firefox on Linux"


async def rows(store, sql):
    return await store.read(sql)


async def one_subscription(store, **more):
    found = [exports.product(), exports.customer(), exports.method(), exports.subscription(**more)]
    found[1]["invoice_settings"] = {"default_payment_method": "pm_1"}
    await import_records(store, "plain", found, now=NOW)


def ledger_with(store, **rule):
    return ledger_of(store, "plain", Features(subscription_cancel=SubscriptionCancel(**rule)))


async def cancel(ledger, key="k1", customer="cus_1", subscription="sub_1", now=NOW):
    return await canceling.cancel(ledger, customer, subscription, key=key, now=now, browser=BROWSER)


async def resume(ledger, key="k2", now=NOW):
    return (await ledger.apply(ledger.by(key=key, now=now, browser=BROWSER), "sub_1", Resume())).account


async def test_the_ledger_is_a_billing_backend(ledger):
    assert isinstance(ledger, Billing)


async def test_an_account_is_as_of_now(ledger, samples):
    assert (await ledger.account(samples["jenny"], NOW)).as_of == NOW


async def test_an_account_that_is_not_there_is_not_found(ledger):
    with pytest.raises(NotFound):
        await ledger.account("cus_nobody", NOW)


async def test_another_brand_has_no_such_account(store, samples):
    with pytest.raises(NotFound):
        await ledger_of(store, "orbit", Features()).account(samples["jenny"], NOW)


async def test_what_is_due_happens_once_when_an_account_is_read(store, ledger):
    await one_subscription(store)
    later = day(2026, 5, 2)
    first, second = await ledger.account("cus_1", later), await ledger.account("cus_1", later)
    assert first == second
    assert [each.created_at for each in first.invoices] == [day(2026, 5, 1), day(2026, 4, 1)]
    assert await rows(store, "SELECT count(*) FROM invoice") == [(2,)]
    assert await rows(store, "SELECT due_at FROM account") == [(micros(day(2026, 6, 1)),)]


async def test_many_readers_of_a_due_account_renew_it_once(store, ledger):
    await one_subscription(store)
    found = await asyncio.gather(*(ledger.account("cus_1", day(2026, 4, 2)) for _ in range(16)))
    assert all(each == found[0] for each in found)
    assert await rows(store, "SELECT count(*) FROM invoice") == [(1,)]
    assert await rows(store, "SELECT version FROM account") == [(2,)]


async def test_a_long_past_is_caught_up_with_in_one_read(store, ledger):
    daily = exports.price(recurring={"interval": "day"})
    await one_subscription(store, items=[exports.item(price=daily, current_period_end=exports.MARCH + 86400)])
    found = await ledger.account("cus_1", day(2028, 3, 1))
    assert found.subscriptions[0].current_period_end_at == day(2028, 3, 2)
    assert await rows(store, "SELECT count(*) FROM invoice") == [
        (716,)
    ]  # 17 March 2026, after the import, to 1 March 2028, a leap day among them


async def test_a_subscription_that_ends_by_itself_leaves_the_directory_and_a_line_in_the_history(store, ledger):
    await one_subscription(store, cancel_at_period_end=True)
    await ledger.account("cus_1", day(2026, 4, 5))
    assert await rows(store, "SELECT active FROM customer") == [(0,)]
    ended = (await ledger.history("cus_1"))[0]
    assert (ended.kind, ended.subject, ended.at, ended.browser) == ("subscription.ended", "sub_1", day(2026, 4, 1), "")


async def test_a_cancellation_and_its_undoing(store, ledger):
    await one_subscription(store)
    before = await ledger.account("cus_1", NOW)
    ending = await cancel(ledger)
    assert ending.subscriptions[0].cancel_at == day(2026, 4, 1)
    assert ending == await ledger.account("cus_1", NOW)
    assert await resume(ledger) == before == await ledger.account("cus_1", NOW)


async def test_the_history_says_what_was_done_when_and_from_where(store, ledger):
    await one_subscription(store)
    await cancel(ledger)
    await resume(ledger, now=NOW + timedelta(minutes=1))
    found = await ledger.history("cus_1")
    assert [(each.kind, each.subject, each.browser) for each in found] == [
        ("subscription.resumed", "sub_1", BROWSER),
        ("subscription.canceled", "sub_1", BROWSER),
    ]
    assert found[1].at == NOW


async def test_a_cancellation_at_once_credits_the_rest_and_leaves_an_invoice(store):
    await one_subscription(store)
    ledger = ledger_with(store, mode="immediately", proration_behavior="create_prorations")
    after = await cancel(ledger)
    assert (after.subscriptions[0].status, after.balance) == ("canceled", eur(-1550))
    assert await ledger.invoice("cus_1", after.invoices[0].id) == after.invoices[0]
    assert await rows(store, "SELECT active FROM customer") == [(0,)]


def long_ago(**more):
    """A subscription with an unpaid invoice that is older than the twelve that an account holds."""
    unpaid = {"status": "open", "amount_paid": 0, "amount_remaining": 3100}
    yield from (exports.product(), exports.customer(), exports.method(), exports.subscription(**more))
    for nth in range(14):
        yield exports.invoice(
            f"in_{nth:02}", created=exports.MARCH - 86400 * (14 - nth), subscription="sub_1", **({} if nth else unpaid)
        )


async def test_a_credit_pays_an_old_invoice_in_its_row_too(store):
    await import_records(store, "plain", long_ago(), now=NOW)
    ledger = ledger_with(store, mode="immediately", proration_behavior="create_prorations")
    await cancel(ledger)
    debt = await ledger.invoice("cus_1", "in_00")
    assert (debt.status, debt.amount_due) == ("open", eur(1550))
    assert (await ledger.account("cus_1", NOW)).older_debts == (debt,)


async def test_an_old_invoice_that_a_credit_pays_in_full_is_paid_in_its_row_too(store):
    await import_records(store, "plain", long_ago(), now=NOW)
    ledger = ledger_with(store, mode="immediately", proration_behavior="create_prorations")
    await cancel(ledger, now=day(2026, 3, 1))
    debt = await ledger.invoice("cus_1", "in_00")
    assert (debt.status, debt.amount_due) == ("paid", eur(0))
    assert (await ledger.account("cus_1", NOW)).older_debts == ()


async def test_the_same_key_again_has_no_second_effect(store, ledger):
    await one_subscription(store)
    first = await cancel(ledger)
    await resume(ledger)
    again = await cancel(ledger)
    assert first.subscriptions[0].cancel_at is not None
    assert again.subscriptions[0].cancel_at is None
    assert len(await ledger.history("cus_1")) == 2


async def test_a_key_is_good_for_one_thing_only(store, ledger):
    await one_subscription(store)
    await cancel(ledger, key="k")
    with pytest.raises(Refused, match="key_reused"):
        await resume(ledger, key="k")


async def test_two_customers_may_use_the_same_key(ledger, samples):
    for who in ("jenny", "tina"):
        found = await ledger.account(samples[who], NOW)
        after = await cancel(ledger, key="k", customer=samples[who], subscription=found.subscriptions[0].id)
        assert after.subscriptions[0].cancel_at


async def test_cancelling_twice_with_two_keys_has_one_effect(store, ledger):
    await one_subscription(store)
    first = await cancel(ledger, key="a")
    later = NOW + timedelta(minutes=5)
    assert (await cancel(ledger, key="b", now=later)).subscriptions == first.subscriptions
    assert len(await ledger.history("cus_1")) == 1


async def test_two_tabs_at_once_have_one_effect(store, ledger):
    """Seen red: without the version in UPDATE_ACCOUNT, PostgreSQL wrote two lines of history."""
    await one_subscription(store)
    await asyncio.gather(*(cancel(ledger, key=f"k{number}") for number in range(16)))
    assert len(await ledger.history("cus_1")) == 1
    assert await rows(store, "SELECT version FROM account") == [(2,)]
    assert await rows(store, "SELECT state, count(*) FROM operation GROUP BY state") == [("done", 16)]


async def test_one_key_many_times_at_once_has_one_effect(store, ledger):
    await one_subscription(store)
    found = await asyncio.gather(*(cancel(ledger) for _ in range(16)))
    assert all(each == found[0] for each in found)
    assert len(await ledger.history("cus_1")) == 1


async def test_changes_of_eight_subscriptions_at_once_are_all_kept(store, ledger):
    """Seen red: without the version in UPDATE_ACCOUNT, PostgreSQL kept the last one only."""
    await one_subscription(store)
    found = [f"sub_{number}" for number in range(1, 9)]
    await import_records(store, "plain", [exports.subscription(each) for each in found], now=NOW)
    await asyncio.gather(*(cancel(ledger, key=each, subscription=each) for each in found))
    assert all(each.cancel_at for each in (await ledger.account("cus_1", NOW)).subscriptions)


async def test_a_change_happens_to_the_account_as_it_is_by_then(store, ledger):
    await one_subscription(store)
    after = await cancel(ledger, now=day(2026, 4, 10))
    assert after.subscriptions[0].cancel_at == day(2026, 5, 1)
    assert [each.created_at for each in after.invoices] == [day(2026, 4, 1)]


async def test_a_refusal_leaves_nothing_behind(store):
    await one_subscription(store)
    with pytest.raises(Refused, match="disabled_by_configuration"):
        await cancel(ledger_with(store, enabled=False))
    assert await rows(store, "SELECT count(*) FROM operation") == [(0,)]
    assert await rows(store, "SELECT version FROM account") == [(1,)]


@pytest.mark.parametrize(("customer", "subscription"), [("cus_1", "sub_9"), ("cus_9", "sub_1")])
async def test_what_is_not_there_or_not_theirs_is_not_found(store, ledger, customer, subscription):
    await one_subscription(store)
    with pytest.raises(NotFound):
        await cancel(ledger, customer=customer, subscription=subscription)
    assert await rows(store, "SELECT count(*) FROM operation") == [(0,)]


async def test_invoices_come_in_pages_newest_first(ledger, samples):
    seen, before = [], ""
    while True:
        page = await ledger.invoices(samples["jenny"], before=before)
        seen += page.invoices
        before = page.before
        if not before:
            break
    assert len(seen) == len({each.id for each in seen}) == 30
    assert seen == sorted(seen, key=lambda each: each.created_at, reverse=True)


async def test_the_first_page_is_what_the_account_holds(ledger, samples):
    account = await ledger.account(samples["jenny"], NOW)
    assert (await ledger.invoices(samples["jenny"])).invoices == account.invoices
    assert account.has_older_invoices


async def test_invoices_of_one_moment_are_neither_lost_nor_repeated(store, ledger):
    same = [exports.invoice(f"in_{number}") for number in range(7)]
    await import_records(store, "plain", [exports.customer(), *same], now=NOW)
    first = await ledger.invoices("cus_1", limit=4)
    second = await ledger.invoices("cus_1", before=first.before, limit=4)
    assert {each.id for each in (*first.invoices, *second.invoices)} == {f"in_{number}" for number in range(7)}
    assert second.before == ""


async def test_a_page_that_is_just_full_is_the_last(store, ledger):
    same = [exports.invoice(f"in_{number}") for number in range(4)]
    await import_records(store, "plain", [exports.customer(), *same], now=NOW)
    assert (await ledger.invoices("cus_1", limit=4)).before == ""


async def test_a_foreign_or_unknown_invoice_is_not_found(ledger, samples):  # threat 75
    mine = (await ledger.invoices(samples["jenny"], limit=1)).invoices[0].id
    for customer, invoice in ((samples["pat"], mine), (samples["jenny"], "in_nothing")):
        with pytest.raises(NotFound):
            await ledger.invoice(customer, invoice)
        with pytest.raises(NotFound):
            await ledger.invoices(customer, before=invoice)


async def test_a_customer_without_invoices_has_an_empty_page(ledger, samples):
    assert (await ledger.invoices(samples["tina"])).invoices == ()


async def test_every_sample_can_be_looked_at_for_two_years(ledger, samples):
    for customer in samples.values():
        for days in (0, 40, 400, 730):
            found = await ledger.account(customer, NOW + timedelta(days=days))
            assert found.as_of == NOW + timedelta(days=days)
