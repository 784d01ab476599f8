"""What `doctor` and the studio's health page say: is everything there that the portal needs? Each failure comes with its
remedy.

    at_a_glance     files, settings and the store: what the first page of a brand sums up
    near            the same, and the studio's people and history
    far             other machines: Stripe, the mail server, and what browsers get; each within `finding.PATIENCE`

Nothing that matters is changed, and no mail is sent. `doctor` writes one row to the store and takes it back; a page of the
running server asks whether it might, and the worker's last round says when the store was written last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from server.billing.electronic import seller_gaps
from server.brands import Brand
from server.mail import outbox
from server.mail.smtp import MailPermanent, MailTemporary, explained, mailer_for
from server.merchant import database_findings, studio_findings
from server.merchant.fetching import Fetch, fetched
from server.merchant.finding import PATIENCE, Finding, in_time
from server.paths import Paths
from server.portal import check_backend
from server.rendering.assets import Assets
from server.settings import Settings, SettingsError
from server.store import Store, StoreUnavailable, migrations, rounds
from server.store.cleaning import may_write, write_and_take_back
from server.web import policy
from server.web.client_address import is_trusting
from server.web.studio_guard import BASE

BACKED_UP = timedelta(days=8)
"""Whose backups are noted makes one a week at least."""
SKEW = timedelta(seconds=5)
QUIET = timedelta(minutes=1)
"""A worker that runs notes a round every ten seconds; no mail waits for so long where all is well."""


async def at_a_glance(
    settings: Settings, brands: Sequence[Brand], store: Store, clock: Callable[[], datetime], *, is_running: bool
) -> list[Finding]:
    """`is_running`: whoever asks is the running server, so that a worker must be there, too."""
    return [*of_files(settings, brands), *await _store(settings, brands, store, clock, is_running=is_running)]


async def near(
    settings: Settings,
    brands: Sequence[Brand],
    store: Store,
    clock: Callable[[], datetime],
    *,
    head: str = "",
    is_running: bool,
) -> list[Finding]:
    """`head`: one of the studio's history that was kept elsewhere."""
    found = await at_a_glance(settings, brands, store, clock, is_running=is_running)
    try:
        return [*found, *await studio_findings.look(settings, store, head)]
    except StoreUnavailable:
        return found  # told already


async def far(settings: Settings, brands: Sequence[Brand], fetch: Fetch = fetched) -> list[Finding]:
    """All at once: it takes as long as the slowest."""
    looks = [in_time("mail", _mail(settings))]
    if settings.studio_origin:
        looks.append(in_time("studio", _studio(settings.studio_origin, fetch)))
    for brand in brands:
        origin = brand.config.site.url or settings.origin
        if brand.config.billing.backend == "stripe" and _backend(brand, settings) is None:
            from server.merchant import stripe_findings  # noqa: PLC0415 (the SDK is slow to import)

            looks.append(in_time(f"Stripe's key of {brand.name}", stripe_findings.key(settings, brand)))
        if brand.config.login_page.enabled and origin:
            looks.append(in_time(f"pages of {brand.name}", _page(brand, origin, fetch)))
    return await asyncio.gather(*looks)


def of_files(settings: Settings, brands: Sequence[Brand]) -> list[Finding]:
    """What needs no store."""
    looks = ((_backend(brand, settings), _link(brand, settings), _electronic(brand)) for brand in brands)
    return [_proxies(settings, brands), *(find for each in looks for find in each if find)]


def _proxies(settings: Settings, brands: Sequence[Brand]) -> Finding:
    """This server speaks plain http: where browsers use https, something in front of it ends the TLS."""
    what = "proxies"
    if is_trusting(settings):
        named = (
            settings.client_address_header or f"{settings.trusted_proxies} in front, by X-Forwarded-For or Forwarded"
        )
        return Finding(what, True, f"visitors are told apart: {named}")
    origins = [settings.origin, *(each.config.site.url for each in brands)]
    if settings.trusted_proxies is not None or not any(each.startswith("https://") for each in origins):
        return Finding(what, True, "none is trusted: each visitor is the address that connects")
    words = "none is trusted, and browsers come by https: all visitors would share the limits of one client address"
    remedy = (
        "Set PORTAL_TRUSTED_PROXIES to the number of proxies in front of this server, to 0 if there really is none."
    )
    return Finding(what, False, words, remedy)


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
    is_ours = dynamic.get("cache-control") == "no-store"
    if behind == 400 and is_ours:
        words = f"{origin + paths.overview} answers 400: the server is asked by a name that it does not know"
        remedy = "Set PORTAL_HOSTS to the name by which the CDN or proxy asks it; the log has it (unknown_host)."
        return Finding(what, False, words, remedy)
    if behind != 401 or not is_ours:
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


