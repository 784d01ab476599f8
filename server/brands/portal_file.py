"""`portal.toml`: what a brand offers its customers. The merchant's file.

The names and values under `[features]` are those of Stripe's `billing_portal.configuration`. It never holds a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec.structs import replace

from server.brands.door_keys import Doors
from server.brands.dunning import Dunning
from server.brands.event_keys import Events
from server.brands.features import Features
from server.brands.locales import ByLanguage, Locales, language_of
from server.brands.mail_switches import MailSwitches
from server.brands.reading.declared import Keys, fields, read
from server.brands.reading.keys import Flag, OneOf, Pattern, Section, Shaped, Text
from server.brands.reading.mistakes import nearest
from server.brands.reading.tables import Table
from server.formats import bank_transfers, postal
from server.settings import is_loopback

BACKENDS = ("ledger", "stripe")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
LINK = r"(test_)?[A-Za-z0-9_-]{22,80}"


def _url(value: str) -> str:
    parts = _split(value)
    if parts is None or parts[0] not in ("https", "http"):
        raise ValueError("a whole URL such as https://harbour.example/privacy")
    return value


def _split(value: str) -> tuple[str, str] | None:
    """Scheme and host in lower case; None where it is not a plain URL."""
    if not re.fullmatch(r"[\x21-\x7e]+", value) or re.search(r"[\\\"'<>`{}|^]", value):
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (a port out of range raises here)
    except ValueError:
        return None
    host = parts.hostname or ""
    if "@" in parts.netloc or not (_is_ip(host) if parts.netloc.startswith("[") else _HOST.fullmatch(host)):
        return None
    return parts.scheme.lower(), host


def _is_ip(host: str) -> bool:
    try:
        return "%" not in host and bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _origin(value: str) -> str:
    parts = _split(value)
    allowed = "https:// and a host, without a path (plain http on 127.0.0.1, ::1 or localhost only)"
    if parts is None or not re.fullmatch(r"https?://[^/?#]+/?", value, re.IGNORECASE):
        raise ValueError(allowed)
    if parts[0] != "https" and not is_loopback(parts[1]):
        raise ValueError(allowed)
    # Browsers leave the scheme's own port out of what they send as Origin.
    port = ":443" if parts[0] == "https" else ":80"
    return value.rstrip("/").lower().removesuffix(port)


def _email(value: str) -> str:
    # No deliverability or special-use rules here: this address is shown, not written to.
    local, _, host = value.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9!#$%&*+/=?^_{|}~.-]{1,64}", local) or not _HOST.fullmatch(host.lower()):
        raise ValueError("an email address such as help@harbour.example")
    return value


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = nearest(name, available_timezones()).rpartition(" (did you mean ")[2]
        hint = f"; did you mean {known.removesuffix('?)')}?" if known.endswith("?)") else ""
        raise ValueError(f"a time zone such as Europe/Berlin or UTC{hint}") from None
    return name


class Url(Shaped, frozen=True):
    check: Callable[[str], str] = _url
    shape: str = "a whole URL such as https://harbour.example/privacy"
    left_out: str = "no link"
    asked_as: str = "url"


class Seat(Keys, frozen=True):
    """Where the business is, for its invoices. The fields are those of a customer's address."""

    line1: Annotated[str, Text("street and number", limit=100)] = ""
    line2: Annotated[str, Text("more of it, such as a floor", limit=100)] = ""
    city: Annotated[str, Text("the city", limit=100)] = ""
    state: Annotated[str, Text("the state or province, where the country has them", limit=100)] = ""
    postal_code: Annotated[str, Text("the postal code", limit=100)] = ""
    country: Annotated[
        str,
        Pattern(
            "the country",
            pattern="|".join(postal.codes()),
            shape="a country's two letters, such as DE",
            asked_as="country",
        ),
    ] = ""


class BankAccount(Keys, frozen=True):
    """Where customers transfer money to. Without an IBAN no document speaks of a transfer."""

    iban: Annotated[
        str,
        Shaped(
            "the account that customers transfer to; open invoices name it, with a QR code for banking apps where it is "
            "in euros",
            check=bank_transfers.iban,
            shape="an IBAN whose check digits fit, such as DE02 1203 0000 0000 2020 51",
            limit=50,
        ),
    ] = ""
    bic: Annotated[
        str,
        Shaped(
            "the code of its bank, for transfers from outside the European Economic Area",
            check=bank_transfers.bic,
            shape="a BIC of 8 or 11 characters, such as BYLADEM1001",
            limit=20,
        ),
    ] = ""
    account_holder: Annotated[
        str, Text("whose account it is", limit=70, left_out="`business.legal_name`, or else `business.name`")
    ] = ""
    bank: Annotated[str, Text("what the bank is called", limit=70)] = ""

    def check(self, table: Table) -> None:
        if not self.iban and (self.bic or self.account_holder or self.bank):
            table.missing("iban", "the IBAN of that account", also=("bic", "account_holder", "bank"))


