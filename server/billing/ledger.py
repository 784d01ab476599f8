"""The embedded billing backend: accounts as documents in the store, changed by the pure functions of `changes`.

Reading is one statement. What is due by itself (`renewals`) is done when an account is read, and stored. A change is one
transaction: the operation under its idempotency key, the account with the version that was seen, new invoices, the
directory's flag and the line of the history are there together or not at all. Two changes at once: the second finds
another version, begins again, and decides on what it then finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from server.billing import (
    LATEST_INVOICES,
    Account,
    Activity,
    Catalog,
    Change,
    Changed,
    Invoice,
    InvoiceFilter,
    InvoicePage,
    NotFound,
    Preview,
    Refusal,
    Refused,
    Unavailable,
    ledger_invoices,
    pausing,
    previews,
    restarting,
    schedules,
    telling,
)
from server.billing import ledger_rows as rows
from server.billing.cancellations import retain, tell
from server.billing.changes import cancel, resume
from server.billing.documents import decode_invoice, is_due
from server.billing.ledger_catalog import read_catalog, redeem, release
from server.billing.renewals import bring_up_to_date
from server.billing.types import Discount
from server.store import Store, Transaction, micros
from server.themes.features import Features

T = TypeVar("T")
Make = Callable[[Account], Account | previews.Planned | Refusal]
_TRIES = 12
"""So often a change begins again when others keep writing the same account."""


class _Stale(Exception):
    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self.preview = preview


class _Asked(msgspec.Struct, frozen=True):
    """Who asks for what, with which key."""

    customer_id: str
    action: str
    """The kind of the activity, where the change itself names no other."""
    subject: str
    """The subscription's id."""
    key: str
    now: datetime
    browser: str
    words: tuple[str, ...] = ()
    """What else was asked for: the same key with other words is another request."""

    @property
    def wanted(self) -> tuple[str, str]:
        return self.action, " ".join((self.subject, *self.words))


