"""The copies of accounts in the store: a fetch replaces one only if it began later than the one that is there.

A copy holds the account, the invoices that were fetched and the customer's row in the directory; all change in one
transaction. How a paid invoice was paid is read later and stays with it (`keep_payments`). One that no customer came for in 90 days goes; it is fetched again when somebody logs in.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from server.billing import Account, Invoice, Payment, Unavailable, rows
from server.billing.model import history
from server.billing.model.account import Subscription, Upcoming
from server.billing.model.documents import decode_account, decode_invoice
from server.billing.rules import notices
from server.billing.stripe import events
from server.billing.stripe.fetching import PAGE, Fetched
from server.brands.mail_switches import MailSwitches
from server.store import Store, Transaction, micros, moment

T = TypeVar("T")
KEPT = timedelta(days=90)
MOST_TIMES = 20
"""How often a transaction is made again because another process came in between; it is as if Stripe were away then."""
_BEGAN = "SELECT began_at, oldest FROM stripe_copy WHERE brand = :brand AND customer_id = :customer"
_PUT = """
INSERT INTO stripe_copy (brand, customer_id, began_at, wanted_at, oldest)
VALUES (:brand, :customer, :began, :began, :oldest)
ON CONFLICT (brand, customer_id) DO UPDATE SET began_at = excluded.began_at, oldest = excluded.oldest"""
_OLDEST = "UPDATE stripe_copy SET oldest = :oldest WHERE brand = :brand AND customer_id = :customer"
_WANTED = """
UPDATE stripe_copy SET wanted_at = :now WHERE brand = :brand AND customer_id = :customer AND wanted_at < :before"""
_UNWANTED = "SELECT customer_id FROM stripe_copy WHERE brand = :brand AND wanted_at < :before LIMIT 500"
_DROP = "DELETE FROM stripe_copy WHERE brand = :brand AND customer_id = :customer"
_COPIED = (
    "SELECT customer_id FROM stripe_copy WHERE brand = :brand AND customer_id > :after ORDER BY customer_id LIMIT 500"
)
_FOREIGN = """
SELECT customer_id FROM account WHERE brand = :brand AND NOT EXISTS
 (SELECT 1 FROM stripe_copy s WHERE s.brand = account.brand AND s.customer_id = account.customer_id)"""
_HAS = "SELECT began_at FROM stripe_copy WHERE brand = :brand AND customer_id = :customer"


class _Moved(Exception):
    """Another process wrote the account since this transaction read it."""


async def _written(store: Store, work: Callable[[Transaction], T]) -> T:
    """What the transaction answers, as often as it takes until nobody came in between."""
    for _ in range(MOST_TIMES):
        with suppress(_Moved):
            return await store.write(work)
    raise Unavailable


async def keep(store: Store, brand: str, fetched: Fetched, *, mail: MailSwitches, by_itself: bool = True) -> Account:
    """Put the fetch in the place of what is there, unless that began later; the account as it is in the store then. The
    history gets what happened in between, unless it is what a customer has just done (`by_itself`), which has its line. Of what
    is new the customer gets the mails that the brand sends; a first fetch knows nothing that is new."""
    return await _written(store, lambda transaction: _keep(transaction, brand, fetched, mail, by_itself=by_itself))


def _keep(transaction: Transaction, brand: str, fetched: Fetched, mail: MailSwitches, *, by_itself: bool) -> Account:
    whose = {"brand": brand, "customer": fetched.account.customer.id}
    began = micros(fetched.account.as_of)
    oldest = fetched.invoices[-1].id if fetched.has_more and fetched.invoices else ""
    there = transaction.run(_BEGAN, whose)
    stored = transaction.run(rows.READ_ACCOUNT, whose)
    if there and stored:
        if there[0][0] > began:
            return decode_account(stored[0][0])
        # Older pages that were read since stay: the place where Stripe goes on is still the same.
        oldest = there[0][1] if oldest else ""
    fetched, is_known = _with_payments(fetched, _stored_invoices(transaction, whose))
    account = fetched.account
    if not is_known:
        events.mark(transaction, brand, events.Touch(events.PAYMENTS, account.customer.id), account.as_of)
    values = rows.account_values(brand, account, None)
    written = (rows.UPDATE_ACCOUNT, {**values, "seen": stored[0][1]}) if stored else (rows.INSERT_ACCOUNT, values)
    if transaction.count(*written) != 1:
        raise _Moved
    if stored and there:  # of a first fetch nobody knows what was before
        _tell(transaction, brand, decode_account(stored[0][0]), fetched, mail, by_itself=by_itself)
    if fetched.invoices:
        transaction.run_many(
            rows.PUT_INVOICE, [rows.invoice_values(brand, account.customer.id, each) for each in fetched.invoices]
        )
    rows.put_customer(transaction, rows.customer_values(brand, account))
    transaction.count(_PUT, {**whose, "began": began, "oldest": oldest})
    return account


def _stored_invoices(transaction: Transaction, whose: dict[str, str]) -> dict[str, Invoice]:
    since, until = rows.EVER
    found = transaction.run(rows.NEWEST_INVOICES, {**whose, "since": since, "until": until, "limit": PAGE})
    return {each.id: each for each in (decode_invoice(document) for (document,) in found)}


def _with_payments(fetched: Fetched, stored: dict[str, Invoice]) -> tuple[Fetched, bool]:
    """With what was read of its paid invoices' payments before, and whether that is all of them."""
    is_known = True

    def told(invoice: Invoice) -> Invoice:
        nonlocal is_known
        if invoice.status != "paid" or not invoice.payments:
            return invoice
        there = stored.get(invoice.id)
        if there is None or _shape(there) != _shape(invoice):
            is_known = False
            return invoice
        return replace(invoice, payments=there.payments)

    invoices = {each.id: told(each) for each in fetched.invoices}
    account = replace(fetched.account, invoices=tuple(invoices[each.id] for each in fetched.account.invoices))
    return replace(fetched, account=account, invoices=tuple(invoices.values())), is_known


