"""`python -m server doctor`: is everything there that the server needs? Each failure comes with its remedy.

It changes nothing that matters: it writes one row to the store and takes it back, and sends no mail.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from server import settings as settings_module
from server.billing.electronic import seller_gaps
from server.brands import Brand, ThemeError, load_all
from server.mail import outbox
from server.mail.smtp import MailPermanent, MailTemporary, SmtpMailer
from server.merchant import studio_findings
from server.paths import Paths
from server.portal import check_backend, check_studio
from server.rendering.assets import Assets
from server.settings import Settings, SettingsError
from server.store import Store, StoreUnavailable, migrations, open_store
from server.store.cleaning import write_and_take_back
from server.web import policy
from server.web.client_address import is_trusting
from server.web.studio_guard import BASE

SKEW = timedelta(seconds=5)
Fetch = Callable[[str], Awaitable[tuple[int, dict[str, str]]]]
"""Status and headers, by their names in lower case, of a URL. Raises `OSError`."""


class Finding(msgspec.Struct, frozen=True):
    what: str
    is_fine: bool
    words: str
    remedy: str = ""
    """What to do about it."""


async def fetched(url: str) -> tuple[int, dict[str, str]]:
    """As `Fetch`, by the network."""

    def ask() -> tuple[int, dict[str, str]]:
        asked = urllib.request.Request(url, headers={"User-Agent": "Postern doctor"})  # noqa: S310 (an origin of ours)
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {name.lower(): value for name, value in error.headers.items()}

    return await asyncio.to_thread(ask)


async def examine(
    environment: Mapping[str, str], clock: Callable[[], datetime], fetch: Fetch = fetched, head: str = ""
) -> list[Finding]:
    """Everything, in the order in which things depend on each other. `head`: one of the studio's history that was kept
    elsewhere."""
    try:
        settings = settings_module.from_environment(environment)
    except SettingsError as error:
        return [Finding("settings", False, str(error), "Set it in the environment; server/settings.py lists them all.")]
    findings = [Finding("settings", True, "every PORTAL_… variable is known and has an allowed value")]
    findings.append(_proxies(settings, environment))
    try:
        brands = load_all(settings.themes)
        findings += _brands(settings, brands)
        check_studio(brands, settings)
    except ThemeError as error:
        brands, remedy = (), "Fix the files named; PORTAL_THEMES names their folder."
        findings.append(Finding("brands", False, str(error), remedy))
    except SettingsError as error:
        findings.append(Finding("host of the studio", False, str(error), "The server does not start before."))
    findings += await _store(settings, clock, head)
    findings += await _stripe(settings, brands, clock)
    findings.append(await _mail(settings))
    if settings.studio_origin:
        findings.append(await _studio(settings.studio_origin, fetch))
    return findings + await _published(settings, brands, fetch)


def _proxies(settings: Settings, environment: Mapping[str, str]) -> Finding:
    """This server speaks plain http: where browsers use https, something in front of it ends the TLS."""
    what = "proxies"
    if is_trusting(settings):
        named = (
            settings.client_address_header or f"{settings.trusted_proxies} in front, by X-Forwarded-For or Forwarded"
        )
        return Finding(what, True, f"visitors are told apart: {named}")
    if "PORTAL_TRUSTED_PROXIES" in environment or not settings.origin.startswith("https://"):
        return Finding(what, True, "none is trusted: each visitor is the address that connects")
    words = "none is trusted, and browsers come by https: all visitors would share the limits of one client address"
    remedy = (
        "Set PORTAL_TRUSTED_PROXIES to the number of proxies in front of this server, to 0 if there really is none."
    )
    return Finding(what, False, words, remedy)


def _brands(settings: Settings, brands: Sequence[Brand]) -> list[Finding]:
    findings = [Finding("brands", True, f"{len(brands)}: {', '.join(brand.name for brand in brands)}")]
    looks = ((_backend(brand, settings), _link(brand, settings), _electronic(brand)) for brand in brands)
    return findings + [find for each in looks for find in each if find]


def _backend(brand: Brand, settings: Settings) -> Finding | None:
    try:
        check_backend(brand, settings)
    except SettingsError as error:
        remedy = "Set the key, or the link that fits it; the server does not start before."
        return Finding(f"billing of {brand.name}", False, str(error), remedy)
    return None


def _link(brand: Brand, settings: Settings) -> Finding:
    what, page = f"link of {brand.name}", brand.config.login_page
    if not brand.config.site.url and not settings.origin:
        remedy = "Set PORTAL_ORIGIN, or [site] url in the brand's portal.toml."
        return Finding(what, False, "nothing says where browsers reach the brand", remedy)
    if not page.enabled:
        remedy = f"Run: python -m server link activate {brand.name}"
        return Finding(what, False, "not active: nobody can log in", remedy)
    kind = "test data" if page.link.startswith("test_") else "live data"
    return Finding(what, True, f"active, for {kind}")


def _electronic(brand: Brand) -> Finding:
    """No mistake where it is missing: nobody must issue them everywhere."""
    keys = {
        "seller_vat_id": "tax_id (a VAT number that begins with the country of the address)",
        "seller_address": "address (line1, city and country)",
    }
    what, missing = f"electronic invoices of {brand.name}", [keys[each] for each in seller_gaps(brand.config.business)]
    if missing:
        return Finding(what, True, f"none: [business] in portal.toml does not say {' and '.join(missing)}")
    return Finding(what, True, "Factur-X inside the PDF, where the customer's data suffices")


async def _published(settings: Settings, brands: Sequence[Brand], fetch: Fetch) -> list[Finding]:
    """Of each brand, what browsers get: the log-in page as it would be built now, and the server's answers behind it."""
    looks = [each for each in brands if each.config.login_page.enabled and (each.config.site.url or settings.origin)]
    return [await _page(brand, brand.config.site.url or settings.origin, fetch) for brand in looks]


