"""The rows of both backends: every statement over `account`, `invoice` and `operation`, what writes the catalog, and what
a backend writes of `customer` and `session`.

An account is written with the version that was read, so that no change is lost: the second of two gets `Conflict`
and begins again. Everything of one change (the operation, the account, its invoices, the directory, the history) is
written in one transaction by `store_change`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from server.billing import ACTIVE, Account, Activity, Invoice, NotFound
from server.billing.model.catalog import Catalog, Coupon, Price, Product
from server.billing.model.documents import decode_account, decode_texts, encode_account, encode_invoice
from server.billing.model.notices import Notice, encode
from server.brands.mail_switches import MailSwitches
from server.formats.email import EmailMistake, canonical
from server.store import Parameters, Row, Store, Transaction, activities, customer_parts, micros, moment, posting

READ_ACCOUNT = "SELECT document, version, due_at FROM account WHERE brand = :brand AND customer_id = :customer"
UPDATE_ACCOUNT = """
UPDATE account SET version = version + 1, as_of = :as_of, due_at = :due_at, document = :document
 WHERE brand = :brand AND customer_id = :customer AND version = :seen"""
INSERT_ACCOUNT = """
INSERT INTO account (brand, customer_id, version, as_of, due_at, document)
VALUES (:brand, :customer, 1, :as_of, :due_at, :document) ON CONFLICT DO NOTHING"""
PUT_INVOICE = """
INSERT INTO invoice (brand, id, customer_id, created_at, document)
VALUES (:brand, :id, :customer, :created_at, :document)
ON CONFLICT (brand, id) DO UPDATE SET created_at = excluded.created_at, document = excluded.document
 WHERE invoice.customer_id = excluded.customer_id"""
NEWEST_INVOICES = """
SELECT document FROM invoice WHERE brand = :brand AND customer_id = :customer
   AND created_at >= :since AND created_at < :until
 ORDER BY created_at DESC, id DESC LIMIT :limit"""
OLDER_INVOICES = """
SELECT document FROM invoice WHERE brand = :brand AND customer_id = :customer
   AND created_at >= :since AND created_at < :until
   AND (created_at, id) < (SELECT created_at, id FROM invoice
                            WHERE brand = :brand AND id = :before AND customer_id = :customer)
 ORDER BY created_at DESC, id DESC LIMIT :limit"""
ONE_INVOICE = "SELECT document FROM invoice WHERE brand = :brand AND id = :id AND customer_id = :customer"
DROP_ACCOUNT = "DELETE FROM account WHERE brand = :brand AND customer_id = :customer"
DROP_INVOICES = "DELETE FROM invoice WHERE brand = :brand AND customer_id = :customer"
PUT_CUSTOMER = """
INSERT INTO customer (brand, id, address, email, name, created_at, active, disabled)
VALUES (:brand, :id, :address, :email, :name, :created_at, :active, :disabled)
ON CONFLICT (brand, id) DO UPDATE SET address = excluded.address, email = excluded.email, name = excluded.name,
  created_at = excluded.created_at, active = excluded.active, disabled = excluded.disabled + (customer.disabled & 2)"""
"""With `customer_values`. That an operator lets the customer not log in (`access.directory`) stays."""
SAME_CUSTOMER = """
SELECT 1 FROM customer WHERE brand = :brand AND id = :id AND address = :address AND email = :email AND name = :name
   AND created_at = :created_at AND active = :active AND (disabled & 1) = :disabled"""
_DROP_CUSTOMER = """
DELETE FROM customer WHERE brand = :brand AND id = :customer RETURNING indexed_name, indexed_email"""
# An address that the customer no longer has proves nothing any more: what it opened ends, and the browsers in which it was proved
# are new ones again. A session in which the new address was proved (`access.email_changes`) goes on with that one.
ADDRESS = "SELECT address FROM customer WHERE brand = :brand AND id = :customer_id"
FORGET_BROWSERS = "DELETE FROM known_browser WHERE brand = :brand AND customer_id = :customer_id"
GO_ON = """
UPDATE session SET address = :address
 WHERE brand = :brand AND customer_id = :customer_id AND address <> :address
   AND EXISTS (SELECT 1 FROM challenge h
                WHERE h.session = session.id_hash AND h.address = :address AND h.consumed_at IS NOT NULL)"""
END_OF_OLD_ADDRESS = "DELETE FROM session WHERE brand = :brand AND customer_id = :customer_id AND address <> :address"
SET_ACTIVE = "UPDATE customer SET active = :active WHERE brand = :brand AND id = :customer AND active <> :active"
SET_NAME = "UPDATE customer SET name = :name WHERE brand = :brand AND id = :customer"
READ_CATALOG = "SELECT document FROM catalog WHERE brand = :brand AND kind = :kind AND id = :id"
_WHOLE_CATALOG = """
SELECT kind, document FROM catalog WHERE brand = :brand AND kind IN ('product', 'price', 'coupon') ORDER BY kind, id"""
PUT_CATALOG = """
INSERT INTO catalog (brand, kind, id, document) VALUES (:brand, :kind, :id, :document)
ON CONFLICT (brand, kind, id) DO UPDATE SET document = excluded.document"""
PUT_CODE = """
INSERT INTO promotion_code (brand, code, id) VALUES (:brand, :code, :id) ON CONFLICT (brand, code, id) DO NOTHING"""
PLAN = """
INSERT INTO operation (brand, customer_id, key, action, subject, state, created_at, updated_at)
VALUES (:brand, :customer, :key, :action, :subject, 'planned', :now, :now) ON CONFLICT DO NOTHING"""
PLANNED = "SELECT action, subject FROM operation WHERE brand = :brand AND customer_id = :customer AND key = :key"
OPERATION = """
SELECT action, subject, state, result FROM operation WHERE brand = :brand AND customer_id = :customer AND key = :key"""
BEGIN_OPERATION = """
INSERT INTO operation (brand, customer_id, key, action, subject, state, result, created_at, updated_at)
VALUES (:brand, :customer, :key, :action, :subject, 'sent', :result, :now, :now) ON CONFLICT DO NOTHING"""
END_OPERATION = """
UPDATE operation SET state = :state, result = :result, updated_at = :now
 WHERE brand = :brand AND customer_id = :customer AND key = :key AND state IN ('sent', 'unknown')"""
FORGET_OPERATION = """
DELETE FROM operation WHERE brand = :brand AND customer_id = :customer AND key = :key AND state = 'sent'"""
OPEN_OPERATIONS = """
SELECT customer_id, key, action, subject, result, created_at FROM operation
 WHERE brand = :brand AND state IN ('sent', 'unknown') AND updated_at < :before ORDER BY created_at LIMIT 100"""
FAILED_PAYMENTS = """
SELECT COUNT(*) FROM operation WHERE brand = :brand AND customer_id = :customer
   AND action = 'invoice.paid' AND state = 'failed' AND updated_at > :since"""
DONE = """
UPDATE operation SET state = 'done', updated_at = :now
 WHERE brand = :brand AND customer_id = :customer AND key = :key"""
EMAIL_CHANGED, EMAIL_CHANGED_MAIL = "customer.email_changed", "email_changed"
"""The line of the history, and the kind of the mail to the old address."""
TOLD_WITHIN = timedelta(days=3)
EVER = (-(2**62), 2**62)
"""From before the first to after the last moment."""


_DUE = """
SELECT due_at, brand, customer_id FROM account
 WHERE due_at <= :now AND (due_at, brand, customer_id) > (:due_at, :brand, :customer_id)
 ORDER BY due_at, brand, customer_id LIMIT 100"""


class Conflict(Exception):
    """Somebody else wrote the account in the meantime. Nothing was changed: read it again."""


class Stored(msgspec.Struct, frozen=True):
    """An account as it lies in the store."""

    account: Account
    version: int
    due_at: int | None


async def catalog_of(store: Store, brand: str) -> Catalog:
    """All that a brand sells, by the newest export or copy."""
    kinds: dict[str, Any] = {"product": Product, "price": Price, "coupon": Coupon}
    found: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    for kind, document in await store.read(_WHOLE_CATALOG, {"brand": brand}):
        each = msgspec.msgpack.decode(document, type=kinds[kind])
        found[kind][each.id] = each
    return Catalog(found["product"], found["price"], found["coupon"])


def stored(rows: list[Row]) -> Stored:
    """The account of that row. Raises `NotFound` for none."""
    if not rows:
        raise NotFound
    document, version, due = rows[0]
    return Stored(decode_account(document), version, due)


def account_values(brand: str, account: Account, due: datetime | None) -> dict[str, object]:
    """The parameters of a statement that writes this account; `due`: when something next happens by itself."""
    return {
        "brand": brand,
        "customer": account.customer.id,
        "as_of": micros(account.as_of),
        "due_at": None if due is None else micros(due),
        "document": encode_account(account),
    }


def invoice_values(brand: str, customer: str, invoice: Invoice) -> dict[str, object]:
    return {
        "brand": brand,
        "id": invoice.id,
        "customer": customer,
        "created_at": micros(invoice.created_at),
        "document": encode_invoice(invoice),
    }


def customer_values(brand: str, account: Account) -> dict[str, object]:
    """The customer's row in the directory. An address that no mail could reach leaves it empty: nobody logs in by it."""
    customer = account.customer
    address = canonical(customer.email)
    return {
        "brand": brand,
        "id": customer.id,
        "address": "" if isinstance(address, EmailMistake) else address,
        "email": customer.email,
        "name": customer.name,
        "created_at": micros(customer.created_at),
        "active": int(is_active(account)),
        "disabled": int(customer.disabled),
    }


