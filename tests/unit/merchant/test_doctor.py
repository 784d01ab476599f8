"""`doctor` finds what is missing and says how to fix it."""

import re
import shutil
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from server import brands
from server.app import create_app
from server.merchant import doctor, fetching, link, serve
from server.portal import check_backend
from server.rendering.assets import Assets
from server.settings import SettingsError, from_environment
from server.store import micros, open_store, rounds
from server.web import policy

pytestmark = pytest.mark.anyio
THEMES = Path(__file__).resolve().parents[3] / "themes"


def clock():
    return datetime.now(UTC)


@pytest.fixture
def environment(tmp_path):
    shutil.copytree(THEMES, tmp_path / "themes")
    return {
        "PORTAL_SECRETS": "0123456789abcdef0123456789ABCDEF",
        "PORTAL_ORIGIN": "https://portal.example",
        "PORTAL_DATABASE": f"sqlite:{tmp_path / 'portal.sqlite'}",
        "PORTAL_THEMES": str(tmp_path / "themes"),
        "PORTAL_TRUSTED_PROXIES": "1",
        "PATH": "/bin",
    }


@pytest.fixture
def peer():
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("X-Of", self.path)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def published(**differs):
    """What a browser gets of pages that are as they should be, but for what is named: by the end of the URL."""

    async def fetch(url):
        if url.endswith("/my/overview"):
            return differs.get("overview", (401, {"cache-control": "no-store"}))
        if "/_studio/" in url:
            return differs.get("studio", (200, {"cache-control": "no-store"}))
        brand = brands.load(THEMES / url.split("/")[3])
        headers = {**policy.static(Assets.of(brand), secure=url.startswith("https://")), "Cache-Control": "no-cache"}
        kept = {name.lower(): value for name, value in headers.items() if name not in differs.get("without", ())}
        return differs.get("status", 200), kept

    return fetch


async def away(url):
    raise ConnectionRefusedError("refused")


async def found(environment, at=clock, fetch=None):
    return {each.what: each for each in await doctor.examine(environment, at, fetch or published())}


async def test_the_published_pages_are_looked_at(environment):
    assert (await found(environment))["pages of harbour"].is_fine
    for differs, words in (
        ({"status": 404}, "the log-in page of this link is not there"),
        ({"without": ("X-Frame-Options",)}, "does not send the headers of _headers: X-Frame-Options"),
        ({"overview": (404, {})}, "answers 404, and not this server"),
        ({"overview": (401, {})}, "not this server"),
        ({"overview": (400, {})}, "answers 400, and not this server"),
        ({"overview": (400, {"cache-control": "no-store"})}, "asked by a name that it does not know"),
    ):
        finding = (await found(environment, fetch=published(**differs)))["pages of harbour"]
        assert (finding.is_fine, words in finding.words) == (False, True), finding
    assert "does not answer: refused" in (await found(environment, fetch=away))["pages of orbit"].words


async def test_they_are_fetched_as_a_browser_would(peer):
    status, headers = await fetching.fetched(f"http://127.0.0.1:{peer}/here")
    assert (status, headers["x-of"]) == (200, "/here")
    assert (await fetching.fetched(f"http://127.0.0.1:{peer}/missing"))[0] == 404


async def test_why_a_page_does_not_answer_is_said_in_words():
    with pytest.raises(OSError, match=r"^Connection refused$"):
        await fetching.fetched("http://127.0.0.1:1/")


async def test_what_is_in_order_is_said_so(environment):
    findings = await found(environment)
    assert [what for what, each in findings.items() if not each.is_fine] == ["mail"]
    assert findings["brands"].words == "3: harbour, orbit, plain"


def at_its_own_domain(environment):
    portal = Path(environment["PORTAL_THEMES"], "harbour", "portal.toml")
    portal.write_text(portal.read_text().replace("[site]", '[site]\nurl = "https://billing.harbour.example"', 1))


