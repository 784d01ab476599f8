"""The kinds of mail that the worker knows: who each one goes to, and how its row becomes what it says.

A row with a customer's id goes to that customer; one without, a passcode's, to the customer that its address opens. The
address that it is sent to is the stored one, but for the two mails about a change of it (one proves the new address, and one tells the
old address) and for those about a declaration, which anybody may make: they go to the address that was typed, and to the merchant. Whatever puts a row of a new kind into the outbox
(`server.store.posting.enqueue`) adds its kind here, and beside it `site/templates/emails/<kind>.html`, `.txt` and
`.examples.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

import msgspec

from server.access import declarations
from server.access.declarations import ToldOfDeclaration
from server.access.directory import Candidate
from server.access.known_browsers import NewBrowser
from server.access.passcodes import Opened, open_mail
from server.billing import Account
from server.billing.model.notices import decode
from server.billing.rows import EmailChanged
from server.mail import messages, stopping
from server.mail.letters import LETTERS, Letter, is_needed, letter, page_of
from server.mail.messages import Mail
from server.mail.outbox import Job
from server.portal import Portal


class NotSent(Exception):
    """There is nothing to send, now or later; the message says why, for the merchant."""

    state = "expired"


class Nobody(NotSent):
    """There is nobody whom it could go to. `message`: the mail all the same, to be rehearsed."""

    state = "nobody"

    def __init__(self, why: str, message: EmailMessage | None = None) -> None:
        super().__init__(why)
        self.message = message


class Unwanted(NotSent):
    """The customer does without it: handled, and not lost."""

    state = "unwanted"


@dataclass(frozen=True, slots=True)
class MailKind:
    mail: type[Mail]
    """What its templates read."""
    read: Callable[[Portal, Job, Candidate], Mail]
    """What the row says, for this customer. Raises `NotSent`."""
    lapsed: str = "not sent in time"
    """Why a row that is too old is dropped."""
    asked_in: Callable[[Portal, Job], str] = lambda *_: ""
    """The language of the page on which it was asked for: for customers who prefer none; empty where nobody asked."""
    to: Callable[[Portal, Job, Candidate], str] = lambda _, __, customer: customer.email
    """Where it goes."""
    is_of_no_customer: bool = False
    """It is about nobody's account, so nobody is looked for."""
    is_needed: Callable[[Job, Account], bool] | None = None
    """Whether the row still says what is so, for the account as it is now; None: whatever the account is."""


def _passcode(portal: Portal, job: Job, customer: Candidate) -> Mail:
    return messages.passcode(portal, _opened(portal, job), job.created_at, job.expires_at, customer.email)


def _email_code(portal: Portal, job: Job, _: Candidate) -> Mail:
    return messages.email_code(portal, _opened(portal, job), job.created_at, job.expires_at)


def _opened(portal: Portal, job: Job) -> Opened:
    opened = open_mail(portal.settings, job.id, job.data)
    if opened is None:
        raise NotSent("not sent: its code cannot be read with the secrets of now")
    return opened


def _email_changed(_: Portal, job: Job, __: Candidate) -> Mail:
    return messages.EmailChanged(at=job.created_at, browser=_told(job).browser)


def _told(job: Job) -> EmailChanged:
    return msgspec.msgpack.decode(job.data, type=EmailChanged)


def _passcode_asked_in(portal: Portal, job: Job) -> str:
    opened = open_mail(portal.settings, job.id, job.data)
    return opened.language if opened else ""


def _new_login(portal: Portal, job: Job, customer: Candidate) -> Mail:
    if not portal.brand.config.mail.wants(job.kind):
        raise NotSent("not sent: switched off in portal.toml, [mail]")
    told = msgspec.msgpack.decode(job.data, type=NewBrowser)
    way, link = _way(portal, customer, "sessions"), portal_link(portal, customer.email)
    return messages.NewLogin(at=job.created_at, browser=told.browser, way=way, link=link)


