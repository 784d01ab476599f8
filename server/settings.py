"""The settings of one server, read from the environment once, at the start.

| variable | meaning | default |
|---|---|---|
| `PORTAL_SECRETS` | secrets of at least 32 characters, separated by commas; the first is used, the others are still accepted: put a new one in front, drop the old one an hour later, or after two months if the links "Stop these reminders" of mails that were sent shall go on working | required |
| `PORTAL_ORIGIN` | where browsers reach the brands that have no domain of their own, such as `https://portal.example` | required where such a brand exists |
| `PORTAL_HOSTS` | further names by which a CDN or a proxy asks this server, such as `server.example, 10.0.0.5:8000`, separated by commas | none: only the hosts of the brands' origins |
| `PORTAL_DATABASE` | `sqlite:<path>` or `postgresql://…`, also with several hosts, `db1,db2`: see `docs/operations.md` | `sqlite:portal.sqlite` |
| `PORTAL_SMTP_URL` | `smtps://user:password@host:465` or `smtp://host:587` (with STARTTLS, except on loopback) | none: no mail leaves, and `doctor` says so |
| `PORTAL_MAIL_FROM` | the address that mail comes from; the mail server signs (DKIM) for its domain, `List-Unsubscribe` and `List-Unsubscribe-Post` included | required with `PORTAL_SMTP_URL` |
| `PORTAL_THEMES` | the folder of the brands | `themes` |
| `PORTAL_RELEASES` | the folder in which each host keeps what was published in the studio; the database has it too | `releases` beside the SQLite file; with PostgreSQL in the folder that the server runs in |
| `PORTAL_TRUSTED_PROXIES` | how many proxies in front of the server add to `X-Forwarded-For` or `Forwarded` | `0` |
| `PORTAL_CLIENT_ADDRESS_HEADER` | a header that the CDN sets to the client's address; believed only from `PORTAL_PROXY_PEERS` | none |
| `PORTAL_PROXY_PEERS` | addresses or networks of those peers, separated by commas | none |
| `PORTAL_CODE_MINUTES` | how long a passcode lives, 3 to 10 | `10` |
| `PORTAL_SESSION_IDLE_MINUTES` | a session ends after so long without a request, 5 to 240 | `60` |
| `PORTAL_SESSION_HOURS` | and after so long whatever happens, 1 to 24 | `8` |
| `PORTAL_OPERATIONS` | where `/metrics`, `/healthz` and `/readyz` are answered, and nothing else is: host and port; never a public address | `127.0.0.1:9464` |
| `PORTAL_LOG_LEVEL` | `debug`, `info`, `warning` or `error` | `info` |
| `PORTAL_STUDIO_ORIGIN` | where browsers reach the studio, such as `https://studio.example`: a host that no brand has; passkeys need a name there, not an address | none: there is no studio |
| `PORTAL_STRIPE_KEY_<BRAND>` | the restricted key of the Stripe account that bills this brand; the brand's name in capitals, `-` as `_` | the one that was given in the studio; one is required where `backend = "stripe"` |
| `PORTAL_STRIPE_WEBHOOK_SECRET_<BRAND>` | the secret, `whsec_…`, with which Stripe signs what it sends to `/<brand>/webhooks/stripe` | the one that was given in the studio; without one no webhook is taken, and events are looked for |
| `PORTAL_STUDIO_PRIVATE_TARGETS` | `yes`: the studio may copy pages into a bucket at an address that is not public, also by `http://` | `no` |
| `PORTAL_STRIPE_RATE` | how many requests a second each Stripe account gets from this portal, 1 to 100; the merchant's own back end needs some of what Stripe allows | 10 with a live key, 5 in a sandbox |
| `PORTAL_STRIPE_API_BASE` | another address than Stripe's, on loopback, where a stand-in answers | none |

Any other `PORTAL_…` is refused: a misspelt setting must not be silently without effect.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_BRAND_VARIABLES = re.compile(r"PORTAL_STRIPE_(KEY|WEBHOOK_SECRET)_([A-Z0-9_]+)")
_STRIPE_SHAPES = {
    "KEY": (
        r"[rs]k_(test|live)_[A-Za-z0-9_]{1,250}",
        "a key that begins with rk_test_, rk_live_, sk_test_ or sk_live_",
    ),
    "WEBHOOK_SECRET": (r"whsec_[A-Za-z0-9+/=_-]{8,250}", "a signing secret that begins with whsec_"),
}
_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it, what was found and what is allowed."""


class StripeSecrets(msgspec.Struct, frozen=True):
    """What a brand that Stripe bills has; empty: not set."""

    key: str = ""
    webhook_secret: str = ""

    @property
    def is_live(self) -> bool:
        return "_live_" in self.key

    def __repr__(self) -> str:
        return "StripeSecrets(…)"