def _shape(invoice: Invoice) -> tuple[object, ...]:
    """What of its payments an invoice's own list says."""
    return invoice.status, [(each.id, each.status) for each in invoice.payments]


async def keep_payments(store: Store, brand: str, customer: str, found: dict[str, tuple[Payment, ...]]) -> bool:
    """Put how the paid invoices were paid into the copy; whether it says anything else than before."""
    whose = {"brand": brand, "customer": customer}

    def told(invoice: Invoice) -> Invoice:
        return replace(invoice, payments=found.get(invoice.id, ())) if _is_of(invoice, found) else invoice

    def work(transaction: Transaction) -> bool:
        account_row = transaction.run(rows.READ_ACCOUNT, whose)
        stored = _stored_invoices(transaction, whose).values()
        changed = [new for each in stored if (new := told(each)) != each]
        if not account_row or not changed:
            return False
        account = decode_account(account_row[0][0])
        account = replace(account, invoices=tuple(map(told, account.invoices)))
        values = {**rows.account_values(brand, account, None), "seen": account_row[0][1]}
        if transaction.count(rows.UPDATE_ACCOUNT, values) != 1:
            raise _Moved
        transaction.run_many(rows.PUT_INVOICE, [rows.invoice_values(brand, customer, each) for each in changed])
        return True

    return await _written(store, work)


def _is_of(invoice: Invoice, found: dict[str, tuple[Payment, ...]]) -> bool:
    there = [each.id for each in found.get(invoice.id, ())]
    return invoice.status == "paid" and bool(there) and there == [each.id for each in invoice.payments]


