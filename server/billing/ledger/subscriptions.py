"""The ledger's verbs about subscriptions: every action is previewed and applied in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.billing import (
    Account,
    Action,
    By,
    Cancel,
    Catalog,
    Done,
    Move,
    NotFound,
    Pause,
    Preview,
    Refusal,
    Restart,
    Resume,
    Retain,
    Stale,
    Tell,
    UndoMove,
    Unpause,
    Unpin,
)
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.ledger.catalog import code_of, read_catalog
from server.billing.ledger.changes.actions import Asking, made, meant
from server.billing.ledger.changes.planning import Planned, Terms
from server.brands.features import Features

ACTIVITIES: dict[type, str] = {
    Cancel: "subscription.canceled",
    Resume: "subscription.resumed",
    Move: "subscription.changed",
    UndoMove: "subscription.change_undone",
    Pause: "subscription.paused",
    Unpause: "subscription.unpaused",
    Restart: "subscription.restarted",
    Retain: "subscription.retained",
    Tell: "subscription.feedback",
    Unpin: "subscription.unpinned",
}
"""What the history calls each action."""


class _Stale(Exception):
    """What the action would mean now, which is not what the page showed; thrown, so that the transaction leaves nothing."""

    def __init__(self, meant: Preview) -> None:
        super().__init__()
        self.meant = meant


class LedgerSubscriptions(LedgerAccounts):
    async def catalog(self, features: Features, prices: Sequence[str] = ()) -> Catalog:
        return await read_catalog(self.store, self.brand, features, prices=prices)

    async def promotion_code(self, id_: str) -> str:
        return await code_of(self.store, self.brand, id_)

    async def preview(self, by: By, subscription_id: str, action: Any) -> Any:
        """One function behind the port's overloads: the action decides which preview it is."""
        account = await self.account(by.customer_id, by.now)
        if account.subscription(subscription_id) is None:
            raise NotFound
        return meant(account, action, await self._asking(by, subscription_id, action))

    async def apply(self, by: By, subscription_id: str, action: Action, *, shown: str = "") -> Done | Stale:
        asking = await self._asking(by, subscription_id, action, shown)
        words = tuple(str(getattr(action, each)) for each in action.__struct_fields__)
        command = Command(by, ACTIVITIES[type(action)], subscription_id, words)

        def make(account: Account) -> Account | Planned | Refusal:
            found = made(account, action, asking)
            if isinstance(found, Preview):
                raise _Stale(found)
            return found

        try:
            return Done(await self._change(command, make))
        except _Stale as stale:
            return Stale(await self.account(by.customer_id, by.now), stale.meant)

    async def _asking(self, by: By, subscription_id: str, action: Action, shown: str = "") -> Asking:
        catalog, prices, code = Catalog(), [], ""
        if isinstance(action, Restart):
            subscription = (await self.account(by.customer_id, by.now)).subscription(subscription_id)
            prices = [each.price.id for each in subscription.items] if subscription else []
        elif isinstance(action, Move):
            code = action.code
        if isinstance(action, Move | Restart | Retain):
            catalog = await read_catalog(self.store, self.brand, by.features, prices=prices, code=code)
        return Asking(self.keys, self.brand, by, subscription_id, Terms(catalog, by.features), shown, self.dunning)