class Settings(msgspec.Struct, frozen=True):
    secrets: tuple[bytes, ...]
    origin: str = ""
    hosts: tuple[str, ...] = ()
    """As `Host` names them, in lower case."""
    database: str = "sqlite:portal.sqlite"
    smtp_url: str = ""
    mail_from: str = ""
    themes: Path = Path("themes")
    releases: Path = Path("releases")
    trusted_proxies: int | None = None
    """None: nobody said how many, so none is trusted."""
    client_address_header: str = ""
    # Networks. Not typed as such: msgspec, by which Litestar looks at `Portal`, takes no union of two foreign types.
    proxy_peers: tuple[Any, ...] = ()
    code_minutes: int = 10
    session_idle_minutes: int = 60
    session_hours: int = 8
    operations: tuple[str, int] = ("127.0.0.1", 9464)
    log_level: str = "info"
    stripe_api_base: str = ""
    stripe_rate: int = 0
    """0: the usual one of the key's mode."""
    studio_origin: str = ""
    """Empty: there is no studio."""
    studio_private_targets: bool = False
    stripe: dict[str, StripeSecrets] = {}
    """By the end of the variables' names, such as `HARBOUR`."""
    kept: dict[str, StripeSecrets] = {}
    """The same, of what was given in the studio: `access.kept_secrets` reads it from the store."""

    def stripe_of(self, brand: str) -> StripeSecrets:
        """What the environment has, and where it has none, what is kept."""
        own, kept = (each.get(stripe_suffix(brand), StripeSecrets()) for each in (self.stripe, self.kept))
        return StripeSecrets(own.key or kept.key, own.webhook_secret or kept.webhook_secret)

    def __repr__(self) -> str:
        """Without the secrets: settings end up in logs."""
        return f"Settings(origin={self.origin!r}, themes={str(self.themes)!r}, log_level={self.log_level!r}, …)"


def stripe_suffix(brand: str) -> str:
    """The end of the names of a brand's variables. Brands have no `_` in their names: no two share one."""
    return brand.upper().replace("-", "_")


def from_environment(environment: Mapping[str, str], *, secrets_needed: bool = True) -> Settings:
    """Raises `SettingsError` for the first thing that is wrong. A command that seals and checks nothing needs no secrets."""
    found = {key: value.strip() for key, value in environment.items() if key.startswith("PORTAL_")}
    values = {key.removeprefix("PORTAL_").lower(): value for key, value in found.items()}
    for key in found:
        if _BRAND_VARIABLES.fullmatch(key):
            values.pop(key.removeprefix("PORTAL_").lower(), None)
        elif key.removeprefix("PORTAL_").lower() not in _NAMES:
            names = (*_NAMES, "stripe_key_<brand>", "stripe_webhook_secret_<brand>")
            known = ", ".join(f"PORTAL_{each.upper()}" for each in names)
            raise SettingsError(f"{key}: not a setting of Postern. It knows {known}")
    smtp_url, mail_from = values.get("smtp_url", ""), values.get("mail_from", "")
    if smtp_url:
        _check_url("PORTAL_SMTP_URL", smtp_url, ("smtp", "smtps"))
        if not mail_from:
            raise SettingsError(
                "PORTAL_MAIL_FROM: missing, and PORTAL_SMTP_URL needs it. Set the address mail comes from"
            )
    if mail_from and not re.fullmatch(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]+", mail_from):
        raise SettingsError(f"PORTAL_MAIL_FROM: {mail_from!r} is not an address such as billing@portal.example")
    header, peers = _proxy(values)
    database = _database(values.get("database", "sqlite:portal.sqlite"))
    return Settings(
        secrets=_secrets(values.get("secrets", "")) if values.get("secrets") or secrets_needed else (),
        origin=_origin("PORTAL_ORIGIN", values.get("origin", "")),
        hosts=_hosts(values.get("hosts", "")),
        database=database,
        smtp_url=smtp_url,
        mail_from=mail_from,
        themes=Path(values.get("themes") or "themes"),
        releases=Path(values.get("releases") or _beside(database)),
        trusted_proxies=_whole(values, "trusted_proxies", 0, 0, 10) if "trusted_proxies" in values else None,
        client_address_header=header.lower(),
        proxy_peers=_networks(peers),
        code_minutes=_whole(values, "code_minutes", 10, 3, 10),
        session_idle_minutes=_whole(values, "session_idle_minutes", 60, 5, 240),
        session_hours=_whole(values, "session_hours", 8, 1, 24),
        operations=host_and_port("PORTAL_OPERATIONS", values.get("operations", "127.0.0.1:9464")),
        log_level=_one_of("PORTAL_LOG_LEVEL", values.get("log_level", "info"), _LEVELS),
        stripe_api_base=_api_base(values.get("stripe_api_base", "")),
        stripe_rate=_whole(values, "stripe_rate", 0, 1, 100) if "stripe_rate" in values else 0,
        studio_origin=_origin("PORTAL_STUDIO_ORIGIN", values.get("studio_origin", "")),
        studio_private_targets=_is_yes("PORTAL_STUDIO_PRIVATE_TARGETS", values.get("studio_private_targets", "no")),
        stripe=_stripe(found),
    )


