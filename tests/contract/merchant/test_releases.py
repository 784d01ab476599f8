"""Releases over both stores: what is published is served by every server of the database, and what is saved is not."""

import asyncio
import re
import shutil
from argparse import Namespace
from functools import partial

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from server.access import kept_secrets
from server.app import create_app
from server.brands import load, load_all
from server.merchant import link, studio_findings
from server.merchant.link import NotDone
from server.merchant.releases import commands, folders, releasing, rows, sources
from server.merchant.releases.following import Following, brands_of
from server.merchant.releases.releasing import ChangedMeanwhile
from server.merchant.releases.rows import Manifest, NoRelease
from server.merchant.releases.sources import Refused
from server.merchant.starting import begin
from server.merchant.studio import history
from server.publishing import brand_files
from server.web.static_files import StaticFiles
from tests.stripe.webhooks import signature
from tests.support.client import Client
from tests.support.world import ROOT, SETTINGS

pytestmark = pytest.mark.anyio
BRAND = "harbour"


class Host:
    """A server with its own folder of releases; hosts share the database and the folder of themes."""

    def __init__(self, settings, store, clock):
        self.settings = settings
        brands = brands_of(settings)
        releases = Following(settings, _Open(store), brands, every=0.01)
        made = create_app(settings, brands, _Open(store), clock=clock, releases=releases)
        released = partial(folders.site_of, settings.releases)
        self.app = StaticFiles(made, settings.releases / "none", [BRAND], released=released)

    async def __aenter__(self):
        self._told, self._tells = asyncio.Queue(), asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._running = asyncio.create_task(self.app(scope, self._told.get, self._tells.put))
        self._told.put_nowait({"type": "lifespan.startup"})
        assert (await self._tells.get())["type"] == "lifespan.startup.complete"
        return self

    async def __aexit__(self, *_):
        self._told.put_nowait({"type": "lifespan.shutdown"})
        await self._running

    async def says(self):
        """The line at the foot of a page that is made for one request, and of one that was built."""
        browser = Client(self.app, self.settings.origin)
        made = await browser.post(f"/{BRAND}/login", data={})
        browser.check = False  # this one may be kept
        built = await browser.get(f"/{BRAND}/help/")
        return tuple((re.findall(r"Foot \d|Roasted", each.text) or [""])[0] for each in (made, built))

    async def until(self, *says):
        async with asyncio.timeout(20):
            while await self.says() != says:  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.05)


class _Open:
    """A store that stays open for the next host."""

    def __init__(self, store):
        self.read, self.write = store.read, store.write

    async def close(self):
        pass


@pytest.fixture
def settings(tmp_path):
    for brand in (BRAND, "plain"):
        shutil.copytree(ROOT / "themes" / brand, tmp_path / "themes" / brand)
    return replace(SETTINGS, themes=tmp_path / "themes", releases=tmp_path / "releases")


@pytest.fixture
def publish(settings, store, clock):
    async def publish(**rest):
        return await releasing.publish(settings, store, BRAND, operator="ann@shop.example", now=clock(), **rest)

    return publish


@pytest.fixture(scope="module")
def files():
    """Of a release of the brand as we ship it: its pages are built once."""
    shipped = replace(SETTINGS, themes=ROOT / "themes")
    return sources.built(shipped, BRAND, sources.copied(shipped.themes, BRAND))


@pytest.fixture
def add(store, clock, files):
    """Publishes what was built before."""

    async def add(content=None):
        allow = releasing.anybody
        return await store.write(rows.adding(BRAND, content or files, operator="", now=clock(), allow=allow))

    return add


def save(settings, foot):
    brand_files.change(settings.themes / BRAND, {"words.footer_note": foot})


async def test_what_is_published_on_one_host_is_served_by_the_other_and_what_is_saved_is_not(
    settings, store, clock, publish, tmp_path
):
    elsewhere = replace(settings, releases=tmp_path / "elsewhere")
    async with Host(settings, store, clock) as one, Host(elsewhere, store, clock) as other:
        assert await one.says() == ("Roasted", "")
        save(settings, "Foot 1")
        assert await publish() == 1
        save(settings, "Foot 2")
        await one.until("Foot 1", "Foot 1")
        await other.until("Foot 1", "Foot 1")
        assert await publish() == 2
        await other.until("Foot 2", "Foot 2")
        assert await releasing.back(store, BRAND, 1, operator="", now=clock())
        await one.until("Foot 1", "Foot 1")
        await other.until("Foot 1", "Foot 1")
        assert not await releasing.back(store, BRAND, 1, operator="", now=clock())
    async with Host(settings, store, clock) as again:  # whoever starts later serves it from the first request on
        assert await again.says() == ("Foot 1", "Foot 1")
    shutil.rmtree(tmp_path / "elsewhere")
    async with Host(elsewhere, store, clock) as fresh:
        assert await fresh.says() == ("Foot 1", "Foot 1")


