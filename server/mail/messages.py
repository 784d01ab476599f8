"""How a mail is made: a struct of what it says, the brand's templates, and the standard library's `EmailMessage`.

A mail is two templates, `emails/<mail>.txt`, whose first line is the subject, and `emails/<mail>.html`, whose styles
are inlined because many mail clients drop a `<style>`. Both see the mail's struct as ``mail`` beside what every
template sees. Headers are set through `EmailMessage` only: it encodes what is not ASCII and refuses a line break.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from typing import ClassVar
from urllib.parse import urlsplit

import css_inline
import msgspec

from server.access.declarations import Content
from server.access.passcodes import Opened
from server.mail.smtp import POLICY
from server.portal import Portal
from server.rendering.renderer import Renderer


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """What one mail says. A subclass holds everything that its templates read."""

    template: ClassVar[str]
    """Its name in `emails/`."""

    way: str = ""
    """What its button opens: the server's log-in form with the address filled in, which leads to what it tells of. Empty
    where no link is active."""
    stop: str = ""
    """What stops mails of this kind, also without logging in; empty where they cannot be stopped."""


class NewLogin(Mail, frozen=True):
    """Somebody logged in from a browser that was not known."""

    template: ClassVar[str] = "new_login"

    at: datetime
    browser: str
    """The family, such as `Firefox on Linux`: a word from our own list, or empty."""
    link: str = ""
    """The log-in page, the address filled in; empty where no link is active."""


class Code(Mail, frozen=True):
    """A code and who asked for it. Nothing in it was typed by whoever asked, who may be anybody."""

    code: str
    """Six digits, or for an address under attack fifteen letters, `XXXXX-XXXXX-XXXXX`."""
    asked_at: datetime
    expires_at: datetime
    browser: str
    """The family, such as `Firefox on Linux`: a word from our own list, or empty."""
    domain: str
    """Where the code belongs; the last line of the text lets browsers fill it in there only."""


class Passcode(Code, frozen=True):
    """The code of one log-in."""

    template: ClassVar[str] = "passcode"

    request_key: str = ""
    """Where too many codes were asked for: what gets the owner another one all the same, `XXXX-XXXX-XXXX`; else empty. `way`
    then leads to the form with it filled in, which sends nothing until its button is pressed."""


class EmailCode(Code, frozen=True):
    """The code that proves a new address. It goes to that address."""

    template: ClassVar[str] = "email_code"


class EmailChanged(Mail, frozen=True):
    """To the address that a customer had before. The new one is not named: whoever took the account chose it."""

    template: ClassVar[str] = "email_changed"

    at: datetime
    browser: str
    """The family, such as `Firefox on Linux`: a word from our own list, or empty."""
    link: str = ""
    """Empty: this address opens the account no more."""


class OfDeclaration(Mail, frozen=True, kw_only=True):
    """About what somebody declared without logging in, see `access.declarations`."""

    id: str
    at: datetime
    said: Content
    link: str = ""
    """What its button opens; empty: it has none."""


class Declared(OfDeclaration, frozen=True):
    """To whoever declared it: that it came, what it says, and when. `link` proves the address."""

    template: ClassVar[str] = "declaration"

    hash: str
    """By which anybody can tell whether the document is still the same."""
    due_at: datetime
    """Until when the merchant decides what is not done at once."""


class Undecided(OfDeclaration, frozen=True):
    """To the merchant: a declaration waits for them. `link` leads to it in the studio."""

    template: ClassVar[str] = "declaration_waits"

    due_at: datetime


class Answered(OfDeclaration, frozen=True):
    """To whoever declared it: what the merchant answers."""

    template: ClassVar[str] = "declaration_answer"

    answer: str


class Rendered(msgspec.Struct, frozen=True):
    subject: str
    text: str
    html: str


def render(renderer: Renderer, mail: Mail, locale: str | None = None) -> Rendered:
    """The mail in words, ready to send and for the gallery."""
    text, html = (
        _TURNS.sub("", renderer.text(f"emails/{mail.template}.{form}", locale, mail=mail)) for form in ("txt", "html")
    )
    lines = text.strip().splitlines()
    return Rendered(_one_line(lines[0]), "\n".join(lines[1:]).strip() + "\n", _INLINER.inline(html))


def passcode(portal: Portal, opened: Opened, asked_at: datetime, expires_at: datetime, email: str) -> Passcode:
    """`email`: the stored one, which the link of a request key fills in."""
    has_link = opened.request_key and portal.link
    return Passcode(
        way=f"{portal.origin}{portal.paths.login_with_key(email, opened.request_key)}" if has_link else "",
        code=opened.code,
        browser=opened.browser,
        asked_at=asked_at,
        expires_at=expires_at,
        domain=urlsplit(portal.origin).hostname or "",
        request_key=opened.request_key,
    )


def email_code(portal: Portal, opened: Opened, asked_at: datetime, expires_at: datetime) -> EmailCode:
    domain = urlsplit(portal.origin).hostname or ""
    return EmailCode(code=opened.code, browser=opened.browser, asked_at=asked_at, expires_at=expires_at, domain=domain)


def plain(sender: str, name: str, to: str, text: str, *, key: str, now: datetime) -> EmailMessage:
    """A message of text alone, whose first line is the subject; `key` as for `compose`. Raises `ValueError`."""
    subject, _, body = text.strip().partition("\n")
    message = _headed(sender, name, to, _one_line(subject), key=key, now=now)
    message.set_content(body.strip() + "\n")
    return message


def compose(portal: Portal, mail: Mail, to: str, *, key: str, now: datetime, locale: str | None = None) -> EmailMessage:
    """The message to one stored address. The same `key` gives the same Message-ID, so that a mail which had to be sent
    twice can be seen to be one. Raises `ValueError` where `to` is no address that can be mailed."""
    business = portal.brand.config.business
    rendered = render(portal.renderer, mail, locale)
    message = _headed(portal.settings.mail_from, business.name, to, rendered.subject, key=key, now=now)
    if business.support_email:
        message["Reply-To"] = address(business.support_email, business.name)
    if mail.stop:
        message["List-Unsubscribe"] = f"<{mail.stop}>"
        # RFC 8058 knows https alone; the demo's loopback has no such thing.
        if portal.is_secure:
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(message, rendered, key=key, locale=locale or portal.renderer.default_locale)
    return message


def sample(
    sender: str, name: str, to: str, rendered: Rendered, *, key: str, now: datetime, locale: str
) -> EmailMessage:
    """A mail with the words of an example, to whoever wants to see it in their mailbox. Raises `ValueError`."""
    message = _headed(sender, name, to, f"[Test] {rendered.subject}", key=key, now=now)
    _fill(message, rendered, key=key, locale=locale)
    return message


def _fill(message: EmailMessage, rendered: Rendered, *, key: str, locale: str) -> None:
    message.set_content(rendered.text)
    # Given one, the standard library need not look for a boundary that is in no part: no quoted-printable text has "=_".
    message.make_alternative(boundary=f"=_{_digest(key)[32:]}")
    message.add_alternative(rendered.html, subtype="html")
    # After the bodies: making the alternative moves every Content- header into its first part.
    message["Content-Language"] = locale


def _headed(sender: str, name: str, to: str, subject: str, *, key: str, now: datetime) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["From"] = address(sender, name)
    message["To"] = address(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    domain = message["From"].addresses[0].domain
    message["Message-ID"] = f"<{_digest(key)[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@lru_cache(256)
def address(text: str, name: str = "") -> Address:
    """One mailbox for a header; an international domain in its ASCII form. Raises `ValueError` for anything else."""
    local, _, domain = text.strip().rpartition("@")
    if not local or not domain or _NOT_IN_ADDRESS.search(text.strip()):
        raise ValueError("not one plain e-mail address")
    return Address(display_name=_one_line(name), addr_spec=f"{local}@{domain.encode('idna').decode()}")


def _one_line(text: str) -> str:
    """Text for a header: no line break, and no encoded word either, which the standard library would decode and then
    write out as it is, line break and all (seen on Python 3.11 with ``=?utf-8?q?x=0ABcc:_y?=``)."""
    return " ".join(_CONTROL.sub(" ", text).replace("=?", "= ?").split())


# What turns the direction of the text after it: a name must not write a date or an amount of ours backwards.
_TURNS = re.compile(r"[\u202a-\u202e\u2066\u2067]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NOT_IN_ADDRESS = re.compile(r"[^\x21-\x7e\u00a1-\U0010ffff]|[\"(),:;<>\[\]\\]|=\?|@.*@|^[^@]*[^\x00-\x7f].*@")
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