async def test_it_asks_how_many_proxies_stand_in_front(environment):
    asked = {key: value for key, value in environment.items() if key != "PORTAL_TRUSTED_PROXIES"}
    finding = (await found(asked))["proxies"]
    assert not finding.is_fine
    assert "PORTAL_TRUSTED_PROXIES" in finding.remedy
    cdn = {"PORTAL_CLIENT_ADDRESS_HEADER": "CF-Connecting-IP", "PORTAL_PROXY_PEERS": "10.0.0.0/8"}
    for answer in ({"PORTAL_TRUSTED_PROXIES": "0"}, {"PORTAL_ORIGIN": "http://127.0.0.1:8000"}, cdn):
        assert (await found(asked | answer))["proxies"].is_fine
    at_its_own_domain(environment)
    own = await found(asked | {"PORTAL_ORIGIN": "http://127.0.0.1:8000"}, fetch=away)
    assert not own["proxies"].is_fine


async def test_every_failure_has_its_remedy(environment):
    findings = await found({**environment, "PORTAL_TRUSTED_PROXIES": "0"})
    assert all(each.remedy for each in findings.values() if not each.is_fine)


async def test_wrong_settings_are_the_only_finding(environment):
    findings = await found(environment | {"PORTAL_ORIGN": "x"})
    assert list(findings) == ["settings"]
    assert "PORTAL_ORIGN" in findings["settings"].words


async def test_a_key_of_no_brand_is_told(environment):
    asked = {"PORTAL_STRIPE_WEBHOOK_SECRET_HARBUR": "whsec_0123456789", "PORTAL_STRIPE_KEY_ORBIT": "rk_test_1"}
    finding = (await found(environment | asked))["settings of Stripe"]
    assert (finding.is_fine, finding.words) == (False, "no brand has the key or the webhook's secret of HARBUR")
    assert "settings of Stripe" not in await found(environment)


async def test_a_broken_theme_is_named(environment):
    file = Path(environment["PORTAL_THEMES"]) / "harbour" / "portal.toml"
    file.write_text("[business]\nnam = 1\n")
    assert f"{file}:2" in (await found(environment))["brands"].words


async def test_an_inactive_link_is_named_with_the_command(environment):
    link.deactivate(Path(environment["PORTAL_THEMES"]) / "harbour")
    assert "link activate harbour" in (await found(environment))["link of harbour"].remedy


async def test_a_store_that_cannot_be_opened_is_named(environment):
    findings = await found(environment | {"PORTAL_DATABASE": "sqlite:/nonexistent/folder/x"})
    assert not findings["store"].is_fine