async def _store(
    settings: Settings, brands: Sequence[Brand], store: Store, clock: Callable[[], datetime], *, is_running: bool
) -> list[Finding]:
    kind = "SQLite" if settings.database.startswith("sqlite:") else "PostgreSQL"
    try:
        applied = [row[0] for row in await store.read(migrations.APPLIED)]
        await store.write(may_write if is_running else write_and_take_back)
        does = "can be read and takes writes" if is_running else "reads and writes"
        findings = [Finding("store", True, f"{kind} {does}; its schema is number {max(applied, default=0)}")]
        if kind == "PostgreSQL":
            findings += await database_findings.look(store, settings.database)
        findings.append(await _clock(store, clock))
        findings += [await _worker(store, clock(), is_running=is_running), await _outbox(store, clock())]
        findings.append(await _backup(store, clock()))
        for brand in brands:
            if brand.config.billing.backend == "stripe":
                from server.merchant import stripe_findings  # noqa: PLC0415 (the SDK is slow to import)

                findings += await stripe_findings.near(settings, store, brand, clock())
        return findings
    except StoreUnavailable as error:
        remedy = "Is the disk full, or the file, the user or the server read-only, as a standby is?"
        return [Finding("store", False, f"{kind} cannot be written: {error}", remedy)]


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


async def _worker(store: Store, now: datetime, *, is_running: bool) -> Finding:
    what, remedy = "worker", "`python -m server serve` starts one; with --no-worker, start python -m server work."
    done = {each.step: each for each in await rounds.find(store)}
    if "mail" not in done:
        return Finding(what, not is_running, "no worker has worked on this database yet", remedy if is_running else "")
    age = now - done["mail"].done_at
    if age > QUIET:
        return Finding(what, False, f"none has done its round for {_time(age)}", remedy)
    trouble = [f"{each.step}: {each.trouble}" for each in done.values() if each.trouble]
    if trouble:
        return Finding(what, False, f"its last round found {'; '.join(trouble)}", "The log says more.")
    return Finding(what, True, f"did its last round {_time(max(age, timedelta()))} ago")


async def _outbox(store: Store, now: datetime) -> Finding:
    count = await outbox.waiting_since(store, now - QUIET)
    waiting = (await outbox.backlog(store)).values()
    since = min((each.since for each in waiting if each.since), default=None)
    words = _mails_wait(sum(each.count for each in waiting))
    if since is not None:
        words += f", the oldest for {_time(max(now - since, timedelta()))}"
    if count:
        remedy = "Is the server running, and does the mail server answer? The log says why each failed."
        return Finding("outbox", False, f"{_mails_wait(count)} for longer than a minute; {words}", remedy)
    return Finding("outbox", True, words if since else "no mail waits")


async def _backup(store: Store, now: datetime) -> Finding:
    """Postern makes none: it knows of those that the merchant's job notes."""
    what = "backup"
    noted = next((each.done_at for each in await rounds.find(store) if each.step == rounds.BACKUP), None)
    if noted is None:
        return Finding(what, True, "none was noted; `python -m server backed-up` notes one, after your job made it")
    age = max(now - noted, timedelta())
    remedy = "Look at the job that makes it (docs/operations.md)." if age > BACKED_UP else ""
    return Finding(what, age <= BACKED_UP, f"the last one was noted {_time(age)} ago", remedy)


def _mails_wait(count: int) -> str:
    return "1 mail waits" if count == 1 else f"{count} mails wait"


def _time(length: timedelta) -> str:
    """In the largest unit of which there are two at least."""
    seconds = int(length.total_seconds())
    units = (("days", 86_400), ("hours", 3600), ("minutes", 60))
    return next((f"{seconds // size} {unit}" for unit, size in units if seconds >= 2 * size), f"{seconds} s")


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        remedy = "Set PORTAL_SMTP_URL and PORTAL_MAIL_FROM."
        return Finding("mail", False, "no mail server is set: no code ever arrives", remedy)
    try:
        # What takes longer than this is explained; the look itself would only say that it took too long.
        return Finding("mail", True, await mailer_for(settings, total=PATIENCE - 1).check())
    except (MailTemporary, MailPermanent) as error:
        return Finding("mail", False, *explained(error))
