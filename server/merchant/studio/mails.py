"""The mails to operators. A worker makes them (`mail.delivery`), since a request must not tell by its time whether an
address is an operator's."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from urllib.parse import urlsplit

import msgspec

from server.access import passcodes
from server.mail import messages
from server.mail.delivery import Maker
from server.mail.kinds import Nobody, NotSent
from server.mail.outbox import Job
from server.mail.smtp import MailTemporary
from server.merchant.studio import notices, operators
from server.merchant.studio.place import NAME
from server.rendering.studio import StudioRenderer
from server.settings import Settings
from server.store import Store
from server.web.studio_guard import BASE

SENDER = "Postern Studio"
__all__ = ["NAME", "maker"]


def maker(store: Store, settings: Settings) -> Maker:
    """What makes the mail of each row that the studio put into the outbox."""
    renderer = StudioRenderer(BASE)

    async def make(job: Job, now: datetime) -> EmailMessage:
        if not settings.mail_from:
            raise MailTemporary("no mail server is set (PORTAL_SMTP_URL, PORTAL_MAIL_FROM)")
        return await message(store, settings, renderer, job, now)

    return make


async def message(store: Store, settings: Settings, renderer: StudioRenderer, job: Job, now: datetime) -> EmailMessage:
    """Raises `NotSent` where it goes to nobody, and `ValueError` for an address that cannot be mailed."""
    if job.kind == notices.TEST_MAIL:
        made = _test_mail(settings, job, now)
    else:
        text = _notice(renderer, job) if job.kind == notices.PASSKEY_ADDED else _passcode(settings, renderer, job)
        made = messages.plain(settings.mail_from, SENDER, job.address, text, key=job.id, now=now)
    # Made first: the work must not tell whether the address is an operator's.
    if not await operators.roles_of(store, job.address):
        raise Nobody("no operator has this address", made)
    return made


def _test_mail(settings: Settings, job: Job, now: datetime) -> EmailMessage:
    it = msgspec.msgpack.decode(job.data, type=notices.TestMail)
    words = messages.Rendered(it.subject, it.text, it.html)
    return messages.sample(settings.mail_from, it.business, job.address, words, key=job.id, now=now, locale=it.locale)


def _passcode(settings: Settings, renderer: StudioRenderer, job: Job) -> str:
    opened = passcodes.open_mail(settings, job.id, job.data)
    if opened is None:
        raise NotSent("not sent: its code cannot be read with the secrets of now")
    return renderer.text(
        "mails/passcode.txt",
        code=opened.code,
        request_key=opened.request_key,
        browser=opened.browser,
        asked_at=job.created_at,
        expires_at=job.expires_at,
        origin=settings.studio_origin + BASE,
        domain=urlsplit(settings.studio_origin).hostname,
    )


def _notice(renderer: StudioRenderer, job: Job) -> str:
    told = msgspec.msgpack.decode(job.data, type=notices.PasskeyAdded)
    return renderer.text("mails/passkey_added.txt", told=told, at=job.created_at)
