"""The embedded billing backend: accounts as documents in the store, changed by the pure functions of `changes`.

Reading is one statement. What is due by itself (`renewals`) is done when an account is read, and stored. A change is one
transaction: the operation under its idempotency key, the account with the version that was seen, new invoices, the
directory's flag and the line of the history are there together or not at all. Two changes at once: the second finds
another version, begins again, and decides on what it then finds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec.structs import replace

from server.billing import (
    LATEST_INVOICES,
    Account,
    Activity,
    Invoice,
    InvoiceFilter,
    InvoicePage,
    NotFound,
    Refusal,
    Refused,
    Unavailable,
)
from server.billing import ledger_rows as rows
from server.billing.changes import CancelRule, cancel, resume
from server.billing.documents import decode_invoice, invoice_head, is_due
from server.billing.renewals import bring_up_to_date
from server.billing.types import ENDED
from server.store import Store, Transaction, micros

T = TypeVar("T")
Change = Callable[[Account, str, CancelRule, datetime], Account | Refusal]
_PIECE = 200
"""So many invoices are looked at in one statement when a status is looked for."""
_TRIES = 12
"""So often a change begins again when others keep writing the same account."""


class Features(Protocol):
    """What the brand's configuration allows, as far as the ledger asks."""

    @property
    def subscription_cancel(self) -> CancelRule: ...


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
        if wanted.status:
            found = await self._with_status(customer_id, before, limit + 1, wanted)
        else:
            found = await self._documents(customer_id, before, limit + 1, wanted)
        if before and not found and only is None:
            # Only an invoice that has older ones is ever handed out as a cursor.
            raise NotFound
        invoices = tuple(decode_invoice(document) for document in found[:limit])
        return InvoicePage(invoices=invoices, before=invoices[-1].id if len(found) > limit else "")

    async def _documents(self, customer_id: str, before: str, limit: int, only: InvoiceFilter) -> list[bytes]:
        """Of the newest invoices before that one, through the index."""
        since = micros(only.since_at) if only.since_at else rows.EVER[0]
        until = micros(only.until_at) if only.until_at else rows.EVER[1]
        values = {**self._whose(customer_id), "since": since, "until": until, "limit": limit}
        if before:
            found = await self.store.read(rows.OLDER_INVOICES, {**values, "before": before})
        else:
            found = await self.store.read(rows.NEWEST_INVOICES, values)
        return [document for (document,) in found]

    async def _with_status(self, customer_id: str, before: str, limit: int, only: InvoiceFilter) -> list[bytes]:
        """The status stands inside the documents: looked for piece by piece among this customer's, until enough are
        found. Reading the status alone takes 1 µs an invoice."""
        found: list[bytes] = []
        while len(found) < limit:
            piece = await self._documents(customer_id, before, _PIECE, only)
            heads = [invoice_head(document) for document in piece]
            found += [each for each, head in zip(piece, heads, strict=True) if head.status == only.status]
            if len(piece) < _PIECE:
                break
            before = heads[-1].id
        return found[:limit]

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        found = await self.store.read(rows.ONE_INVOICE, {**self._whose(customer_id), "id": invoice_id})
        if not found:
            raise NotFound
        return decode_invoice(found[0][0])

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        values = {**self._whose(customer_id), "limit": limit, "skip": skip}
        found = await self.store.read(rows.HISTORY, values)
        return [rows.activity_of(row) for row in found]

    async def cancel(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        done = Activity(at=now, kind="subscription.canceled", subject=subscription_id, data={}, browser=browser)
        return await self._change(customer_id, cancel, done, key)

    async def resume(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        done = Activity(at=now, kind="subscription.resumed", subject=subscription_id, data={}, browser=browser)
        return await self._change(customer_id, resume, done, key)

    async def _change(self, customer_id: str, change: Change, done: Activity, key: str) -> Account:
        """Apply a change once for its key. The same key for something else is refused as `key_reused`."""
        whose, rule = self._whose(customer_id), self.features.subscription_cancel

        def work(transaction: Transaction) -> Account:
            wanted = (done.kind, done.subject)
            before = rows.plan(transaction, self.brand, customer_id, key=key, wanted=wanted, now=done.at)
            if before not in (None, wanted):
                raise Refused("key_reused")
            seen = self._current(transaction, customer_id, done.at)
            if before == wanted:
                return seen.account
            after = change(seen.account, done.subject, rule, done.at)
            if isinstance(after, Refusal):
                raise NotFound if after.reason == "not_found" else Refused(after.reason)
            if after != seen.account:
                known = {each.id for each in seen.account.invoices}
                new = [each for each in after.invoices if each.id not in known]
                rows.store_change(transaction, self.brand, seen, after, invoices=new, activities=[done])
            transaction.count(rows.DONE, {**whose, "key": key, "now": micros(done.at)})
            return after

        return await self._write(work)

    def _current(self, transaction: Transaction, customer_id: str, now: datetime) -> rows.Stored:
        """The account as it is at `now`; what was due is stored first. Raises `NotFound`."""
        seen = rows.stored(transaction.run(rows.READ_ACCOUNT, self._whose(customer_id)))
        while is_due(seen.due_at, now):
            account, invoices = bring_up_to_date(seen.account, now)
            ended = _ended(seen.account, account)
            rows.store_change(transaction, self.brand, seen, account, invoices=invoices, activities=ended)
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


def _ended(before: Account, after: Account) -> list[Activity]:
    """The lines of the history for subscriptions that ended by themselves."""
    alive = {each.id for each in before.subscriptions if each.status not in ENDED}
    return [
        Activity(at=each.ended_at, kind="subscription.ended", subject=each.id, data={}, browser="")
        for each in after.subscriptions
        if each.id in alive and each.status in ENDED and each.ended_at
    ]