async def test_a_brand_that_is_made_while_servers_run_is_served_once_it_is_published(settings, sqlite_store, clock):
    async with Host(settings, sqlite_store, clock) as host:
        browser = Client(host.app, settings.origin)
        browser.check = False
        begin(settings.themes, "north", called="North Sea")
        assert (await browser.get("/north/help/")).status_code == 404
        await releasing.publish(settings, sqlite_store, "north", operator="", now=clock())
        async with asyncio.timeout(20):
            while (await browser.get("/north/help/")).status_code != 200:  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.05)
            while "North Sea" not in (await browser.post("/north/login", data={"link": "x"})).text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert "North Sea" in (await browser.get("/north/help/")).text


async def test_the_link_counts_at_once_whatever_was_published(settings, store, clock, add):
    await add()
    async with Host(settings, store, clock) as host:
        token = load(settings.themes / BRAND).config.login_page.link
        browser = Client(host.app, settings.origin)

        async def asked(token):
            return (await browser.post(f"/{BRAND}/login", data={"link": token, "email": "x"})).status_code

        inactive = await asked("another")
        assert await asked(token) != inactive
        link.deactivate(settings.themes / BRAND)
        assert await asked(token) == inactive
        new = link.activate(settings.themes / BRAND, test=True)
        assert (await asked(token), await asked(new) == inactive) == (inactive, False)


async def test_a_release_says_what_it_is_made_of(settings, store, publish):
    await publish()
    whole = await rows.find(store, BRAND, 1)
    manifest = msgspec.json.decode(whole.manifest, type=Manifest)
    assert manifest.files == rows.hashes(whole.files)
    assert (manifest.operator, manifest.n) == ("ann@shop.example", 1)
    told = await history.read(store)
    assert manifest.history == str(told.head)  # threat 116: a head outside the table
    assert [each.what for each in told.acts] == ["published"]
    inside = {f"source/{BRAND}/portal.toml", "source/plain/theme.toml", "site/index.html", "site/_headers"}
    assert inside <= set(whole.files)
    assert "source/plain/portal.toml" not in whole.files


@pytest.mark.parametrize("broken", ["words", "template", "key"])
async def test_what_breaks_a_rule_is_not_published(settings, store, publish, add, broken):  # threat 120
    await add()
    await Following(settings, store, load_all(settings.themes)).look()
    folder = settings.themes / BRAND
    if broken == "words":  # passes while it is read, and fails a rule for pages
        page = folder / "templates" / "pages" / "help.html"
        page.parent.mkdir(parents=True)
        page.write_text('{% extends "~pages/help.html" %}{% block main %}<h1>One</h1><h1>Two</h1>{% endblock %}')
    elif broken == "template":
        (folder / "templates" / "layouts" / "visitor.html").write_text("{% if %}")
    else:
        (folder / "theme.toml").write_text("nonsense = 1\n")
    with pytest.raises(Refused) as refused:
        await publish()
    assert any(each.where.startswith(str(settings.themes)) for each in refused.value.problems), refused.value
    assert not any("postern-release" in str(each) for each in refused.value.problems)
    assert [each.n for each in await rows.kept(store, BRAND)] == [1]
    again = brands_of(settings)  # nor does it keep a server from starting again
    assert [each.folder.parents[1].name for each in again if each.name == BRAND] == ["1"]


async def test_what_somebody_saved_after_the_page_was_shown_is_not_published(settings, store, publish):
    with pytest.raises(ChangedMeanwhile):
        await publish(shown="another")
    assert not await rows.kept(store, BRAND)


