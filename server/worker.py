"""The background work: the mail of the outbox, accounts with something due, the clean-up, the index of customers, a look at the
mail server.

It runs in a process of its own, which `serve` starts beside the HTTP workers: mail that is made in a serving process
slows its readers, and tells by time who is a customer. No request calls it; it looks into the outbox ten times a second.

Any number of processes may do this work on one database at once; each step takes what it does atomically, or is
harmless when it is done twice. A database that is away stops nothing: the steps try again. When a step was last done
is in the store (`store.rounds`), for `/readyz`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from server import telemetry
from server.access import customer_search
from server.billing import BillingError, Remote, rows
from server.mail import outbox
from server.mail.delivery import Delivery, Maker
from server.mail.outbox import Job
from server.mail.smtp import Mailer, MailPermanent, MailTemporary
from server.portal import Portal
from server.store import Store, StoreUnavailable, cleaning, rounds

_log = logging.getLogger(__name__)

AT_ONCE = 10
"""Mails that one process sends at the same time."""
PATIENCE = 3.0
"""Seconds that mails being sent get when the process ends; one that is cut short is sent again by another process."""
LOOKS = 0.1
"""Seconds between two looks into the outbox. A look that finds nothing is one read of an index; a passcode is on its way
within a fifth of a second."""
FOLLOWS = 1.0
"""Seconds between two looks at what changed at a billing side that is not ours; how often it is asked is its own."""
INDEXED = 100
"""So many times one round indexes some customers: after it, the step is noted as done, also while a million wait."""
NOTES = timedelta(seconds=10)
"""How often a step notes in the store that it was done."""

Step = Callable[[], Awaitable[str | None]]
"""One round of a kind of work; what it answers is something wrong that `/metrics` should show."""


class Worker:
    """`start` begins the steps, `stop` ends them. `others` as for `Delivery`; `daily`: what else is done, at
    the start and once a day; `often`: once a second."""

    def __init__(
        self,
        portals: tuple[Portal, ...],
        store: Store,
        mailer: Mailer,
        clock: Callable[[], datetime],
        *,
        others: Mapping[str, Maker] | None = None,
        daily: Sequence[Step] = (),
        often: Sequence[Step] = (),
    ) -> None:
        self._portals = {portal.name: portal for portal in portals}
        self._store, self._clock = store, clock
        self._idle = timedelta(minutes=max((each.settings.session_idle_minutes for each in portals), default=0))
        self._delivery = Delivery(self._portals, store, mailer, clock, others or {})
        # Its HTTP client takes a tenth of a second to import: processes that answer pages do without.
        from server.events.delivery import Teller  # noqa: PLC0415

        self._teller = Teller(self._portals, store, clock)
        self._daily, self._often = tuple(daily), tuple(often)
        self._mailer, self._stopping = mailer, asyncio.Event()
        self._noted: dict[str, tuple[datetime, str]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        steps: tuple[tuple[Step, float], ...] = (
            (self.mail, LOOKS),
            (self.bring_accounts_up_to_date, 5.0),
            (self.check_mail_server, 60.0),
            (self.clean_up, 600.0),
            (self.index_customers, FOLLOWS),
            (self.tell_endpoints, FOLLOWS),
        )
        # What a billing side far away has to say is waited for by a step of its own: no other brand waits with it.
        remote = [(each.name, each.billing) for each in self._portals.values() if isinstance(each.billing, Remote)]
        followed = [(make(*each), FOLLOWS) for each in remote for make in (self._following, self._syncing)]
        rare = ((each, 86_400.0) for each in self._daily)
        more = ((each, FOLLOWS) for each in self._often)
        for step, seconds in (*steps, *followed, *more, *rare):
            self._tasks.append(asyncio.create_task(self._again_and_again(step, seconds), name=step.__name__))

    async def stop(self) -> None:
        """End the tasks; mails on their way get `PATIENCE` seconds."""
        self._stopping.set()
        # Not canceled at once: a step cut short after its commit would leave taken mails to wait for their lease.
        for tasks in (self._tasks, self._sending):
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=PATIENCE)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
        self._tasks.clear()
        await self._teller.close()
        for each in self._portals.values():
            if isinstance(each.billing, Remote):
                await each.billing.close()

    async def mail(self) -> None:
        """Take what is due and begin to send it; does not wait for slow mails, so that they hold up no other."""
        for job in await outbox.claim(self._store, self._clock(), AT_ONCE - len(self._sending)):
            if job.is_asked_for and job.attempts == 1:
                telemetry.count("passcodes_taken")
            task = asyncio.create_task(self._deliver(job), name=f"mail {job.id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def bring_accounts_up_to_date(self) -> None:
        """Renew, end and change what is due on accounts that nobody reads. One that cannot be is left for next time."""
        now = self._clock()
        async for brand, customer_id in rows.due(self._store, now):
            if portal := self._portals.get(brand):
                await self._bring_up_to_date(portal, customer_id, now)

    async def _bring_up_to_date(self, portal: Portal, customer_id: str, now: datetime) -> None:
        try:
            await portal.billing.account(customer_id, now)
        except BillingError as error:
            _log.warning("account not up to date", extra={"customer": customer_id, "why": repr(error)})
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 (logged with its traceback)
            # One that our own bug breaks must not hold up the renewals and mails of all after it.
            _log.exception("account cannot be brought up to date", extra={"customer": customer_id})

    def _following(self, brand: str, billing: Remote) -> Step:
        """The step that learns what changed at this brand's billing side."""

        async def follow() -> None:
            await billing.follow(self._clock())

        follow.__name__ = f"follow_{brand}"
        return follow

    def _syncing(self, brand: str, billing: Remote) -> Step:
        """The step that reads everything, when an operator asked for it."""

        async def sync() -> None:
            await billing.sync_asked(self._clock)

        sync.__name__ = f"sync_{brand}"
        return sync

    async def tell_endpoints(self) -> None:
        """Post to the merchants' servers what happened on the ledger."""
        while await self._teller.round():
            pass

    async def check_mail_server(self) -> str:
        """What keeps it from taking our mails; empty: nothing. Asked for its own sake and at fixed times: what happens to
        a passcode is told nowhere, since that depends on whether its address is a customer's."""
        try:
            await self._mailer.check()
        except (MailTemporary, MailPermanent) as error:
            telemetry.refused(_log, "mail_server_away", "no mail can be sent", why=str(error))
            return str(error)
        return ""

    async def clean_up(self) -> None:
        """Drop rows that nothing needs any more. Safe to run twice and at once."""
        await cleaning.clean(self._store, self._clock(), self._idle)

    async def index_customers(self) -> None:
        """Make those who came or changed quick to find by a part of a name, an address or an id."""
        for _ in range(INDEXED):
            if self._stopping.is_set() or not await customer_search.index(self._store):
                break

    async def settled(self) -> None:
        """Wait until every mail that was begun is decided: for tests and for a clean end."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _deliver(self, job: Job) -> None:
        try:
            await self._delivery.deliver(job)
        except StoreUnavailable as error:
            telemetry.refused(_log, error.kind, "the database is away", why=str(error))

    async def _done(self, step: str, trouble: str) -> None:
        """Note the step in the store: not each time, but at once when there is something new to say."""
        now, noted = self._clock(), self._noted.get(step)
        if noted is None or now - noted[0] >= NOTES or trouble != noted[1]:
            await rounds.note(self._store, step, now, trouble)
            self._noted[step] = now, trouble

    async def _again_and_again(self, step: Step, seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                await self._done(step.__name__, await step() or "")
            except StoreUnavailable as error:
                telemetry.refused(_log, error.kind, "the database is away", step=step.__name__, why=str(error))
            except Exception:  # noqa: BLE001 (logged with its traceback)
                # The other steps and later rounds must go on; the log line is the alarm.
                _log.exception("background step failed", extra={"step": step.__name__})
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()
