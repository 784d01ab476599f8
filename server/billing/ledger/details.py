"""The ledger's verbs about billing details."""

from __future__ import annotations

import hashlib

import msgspec

from server.billing import Account, By, Update, rows
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.rules import details


class LedgerDetails(LedgerAccounts):
    async def update_customer(self, by: By, update: Update, *, seen: str = "") -> Account:
        command = Command(by, "customer.updated", "", (type(update).__name__, _hashed(update)))
        rule = by.features.customer_update
        return await self._change(command, lambda it: details.update(it, update, rule, seen))

    async def change_email(self, by: By, email: str) -> Account:
        command = Command(by, rows.EMAIL_CHANGED, "", (_hashed(email),))
        rule = by.features.customer_update
        return await self._change(command, lambda it: details.change_email(it, email, rule))

    async def add_tax_id(self, by: By, kind: str, number: str) -> Account:
        # The history names the change by the new one's id, which is the same however often the change begins again.
        id_ = "txi_" + hashlib.sha256(f"{self.brand} {by.customer_id} {by.key}".encode()).hexdigest()[:24]
        command = Command(by, "customer.tax_id_added", id_, (_hashed((kind, number)),))
        rule = by.features.customer_update
        return await self._change(command, lambda it: details.add_tax_id(it, kind, number, id_, rule))

    async def remove_tax_id(self, by: By, tax_id: str) -> Account:
        command = Command(by, "customer.tax_id_removed", tax_id)
        rule = by.features.customer_update
        return await self._change(command, lambda it: details.remove_tax_id(it, tax_id, rule))

    async def verify_tax_id(self, by: By, tax_id: str, state: str, *, name: str, address: str) -> Account:
        """What an office said of it; `state` is Stripe's `verified` or `unverified`. The business asks for it, from no
        browser."""
        command = Command(by, f"customer.tax_id_{state}", tax_id, (state, _hashed((name, address))))
        return await self._change(command, lambda it: details.verify_tax_id(it, tax_id, state, name, address))


def _hashed(what: object) -> str:
    """Tells one request from another without keeping what it says."""
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
