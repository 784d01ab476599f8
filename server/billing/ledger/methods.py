"""The ledger's verbs about payment methods. The ledger has no provider of its own: its set-up leads to the sandbox page,
which takes test numbers only and calls `add_payment_method` when it is content.
"""

from __future__ import annotations

from server.billing import Account, By, NotFound, PaymentMethod, Refused
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.ledger.changes import methods
from server.billing.ledger.sandbox import KEEPS, ProviderSession, begin
from server.billing.rules.methods import may_add
from server.paths import Paths


class LedgerMethods(LedgerAccounts):
    async def setup(self, by: By, *, return_to: str, replaces: str = "", as_default: bool = True) -> str:
        account = await self.account(by.customer_id, by.now)
        refused = may_add(account, by.features, replaces)
        if refused:
            raise NotFound if refused.reason == "not_found" else Refused(refused.reason)
        wanted = ProviderSession("setup", replaces, return_to, data={} if as_default else {KEEPS: "yes"})
        token = await self.store.write(
            lambda transaction: begin(transaction, self.brand, by.customer_id, wanted, by.now)
        )
        return Paths(self.base).sandbox(token)

    async def returned(self, by: By, session_id: str) -> str:  # noqa: ARG002 (the port's names)
        """Its own page names the method itself."""
        raise NotFound

    async def add_payment_method(
        self, by: By, method: PaymentMethod, *, replaces: str, as_default: bool = True
    ) -> Account:
        command = Command(by, "payment_method.added", method.id)
        return await self._change(
            command, lambda it: methods.add(it, method, by.features, replaces, as_default=as_default)
        )

    async def set_default(self, by: By, method_id: str, *, everywhere: bool) -> Account:
        command = Command(by, "payment_method.default", method_id, ("everywhere",) if everywhere else ())
        return await self._change(
            command, lambda it: methods.set_default(it, method_id, by.features, by.now, everywhere=everywhere)
        )

    async def remove_payment_method(self, by: By, method_id: str) -> Account:
        command = Command(by, "payment_method.removed", method_id)
        return await self._change(command, lambda it: methods.remove(it, method_id, by.features, by.now))