def _tell(
    transaction: Transaction, brand: str, before: Account, fetched: Fetched, mail: MailSwitches, *, by_itself: bool
) -> None:
    after = fetched.account
    known = {each.id: each for each in before.invoices}
    # An older one than the copy held is none that changed: the copy did not have it.
    since = min((each.created_at for each in before.invoices), default=before.as_of)
    made = [each for each in reversed(fetched.invoices) if each.created_at >= since and known.get(each.id) != each]
    if by_itself:
        found = notices.happened(before, after, after.as_of, made)
        for line in history.by_itself(before, after, made):
            rows.add_activity(transaction, brand, before.customer.id, line)
    else:
        found = notices.of_a_command(before, after, after.as_of, _charged)
    rows.tell(transaction, brand, before.customer.id, found, mail=mail, now=after.as_of)


def _charged(account: Account, subscription: Subscription) -> Upcoming | None:
    """What Stripe says that it charges next; None where nobody says the sum."""
    found = (each for each in account.upcoming if each.subscription == subscription.id and each.total)
    return next(found, None)


async def oldest(store: Store, brand: str, customer: str) -> str:
    """The oldest invoice of the copy, where Stripe has older ones; else empty."""
    found = await store.read(_BEGAN, {"brand": brand, "customer": customer})
    return str(found[0][1]) if found else ""


async def keep_older(store: Store, brand: str, customer: str, invoices: list[Invoice], *, has_more: bool) -> None:
    """Add a page of older invoices."""
    values = [rows.invoice_values(brand, customer, each) for each in invoices]
    whose = {"brand": brand, "customer": customer}

    def work(transaction: Transaction) -> None:
        if values:
            transaction.run_many(rows.PUT_INVOICE, values)
        transaction.count(_OLDEST, {**whose, "oldest": invoices[-1].id if has_more and invoices else ""})

    await store.write(work)


async def began_at(store: Store, brand: str, customer: str) -> datetime | None:
    """When the fetch began that the copy is of; None: there is no copy."""
    found = await store.read(_HAS, {"brand": brand, "customer": customer})
    return moment(found[0][0]) if found else None


async def has_copy(store: Store, brand: str, customer: str) -> bool:
    return bool(await store.read(_HAS, {"brand": brand, "customer": customer}))


async def wanted(store: Store, brand: str, customer: str, now: datetime) -> None:
    """The customer came: keep the copy. Written once a day at most."""
    before = micros(now - timedelta(days=1))
    whose = {"brand": brand, "customer": customer, "now": micros(now), "before": before}
    await store.write(lambda transaction: transaction.count(_WANTED, whose))


async def drop(store: Store, brand: str, customer: str, *, everything: bool = False) -> None:
    """Drop the copy; `everything`: the customer is gone at Stripe, so that nobody logs in as them any more."""
    whose = {"brand": brand, "customer": customer}

    def work(transaction: Transaction) -> None:
        for sql in (_DROP, rows.DROP_ACCOUNT, rows.DROP_INVOICES):
            transaction.count(sql, whose)
        if everything:
            rows.drop_customer(transaction, brand, customer)

    await store.write(work)


async def drop_unwanted(store: Store, brand: str, now: datetime) -> int:
    """Drop the copies of customers who did not come for 90 days; how many."""
    found = await store.read(_UNWANTED, {"brand": brand, "before": micros(now - KEPT)})
    for (customer,) in found:
        await drop(store, brand, customer)
    return len(found)


async def drop_foreign(store: Store, brand: str) -> None:
    """Drop accounts that no fetch brought: those of the ledger that the brand had before."""

    def work(transaction: Transaction) -> None:
        for (customer,) in transaction.run(_FOREIGN, {"brand": brand}):
            for sql in (rows.DROP_ACCOUNT, rows.DROP_INVOICES):
                transaction.count(sql, {"brand": brand, "customer": customer})

    await store.write(work)


async def copied(store: Store, brand: str, after: str) -> list[str]:
    """The customers with a copy whose id comes after that one, at most 500."""
    return [row[0] for row in await store.read(_COPIED, {"brand": brand, "after": after})]
