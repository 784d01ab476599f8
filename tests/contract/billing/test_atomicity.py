"""A change is there as a whole or not at all: it is broken off after each of its statements in turn."""

import pytest

from server.billing import BillingError, Cancel
from server.billing.ledger.events.renewals import bring_up_to_date
from server.brands.features import Features, SubscriptionCancel
from server.merchant.importing.files import import_records
from tests.support import exports
from tests.support.canceling import cancel
from tests.support.ledger_accounts import NOW, day
from tests.support.pages import cancellation, ledger_of

pytestmark = pytest.mark.anyio
TABLES = ("account", "invoice", "operation", "activity", "customer")
RULE = SubscriptionCancel(mode="immediately", proration_behavior="create_prorations")


class BrokenOff(Exception):
    """The process died here."""


class Breaking:
    """A transaction that breaks off when so many statements have run."""

    def __init__(self, transaction, after):
        self.transaction, self.left = transaction, after

    def _step(self):
        if self.left == 0:
            raise BrokenOff
        self.left -= 1

    def run(self, sql, parameters=None):
        self._step()
        return self.transaction.run(sql, parameters)

    def count(self, sql, parameters=None):
        self._step()
        return self.transaction.count(sql, parameters)

    def later(self, sql, parameters=None):
        self._step()
        return self.transaction.later(sql, parameters)

    def run_many(self, sql, rows):
        self._step()
        self.transaction.run_many(sql, rows)


class BreakingStore:
    """The store, with writes that break off after so many statements; None: they do not."""

    def __init__(self, store):
        self.store, self.after = store, None

    async def read(self, sql, parameters=None):
        return await self.store.read(sql, parameters)

    async def write(self, work):
        if self.after is None:
            return await self.store.write(work)

        def broken(transaction):
            work(Breaking(transaction, self.after))
            raise BrokenOff  # right before the commit

        return await self.store.write(broken)

    async def close(self):
        await self.store.close()


@pytest.fixture
async def breaking(store):
    found = [exports.product(), exports.customer(), exports.method(), exports.subscription()]
    found[1]["invoice_settings"] = {"default_payment_method": "pm_1"}
    await import_records(store, "plain", found, now=NOW)
    return BreakingStore(store)


async def everything(store):
    return [await store.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES]


async def test_a_change_that_is_broken_off_anywhere_did_not_happen(breaking):
    ledger = ledger_of(breaking, "plain", Features(subscription_cancel=RULE))
    before = await everything(breaking)
    at = day(2026, 4, 10)
    seen, _ = bring_up_to_date(await ledger.account("cus_1", NOW), at)
    token = cancellation(seen, "sub_1", RULE, at).fingerprint
    for breaking.after in range(12):
        with pytest.raises(BrokenOff):
            # In April: a renewal comes first, then the cancellation with its credit.
            await ledger.apply(ledger.by(key="k", now=at), "sub_1", Cancel(), shown=token)
        assert await everything(breaking) == before


async def test_the_same_key_finishes_what_was_broken_off(breaking):
    ledger = ledger_of(breaking, "plain", Features(subscription_cancel=RULE))
    breaking.after = 5
    with pytest.raises(BrokenOff):
        await cancel(ledger, "cus_1", "sub_1", key="k", now=NOW)
    breaking.after = None
    after = await cancel(ledger, "cus_1", "sub_1", key="k", now=NOW)
    assert after.subscriptions[0].status == "canceled"
    assert [each.kind for each in await ledger.history("cus_1")] == ["subscription.canceled"]


async def test_a_renewal_that_is_broken_off_anywhere_did_not_happen(breaking):
    ledger = ledger_of(breaking, "plain", Features())
    before = await everything(breaking)
    for breaking.after in range(6):
        with pytest.raises(BrokenOff):
            await ledger.account("cus_1", day(2026, 4, 10))
        assert await everything(breaking) == before


async def test_an_import_that_is_broken_off_anywhere_left_nothing(breaking):
    tables = (*TABLES, "catalog", "imported")
    more = [exports.coupon(), exports.customer("cus_2"), exports.customer(name="New"), exports.invoice()]
    before = [await breaking.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    for breaking.after in range(14):
        with pytest.raises(BrokenOff):
            await import_records(breaking, "plain", more, now=NOW)
        assert [await breaking.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables] == before


async def test_who_always_comes_second_is_told_to_try_again(store):
    """Every try finds another version: nothing is changed, and nothing waits for ever."""

    class Overtaken(BreakingStore):
        async def write(self, work):
            def overtaken(transaction):
                return work(Elsewhere(transaction))

            return await self.store.write(overtaken)

    class Elsewhere(Breaking):
        def __init__(self, transaction):
            super().__init__(transaction, -1)

        def count(self, sql, parameters=None):
            return 0 if sql.lstrip().startswith("UPDATE account") else self.transaction.count(sql, parameters)

    await import_records(store, "plain", [exports.product(), exports.customer(), exports.subscription()], now=NOW)
    ledger = ledger_of(Overtaken(store), "plain", Features())
    with pytest.raises(BillingError):
        await cancel(ledger, "cus_1", "sub_1", key="k", now=NOW)
    assert await store.read("SELECT count(*) FROM operation") == [(0,)]