def portal_link(portal: Portal, email: str) -> str:
    """Where the customer logs in, the address filled in; empty where no link is active."""
    return f"{portal.origin}{portal.paths.login_page(portal.link, email)}" if portal.link else ""


def _way(portal: Portal, customer: Candidate, page: str) -> str:
    """To a page by way of log-in, by the server's own form: it fills the address in without scripts too. Where the
    address has other customers, log-in may open another one, who has no such page: it leads to the overview then."""
    page = page if customer.is_alone or ":" not in page else "home"
    return f"{portal.origin}{portal.paths.login_to(page, customer.email)}" if portal.link else ""


def _declared(portal: Portal, job: Job, _: Candidate) -> Mail:
    it = decode_declared(job)
    token = declarations.token(portal.settings, portal.name, it.id, declarations.PROOF)
    link = f"{portal.origin}{portal.paths.declaration_proof(token)}"
    return messages.Declared(id=it.id, at=it.at, said=it.said, hash=it.hash, due_at=it.due_at, link=link)


def _undecided(portal: Portal, job: Job, _: Candidate) -> Mail:
    it, studio = decode_declared(job), portal.settings.studio_origin
    link = f"{studio}/_studio/b/{portal.name}/cases/{it.id}" if studio else ""
    return messages.Undecided(id=it.id, at=it.at, said=it.said, due_at=it.due_at, link=link)


def _merchant(portal: Portal, _: Job, __: Candidate) -> str:
    to = portal.brand.config.doors.notify or portal.brand.config.business.support_email
    if not to:
        raise NotSent("not sent: nobody to tell; set doors.notify in portal.toml")
    return to


def _answered(_: Portal, job: Job, __: Candidate) -> Mail:
    it = decode_declared(job)
    return messages.Answered(id=it.id, at=it.at, said=it.said, answer=it.answer)


def decode_declared(job: Job) -> ToldOfDeclaration:
    return msgspec.msgpack.decode(job.data, type=ToldOfDeclaration)


def _declared_in(_: Portal, job: Job) -> str:
    return decode_declared(job).said.locale


def _declarant(_: Portal, job: Job, __: Candidate) -> str:
    return decode_declared(job).said.email


def _about(kind: type[Letter]) -> MailKind:
    def read(portal: Portal, job: Job, customer: Candidate) -> Mail:
        if not portal.brand.config.mail.wants(job.kind):
            raise NotSent("not sent: switched off in portal.toml, [mail]")
        if job.is_unwanted and portal.brand.config.mail.may_stop(job.kind):
            raise Unwanted("the customer has switched these off")
        event, stop = decode(job.data), stopping.link(portal, customer.id, job.kind)
        way = _way(portal, customer, page_of(kind, event))
        return letter(kind, event, way=way, link=portal_link(portal, customer.email), stop=stop)

    return MailKind(kind, read, is_needed=lambda job, account: is_needed(kind, decode(job.data), account))


KINDS: dict[str, MailKind] = {
    kind.mail.template: kind
    for kind in (
        MailKind(messages.Passcode, _passcode, lapsed="not sent before the code lapsed", asked_in=_passcode_asked_in),
        MailKind(messages.NewLogin, _new_login),
        MailKind(
            messages.EmailCode,
            _email_code,
            lapsed="not sent before the code lapsed",
            asked_in=_passcode_asked_in,
            to=lambda portal, job, _: _opened(portal, job).to,
        ),
        MailKind(messages.EmailChanged, _email_changed, to=lambda _, job, __: _told(job).to),
        MailKind(messages.Declared, _declared, asked_in=_declared_in, to=_declarant, is_of_no_customer=True),
        MailKind(messages.Undecided, _undecided, to=_merchant, is_of_no_customer=True),
        MailKind(messages.Answered, _answered, asked_in=_declared_in, to=_declarant, is_of_no_customer=True),
        *(_about(each) for each in LETTERS),
    )
}
MAILS: dict[str, type[Mail]] = {name: kind.mail for name, kind in KINDS.items()}