class Ledger:
    """One brand's billing in the store."""

    def __init__(self, store: Store, brand: str, features: Features) -> None:
        self.store, self.brand, self.features = store, brand, features

    async def account(self, customer_id: str, now: datetime) -> Account:
        found = rows.stored(await self.store.read(rows.READ_ACCOUNT, self._whose(customer_id)))
        if not is_due(found.due_at, now):
            return replace(found.account, as_of=now)
        return await self._write(lambda transaction: self._current(transaction, customer_id, now).account)

    async def invoices(
        self, customer_id: str, *, before: str = "", limit: int = LATEST_INVOICES, only: InvoiceFilter | None = None
    ) -> InvoicePage:
        wanted = only or InvoiceFilter()
        look = ledger_invoices.with_status if wanted.status else ledger_invoices.newest
        found = await look(self.store, self._whose(customer_id), before, limit + 1, wanted)
        if before and not found and only is None:
            # Only an invoice that has older ones is ever handed out as a cursor.
            raise NotFound
        invoices = tuple(decode_invoice(document) for document in found[:limit])
        return InvoicePage(invoices=invoices, before=invoices[-1].id if len(found) > limit else "")

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        found = await self.store.read(rows.ONE_INVOICE, {**self._whose(customer_id), "id": invoice_id})
        if not found:
            raise NotFound
        return decode_invoice(found[0][0])

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        values = {**self._whose(customer_id), "limit": limit, "skip": skip}
        found = await self.store.read(rows.HISTORY, values)
        return [rows.activity_of(row) for row in found]

    async def catalog(self, prices: Sequence[str] = ()) -> Catalog:
        return await read_catalog(self.store, self.brand, self.features, prices=prices)

    async def preview_change(
        self, customer_id: str, subscription_id: str, change: Change, *, now: datetime
    ) -> Preview | Refusal:
        account = await self.account(customer_id, now)
        if account.subscription(subscription_id) is None:
            raise NotFound
        return previews.preview(account, subscription_id, change, await self._terms(change), now)

    async def change(
        self,
        customer_id: str,
        subscription_id: str,
        change: Change,
        *,
        token: str,
        key: str,
        now: datetime,
        browser: str,
    ) -> Changed:
        terms = await self._terms(change)
        words = (change.price, str(change.quantity), change.code, token)
        asked = _Asked(customer_id, "subscription.changed", subscription_id, key, now, browser, words)

        def make(account: Account) -> previews.Planned | Refusal:
            made = previews.apply(account, subscription_id, change, terms, token=token, now=now)
            if isinstance(made, previews.Stale):
                raise _Stale(made.preview)
            return made

        try:
            return Changed(await self._change(asked, make))
        except _Stale as stale:
            return Changed(await self.account(customer_id, now), stale.preview)

    async def undo_change(
        self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        asked = _Asked(customer_id, "subscription.change_undone", subscription_id, key, now, browser)
        return await self._change(asked, lambda it: schedules.undo(it, subscription_id, self.features, now))

    async def cancel(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        asked = _Asked(customer_id, "subscription.canceled", subscription_id, key, now, browser)
        rule = self.features.subscription_cancel
        return await self._change(asked, lambda it: cancel(it, subscription_id, rule, now))

    async def resume(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        asked = _Asked(customer_id, "subscription.resumed", subscription_id, key, now, browser)
        rule = self.features.subscription_cancel
        return await self._change(asked, lambda it: resume(it, subscription_id, rule, now))

    async def feedback(
        self,
        customer_id: str,
        subscription_id: str,
        reason: str,
        comment: str,
        *,
        key: str,
        now: datetime,
        browser: str,
    ) -> Account:
        words = (reason, comment)
        asked = _Asked(customer_id, "subscription.feedback", subscription_id, key, now, browser, words)
        return await self._change(asked, lambda it: tell(it, subscription_id, words, self.features, now))

    async def retain(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        catalog = await self.catalog()
        asked = _Asked(customer_id, "subscription.retained", subscription_id, key, now, browser)
        return await self._change(asked, lambda it: retain(it, subscription_id, catalog, self.features, now))

    async def pause(
        self, customer_id: str, subscription_id: str, cycles: int, *, key: str, now: datetime, browser: str
    ) -> Account:
        asked = _Asked(customer_id, "subscription.paused", subscription_id, key, now, browser, (str(cycles),))
        return await self._change(asked, lambda it: pausing.pause(it, subscription_id, cycles, self.features, now))

    async def unpause(
        self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        asked = _Asked(customer_id, "subscription.unpaused", subscription_id, key, now, browser)
        return await self._change(asked, lambda it: pausing.unpause(it, subscription_id, self.features, now))

    async def restart(
        self, customer_id: str, subscription_id: str, price: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        catalog, features = await self.catalog([price]), self.features
        asked = _Asked(customer_id, "subscription.restarted", subscription_id, key, now, browser, (price,))

        def make(account: Account) -> Account | Refusal:
            return restarting.restart(account, subscription_id, price, catalog, features=features, now=now)

        return await self._change(asked, make)

    async def _terms(self, change: Change) -> previews.Terms:
        catalog = await read_catalog(self.store, self.brand, self.features, code=change.code)
        return previews.Terms(catalog, self.features)

    async def _change(self, asked: _Asked, make: Make) -> Account:
        """Apply a change once for its key. The same key for something else is refused as `key_reused`."""
        customer_id, now = asked.customer_id, asked.now

        def work(transaction: Transaction) -> Account:
            before = rows.plan(transaction, self.brand, customer_id, key=asked.key, wanted=asked.wanted, now=now)
            if before not in (None, asked.wanted):
                raise Refused("key_reused")
            seen = self._current(transaction, customer_id, now)
            if before == asked.wanted:
                return seen.account
            made = make(seen.account)
            if isinstance(made, Refusal):
                raise NotFound if made.reason == "not_found" else Refused(made.reason, made.detail)
            after = made.account if isinstance(made, previews.Planned) else made
            if after != seen.account:
                self._store(transaction, seen, after, asked)
                given = made.preview.discount if isinstance(made, previews.Planned) else None
                self._count(transaction, seen.account, after, asked.subject, given)
            done = {**self._whose(customer_id), "key": asked.key, "now": micros(now)}
            transaction.count(rows.DONE, done)
            return after

        return await self._write(work)

    def _store(self, transaction: Transaction, seen: rows.Stored, after: Account, asked: _Asked) -> None:
        known = {each.id for each in seen.account.invoices}
        new = [each for each in after.invoices if each.id not in known]
        told = telling.of_change(seen.account, after, asked.action, asked.subject)
        line = Activity(at=asked.now, kind=told[0], subject=asked.subject, data=told[1], browser=asked.browser)
        rows.store_change(transaction, self.brand, seen, after, invoices=new, activities=[line])

    def _count(
        self, transaction: Transaction, before: Account, after: Account, subject: str, given: Discount | None
    ) -> None:
        taken, freed = telling.discounts(before, after, subject)
        for each in freed:
            release(transaction, self.brand, each)
        # One that counts for a single invoice may be used up by the change itself, and so stand nowhere after it.
        for each in [given] if given else taken:
            redeem(transaction, self.brand, each)

    def _current(self, transaction: Transaction, customer_id: str, now: datetime) -> rows.Stored:
        """The account as it is at `now`; what was due is stored first. Raises `NotFound`."""
        seen = rows.stored(transaction.run(rows.READ_ACCOUNT, self._whose(customer_id)))
        while is_due(seen.due_at, now):
            account, invoices = bring_up_to_date(seen.account, now)
            told = telling.by_itself(seen.account, account)
            rows.store_change(transaction, self.brand, seen, account, invoices=invoices, activities=told)
            seen = rows.stored(transaction.run(rows.READ_ACCOUNT, self._whose(customer_id)))
        return rows.Stored(replace(seen.account, as_of=now), seen.version, seen.due_at)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        for _ in range(_TRIES):
            try:
                return await self.store.write(work)
            except rows.Conflict:
                continue
        raise Unavailable

    def _whose(self, customer_id: str) -> dict[str, object]:
        return {"brand": self.brand, "customer": customer_id}
