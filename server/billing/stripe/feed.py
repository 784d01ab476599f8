"""What keeps the copies right, in the background of one process among several: events are looked for, and what they touch
is read again.

Without a webhook the list of events is read every half minute; it goes back a minute further than the last time, since
events of one moment may be listed late. With a webhook it still is: what a webhook lost is found here.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from server.billing import NotFound, Refused, Unavailable, Uncertain
from server.billing.stripe import budget, copies, directory, events
from server.billing.stripe.catalog import KINDS
from server.billing.stripe.client import Raw
from server.billing.stripe.leases import Lease, Lost
from server.billing.stripe.methods import StripeMethods
from server.store import micros

EVERY = timedelta(seconds=30)
OVERLAP = 60
"""Seconds."""
AT_ONCE = 5
_log = logging.getLogger(__name__)


class StripeFeed(StripeMethods):
    """The background work of one brand. Any number of processes may call `follow` at once."""

    _holder = ""

    async def follow(self, now: datetime) -> None:
        """One round: send again what nobody heard an answer to, look for events if it is time, read again what is marked.
        Stripe away: the next round tries."""
        budget.urgency.set(budget.REFETCH)
        try:
            await self.left_open(now)
            await self._poll(now)
            await self._read_again(now)
        except Unavailable:
            _log.warning("Stripe does not answer; the copies are as old as they are", extra={"brand": self.brand})
        except Lost:
            _log.info("another process looks for events", extra={"brand": self.brand})

    async def look_for(self, address: str) -> bool:
        """Ask Stripe for a customer whom the directory does not have yet; whether there is one."""
        # Whoever types addresses causes it: who waits for a page comes first.
        budget.urgency.set(budget.REFETCH)
        return await directory.look_for(self.store, self.brand, self.client, address) > 0

    async def _poll(self, now: datetime) -> None:
        self._holder = self._holder or secrets.token_hex(8)
        lease = Lease(self.store, self.brand, "events", self._holder)
        position, moved_at = await lease.position()
        if moved_at > micros(now - EVERY) or not await lease.take(now):
            return
        position, _ = await lease.position()
        last = int(position) if position else int(now.timestamp())
        newest = last
        async for page in self.client.pages("/v1/events", created={"gte": last - OVERLAP}):
            newest = max([newest, *(at for raw in page if type(at := raw.get("created")) is int)])
            await self._take_in(page, now)
            await lease.move(position or str(last), now)  # not ahead before the oldest page is in
        await lease.move(str(newest), now)
        await copies.drop_unwanted(self.store, self.brand, now)
        await events.forget_old(self.store, now)

    async def _take_in(self, page: Sequence[Raw], now: datetime) -> None:
        found = []
        for raw in page:
            try:
                found.append(msgspec.convert(raw, events.Event))
            except msgspec.ValidationError as error:
                _log.warning("an event of Stripe's is left out", extra={"id": raw.get("id"), "why": str(error)})
        await events.take_in(self.store, self.brand, found, is_live=self.client.is_live, now=now)

    async def _read_again(self, now: datetime) -> None:
        while taken := await events.take(self.store, self.brand, now, AT_ONCE):
            results = await asyncio.gather(*(self._one(each, now) for each in taken), return_exceptions=True)
            for each, result in zip(taken, results, strict=True):
                if isinstance(result, (Unavailable, Uncertain, Refused)):
                    _log.warning("not read again yet", extra={"kind": each.touch.kind, "id": each.touch.id})
                elif isinstance(result, BaseException):
                    raise result

    async def _one(self, taken: events.Taken, now: datetime) -> None:
        kind, id_ = taken.touch.kind, taken.touch.id
        if kind in KINDS:
            await self.copied_catalog.refresh(kind, id_)
        elif kind == "setup":
            with suppress(NotFound, Refused):  # the customer went, or Stripe says no for good
                await self.finish(id_, now)
        elif kind == events.PAYMENTS:
            await self.read_payments(id_)
        elif kind == events.REFUND:
            await self._refunded(id_, now)
        elif await copies.has_copy(self.store, self.brand, id_):
            with suppress(NotFound):  # the copy went with the customer
                await self.refetch(id_, now)
        else:
            await self._list(id_, now)
        await events.done(self.store, self.brand, taken, now)

    async def _refunded(self, refund_id: str, now: datetime) -> None:
        """Ask whose money went back: the refund does not say, but what it was paid by does."""
        try:
            refund = await self.client.get(f"/v1/refunds/{refund_id}", expand=["charge", "payment_intent"])
        except (NotFound, Refused):
            return  # it went, or is none of this account
        paid_by = [each for each in (refund.get("payment_intent"), refund.get("charge")) if isinstance(each, dict)]
        owners = [each.get("customer_account") or each.get("customer") for each in paid_by]
        for owner in [each for each in owners if isinstance(each, str)][:1]:
            await self._mark_payments(owner, now)

    async def _mark_payments(self, customer_id: str, now: datetime) -> None:
        await self.store.write(lambda transaction: events.mark_payments(transaction, self.brand, customer_id, now))

    async def _list(self, customer_id: str, now: datetime) -> None:
        """Bring the directory up to date about a customer whom nobody came for yet, or who has a copy by the id of the
        accounts API: a charge names the other one alone."""
        if customer_id.startswith("acct_"):
            return  # its twin of v1 is listed
        raw = await directory.current(self.client, customer_id)
        if raw.get("deleted"):
            await copies.drop(self.store, self.brand, customer_id, everything=True)
        else:
            await directory.put(self.store, self.brand, [raw])
            twin = raw.get("customer_account")
            if isinstance(twin, str) and await copies.has_copy(self.store, self.brand, twin):
                await self._mark_payments(twin, now)
