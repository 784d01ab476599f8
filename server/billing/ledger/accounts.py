"""How the ledger reads and writes one account: what every one of its verbs is built on.

Reading is one statement. What is due by itself (`renewals`) is done when an account is read, and stored. A change is one
transaction: the operation under its idempotency key, the account with the version that was seen, new invoices, the
directory's flag and the line of the history are there together or not at all. Two changes at once: the second finds
another version, begins again, and decides on what it then finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from server.billing import Account, Activity, By, Invoice, NotFound, Refusal, Refused, Unavailable, rows, shapes
from server.billing.ledger.catalog import redeem, release
from server.billing.ledger.changes import planning
from server.billing.ledger.events.renewals import catch_up, due_at
from server.billing.ledger.sums.invoicing import as_kept
from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model import history
from server.billing.model.account import Discount
from server.billing.model.documents import is_due
from server.billing.model.notices import Notice
from server.billing.rules import notices
from server.brands.dunning import STANDARD, Dunning
from server.brands.mail_switches import EVERY_MAIL, MailSwitches
from server.store import Store, Transaction, micros
from server.store.telling import NOBODY, Listeners, tell

T = TypeVar("T")
Make = Callable[[Account], Account | planning.Planned | Refusal]
_TRIES = 12
"""How often a change begins again when others keep writing the same account."""


class Command(msgspec.Struct, frozen=True):
    """Who asks for what."""

    by: By
    action: str
    """The kind of the activity, where the change itself names no other."""
    subject: str
    """The id of what is changed, or empty."""
    words: tuple[str, ...] = ()
    """What else was asked for: the same key with other words is another request."""

    @property
    def wanted(self) -> tuple[str, str]:
        return self.action, " ".join((self.subject, *self.words))


class LedgerAccounts:
    """One brand's accounts in the store."""

    def __init__(
        self,
        store: Store,
        brand: str,
        *,
        keys: Sequence[bytes],
        base: str | None = None,
        mail: MailSwitches = EVERY_MAIL,
        dunning: Dunning = STANDARD,
        listeners: Listeners = NOBODY,
    ) -> None:
        """`keys`: for fingerprints; the first makes them, every one is accepted. `base`: what the brand's URLs begin with,
        see `Paths`; where it is left out, `/<brand>`. `mail`: what the brand mails. `dunning`: what it does about charges that failed.
        `listeners`: which servers of the business hear of every change."""
        self.store, self.brand, self.mail, self.keys = store, brand, mail, tuple(keys)
        self.dunning, self.listeners = dunning, listeners
        self.base = f"/{brand}" if base is None else base

    async def account(self, customer_id: str, now: datetime) -> Account:
        found = rows.stored(await self.store.read(rows.READ_ACCOUNT, self._whose(customer_id)))
        if not is_due(found.due_at, now):
            return replace(found.account, as_of=now)
        return await self._write(lambda transaction: self._current(transaction, customer_id, now).account)

    async def refetch(self, customer_id: str, now: datetime) -> Account:
        return await self.account(customer_id, now)

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        return await rows.history(self.store, self.brand, customer_id, limit=limit, skip=skip)

    async def _change(self, command: Command, make: Make) -> Account:
        """Apply a change once for its key. The same key for something else is refused as `key_reused`."""
        customer_id, key, now = command.by.customer_id, command.by.key, command.by.now

        def work(transaction: Transaction) -> Account:
            before = rows.plan(transaction, self.brand, customer_id, key=key, wanted=command.wanted, now=now)
            if before not in (None, command.wanted):
                raise Refused("key_reused")
            seen = self._current(transaction, customer_id, now)
            if before == command.wanted:
                return seen.account
            made = make(seen.account)
            if isinstance(made, Refusal):
                raise NotFound if made.reason == "not_found" else Refused(made.reason, made.detail)
            after = made.account if isinstance(made, planning.Planned) else made
            kept = as_kept(after)
            if kept != seen.account:
                self._store(transaction, seen, after, command)
                given = made.preview.discount if isinstance(made, planning.Planned) else None
                self._count(transaction, seen.account, after, command.subject, given)
            done = {**self._whose(customer_id), "key": key, "now": micros(now)}
            transaction.count(rows.DONE, done)
            return kept

        return await self._write(work)

    def _store(self, transaction: Transaction, seen: rows.Stored, after: Account, command: Command) -> None:
        known = {each.id: each for each in seen.account.invoices}
        new = [each for each in after.invoices if known.get(each.id) != each]
        by = command.by
        kind, fields = history.of_change(seen.account, after, command.action, command.subject)
        line = Activity(at=by.now, kind=kind, subject=command.subject, data=fields, browser=by.browser)
        kept = as_kept(after)
        rows.store_change(transaction, self.brand, seen, kept, due_at(kept), invoices=new, activities=[line])
        rows.tell_old_address(transaction, self.brand, seen.account, after, line)
        found = notices.of_a_command(seen.account, after, by.now, upcoming_of)
        self._tell(transaction, after.customer.id, found, by.now)
        self._tell_listeners(transaction, seen.account, after, new, by.now)

    def _tell(self, transaction: Transaction, customer_id: str, found: Iterable[Notice], now: datetime) -> None:
        rows.tell(transaction, self.brand, customer_id, found, mail=self.mail, now=now)

    def _tell_listeners(
        self, transaction: Transaction, before: Account, after: Account, made: Iterable[Invoice], now: datetime,
        *, old: Invoice | None = None,
    ) -> None:  # fmt: skip
        """`made` and `old`: as in `shapes.told`."""
        if self.listeners:
            events = shapes.told(before, after, now, made, live=self.listeners.is_live, old=old)
            tell(transaction, self.listeners, after.customer.id, events, now)

    def _count(
        self, transaction: Transaction, before: Account, after: Account, subject: str, given: Discount | None
    ) -> None:
        taken, freed = history.discounts(before, after, subject)
        for each in freed:
            release(transaction, self.brand, each)
        # One that counts for a single invoice may be used up by the change itself, and so be nowhere after it.
        for each in [given] if given else taken:
            redeem(transaction, self.brand, each)

    def _current(self, transaction: Transaction, customer_id: str, now: datetime) -> rows.Stored:
        """The account as it is at `now`; what was due is stored first. Raises `NotFound`."""
        seen = rows.stored(transaction.run(rows.READ_ACCOUNT, self._whose(customer_id)))
        while is_due(seen.due_at, now):
            done = catch_up(seen.account, now, self.dunning)
            lines = [*history.by_itself(seen.account, done.account, done.invoices), *done.lines]
            due = due_at(done.account)
            rows.store_change(
                transaction, self.brand, seen, done.account, due, invoices=done.invoices, activities=lines
            )
            for each in seen.account.subscriptions:
                for unused in history.unused(each, done.account.subscription(each.id) or each):
                    release(transaction, self.brand, unused)
            self._tell(transaction, customer_id, done.notices, now)
            self._tell_listeners(transaction, seen.account, done.account, done.invoices, now)
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