async def test_the_ten_newest_are_kept_and_the_one_that_is_served(settings, store, clock, add):
    await asyncio.gather(*(add() for _ in range(12)))
    numbers = [each.n for each in await rows.kept(store, BRAND)]
    assert numbers == [*range(12, 2, -1)]
    with pytest.raises(NoRelease):
        await releasing.back(store, BRAND, 2, operator="", now=clock())
    await releasing.back(store, BRAND, 3, operator="", now=clock())
    await Following(settings, store, load_all(settings.themes)).look()
    kept = {each.name for each in (settings.releases / BRAND).iterdir()}
    assert kept == {"current", "3"}
    assert await add() == 13
    assert 3 not in [each.n for each in await rows.kept(store, BRAND)]


async def test_a_folder_that_is_not_whole_is_made_again(settings, store, add):
    await add()
    brands = load_all(settings.themes)
    await Following(settings, store, brands).look()
    index = folders.site_of(settings.releases, BRAND) / "index.html"
    whole = index.read_bytes()
    for damage in (b"", None):
        index.unlink() if damage is None else index.write_bytes(damage)
        await Following(settings, store, brands).look()
        assert index.read_bytes() == whole


async def test_a_release_that_cannot_be_loaded_changes_nothing_and_is_said_once(settings, store, clock, add, stream):
    await add()
    async with Host(settings, store, clock) as host:
        files = {"source/harbour/theme.toml": b"nonsense = 1", "site/index.html": b""}
        await add(files)
        following = Following(settings, store, load_all(settings.themes))
        assert [await following.look() for _ in range(3)] == [False] * 3
        assert stream.getvalue().count("a release cannot be served") <= 2  # the host's, and this one's
        assert await host.says() == ("Roasted", "Roasted")
        found = await studio_findings.look(settings, store, "")
        assert [(each.what, each.is_fine) for each in found if "release" in each.what] == [
            ("release of harbour", False)
        ]
        await releasing.back(store, BRAND, 1, operator="", now=clock())
        assert await following.look()
        assert all(each.is_fine for each in await studio_findings.look(settings, store, ""))


async def test_a_folder_that_takes_no_release_is_told_once_there_is_one(settings, store, add, tmp_path):
    (tmp_path / "file").touch()
    settings = replace(settings, releases=tmp_path / "file" / "releases")
    assert await studio_findings.look(settings, store, "") == []
    await add()
    [found] = [each for each in await studio_findings.look(settings, store, "") if not each.is_fine]
    assert (found.what, str(settings.releases) in found.words, "PORTAL_RELEASES" in found.remedy) == (
        *("folder of releases", True, True),
    )


async def test_there_is_nothing_to_rebuild_of_a_brand_that_was_never_published(store, clock):
    with pytest.raises(NotDone, match=r"harbour was never published.*releases publish harbour"):
        await commands.rebuild(store, Namespace(brand=BRAND), clock())


async def test_a_secret_from_the_studio_counts_for_a_brand_that_was_never_published(settings, store, clock, stream):
    brand_files.change(settings.themes / BRAND, {"billing.backend": "stripe"})
    secrets = [f"whsec_{number:020}" for number in range(2)]

    async def keep(name, secret):
        given = (settings, BRAND, name, secret)
        await store.write(lambda it: kept_secrets.keep(it, *given, operator="ann@shop.example", now=clock()))

    async def answers(secret):
        body = b'{"id": "evt_1", "created": 1, "livemode": false, "type": "x", "data": {"object": {}}}'
        headers = {"stripe-signature": signature(secret, body, int(clock().timestamp()))}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(host.app), base_url=settings.origin) as stripe:
            return (await stripe.post(f"/{BRAND}/webhooks/stripe", content=body, headers=headers)).status_code

    await keep("stripe_key", "rk_test_00000000000000000000")
    await keep("stripe_webhook_secret", secrets[0])
    settings = await kept_secrets.joined(settings, store)
    following = Following(settings, store, brands_of(settings))
    assert not await following.look()
    async with Host(settings, store, clock) as host:
        assert [await answers(each) for each in secrets] == [200, 400]
        await keep("stripe_webhook_secret", secrets[1])
        assert [await following.look() for _ in range(2)] == [True, False]
        async with asyncio.timeout(20):
            while await answers(secrets[1]) != 200:  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.02)
        assert await answers(secrets[0]) == 400
        await keep("stripe_key", "rk_live_00000000000000000000")  # the link is for test data
        assert [await following.look() for _ in range(2)] == [False, False]
        assert stream.getvalue().count("a key from the studio cannot be used") >= 1
        assert await answers(secrets[1]) == 200