class Business(Keys, frozen=True):
    """Empty texts were not given: what needs them is not shown."""

    name: Annotated[str, Text("the name that customers know", limit=100, required=True)]
    headline: Annotated[
        str,
        Text("one sentence on the log-in page", limit=120, per_language=True, stripe="business_profile.headline"),
    ] = ""
    privacy_policy_url: Annotated[
        str,
        Url(
            "your privacy policy, at the foot of every page",
            per_language=True,
            stripe="business_profile.privacy_policy_url",
        ),
    ] = ""
    terms_of_service_url: Annotated[
        str,
        Url(
            "your terms of service, at the foot of every page",
            per_language=True,
            stripe="business_profile.terms_of_service_url",
        ),
    ] = ""
    default_return_url: Annotated[
        str, Url("your website: where the portal leads back to", per_language=True, stripe="default_return_url")
    ] = ""
    support_email: Annotated[
        str,
        Shaped(
            "where customers write for help",
            check=_email,
            shape="an email address such as help@harbour.example",
            asked_as="email",
        ),
    ] = ""
    support_phone: Annotated[
        str,
        Pattern(
            "where customers call for help",
            pattern=r"\+?[0-9][0-9 ()./-]{2,30}",
            shape="a phone number such as +1 555 0100",
            asked_as="tel",
        ),
    ] = ""
    support_url: Annotated[str, Url("a page where customers find help", per_language=True)] = ""
    legal_name: Annotated[str, Text("who issues the invoices", limit=100, left_out="`business.name`")] = ""
    tax_id: Annotated[
        str,
        Text(
            "the tax number on the invoices; a VAT number (`DE136695976`) and an address put an electronic invoice "
            "(Factur-X) inside the PDF",
            limit=40,
        ),
    ] = ""
    address: Annotated[Seat, Section("where the business is, on its invoices")] = Seat()
    bank_account: Annotated[BankAccount, Section("where customers pay open invoices by transfer")] = BankAccount()
    invoice_footer: Annotated[
        str,
        Text(
            "the text at the foot of invoices and credit notes, such as the register of companies; an invoice that has a "
            "footer of its own keeps that",
            limit=500,
            per_language=True,
        ),
    ] = ""
    own_texts: Annotated[
        dict[str, dict[str, str]],
        ByLanguage(
            "the same for another language of `site.locales`, such as `[business.de]`",
            left_out="no headline; the links of the first language",
        ),
    ] = msgspec.field(name="<tag>", default_factory=dict)
    """What `[business.<tag>]` says, by the tag of the language."""


class Site(Keys, frozen=True):
    url: Annotated[
        str,
        Shaped(
            "the brand's own address, where it has a domain",
            check=_origin,
            shape="https:// and a host, without a path (plain http on 127.0.0.1, ::1 or localhost only)",
            left_out="served under `/<brand>/`",
            asked_as="url",
        ),
    ] = ""
    locales: Annotated[
        tuple[str, ...],
        Locales(
            "the languages that the portal is offered in. The first is the default; the pages of each further one are below "
            "its tag (`/pt-BR/`; so Burmese there is `my-MM`: `/my/` is taken). Words are shipped in `en`, `de`, `fr`, `es`, "
            "`ar`; `build.py words <tag>` begins another"
        ),
    ] = ("en",)
    timezone: Annotated[
        str,
        Shaped(
            "the time zone of dates and times",
            check=_timezone,
            shape="a time zone such as Europe/Berlin or UTC",
            asked_as="timezone",
        ),
    ] = "UTC"


_LINK_SHAPE = "at least 22 letters, digits, - or _, with test_ in front for a test ledger; `link activate` writes it"


class LoginPage(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether the log-in link works; `link activate` and `link deactivate` write it")] = (
        False
    )
    link: Annotated[
        str, Pattern("the token in the log-in page's URL", pattern=LINK, shape=_LINK_SHAPE, left_out="no link")
    ] = ""
    account_choice: Annotated[
        bool,
        Flag(
            "after the passcode, an address that several customers have may open each of them: they are asked which, and can "
            "switch later. Off: the newest with an active subscription opens, and no other"
        ),
    ] = False

    def check(self, table: Table) -> None:
        if self.enabled and "link" not in table:
            table.missing("link", _LINK_SHAPE, also=("enabled",))


class BillingChoice(Keys, frozen=True):
    backend: Annotated[
        str,
        OneOf(
            "who keeps subscriptions and invoices; `stripe` needs the key of the account, see `docs/stripe.md`",
            among=BACKENDS,
        ),
    ] = "ledger"


class PortalConfig(Keys, frozen=True):
    business: Business
    site: Site = Site()
    login_page: LoginPage = LoginPage()
    billing: BillingChoice = BillingChoice()
    mail: MailSwitches = MailSwitches()
    events: Events = Events()
    dunning: Dunning = Dunning()
    doors: Doors = Doors()
    features: Annotated[Features, Section("", stripe="features")] = Features()

    def check(self, table: Table) -> None:
        locales = self.site.locales
        spoken = {*locales, *map(language_of, locales)}
        for tag in self.business.own_texts:
            if tag not in spoken:
                allowed = f"one of the languages in site.locales: {', '.join(locales)}"
                table.refuse("business", f"texts for {tag}", allowed, tag, also=("site.locales",))
        if (self.doors.cancel or self.doors.withdraw) and not (self.doors.notify or self.business.support_email):
            table.table("doors").missing("notify", "the address where you are told of what waits for your decision")


def read_portal(table: Table) -> PortalConfig:
    """To be used only when no mistake was noted."""
    config = read(PortalConfig, table)
    if config.billing.backend != "stripe":
        return config
    mail = table.table("mail")
    written = {each.written for each in fields(MailSwitches) if each.written in mail}
    return replace(config, mail=config.mail.beside_stripe(written))
