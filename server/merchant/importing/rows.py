"""The rows that an import reads and writes, in batches. See `import_files`."""

from __future__ import annotations

import msgspec

from server.access import sessions
from server.billing import Account, Invoice, PromotionCode, rows
from server.billing.ledger.events.renewals import due_at
from server.billing.model.documents import decode_invoice
from server.billing.rules.discounts import canonical as canonical_code
from server.merchant.importing.staging import Staged
from server.store import Parameters, Transaction

_PUT_IMPORTED = """
INSERT INTO imported (brand, kind, id, customer_id, digest) VALUES (:brand, :kind, :id, :customer, :digest)
ON CONFLICT (brand, kind, id) DO UPDATE SET customer_id = excluded.customer_id, digest = excluded.digest"""
_IMPORTED = "SELECT customer_id, digest FROM imported WHERE brand = :brand AND kind = :kind AND id = :id"
_BATCH = 1000


class Rows:
    """The import's view of the store within one transaction. Nothing is written for sure before `flush`."""

    def __init__(self, transaction: Transaction, brand: str) -> None:
        self.transaction, self.brand = transaction, brand
        self._waiting: dict[str, list[Parameters]] = {}
        self._how_many = 0

    def account(self, customer: str) -> rows.Stored | None:
        found = self.transaction.run(rows.READ_ACCOUNT, {"brand": self.brand, "customer": customer})
        return rows.stored(found) if found else None

    def invoice(self, customer: str, invoice_id: str) -> Invoice | None:
        self.flush()
        values = {"brand": self.brand, "customer": customer, "id": invoice_id}
        found = self.transaction.run(rows.ONE_INVOICE, values)
        return decode_invoice(found[0][0]) if found else None

    def imported(self, kind: str, identity: str) -> tuple[str, bytes] | None:
        """Whose the record was at the last import, and its digest then."""
        found = self.transaction.run(_IMPORTED, {"brand": self.brand, "kind": kind, "id": identity})
        return (found[0][0], bytes(found[0][1])) if found else None

    def catalog(self, kind: str, identity: str) -> bytes | None:
        found = self.transaction.run(rows.READ_CATALOG, {"brand": self.brand, "kind": kind, "id": identity})
        return found[0][0] if found else None

    def put_catalog(self, kind: str, identity: str, document: msgspec.Struct) -> None:
        encoded = msgspec.msgpack.encode(document)
        self._put(rows.PUT_CATALOG, {"brand": self.brand, "kind": kind, "id": identity, "document": encoded})
        if isinstance(document, PromotionCode):
            self._put(rows.PUT_CODE, {"brand": self.brand, "code": canonical_code(document.code), "id": identity})

    def put_account(self, seen: rows.Stored | None, account: Account, invoices: list[Invoice]) -> None:
        """Write the account where it is new or differs. Raises `Conflict` where somebody else wrote it meanwhile."""
        customer = account.customer.id
        if seen is None:
            self._put(rows.INSERT_ACCOUNT, rows.account_values(self.brand, account, due_at(account)))
        elif account != seen.account:
            values = {**rows.account_values(self.brand, account, due_at(account)), "seen": seen.version}
            if self.transaction.count(rows.UPDATE_ACCOUNT, values) != 1:
                raise rows.Conflict
        for each in invoices:
            self._put(rows.PUT_INVOICE, rows.invoice_values(self.brand, customer, each))
        entry = rows.customer_values(self.brand, account)
        self._put(rows.PUT_CUSTOMER, entry)
        if seen is not None and seen.account.customer.email != account.customer.email:
            sessions.end_of_old_address(self.transaction, self.brand, customer, str(entry["address"]))

    def remember(self, each: Staged) -> None:
        values = {"brand": self.brand, "kind": each.kind, "id": each.id, "customer": each.owner, "digest": each.digest}
        self._put(_PUT_IMPORTED, values)

    def _put(self, sql: str, values: Parameters) -> None:
        self._waiting.setdefault(sql, []).append(values)
        self._how_many += 1
        if self._how_many >= _BATCH:
            self.flush()

    def flush(self) -> None:
        for sql, values in self._waiting.items():
            self.transaction.run_many(sql, values)
        self._waiting, self._how_many = {}, 0
