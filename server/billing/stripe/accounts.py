"""How the Stripe backend reads an account: what every verb of it is built on.

Pages read the copy in the store and ask Stripe nothing. An account is fetched when there is no copy of it yet, after
each write (`refetch`) and when an event says that it changed. Two fetches of one account at once in a process are one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from server.billing import Account, Activity, NotFound, rows
from server.billing.model.documents import decode_account
from server.billing.stripe import copies
from server.billing.stripe.catalog import CopiedCatalog
from server.billing.stripe.client import Client
from server.billing.stripe.fetching import Deleted, fetch, payments
from server.brands.mail_switches import EVERY_MAIL, MailSwitches
from server.store import Store


class StripeAccounts:
    """One brand's accounts at Stripe, and their copies in the store."""

    def __init__(
        self,
        store: Store,
        brand: str,
        client: Client,
        *,
        keys: Sequence[bytes],
        origin: str,
        base: str | None = None,
        mail: MailSwitches = EVERY_MAIL,
    ) -> None:
        """`keys`: for fingerprints; the first makes them, every one is accepted. `origin` and `base`: what the brand's
        URLs begin with, for Stripe to send a customer back to. `mail`: what the brand mails."""
        self.store, self.brand, self.client, self.mail = store, brand, client, mail
        self.keys, self.origin, self.base = tuple(keys), origin, f"/{brand}" if base is None else base
        self.copied_catalog = CopiedCatalog(store, brand, client)
        self._fetching: dict[str, asyncio.Task[Account]] = {}

    async def account(self, customer_id: str, now: datetime) -> Account:
        if not customer_id:  # nobody: the worker makes a mail for them, too
            raise NotFound
        found = await self.store.read(rows.READ_ACCOUNT, self._whose(customer_id))
        if not found:
            running = self._fetching.get(customer_id)  # of another tab, or of the mail
            return await (asyncio.shield(running) if running else self.refetch(customer_id, now))
        await copies.wanted(self.store, self.brand, customer_id, now)
        return decode_account(found[0][0])

    async def history(self, customer_id: str, *, limit: int = 50, skip: int = 0) -> list[Activity]:
        return await rows.history(self.store, self.brand, customer_id, limit=limit, skip=skip)

    async def refetch(self, customer_id: str, now: datetime, *, by_itself: bool = True) -> Account:
        """Fetch the account as it is at Stripe now, and keep it. For after a write: a fetch that began before this call
        is waited for and then begun again. `by_itself`: as in `copies.keep`. Raises `NotFound`, `Unavailable`."""
        while (running := self._fetching.get(customer_id)) is not None:
            await asyncio.wait([running])
        task = asyncio.create_task(self._fetch(customer_id, now, by_itself=by_itself))
        self._fetching[customer_id] = task
        task.add_done_callback(lambda done: self._fetching.pop(customer_id, None) if done is task else None)
        return await asyncio.shield(task)

    async def read_payments(self, customer_id: str) -> bool:
        """Read how the paid invoices of a copied account were paid, and what was given back of it; whether the copy did not
        say so yet. Raises as `refetch`."""
        if not await copies.has_copy(self.store, self.brand, customer_id):
            return False
        found = await payments(self.client, customer_id)
        return await copies.keep_payments(self.store, self.brand, customer_id, found)

    async def close(self) -> None:
        for task in list(self._fetching.values()):
            task.cancel()
        await self.client.close()

    async def _fetch(self, customer_id: str, now: datetime, *, by_itself: bool) -> Account:
        # `now` is when the request came. What is copied by this moment was read before what is read from here on, also where
        # another process began to read it after that.
        before = await copies.began_at(self.store, self.brand, customer_id)
        began = max(now, before) if before else now
        try:
            fetched = await fetch(self.client, self.copied_catalog, customer_id, began)
        except Deleted:
            await copies.drop(self.store, self.brand, customer_id, everything=True)
            raise
        return await copies.keep(self.store, self.brand, fetched, mail=self.mail, by_itself=by_itself)

    def _whose(self, customer_id: str) -> dict[str, object]:
        return {"brand": self.brand, "customer": customer_id}
