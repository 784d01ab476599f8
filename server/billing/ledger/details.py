"""The ledger's verbs about billing details."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from server.billing import Account, Update
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.rules import details


class LedgerDetails(LedgerAccounts):
    async def update_customer(
        self, customer_id: str, update: Update, *, seen: str = "", key: str, now: datetime, browser: str
    ) -> Account:
        words = (type(update).__name__, _hashed(update))
        command = Command(customer_id, "customer.updated", "", key, now, browser, words)
        rule = self.features.customer_update
        return await self._change(command, lambda it: details.update(it, update, rule, seen))

    async def add_tax_id(
        self, customer_id: str, kind: str, number: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        # The new one's id stands for the change in the history, and is the same however often the change begins again.
        id_ = "txi_" + hashlib.sha256(f"{self.brand} {customer_id} {key}".encode()).hexdigest()[:24]
        command = Command(customer_id, "customer.tax_id_added", id_, key, now, browser, (_hashed((kind, number)),))
        rule = self.features.customer_update
        return await self._change(command, lambda it: details.add_tax_id(it, kind, number, id_, rule))

    async def remove_tax_id(self, customer_id: str, tax_id: str, *, key: str, now: datetime, browser: str) -> Account:
        command = Command(customer_id, "customer.tax_id_removed", tax_id, key, now, browser)
        rule = self.features.customer_update
        return await self._change(command, lambda it: details.remove_tax_id(it, tax_id, rule))

    async def verify_tax_id(
        self, customer_id: str, tax_id: str, state: str, *, name: str, address: str, key: str, now: datetime
    ) -> Account:
        """What an office said of it; `state` is Stripe's `verified` or `unverified`. The business asks for it, from no
        browser."""
        kind, words = f"customer.tax_id_{state}", (state, _hashed((name, address)))
        command = Command(customer_id, kind, tax_id, key, now, "", words)
        return await self._change(command, lambda it: details.verify_tax_id(it, tax_id, state, name, address))


def _hashed(what: object) -> str:
    """Tells one request from another without keeping what it says."""
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