_NAMES = tuple(each for each in Settings.__struct_fields__ if each not in ("stripe", "kept"))


def _beside(database: str) -> Path:
    file = database.removeprefix("sqlite:") if database.startswith("sqlite:") else ""
    return Path(file).parent / "releases"


def _proxy(values: Mapping[str, str]) -> tuple[str, str]:
    header, peers = values.get("client_address_header", ""), values.get("proxy_peers", "")
    if header and not (re.fullmatch(r"[A-Za-z0-9-]{1,60}", header) and peers):
        raise SettingsError(
            f"PORTAL_CLIENT_ADDRESS_HEADER: {header!r} must be the name of a header, such as CF-Connecting-IP, "
            "and PORTAL_PROXY_PEERS must say from whom it is believed"
        )
    return header, peers


def _stripe(found: Mapping[str, str]) -> dict[str, StripeSecrets]:
    """Each brand's, by the end of its name. Set but empty is refused too: an empty secret signs anything."""
    kept: dict[str, dict[str, str]] = {}
    for name, value in found.items():
        if named := _BRAND_VARIABLES.fullmatch(name):
            pattern, words = _STRIPE_SHAPES[named[1]]
            if not re.fullmatch(pattern, value):
                raise SettingsError(f"{name}: what is set is not {words}")
            kept.setdefault(named[2], {})[named[1].lower()] = value
    return {suffix: StripeSecrets(**each) for suffix, each in kept.items()}


def _api_base(value: str) -> str:
    if not value:
        return ""
    parts = _check_url("PORTAL_STRIPE_API_BASE", value, ("https", "http"))
    if not is_loopback(parts.hostname or ""):
        raise SettingsError(
            f"PORTAL_STRIPE_API_BASE: {value} is not on 127.0.0.1, ::1 or localhost; leave it out to speak to Stripe"
        )
    return value.rstrip("/")


def _secrets(value: str) -> tuple[bytes, ...]:
    secrets = tuple(each.strip().encode() for each in value.split(",") if each.strip())
    if not secrets:
        raise SettingsError(
            "PORTAL_SECRETS: missing. Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    for position, secret in enumerate(secrets, 1):
        if len(secret) < 32 or len(set(secret)) < 10:
            raise SettingsError(
                f"PORTAL_SECRETS: number {position} is too short or too simple; 32 random characters or more"
            )
    return secrets


def _origin(name: str, value: str) -> str:
    if not value:
        return ""
    parts = _check_url(name, value, ("https", "http"))
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise SettingsError(
            f"{name}: {value} has more than an origin: a scheme, a host and, if need be, a port, without a path"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{name}: {value} is plain http; that is allowed on 127.0.0.1, ::1 and localhost only")
    # As browsers write it in `Origin`: in lower case, and without the scheme's own port.
    return f"{parts.scheme}://{parts.netloc.lower()}".removesuffix(":443" if parts.scheme == "https" else ":80")


def _hosts(value: str) -> tuple[str, ...]:
    found = tuple(each.strip().lower() for each in value.split(",") if each.strip())
    for each in found:
        if not re.fullmatch(r"([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", each):
            raise SettingsError(f"PORTAL_HOSTS: {each!r} is not a host, such as server.example or 10.0.0.5:8000")
    return found


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database(value: str) -> str:
    if not re.match(r"sqlite:.|postgres(ql)?://.", value):
        raise SettingsError(
            f"PORTAL_DATABASE: {value.split(':', maxsplit=1)[0]}:… is not known; use sqlite:<path> or postgresql://…"
        )
    return value


def _check_url(name: str, value: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (reading it checks it)
    except ValueError as error:
        raise SettingsError(f"{name}: not a URL ({error})") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise SettingsError(f"{name}: must begin with {' or '.join(f'{each}://' for each in schemes)} and name a host")
    return parts


def _whole(values: Mapping[str, str], key: str, default: int, low: int, high: int) -> int:
    text = values.get(key, str(default))
    if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise SettingsError(f"PORTAL_{key.upper()}: {text!r} is not a whole number from {low} to {high}")
    return int(text)


def host_and_port(name: str, value: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", value)
    if not found or not 0 < int(found[3]) < 65536:
        raise SettingsError(f"{name}: {value!r} is not a host and a port, such as 127.0.0.1:9464 or [::1]:9464")
    return found[1] or found[2], int(found[3])


def _is_yes(name: str, value: str) -> bool:
    return _one_of(name, value, ("yes", "no")) == "yes"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingsError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
    return value


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in value.split(",") if each.strip())
    except ValueError as error:
        raise SettingsError(f"PORTAL_PROXY_PEERS: {error}; write addresses or networks such as 10.0.0.0/8") from None
