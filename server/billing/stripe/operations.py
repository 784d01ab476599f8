"""A write at Stripe: planned and kept before it is sent, sent again with the same keys after a crash, ended once.

    sent      the requests are in the store and on their way, or their process died
    unknown   no answer came: it may or may not have happened
    done      every request was answered, and the copy was fetched again
    failed    Stripe said no; the reason is kept, and the same form is answered with it

An operation is a list of requests. Each goes out under an idempotency key of its own, made of the form's key and the
request's place, so that sending all of them again does nothing twice: Stripe answers a key for 24 hours as it did the
first time, and we send it again for 23 (`left_open`). A request may name what an earlier one answered, as `{0.id}`.
Before the first request is on its way, nothing was changed; from then on only an answer ends the operation.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing import Account, Activity, By, NotFound, Refused, Unavailable, Uncertain, rows
from server.billing.model import history
from server.billing.model.documents import decode_account
from server.billing.stripe import effects
from server.billing.stripe.accounts import StripeAccounts
from server.billing.stripe.leases import Lease
from server.brands.features import Features
from server.store import Transaction, micros, moment

AGAIN_AFTER = timedelta(seconds=30)
"""How long an operation may be on its way before it is sent again."""
AGAIN_FOR = timedelta(hours=23)
"""How long the same key is sent again; Stripe forgets it after 24 hours."""
ALONE = AGAIN_AFTER
"""How long a customer's other operations wait for one whose process died."""
WAITS = 10.0
"""Seconds that an operation waits for another one of the same customer."""
NO_FEATURES = Features()
"""Of the background work: nobody asks, so nobody's rule is asked."""
_NAMED = re.compile(r"\{(\d+)\.(\w+)\}")


class Step(msgspec.Struct, frozen=True):
    """One request."""

    path: str
    params: dict[str, Any] = {}
    method: str = "post"


class Wanted(msgspec.Struct, frozen=True):
    """What a customer asked for: the kind of the activity, what it is about, and its words."""

    kind: str
    subject: str
    words: tuple[str, ...] = ()

    @property
    def row(self) -> dict[str, str]:
        return {"action": self.kind, "subject": " ".join((self.subject, *self.words))}


class Kept(msgspec.Struct, frozen=True):
    """What the store keeps of an operation until it ends: enough for another process to end it as this one would."""

    steps: tuple[Step, ...]
    before: bytes
    """The account as it was, for what the history says; empty: there was no copy."""
    browser: str = ""


