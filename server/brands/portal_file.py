"""`portal.toml`: what a brand offers its customers. The merchant's file.

The names and values under `[features]` are those of Stripe's `billing_portal.configuration`. Secrets never stand here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec.structs import replace

from server.brands.features import Features, read_features
from server.brands.locales import by_locale, language_of, read_locales
from server.brands.mail_switches import MailSwitches, read_mail
from server.brands.reading.mistakes import nearest
from server.brands.reading.tables import Table
from server.formats import postal
from server.settings import is_loopback

BACKENDS = ("ledger", "stripe")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
LINK = r"(test_)?[A-Za-z0-9_-]{22,80}"


class Seat(msgspec.Struct, frozen=True):
    """Where the business is, for its invoices. The fields are those of a customer's address."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    """ISO 3166 code of two letters, upper case."""


class Business(msgspec.Struct, frozen=True):
    """Empty texts were not given: what needs them is not shown."""

    name: str
    headline: str = ""
    privacy_policy_url: str = ""
    terms_of_service_url: str = ""
    default_return_url: str = ""
    support_email: str = ""
    support_phone: str = ""
    support_url: str = ""
    legal_name: str = ""
    """Who issues the invoices, where that is not `name`."""
    tax_id: str = ""
    """As its invoices show it, such as a VAT number."""
    address: Seat = Seat()
    own_texts: dict[str, dict[str, str]] = {}
    """The headline and the links for other languages than the first, by the tag of the language."""


class Site(msgspec.Struct, frozen=True):
    url: str = ""
    """An origin such as `https://billing.harbour.example`; empty: served under `/<brand>/`."""
    locales: tuple[str, ...] = ("en",)
    """Those that the portal is offered in; the first is the default."""
    timezone: str = "UTC"
    """In which dates are told."""


class LoginPage(msgspec.Struct, frozen=True):
    enabled: bool = False
    link: str = ""
    """The token of the log-in page's URL; a test ledger's begins with `test_`."""
    account_choice: bool = False
    """Whoever proved an address that several customers have may open each of them; False: only the one that the rule names."""


class BillingChoice(msgspec.Struct, frozen=True):
    backend: str = "ledger"


class PortalConfig(msgspec.Struct, frozen=True):
    business: Business
    site: Site
    login_page: LoginPage
    billing: BillingChoice
    features: Features
    mail: MailSwitches = MailSwitches()


def read_portal(table: Table) -> PortalConfig:
    """To be used only when no mistake was noted."""
    site = _site(table.table("site"))
    portal = PortalConfig(
        business=_business(table.table("business"), site.locales),
        site=site,
        login_page=_login_page(table.table("login_page")),
        billing=_billing(table.table("billing")),
        features=read_features(table.table("features")),
        mail=read_mail(table.table("mail")),
    )
    table.close()
    return portal


def _business(table: Table, locales: tuple[str, ...]) -> Business:
    read = Business(
        name=table.text("name", limit=100, required=True),
        **_texts(table),
        support_email=table.checked("support_email", _email),
        support_phone=table.pattern(
            "support_phone", r"\+?[0-9][0-9 ()./-]{2,30}", "a phone number such as +1 555 0100"
        ),
        legal_name=table.text("legal_name", limit=100),
        tax_id=table.text("tax_id", limit=40),
        address=_seat(table.table("address")),
    )
    business = replace(read, own_texts=dict(_translated(table, locales)))
    table.close()
    return business


def _texts(table: Table) -> dict[str, Any]:
    """What a business may say otherwise in another language."""
    links = ("privacy_policy_url", "terms_of_service_url", "default_return_url", "support_url")
    return {"headline": table.text("headline", limit=120), **{key: table.checked(key, _url) for key in links}}


def _translated(table: Table, locales: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    spoken = {*locales, *map(language_of, locales)}
    for tag, below in by_locale(table):
        if tag not in spoken:
            table.refuse(tag, f"texts for {tag}", f"one of the languages in site.locales: {', '.join(locales)}")
        yield tag, {key: text for key, text in _texts(below).items() if key in below}
        below.close()


def _seat(table: Table) -> Seat:
    seat = Seat(
        **{key: table.text(key, limit=100) for key in ("line1", "line2", "city", "state", "postal_code")},
        country=table.pattern("country", "|".join(postal.codes()), "a country's two letters, such as DE"),
    )
    table.close()
    return seat


def _site(table: Table) -> Site:
    site = Site(
        url=table.checked("url", _origin),
        locales=read_locales(table),
        timezone=table.checked("timezone", _timezone, "UTC"),
    )
    table.close()
    return site


def _login_page(table: Table) -> LoginPage:
    allowed = "at least 22 letters, digits, - or _, with test_ in front for a test ledger; `link activate` writes it"
    page = LoginPage(
        enabled=table.flag("enabled", default=False),
        link=table.pattern("link", LINK, allowed),
        account_choice=table.flag("account_choice", default=False),
    )
    table.close()
    if page.enabled and "link" not in table:
        table.missing("link", allowed)
    return page


def _billing(table: Table) -> BillingChoice:
    choice = BillingChoice(backend=table.word("backend", BACKENDS, "ledger"))
    table.close()
    return choice


def _url(value: str) -> str:
    parts = _split(value)
    if parts is None or parts[0] not in ("https", "http"):
        raise ValueError("a whole URL such as https://harbour.example/privacy")
    return value


def _split(value: str) -> tuple[str, str] | None:
    """Scheme and host in lower case; None for what is no plain URL."""
    if not re.fullmatch(r"[\x21-\x7e]+", value) or re.search(r"[\\\"'<>`{}|^]", value):
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (a port out of range is told here)
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