def put_customer(transaction: Transaction, values: dict[str, object]) -> int:
    """Write the row of `customer_values` and end what its old address had opened; 1 where it was another one, else 0."""
    if transaction.run(SAME_CUSTOMER, values):
        return 0
    whose = {"brand": values["brand"], "customer_id": values["id"], "address": values["address"]}
    before = transaction.run(ADDRESS, whose)
    transaction.count(PUT_CUSTOMER, values)
    if before and before[0][0] != values["address"]:
        end_old_address(transaction, whose)
    return 1


def end_old_address(transaction: Transaction, whose: dict[str, object]) -> None:
    """The customer has another address now: end what the old one had opened."""
    transaction.count(FORGET_BROWSERS, whose)
    transaction.count(GO_ON, whose)
    transaction.count(END_OF_OLD_ADDRESS, whose)


def drop_customer(transaction: Transaction, brand: str, customer: str) -> None:
    """Out of the directory: nobody logs in as them any more, and no search finds them."""
    for name, email in transaction.run(_DROP_CUSTOMER, {"brand": brand, "customer": customer}):
        customer_parts.drop(transaction, brand, customer, (name or "", email or ""))


def is_active(account: Account) -> bool:
    return any(each.status in ACTIVE for each in account.subscriptions)


def store_change(
    transaction: Transaction,
    brand: str,
    seen: Stored,
    account: Account,
    due: datetime | None,
    *,
    invoices: Iterable[Invoice],
    activities: Iterable[Activity],
) -> None:
    """Write the account in the place of the one that was seen, and what came with it. Raises `Conflict`."""
    values = account_values(brand, account, due)
    if transaction.count(UPDATE_ACCOUNT, {**values, "seen": seen.version}) != 1:
        raise Conflict
    customer = account.customer.id
    rows: list[Parameters] = [invoice_values(brand, customer, each) for each in invoices]
    if rows:
        transaction.run_many(PUT_INVOICE, rows)
    if is_active(account) != is_active(seen.account):
        active = int(is_active(account))
        transaction.count(SET_ACTIVE, {"brand": brand, "customer": customer, "active": active})
    if account.customer.name != seen.account.customer.name:
        transaction.count(SET_NAME, {"brand": brand, "customer": customer, "name": account.customer.name})
    if account.customer.email != seen.account.customer.email:
        put_customer(transaction, customer_values(brand, account))
    for each in activities:
        add_activity(transaction, brand, customer, each)