async def _page(brand: Brand, origin: str, fetch: Fetch) -> Finding:
    what, paths = f"pages of {brand.name}", Paths(brand.base)
    url = origin + paths.login_page(brand.config.login_page.link)
    publish = f"Run: python3 build.py build {brand.name}, and publish the pages (docs/hosting.md)."
    try:
        status, headers = await fetch(url)
        behind, dynamic = await fetch(origin + paths.overview)
    except OSError as error:
        remedy = "Publish the pages, and look at the name's DNS entry, the certificate and what listens there."
        return Finding(what, False, f"{url} does not answer: {error}", remedy)
    if status != 200:
        return Finding(what, False, f"{url} answers {status}: the log-in page of this link is not there", publish)
    wanted = policy.static(Assets.of(brand), secure=origin.startswith("https://"))
    wanted["Cache-Control"] = policy.cache_control(paths.login_page(""))
    wrong = [name for name, value in wanted.items() if headers.get(name.lower()) != value]
    if wrong:
        words = f"{url} is of another build, or its host does not send the headers of _headers: {', '.join(wrong)}"
        return Finding(what, False, words, publish)
    if behind != 401 or dynamic.get("cache-control") != "no-store":
        remedy = "The host must pass the paths of _redirects on to the server (docs/hosting.md)."
        return Finding(what, False, f"{origin + paths.overview} answers {behind}, and not this server", remedy)
    return Finding(what, True, "published, of this build, with every header; the server answers behind them")


async def _studio(origin: str, fetch: Fetch) -> Finding:
    url, remedy = f"{origin}{BASE}login", "Its host name must lead to this server, `Host` as the browser sent it."
    try:
        status, headers = await fetch(url)
    except OSError as error:
        return Finding("studio", False, f"{url} does not answer: {error}", remedy)
    if status != 200 or headers.get("cache-control") != "no-store":
        return Finding("studio", False, f"{url} answers {status}, and not this server", remedy)
    return Finding("studio", True, f"answers at {url}")


async def _stripe(settings: Settings, brands: Sequence[Brand], clock: Callable[[], datetime]) -> list[Finding]:
    """Of the brands that Stripe bills, where all that comes before is in order."""
    billed = [each for each in brands if each.config.billing.backend == "stripe"]
    if not billed:
        return []
    try:
        for brand in billed:
            check_backend(brand, settings)
        store = open_store(settings.database)
    except (SettingsError, StoreUnavailable):
        return []  # told already
    from server.merchant import stripe_findings  # noqa: PLC0415 (the SDK is slow to import)

    try:
        found = [each for brand in billed for each in await stripe_findings.look(settings, store, brand, clock())]
        return [Finding(*each) for each in found]
    finally:
        await store.close()


async def _store(settings: Settings, clock: Callable[[], datetime], head: str) -> list[Finding]:
    kind = "SQLite" if settings.database.startswith("sqlite:") else "PostgreSQL"
    try:
        store = open_store(settings.database)
    except StoreUnavailable as error:
        return [Finding("store", False, f"{kind} cannot be opened: {error}", "Look at PORTAL_DATABASE.")]
    try:
        applied = [row[0] for row in await store.read(migrations.APPLIED)]
        await store.write(write_and_take_back)
        findings = [Finding("store", True, f"{kind} reads and writes; its schema is number {max(applied, default=0)}")]
        findings += [await _clock(store, clock), await _outbox(store, clock())]
        looked = await studio_findings.look(settings, store, head)
        return [*findings, *(Finding(*each) for each in looked)]
    except StoreUnavailable as error:
        remedy = "Is the disk full, or the file or the user read-only?"
        return [Finding("store", False, f"{kind} cannot be written: {error}", remedy)]
    finally:
        await store.close()


async def _clock(store: Store, clock: Callable[[], datetime]) -> Finding:
    """This machine's clock against the database's, which on SQLite is the same one."""
    text = str((await store.read("SELECT CAST(CURRENT_TIMESTAMP AS TEXT)"))[0][0])
    there = datetime.fromisoformat(text)
    here = clock()
    there = there.replace(tzinfo=here.tzinfo) if there.tzinfo is None else there
    skew = abs(here - there)
    if skew > SKEW:
        words = f"this machine and the database are {skew.total_seconds():.0f} s apart"
        return Finding("clock", False, words, "Let both keep the time by NTP: codes and sessions would lapse wrongly.")
    return Finding("clock", True, "this machine and the database agree")


async def _outbox(store: Store, now: datetime) -> Finding:
    count = await outbox.waiting_since(store, now - timedelta(minutes=1))
    if count:
        remedy = "Is the server running, and does the mail server answer? The log says why each failed."
        return Finding("outbox", False, f"{count} mails wait for longer than a minute", remedy)
    return Finding("outbox", True, "no mail waits for long")


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        remedy = "Set PORTAL_SMTP_URL and PORTAL_MAIL_FROM."
        return Finding("mail", False, "no mail server is set: no code ever arrives", remedy)
    try:
        return Finding("mail", True, await SmtpMailer(settings.smtp_url).check())
    except (MailTemporary, MailPermanent) as error:
        remedy = "Look at PORTAL_SMTP_URL: host, port, smtp or smtps, user and password (percent-encoded)."
        return Finding("mail", False, str(error), remedy)