async def test_a_store_that_is_no_database_is_named(environment, tmp_path):
    (tmp_path / "portal.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 50)
    assert not (await found(environment))["store"].is_fine


async def test_it_leaves_the_store_as_it_was(environment, tmp_path):
    open_database = open_store(environment["PORTAL_DATABASE"])
    await open_database.close()
    before = dump(tmp_path / "portal.sqlite")
    await found(environment)
    assert dump(tmp_path / "portal.sqlite") == before


def dump(file):
    connection = sqlite3.connect(file)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


async def test_a_clock_that_is_off_is_told(environment):
    findings = await found(environment, lambda: clock() + timedelta(minutes=2))
    assert not findings["clock"].is_fine
    assert "s apart" in findings["clock"].words


async def test_mails_that_wait_for_long_are_told(environment):
    store = open_store(environment["PORTAL_DATABASE"])
    at = micros(clock() - timedelta(minutes=5))
    row = {"id": "1", "brand": "plain", "kind": "passcode", "address": "a", "state": "waiting"}
    row |= {"created_at": at, "not_before": at, "expires_at": at}
    sql = f"INSERT INTO outbox ({', '.join(row)}) VALUES ({', '.join(':' + key for key in row)})"
    await store.write(lambda transaction: transaction.run(sql, row))
    await store.close()
    assert "1 mail waits" in (await found(environment))["outbox"].words


async def test_how_old_the_last_noted_backup_is_is_told(environment):
    assert (await found(environment))["backup"].words.startswith("none was noted")
    store = open_store(environment["PORTAL_DATABASE"])
    await rounds.note(store, rounds.BACKUP, clock() - timedelta(hours=5))
    await store.close()
    fresh, old = [
        (await found(environment, lambda days=days: clock() + timedelta(days=days)))["backup"] for days in (0, 9)
    ]
    assert (fresh.is_fine, fresh.words) == (True, "the last one was noted 5 hours ago")
    assert (old.is_fine, old.words) == (False, "the last one was noted 9 days ago")


async def test_a_studio_that_nobody_may_use_or_that_is_elsewhere_is_told(environment):
    assert not [each for each in await found(environment) if "studio" in each]
    environment["PORTAL_STUDIO_ORIGIN"] = "https://studio.example"
    findings = await found(environment)
    assert "operators add" in findings["people of the studio"].remedy
    assert findings["studio"].is_fine
    elsewhere = await found(environment, fetch=published(studio=(200, {})))
    assert "not this server" in elsewhere["studio"].words
    environment["PORTAL_STUDIO_ORIGIN"] = "https://portal.example"
    assert "is also PORTAL_ORIGIN" in (await found(environment))["host of the studio"].words


async def test_a_mail_server_that_is_not_there_is_told(environment):
    smtp = {"PORTAL_SMTP_URL": "smtp://127.0.0.1:1", "PORTAL_MAIL_FROM": "a@portal.example"}
    finding = (await found(environment | smtp))["mail"]
    assert "could not be used" in finding.words
    assert "Connect call failed" in finding.words, "the system's own words"
    assert "the host and the port" in finding.remedy


async def test_what_a_brand_lacks_for_electronic_invoices_is_said_and_is_no_failure(environment):  # I7
    findings = await found(environment)
    assert findings["electronic invoices of harbour"].words.startswith("Factur-X inside the PDF")
    plain = findings["electronic invoices of plain"]
    assert "does not say tax_id" in plain.words
    assert plain.is_fine


def billed_by_stripe(environment: dict[str, str], link: str) -> dict[str, str]:
    file = Path(environment["PORTAL_THEMES"]) / "orbit" / "portal.toml"
    text = file.read_text().replace('backend = "ledger"', 'backend = "stripe"')
    file.write_text(re.sub(r'link = ".*"', f'link = "{link}"', text))
    return environment


LIVE, TEST = "0123456789abcdefghijkl", "test_0123456789abcdefghijkl"


@pytest.mark.parametrize(
    ("key", "link", "words"),
    [
        ("", LIVE, r"PORTAL_STRIPE_KEY_ORBIT: missing, and .*orbit/portal\.toml says"),
        ("rk_live_0123456789", TEST, "a key of live data, and the link of orbit is for test data"),
        ("sk_test_0123456789", LIVE, "a key of test data, and the link of orbit is for live data"),
    ],
)
async def test_a_key_that_is_missing_or_of_the_other_mode_does_not_start(
    environment, key, link, words
):  # L11, threat 80
    stripe = billed_by_stripe(environment, link) | ({"PORTAL_STRIPE_KEY_ORBIT": key} if key else {})
    assert re.search(words, (await found(stripe))["billing of orbit"].words)
    settings = from_environment(stripe)
    with pytest.raises(SettingsError, match=words):
        serve.serve(settings, host="127.0.0.1", port=1, workers=1, static=None, counts=Path())


@pytest.mark.parametrize(("key", "link"), [("rk_live_0123456789", LIVE), ("rk_test_0123456789", TEST)])
async def test_a_key_of_the_links_mode_starts(environment, sqlite_store, key, link):
    stripe = billed_by_stripe(environment, link) | {"PORTAL_STRIPE_KEY_ORBIT": key}
    settings = from_environment(stripe)
    for brand in brands.load_all(settings.themes):
        check_backend(brand, settings)
    assert create_app(settings, brands.load_all(settings.themes), sqlite_store)
