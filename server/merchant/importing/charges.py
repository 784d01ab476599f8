"""Charges and refunds that come by themselves, put into the invoices that they belong to, as Stripe puts them there where
it is asked to. An invoice names its payment by a payment intent or, in older versions, by a charge.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from server.billing.stripe import legacy
from server.billing.stripe.reading import ident, part, parts, read
from server.billing.stripe.wire import Deduction, Id, Ref, Wire

Json = dict[str, Any]
KINDS = ("charge", "refund")
_SCHEMA = """
CREATE TABLE paid (kind TEXT, id TEXT, charge TEXT, intent TEXT, amount INTEGER, document BLOB, place TEXT,
                   is_used INTEGER, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX paid_by_charge ON paid (charge);
CREATE INDEX paid_by_intent ON paid (intent)"""
_PUT = "INSERT OR REPLACE INTO paid VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
_USE = "UPDATE paid SET is_used = 1 WHERE charge = :of OR intent = :of RETURNING kind, amount, document"
_UNUSED = "SELECT kind, count(*), total(amount) > 0, min(place) FROM paid WHERE NOT is_used GROUP BY kind, amount > 0"
_NEVER_GIVEN = ("failed", "canceled")


class _Paid(Wire, frozen=True):
    """What is read of either; the rest of a charge goes into its invoice as it is."""

    id: Id
    charge: Ref | None = None
    payment_intent: Ref | None = None
    amount: Deduction | None = None
    amount_refunded: Deduction | None = None
    status: str | None = None


class Charges:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)
        self._are_there = False

    def add(self, kind: str, raw: Json, place: str) -> None:
        of, is_charge = read(_Paid, raw), kind == "charge"
        charge, intent = ident(of.charge, "$.charge"), ident(of.payment_intent, "$.payment_intent")
        given = of.amount_refunded if is_charge else 0 if of.status in _NEVER_GIVEN else of.amount
        row = (
            kind,
            of.id,
            of.id if is_charge else charge or None,
            intent or None,
            given or 0,
            msgspec.msgpack.encode(raw),
            place,
        )
        self._database.execute(_PUT, row)
        self._are_there = True

    def into(self, invoice: Json) -> Json:
        """The invoice with the charges that it names. The same where none came."""
        if not self._are_there:
            return invoice
        made, payments = {**invoice, **self._expanded(invoice)}, part(invoice, "payments")
        if isinstance(payments.get("data"), list):
            made["payments"] = {**payments, "data": [self._with_charge(each) for each in payments["data"]]}
        return made

    def unused(self) -> Iterator[tuple[str, int, bool, str]]:
        """Of each kind those that no invoice named: how many, whether they gave money back, where the first is."""
        yield from self._database.execute(_UNUSED)

    def _with_charge(self, payment: Any) -> Any:
        paid_by = part(payment, "payment")
        return {**payment, "payment": {**paid_by, **self._expanded(paid_by)}} if paid_by else payment

    def _expanded(self, paid_by: Json) -> Json:
        charge, intent, found = paid_by.get("charge"), paid_by.get("payment_intent"), {}
        if isinstance(charge, str) and (whole := self._find(charge)):
            found["charge"] = whole
        intent = {"id": intent} if isinstance(intent, str) else intent
        if isinstance(intent, dict) and not isinstance(intent.get("latest_charge"), dict):
            of = intent.get("latest_charge") or intent.get("id")
            if isinstance(of, str) and (whole := self._find(of)):
                found["payment_intent"] = {**intent, "latest_charge": whole}
        return found

    def _find(self, of: str) -> Json | None:
        """The charge of that id or of that payment intent, with what was given back of it. Of several tries the one that worked."""
        rows = self._database.execute(_USE, {"of": of}).fetchall()
        if not rows:
            return None
        tries = [msgspec.msgpack.decode(document) for kind, _, document in rows if kind == "charge"]
        charge = max(tries, key=lambda each: (each.get("paid") is True, each.get("created") or 0), default={"id": of})
        refunds = sum(amount for kind, amount, _ in rows if kind == "refund")
        return {**charge, "amount_refunded": max(charge.get("amount_refunded") or 0, refunds)}


def tells_refunds(invoice: Json) -> bool:
    """Whether it says of all that was paid at Stripe what was given back."""
    today = legacy.todays_invoice(invoice)
    if today.get("status") != "paid" or not today.get("amount_paid") or today.get("paid_out_of_band"):
        return True
    paid = [part(each, "payment") for each in parts(today, "payments", "data") if each.get("status") == "paid"]
    return bool(paid) and all(
        part(each, "payment_intent", "latest_charge") or part(each, "charge") or each.get("payment_record")
        for each in paid
    )
