"""How a mail leaves: the `Mailer` that the worker is given, and the one that speaks SMTP.

A mailer sends one message to one recipient, or raises `MailTemporary` (try again later) or `MailPermanent` (never).
SMTP goes over TLS from the start (`smtps://`) or from STARTTLS on (`smtp://`), always with the certificate checked;
only a server on loopback may do without.
"""

from __future__ import annotations

import asyncio
import email.policy
import re
from collections.abc import Callable
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from functools import cache, lru_cache
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from server.settings import Settings, is_loopback


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of one long word, such as a URL. The standard library would write the word as an encoded one, which no
    mail provider reads (seen on Python 3.11), and folded in two it breaks signatures of some relays."""

    def fold(self, *, policy: email.policy.Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Folded(BaseHeader):
    """A header that remembers how it was last written."""

    _written: tuple[object, str] = (None, "")

    def fold(self, *, policy: email.policy.Policy) -> str:
        how = policy.linesep, policy.max_line_length, getattr(policy, "utf8", False)
        if self._written[0] != how:
            self._written = how, super().fold(policy=policy)
        return self._written[1]


class _Headers(HeaderRegistry):
    """Makes each header once. The standard library makes a class for each that it makes and parses it again, which was
    more than half of what a mail cost, and most headers say the same in all mails of a brand."""

    def __init__(self) -> None:
        super().__init__(base_class=_Folded)
        self._class_of = cache(super().__getitem__)
        self._header_of = lru_cache(_HEADERS_KEPT)(super().__call__)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        # What an `Address` is as text is parsed to the same `Address`.
        return self._header_of(name, str(value) if isinstance(value, Address) else value)


_HEADERS_KEPT = 256
_HEADERS = _Headers()
_HEADERS.map_to_type("list-unsubscribe", _Whole)

POLICY = email.policy.SMTP.clone(cte_type="7bit", header_factory=_HEADERS)
"""CRLF lines, encoded headers, and nothing that needs a server with 8BITMIME."""

_BARE_BREAK = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class MailTemporary(Exception):
    """Not sent now; the message says why, without an address. Trying again may work."""


class MailPermanent(Exception):
    """The server will not take this mail, now or later; the message says why."""


class Mailer(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Send to the one address in `To`. Raises `MailTemporary` or `MailPermanent`."""
        ...

    async def rehearse(self, message: EmailMessage) -> None:
        """The work of `send` without the mail, where nobody has the address. What it costs and how it fails is as with
        `send`, so that neither tells a stranger whose address has a customer. Raises as `send`."""
        ...

    async def check(self) -> str:
        """Whether a mail could be sent now, in words; sends none. Raises as `send`."""
        ...


class NoMailer:
    """Where no mail server is set: everything waits until it has expired, and `doctor` says what is missing."""

    async def send(self, message: EmailMessage) -> None:  # noqa: ARG002 (the protocol's)
        raise MailTemporary("no mail server is set (PORTAL_SMTP_URL)")

    rehearse = send

    async def check(self) -> str:
        raise MailTemporary("no mail server is set (PORTAL_SMTP_URL)")


class KeepingMailer:
    """Keeps what it is given, newest last: the demo's inbox, and the tests'. It can be told to refuse."""

    def __init__(self, on_message: Callable[[EmailMessage], None] | None = None, keep: int = 200) -> None:
        self.messages: list[EmailMessage] = []
        self.refusal: Exception | None = None
        self._on_message, self._keep = on_message, keep

    async def send(self, message: EmailMessage) -> None:
        if self.refusal:
            raise self.refusal
        self.messages.append(message)
        del self.messages[: -self._keep]
        if self._on_message:
            self._on_message(message)

    async def rehearse(self, message: EmailMessage) -> None:  # noqa: ARG002 (the protocol's)
        if self.refusal:
            raise self.refusal

    async def check(self) -> str:
        if self.refusal:
            raise self.refusal
        return "kept here"