def add_activity(transaction: Transaction, brand: str, customer: str, it: Activity) -> None:
    activities.note(
        transaction, brand, customer, it.kind, now=it.at, browser=it.browser, subject=it.subject, data=it.data
    )


class EmailChanged(msgspec.Struct, frozen=True):
    """What the row of the mail to the old address says beside when."""

    to: str
    browser: str


def tell_old_address(transaction: Transaction, brand: str, before: Account, after: Account, line: Activity) -> None:
    """Mail the address that a customer had before; `line`: of the change that the customer asked for."""
    old = before.customer.email
    if line.kind == EMAIL_CHANGED and old and old != after.customer.email:
        data = msgspec.msgpack.encode(EmailChanged(old, line.browser))
        posting.enqueue(
            transaction, brand=brand, customer_id=after.customer.id, kind=EMAIL_CHANGED_MAIL, data=data, now=line.at,
            expires_at=line.at + TOLD_WITHIN, waited_for=True,
        )  # fmt: skip


def tell(
    transaction: Transaction, brand: str, customer: str, found: Iterable[Notice], *, mail: MailSwitches, now: datetime
) -> None:
    """Put the mails into the outbox that the brand sends and that are not stale."""
    for each in found:
        if each.until > now and mail.wants(each.kind, each.days):
            posting.enqueue(
                transaction, brand=brand, customer_id=customer, kind=each.kind, event=each.name,
                data=encode(each.event), now=now, expires_at=each.until,
            )  # fmt: skip


async def history(store: Store, brand: str, customer: str, *, limit: int, skip: int) -> list[Activity]:
    """The newest lines of the customer's history, without the newest `skip`."""
    found = await activities.latest(store, brand, customer, limit=limit, skip=skip)
    return [
        Activity(at=moment(at), kind=kind, subject=subject, data=decode_texts(data), browser=browser)
        for at, kind, subject, data, browser in found
    ]


def plan(
    transaction: Transaction, brand: str, customer: str, *, key: str, wanted: tuple[str, str], now: datetime
) -> tuple[str, str] | None:
    """Write down what is wanted (action, subject) under its key. None: it is new; else what the key stood for before."""
    values = {"brand": brand, "customer": customer, "key": key}
    planned = {**values, "action": wanted[0], "subject": wanted[1], "now": micros(now)}
    if transaction.count(PLAN, planned) == 1:
        return None
    action, subject = transaction.run(PLANNED, values)[0]
    return action, subject


async def due(store: Store, now: datetime) -> AsyncIterator[tuple[str, str]]:
    """Brand and customer of each account for which something happens by itself by now, the longest due first."""
    last: dict[str, object] = {"due_at": 0, "brand": "", "customer_id": ""}
    while found := await store.read(_DUE, {"now": micros(now), **last}):
        for due_at, brand, customer in found:
            last = {"due_at": due_at, "brand": brand, "customer_id": customer}
            yield brand, customer
