"""The ledger's verbs about subscriptions: each names its pure function and what is noted of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from server.billing import Account, Canceled, Cancellation, Catalog, Change, Changed, NotFound, Preview, Refusal
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.ledger.catalog import read_catalog
from server.billing.ledger.changes import pausing, previews, restarting, schedules
from server.billing.ledger.changes.canceling import cancel_as_shown, resume
from server.billing.ledger.changes.retention import retain, tell


class _Stale(Exception):
    """What it would mean now, which is not what the page showed; thrown, so that the transaction leaves nothing."""

    def __init__(self, meant: Preview | Cancellation) -> None:
        super().__init__()
        self.meant = meant


class LedgerSubscriptions(LedgerAccounts):
    async def catalog(self, prices: Sequence[str] = ()) -> Catalog:
        return await read_catalog(self.store, self.brand, self.features, prices=prices)

    async def preview_change(
        self, customer_id: str, subscription_id: str, change: Change, *, now: datetime
    ) -> Preview | Refusal:
        account = await self.account(customer_id, now)
        if account.subscription(subscription_id) is None:
            raise NotFound
        return previews.preview(account, subscription_id, change, await self._terms(change), now)

    async def change(
        self,
        customer_id: str,
        subscription_id: str,
        change: Change,
        *,
        token: str,
        key: str,
        now: datetime,
        browser: str,
    ) -> Changed:
        terms = await self._terms(change)
        words = (change.price, str(change.quantity), change.code, token)
        command = Command(customer_id, "subscription.changed", subscription_id, key, now, browser, words)

        def make(account: Account) -> previews.Planned | Refusal:
            made = previews.apply(account, subscription_id, change, terms, token=token, now=now)
            if isinstance(made, previews.Stale):
                raise _Stale(made.preview)
            return made

        try:
            return Changed(await self._change(command, make))
        except _Stale as stale:
            return Changed(await self.account(customer_id, now), cast(Preview, stale.meant))

    async def undo_change(
        self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str
    ) -> Account:
        command = Command(customer_id, "subscription.change_undone", subscription_id, key, now, browser)
        return await self._change(command, lambda it: schedules.undo(it, subscription_id, self.features, now))

    async def cancel(
        self, customer_id: str, subscription_id: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Canceled:
        command = Command(customer_id, "subscription.canceled", subscription_id, key, now, browser)
        rule = self.features.subscription_cancel

        def make(account: Account) -> Account | Refusal:
            made = cancel_as_shown(account, subscription_id, rule, token=token, now=now)
            if isinstance(made, Cancellation):
                raise _Stale(made)
            return made

        try:
            return Canceled(await self._change(command, make))
        except _Stale as stale:
            return Canceled(await self.account(customer_id, now), cast(Cancellation, stale.meant))

    async def resume(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        command = Command(customer_id, "subscription.resumed", subscription_id, key, now, browser)
        rule = self.features.subscription_cancel
        return await self._change(command, lambda it: resume(it, subscription_id, rule, now))

    async def feedback(
        self,
        customer_id: str,
        subscription_id: str,
        reason: str,
        comment: str,
        *,
        key: str,
        now: datetime,
        browser: str,
    ) -> Account:
        words = (reason, comment)
        command = Command(customer_id, "subscription.feedback", subscription_id, key, now, browser, words)
        return await self._change(command, lambda it: tell(it, subscription_id, words, self.features, now))

    async def retain(self, customer_id: str, subscription_id: str, *, key: str, now: datetime, browser: str) -> Account:
        catalog = await self.catalog()
        command = Command(customer_id, "subscription.retained", subscription_id, key, now, browser)
        return await self._change(command, lambda it: retain(it, subscription_id, catalog, self.features, now))

    async def pause(
        self, customer_id: str, subscription_id: str, cycles: int, *, key: str, now: datetime, browser: str
    ) -> Account:
        command = Command(customer_id, "subscription.paused", subscription_id, key, now, browser, (str(cycles),))
        return await self._change(command, lambda it: pausing.pause(it, subscription_id, cycles, self.features, now))

    async def unpause(
        self, customer_id: str, subscription_id: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Account:
        command, terms = (
            Command(customer_id, "subscription.unpaused", subscription_id, key, now, browser),
            self.features,
        )

        def make(account: Account) -> Account | Refusal:
            return pausing.unpause_as_shown(account, subscription_id, terms, token=token, now=now)

        return await self._change(command, make)

    async def restart(
        self, customer_id: str, subscription_id: str, price: str, *, token: str, key: str, now: datetime, browser: str
    ) -> Account:
        catalog, features = await self.catalog([price]), self.features
        command = Command(customer_id, "subscription.restarted", subscription_id, key, now, browser, (price,))

        def make(account: Account) -> Account | Refusal:
            return restarting.restart_as_shown(
                account, subscription_id, price, catalog, features=features, now=now, token=token
            )

        return await self._change(command, make)

    async def _terms(self, change: Change) -> previews.Terms:
        catalog = await read_catalog(self.store, self.brand, self.features, code=change.code)
        return previews.Terms(catalog, self.features)