class SmtpMailer:
    """Sends by SMTP, one connection a mail: log-in mail is rare, and a kept connection would be stale when it matters.

    `timeout` is for each step, `total` for the whole mail; both in seconds. `total` must stay below the outbox's lease.
    `name` is what this server calls itself in its EHLO. `sender` is the address that `check` asks leave to send from.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "localhost",
        sender: str = "",
        timeout: float = 10,
        total: float = 40,
        tls_context: Any = None,
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or (465 if parts.scheme == "smtps" else 587)
        self._total, self._sender = total, sender
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        plain_is_fine = is_loopback(self.host)
        self._options: dict[str, Any] = {
            "hostname": self.host,
            "port": self.port,
            "timeout": timeout,
            "use_tls": parts.scheme == "smtps",
            # True: refuse a server that does not offer it. None: use it where it is offered.
            "start_tls": False if parts.scheme == "smtps" else (None if plain_is_fine else True),
            "tls_context": tls_context,
            # Without a name of our own, the library asks the resolver for one and blocks the event loop meanwhile.
            "local_hostname": name,
        }

    async def send(self, message: EmailMessage) -> None:
        sender, recipient, wire = self._written(message)
        accepted = False
        try:
            async with asyncio.timeout(self._total), self._connection() as client:
                await client.sendmail(sender, [recipient], wire)
                accepted = True
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            # A server that stumbles over our QUIT has the mail: sending it again would be a second one.
            if not accepted:
                raise classified(error) from error

    async def rehearse(self, message: EmailMessage) -> None:
        """As many commands as `send`, on a connection of its own as well; no recipient is named."""
        sender, *_ = self._written(message)
        try:
            async with asyncio.timeout(self._total), self._connection() as client:
                await client.mail(sender)
                await client.noop()
                await client.noop()
                await client.rset()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise classified(error) from error

    @staticmethod
    def _written(message: EmailMessage) -> tuple[str, str, bytes]:
        """Whom it is from, to whom, and its bytes. Raises `MailPermanent`."""
        recipients = [address.addr_spec for address in message["To"].addresses]
        if len(recipients) != 1 or "Cc" in message or "Bcc" in message:
            raise MailPermanent(f"a mail goes to one address, not to {len(recipients)}")
        wire = message.as_bytes(policy=POLICY)
        if _BARE_BREAK.search(wire):
            raise MailPermanent("its headers hold a line break")
        sender: Address = message["From"].addresses[0]
        return sender.addr_spec, recipients[0], wire

    async def check(self) -> str:
        """Connect, say hello, switch to TLS, log in and ask leave to send, but send nothing."""
        try:
            async with asyncio.timeout(self._total), self._connection() as client:
                await client.noop()
                if self._sender:
                    await client.mail(self._sender)
                    await client.rset()
                encrypted = client.transport is not None and client.transport.get_extra_info("ssl_object") is not None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise classified(error) from error
        how = "encrypted" if encrypted else "in plain, which is fine on loopback"
        return f"{self.host}:{self.port} answers, {how}" + (", and takes the password" if self._user else "")

    def _connection(self) -> aiosmtplib.SMTP:
        login: dict[str, Any] = {"username": self._user, "password": self._password} if self._user else {}
        return aiosmtplib.SMTP(**self._options, **login)


def mailer_for(settings: Settings, *, total: float = 40) -> Mailer:
    if not settings.smtp_url:
        return NoMailer()
    domain = settings.mail_from.rpartition("@")[2]
    return SmtpMailer(settings.smtp_url, name=domain.encode("idna").decode(), sender=settings.mail_from, total=total)


def classified(error: Exception) -> MailTemporary | MailPermanent:
    """A refusal of this recipient, sender or text with a 5xx is final; all else may pass while the code lives.

    Failing to log in or to encrypt is the operator's to fix, so those are tried again too.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return classified(error.recipients[0])
    if isinstance(error, (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)):
        kind = MailPermanent if error.code >= 500 else MailTemporary
        what = {"SMTPRecipientRefused": "recipient", "SMTPSenderRefused": "sender"}.get(type(error).__name__, "message")
        return kind(f"the mail server refused the {what} with {error.code}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return MailTemporary(f"the mail server answered {error.code} ({type(error).__name__})")
    return MailTemporary(f"the mail server could not be used ({type(error).__name__})")


_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (aiosmtplib.SMTPAuthenticationError, "Look at the user and the password in PORTAL_SMTP_URL; both percent-encoded."),
    (aiosmtplib.SMTPSenderRefused, "Set PORTAL_MAIL_FROM to an address that this mail server lets you send from."),
    (
        OSError,
        (
            "Look at the host and the port in PORTAL_SMTP_URL, and at the firewall: smtps:// is for a port that begins "
            "encrypted (465), smtp:// for one that turns to it (587)."
        ),
    ),
)


def explained(error: MailTemporary | MailPermanent) -> tuple[str, str]:
    """What happened in the mail server's or the system's own words, and what to do about it. For the operator who asks:
    such words may hold an address, so they are in no log."""
    cause = error.__cause__
    said = " ".join(str(getattr(cause, "message", "") or cause or "").split())[:300]
    remedy = next(
        (words for kind, words in _REMEDIES if isinstance(cause, kind)),
        "Look at PORTAL_SMTP_URL: host, port, smtp or smtps, user and password (percent-encoded).",
    )
    return (f"{error}: {said}" if said else str(error)), remedy
