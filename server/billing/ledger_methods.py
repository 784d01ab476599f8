"""The ledger's verbs about payment methods. The ledger has no provider of its own: its set-up leads to the sandbox page,
which takes test numbers only and calls `add_payment_method` when it is content.
"""

from __future__ import annotations

from datetime import datetime

from server.billing import Account, NotFound, PaymentMethod, Refused
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.ledger.changes import methods
from server.billing.ledger.sandbox import ProviderSession, begin
from server.paths import Paths


class LedgerMethods(LedgerAccounts):
    async def setup(self, customer_id: str, *, return_to: str, now: datetime, replaces: str = "") -> str:
        account = await self.account(customer_id, now)
        refused = methods.may_add(account, self.features, replaces)
        if refused:
            raise NotFound if refused.reason == "not_found" else Refused(refused.reason)
        wanted = ProviderSession("setup", replaces, return_to)
        token = await self.store.write(lambda transaction: begin(transaction, self.brand, customer_id, wanted, now))
        return Paths(self.base).sandbox(token)

    async def add_payment_method(
        self, customer_id: str, method: PaymentMethod, *, replaces: str, key: str, now: datetime, browser: str
    ) -> Account:
        command = Command(customer_id, "payment_method.added", method.id, key, now, browser)
        return await self._change(command, lambda it: methods.add(it, method, self.features, replaces))

    async def set_default(
        self, customer_id: str, method_id: str, *, everywhere: bool, key: str, now: datetime, browser: str
    ) -> Account:
        words = ("everywhere",) if everywhere else ()
        command = Command(customer_id, "payment_method.default", method_id, key, now, browser, words)
        return await self._change(
            command, lambda it: methods.set_default(it, method_id, self.features, now, everywhere=everywhere)
        )

    async def remove_payment_method(
        self, customer_id: str, method_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        command = Command(customer_id, "payment_method.removed", method_id, key, now, browser)
        return await self._change(command, lambda it: methods.remove(it, method_id, self.features, now))

    async def unpin(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        command = Command(customer_id, "subscription.unpinned", subscription_id, key, now, browser)
        return await self._change(command, lambda it: methods.unpin(it, subscription_id, self.features))