class Operations(StripeAccounts):
    async def once(self, by: By, wanted: Wanted, plan: Callable[[], Awaitable[Sequence[Step]]]) -> Account:
        """Do what `plan` answers, once for the form's key; an empty plan is done already. Raises `Refused`, `NotFound`,
        `Unavailable` (nothing was changed), `Uncertain`."""
        if found := await self._begun(by, wanted):
            return await self._found(by, wanted, *found)
        async with self._alone(by):
            if found := await self._begun(by, wanted):  # the same form, sent twice at once
                return await self._found(by, wanted, *found)
            steps = tuple(await plan())
            if not steps:
                return await self.account(by.customer_id, by.now)
            kept = Kept(steps, await self._copied(by.customer_id), by.browser)
            began = {**self._key(by), **wanted.row, "result": msgspec.msgpack.encode(kept), "now": micros(by.now)}
            if await self.store.write(lambda transaction: transaction.count(rows.BEGIN_OPERATION, began)) == 1:
                return await self._send(by, wanted, kept, is_first=True)
        return await self._found(by, wanted, *(await self._begun(by, wanted) or ("done", b"")))

    @asynccontextmanager
    async def _alone(self, by: By) -> AsyncIterator[None]:
        """One operation of a customer at a time, in whichever process: what its page showed must hold until it is sent.
        Raises `Unavailable` where another one takes too long."""
        lease = Lease(self.store, self.brand, f"write {by.customer_id}", secrets.token_hex(8), length=ALONE)
        ends_at = asyncio.get_running_loop().time() + WAITS
        while not await lease.take(by.now):
            if asyncio.get_running_loop().time() > ends_at:
                raise Unavailable
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            await lease.end()

    async def _found(self, by: By, wanted: Wanted, state: str, result: bytes) -> Account:
        """What came of the operation that was begun with this key, or comes of it now."""
        if state == "done":
            return await self.account(by.customer_id, by.now)
        if state == "failed":
            raise Refused(*msgspec.msgpack.decode(result, type=tuple[str, str]))
        return await self._send(by, wanted, msgspec.msgpack.decode(result, type=Kept), is_first=False)

    async def left_open(self, now: datetime) -> int:
        """Send again what nobody heard an answer to; how many there were. One that Stripe no longer remembers ends as
        `failed`, with a word that `doctor` shows: what it did, the next fetch of the account tells."""
        values = {"brand": self.brand, "before": micros(now - AGAIN_AFTER)}
        found = await self.store.read(rows.OPEN_OPERATIONS, values)
        for customer, key, kind, subject, result, created_at in found:
            # Nobody asks any more, so nobody's rule is asked again: it was, before the first request was sent.
            by = By(customer, NO_FEATURES, now, key)
            wanted = Wanted(kind, *_split(subject))
            if now - moment(created_at) > AGAIN_FOR:
                await self._end(by, "failed", ("not_known", kind))
                continue
            kept = msgspec.msgpack.decode(result, type=Kept)
            try:
                await self._send(replace(by, browser=kept.browser), wanted, kept, is_first=False)
            except (Refused, NotFound, Unavailable, Uncertain):
                continue
        return len(found)

    async def _begun(self, by: By, wanted: Wanted) -> tuple[str, bytes] | None:
        found = await self.store.read(rows.OPERATION, self._key(by))
        if not found:
            return None
        action, subject, state, result = found[0]
        if {"action": action, "subject": subject} != wanted.row:
            raise Refused("key_reused")
        return state, result

    async def _send(self, by: By, wanted: Wanted, kept: Kept, *, is_first: bool) -> Account:
        answers: list[dict[str, Any]] = []
        for number, step in enumerate(kept.steps):
            try:
                answers.append(await self._sent(by, number, step, answers, is_first=is_first))
            except Unavailable:
                if number == 0 and is_first:
                    await self.store.write(lambda transaction: transaction.count(rows.FORGET_OPERATION, self._key(by)))
                    raise
                return await self._unheard(by, wanted, kept, is_last=number == len(kept.steps) - 1)
            except Uncertain:
                return await self._unheard(by, wanted, kept, is_last=number == len(kept.steps) - 1)
            except (Refused, NotFound) as error:
                reason = (error.reason, error.detail) if isinstance(error, Refused) else ("not_found", "")
                await self._end(by, "failed", reason)
                if number:  # what came before it was done
                    await self._refetched(by)
                raise
        after = await self._refetched(by)
        if wanted.kind == "invoice.paid":
            with suppress(Refused, Unavailable):  # what it was paid with is said later, then
                await self.read_payments(by.customer_id)
                after = await self.account(by.customer_id, by.now)
        await self._done(by, wanted, kept, after)
        return after

    async def _sent(
        self, by: By, number: int, step: Step, answers: Sequence[dict[str, Any]], *, is_first: bool
    ) -> dict[str, Any]:
        path, params, key = _filled(step.path, answers), _filled(step.params, answers), self._stripe_key(by, number)
        if step.method != "delete":
            return await self.client.post(path, key=key, **params)
        try:
            return await self.client.delete(path, key=key, **params)
        except NotFound:
            # Stripe keeps no answers to a DELETE: what is gone was deleted by the same request, sent before.
            if is_first:
                raise
            return {}

    async def _unheard(self, by: By, wanted: Wanted, kept: Kept, *, is_last: bool) -> Account:
        """No answer to a request. Where it was the last one, the account may show that it took effect all the same."""
        await self._end(by, "unknown", kept)
        if not is_last:
            raise Uncertain
        try:
            after = await self.refetch(by.customer_id, by.now, by_itself=False)
        except (NotFound, Unavailable):
            raise Uncertain from None
        if not effects.is_so(after, wanted.kind, wanted.subject, wanted.words):
            raise Uncertain
        await self._done(by, wanted, kept, after)
        return after

    async def _done(self, by: By, wanted: Wanted, kept: Kept, after: Account) -> None:
        before = decode_account(kept.before) if kept.before else after
        kind, fields = history.of_change(before, after, wanted.kind, wanted.subject)
        line = Activity(at=by.now, kind=kind, subject=wanted.subject, data=fields, browser=by.browser)

        def work(transaction: Transaction) -> None:
            ended = {**self._key(by), "state": "done", "result": None, "now": micros(by.now)}
            # Whoever ends it writes the line: the worker may have sent the same again meanwhile.
            if transaction.count(rows.END_OPERATION, ended):
                rows.add_activity(transaction, self.brand, by.customer_id, line)
                rows.tell_old_address(transaction, self.brand, before, after, line)

        await self.store.write(work)

    async def _end(self, by: By, state: str, result: object) -> None:
        ended = {**self._key(by), "state": state, "result": msgspec.msgpack.encode(result), "now": micros(by.now)}
        await self.store.write(lambda transaction: transaction.count(rows.END_OPERATION, ended))

    async def _refetched(self, by: By) -> Account:
        """The account as it is now; where Stripe is away by now, as it was: the page then says how old that is."""
        try:
            return await self.refetch(by.customer_id, by.now, by_itself=False)
        except Unavailable:
            return await self.account(by.customer_id, by.now)

    async def _copied(self, customer_id: str) -> bytes:
        found = await self.store.read(rows.READ_ACCOUNT, self._whose(customer_id))
        return bytes(found[0][0]) if found else b""

    def _key(self, by: By) -> dict[str, object]:
        return {"brand": self.brand, "customer": by.customer_id, "key": by.key}

    def _stripe_key(self, by: By, number: int) -> str:
        """Unique in the whole Stripe account, and the same whenever this request is sent."""
        told = f"{self.brand} {by.customer_id} {by.key} {number}"
        return "postern-" + hashlib.sha256(told.encode()).hexdigest()[:40]


def _split(subject: str) -> tuple[str, tuple[str, ...]]:
    first, *words = subject.split(" ")
    return first, tuple(words)


def _filled(what: Any, answers: Sequence[dict[str, Any]]) -> Any:
    """The parameters with what earlier requests answered."""
    if isinstance(what, str):
        return _NAMED.sub(lambda found: str(answers[int(found[1])][found[2]]), what)
    if isinstance(what, dict):
        return {name: _filled(value, answers) for name, value in what.items()}
    return [_filled(each, answers) for each in what] if isinstance(what, list | tuple) else what
