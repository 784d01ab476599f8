"""What happens to one mail that the worker took: who gets it, what it says, and what became of it.

Only the worker calls this module. A request treats a known and an unknown address alike; only here is the customer
looked up, and the mail goes to the address that the billing side stored, never to what somebody typed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from types import MappingProxyType
from typing import Any, TypeVar

from server import telemetry
from server.access import directory
from server.access.directory import Candidate
from server.billing import Account, BillingError, Remote
from server.formats.languages import choose_locale
from server.mail import messages, outbox
from server.mail.kinds import KINDS, MailKind, Nobody, NotSent
from server.mail.outbox import Job
from server.mail.smtp import Mailer, MailPermanent, MailTemporary
from server.portal import Portal
from server.store import Store, StoreUnavailable

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

Maker = Callable[[Job, datetime], Awaitable[EmailMessage]]
"""Makes the mail of a row at that moment."""

PATIENCE = 1.0
"""Seconds that a mail waits for the account that it is about, which says its language."""
MOST_OTHERS = 5
"""Of the other accounts under an address at most this many are made ready with its passcode."""
PAUSES = (0.05, 0.5, 2.0)
"""Seconds between the tries to note what became of a mail; together far less than its lease."""


class Delivery:
    """Sends the mails of these brands, and of `others`, which are no brands: each makes its own message, by `NotSent` none."""

    def __init__(
        self,
        portals: Mapping[str, Portal],
        store: Store,
        mailer: Mailer,
        clock: Callable[[], datetime],
        others: Mapping[str, Maker] = MappingProxyType({}),
    ) -> None:
        self._portals, self._store, self._mailer, self._clock = portals, store, mailer, clock
        self._makers = others
        self._asking: set[asyncio.Future[Any]] = set()

    async def deliver(self, job: Job) -> None:
        """Send it, or note why not. Raises `StoreUnavailable`: the row is due again when its lease is over."""
        try:
            make = self._makers.get(job.brand)
            state, detail = await (self._of_another(make, job) if make else self._tried(job))
        except NotSent as error:
            state, detail = error.state, str(error)
        except MailPermanent as error:
            state, detail = "expired", f"not sent: {error}"
        except MailTemporary as error:
            self._tell(job, "failed", "mail not sent, will try again", {"why": str(error)}, logging.WARNING)
            await outbox.put_back(self._store, job, self._clock(), str(error))
            return
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (logged with its traceback)
            # A mail that our own bug breaks must neither stop the others nor be lost while it may still be repaired.
            telemetry.count("mails", "failed")
            _log.exception("mail could not be made", extra={"mail": job.id})
            await outbox.put_back(self._store, job, self._clock(), f"could not be made ({type(error).__name__})")
            return
        level = logging.ERROR if state == "expired" else logging.INFO
        outcome = "sent" if state == "sent" else "dropped"
        self._tell(job, outcome, "mail decided", {"state": state, "why": detail}, level)
        await self._note(job, state, detail)

    @staticmethod
    def _tell(job: Job, outcome: str, words: str, extra: dict[str, str], level: int) -> None:
        """Count and log it; of a passcode nothing is counted, and at the default level nothing logged: that would tell
        whether the address is a customer's. `customers search` shows the merchant what became of each."""
        if not job.is_asked_for:
            telemetry.count("mails", outcome)
        _log.log(logging.DEBUG if job.is_asked_for else level, words, extra={"mail": job.id, **extra})

    async def _note(self, job: Job, state: str, detail: str) -> None:
        """A database that is away for a moment must not make a second mail of one that has left."""
        for pause in PAUSES:
            try:
                await outbox.finish(self._store, job, state, detail)
            except StoreUnavailable:
                await asyncio.sleep(pause)
            else:
                return
        await outbox.finish(self._store, job, state, detail)

    async def _tried(self, job: Job) -> tuple[str, str]:
        portal = self._portals.get(job.brand)
        if portal is None:
            return "expired", "not sent: this server has no such brand now"
        kind = KINDS.get(job.kind)
        if kind is None:
            return "expired", f"not sent: this server knows no mail of the kind {job.kind}"
        if job.expires_at <= self._clock():
            return "expired", f"{kind.lapsed}: {job.detail or 'nobody took it in time'}"
        send = self._of_no_customer if kind.is_of_no_customer else self._to_customer
        return await send(portal, kind, job)

    async def _to_customer(self, portal: Portal, kind: MailKind, job: Job) -> tuple[str, str]:
        chosen = await self._recipient(job)
        if chosen is None and job.customer_id:
            return "nobody", "the customer may not log in"
        if job.is_asked_for and isinstance(portal.billing, Remote):
            # Asked about every address: a call for unknown ones alone would show as well.
            looking = self._begin(portal.billing.look_for(job.address))
            if chosen is None and await self._is_new(looking):
                chosen = await self._recipient(job)
        message = await self._message(portal, kind, job, chosen or _nobody(job))
        if chosen is None:
            await self._mailer.rehearse(message)
            return "nobody", "no customer who may log in has this address"
        await self._mailer.send(message)
        return "sent", f"to customer {chosen.id}"

    async def _of_no_customer(self, portal: Portal, kind: MailKind, job: Job) -> tuple[str, str]:
        asked_in = kind.asked_in(portal, job)
        locale = choose_locale(portal.brand.config.site.locales, (asked_in,) if asked_in else ())
        await self._mailer.send(self._composed(portal, kind, job, _nobody(job), locale))
        return "sent", ""

    async def _of_another(self, make: Maker, job: Job) -> tuple[str, str]:
        if job.expires_at <= self._clock():
            return "expired", f"not sent: {job.detail or 'nobody took it in time'}"
        try:
            message = await make(job, self._clock())
        except Nobody as error:
            if error.message:
                await self._mailer.rehearse(error.message)
            raise
        except ValueError as error:
            raise MailPermanent(f"the address cannot be mailed ({type(error).__name__})") from error
        await self._mailer.send(message)
        return "sent", ""

    async def _message(self, portal: Portal, kind: MailKind, job: Job, chosen: Candidate) -> EmailMessage:
        """Raises as `_composed`."""
        account = None
        if self._is_asked_for(kind, portal):
            account = await self._account(portal, chosen.id, await self._others(portal, job, chosen))
        if kind.is_needed and account and not kind.is_needed(job, account):
            raise NotSent("not needed any more: what it told of is settled")
        wanted = account.customer.preferred_locales if account else ()
        asked_in = kind.asked_in(portal, job)
        locale = choose_locale(portal.brand.config.site.locales, (*wanted, asked_in) if asked_in else wanted)
        return self._composed(portal, kind, job, chosen, locale)

    def _composed(self, portal: Portal, kind: MailKind, job: Job, chosen: Candidate, locale: str) -> EmailMessage:
        """Raises `NotSent`, `MailPermanent` and `MailTemporary`."""
        if not portal.settings.mail_from:
            raise MailTemporary("no mail server is set (PORTAL_SMTP_URL, PORTAL_MAIL_FROM)")
        mail = kind.read(portal.speaking(locale), job, chosen)
        try:
            return messages.compose(
                portal, mail, kind.to(portal, job, chosen), key=job.id, now=self._clock(), locale=locale
            )
        except ValueError as error:
            raise MailPermanent(f"the stored address cannot be mailed ({type(error).__name__})") from error

    async def _recipient(self, job: Job) -> Candidate | None:
        if job.customer_id:
            return await directory.by_id(self._store, job.brand, job.customer_id)
        return await directory.customer_for(self._store, job.brand, job.address)

    @staticmethod
    def _is_asked_for(kind: MailKind, portal: Portal) -> bool:
        """Whether the account says something about this mail: in which language, or that it is needless by now."""
        many = len(portal.brand.config.site.locales) > 1
        return kind.is_needed is not None or many or not portal.is_the_billing

    async def _others(self, portal: Portal, job: Job, chosen: Candidate) -> list[str]:
        """The other accounts that the passcode opens and that are not copied yet: the page that asks which tells of each."""
        if not job.is_asked_for or not isinstance(portal.billing, Remote):
            return []
        found = await directory.openable(self._store, job.brand, job.address)
        return [each.id for each in found if each.account is None and each.id != chosen.id][:MOST_OTHERS]

    async def _account(self, portal: Portal, customer_id: str, others: Sequence[str]) -> Account | None:
        """The account as it is now; None where the billing side does not say. Reading it also makes its page ready, as the
        others': a copy that has to be fetched first goes on being fetched while the mail travels."""
        now = self._clock()
        reading, *rest = (self._begin(portal.billing.account(each, now)) for each in (customer_id, *others))
        await asyncio.wait([reading, *rest], timeout=PATIENCE)
        if not reading.done() or isinstance(reading.exception(), BillingError):
            return None
        return reading.result()

    def _begin(self, asking: Coroutine[Any, Any, Answer]) -> asyncio.Future[Answer]:
        asked = asyncio.ensure_future(asking)
        self._asking.add(asked)
        asked.add_done_callback(self._asked)
        return asked

    def _asked(self, asked: asyncio.Future[Any]) -> None:
        self._asking.discard(asked)
        error = None if asked.cancelled() else asked.exception()
        if isinstance(error, (BillingError, StoreUnavailable)):
            # Below the default level: what there is to ask depends on whether a customer has the address.
            _log.debug("the billing side did not say in time for a mail", extra={"why": repr(error)})
        elif error:
            _log.error("the billing side could not be asked for a mail", exc_info=error)

    @staticmethod
    async def _is_new(looking: asyncio.Future[bool]) -> bool:
        """Whether the billing side has a customer whom our directory did not know yet."""
        try:
            return await looking
        except BillingError:
            return False


def _nobody(job: Job) -> Candidate:
    """Whom a mail is made out to that an address of nobody asked for: somebody new each time, as customers are."""
    return Candidate("", f"{job.id}@portal.invalid", "", job.created_at, active=False, disabled=False)
