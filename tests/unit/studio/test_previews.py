"""What is previewed is what is published and served, byte for byte but for one prefix of its URLs; whose it is, and how it
is kept from doing anything."""

import asyncio
import re
import sys
import threading
import time
from contextlib import suppress

import httpx
import pytest
from msgspec.structs import replace

from server.access import directory, sessions
from server.access.limits import Limits
from server.app import create_app
from server.brands import load
from server.mail import messages
from server.making import billings, portal_of
from server.merchant.importing.files import import_records
from server.merchant.studio import computing, drafts, previews, saving
from server.merchant.studio.computing import TURN, TooOften
from server.merchant.studio.pages import forming
from server.merchant.studio.previews import NotThere, Shown
from server.publishing import pages as pages_of_build
from server.publishing import publishing, samples
from server.rendering.renderer import Renderer
from server.store.sqlite import SqliteStore
from tests.support.studio import OWNER, StudioWorld
from tests.support.world import _wire

pytestmark = pytest.mark.anyio
KEY = re.compile(r'(name="key" value=")[^"]*')
SERVED = ("my/overview", "my/subscriptions", "my/invoices", "my/payment-methods", "my/details", "my/history", "login")
PREFIX = "/_studio/preview/00000000000000000000000000000000"


def frame_of(answer):
    return re.search(r'<iframe[^>]* src="([^"]+)"', answer.text)[1]


async def test_each_static_page_is_what_the_build_writes(studio):
    for name, mode in (("harbour", "auto"), ("orbit", "light"), ("plain", "light"), ("plain", "dark")):
        state = await studio.previews.state(studio.place, OWNER, name, mode)
        brand = load(studio.themes / name)
        brand = replace(brand, theme=replace(brand.theme, mode=brand.theme.mode if mode == "auto" else mode))
        pages = {
            path: body for path, body in publishing.files_of(brand, checked=False).items() if path.endswith(".html")
        }
        assert len(pages) > 4 * len(brand.config.site.locales)
        for path, body in pages.items():
            first = path.partition("/")[0]
            how = Shown(mode, first if first in brand.config.site.locales else "")
            answer = await previews.answer(studio.previews, state, how, path.removesuffix("index.html"))
            prefix = f"{PREFIX}/{name}/{how}"
            moved = previews.moved(answer.body.decode(), brand.base, prefix)
            assert previews.moved_back(moved, brand.base, prefix).encode() == body, (name, path, mode)
            assert not re.search(r'(href|src|action)="/(?!_studio)', moved), (name, path, mode)


async def test_each_page_of_a_customer_is_what_the_server_answers(studio, clock):
    await import_records(studio.store, "harbour", samples.records("harbour", clock()), now=clock(), source="samples")
    place = studio.place
    for mode, tag, who in (("dark", "en", "jenny"), ("light", "de", "max"), ("auto", "en", "pat")):
        brand = load(studio.themes / "harbour")
        brand = replace(brand, theme=replace(brand.theme, mode=brand.theme.mode if mode == "auto" else mode))
        settings = replace(studio.settings, studio_origin="")
        app = create_app(settings, [brand], studio.store, clock=clock, limits=Limits(on=False), wire=_wire)
        portal = portal_of(brand, settings, studio.store, billings(settings)(brand, studio.store), clock)
        session = await session_of(portal, f"{who}@example.com", clock())
        state = await studio.previews.state(place, OWNER, "harbour", mode)
        how = Shown(mode, tag, who)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=portal.origin) as visitor:
            for page in SERVED:
                cookie = f"__Host-harbour-session={session}; __Host-harbour-language={tag}"
                served = await visitor.get(f"/harbour/{page}", headers={"cookie": cookie, "accept-language": tag})
                answer = await previews.answer(studio.previews, state, how, page)
                assert answer.status == served.status_code
                prefix = f"{PREFIX}/harbour/{how}"
                back = previews.moved_back(previews.moved(answer.body.decode(), brand.base, prefix), brand.base, prefix)
                assert KEY.sub(r"\1", back) == KEY.sub(r"\1", served.text), (page, mode, tag, who)
                assert served.status_code == 303 or len(served.text) > 5000


async def session_of(portal, address, now):
    found = await directory.customer_for(portal.store, portal.name, address)
    return await portal.store.write(
        lambda it: sessions.start(it, portal, customer_id=found.id, address=address, browser="", now=now, replaced="")
    )


async def test_a_draft_is_shown_and_nothing_of_it_is_written(studio):
    client = await studio.operator()
    before = {each: each.read_bytes() for each in studio.themes.rglob("*") if each.is_file()}
    page = await client.get("/_studio/b/harbour/preview?page=&as=nobody")
    assert "Shore &amp; Sons" not in (await studio.raw(frame_of(page))).text
    held = saving.held_by(studio.themes / "harbour")
    touched = {"business.name": "Shore & Sons"}
    await drafts.keep(studio.store, OWNER, "harbour", touched=touched, held=held, now=studio.clock())
    page = await client.get("/_studio/b/harbour/preview?page=&as=nobody")
    assert "with your changes: 1 key" in page.text
    assert "Shore &amp; Sons" in (await studio.raw(frame_of(page))).text
    other = await studio.operator("ed@shop.example", "editor")
    page = await other.get("/_studio/b/harbour/preview?page=&as=nobody")
    assert "Shore &amp; Sons" not in (await studio.raw(frame_of(page))).text
    assert before == {each: each.read_bytes() for each in studio.themes.rglob("*") if each.is_file()}


async def test_what_cannot_be_read_is_said_and_the_files_are_shown(studio):
    client = await studio.operator()
    held = saving.held_by(studio.themes / "harbour")
    touched = {"color": "no color"}
    await drafts.keep(studio.store, OWNER, "harbour", touched=touched, held=held, now=studio.clock())
    page = await client.get("/_studio/b/harbour/preview")
    assert "without your last changes" in page.text
    assert str(studio.themes) not in page.text
    assert (await studio.raw(frame_of(page))).status_code == 200


async def test_beside_a_form_is_the_page_that_it_is_about_and_what_it_leaves_out(studio):
    client = await studio.operator()
    pages = {"look/words/de": "auto.de.nobody/login", "business/invoices": "auto.-.jenny/_documents/invoice"}
    for form, shown in pages.items():
        assert frame_of(await client.get(f"/_studio/b/harbour/{form}")).endswith(shown)
    page, left_out = await client.get("/_studio/b/harbour/business"), "without your changes until"
    assert left_out not in page.text
    for address, expected in (("nobody", True), ("help@harbour.example", False)):
        live = await client.fill(page, fragment=True, **{"business.support_email": address})
        assert 'id="preview-says" hx-swap-oob="true"' in live.text
        assert (left_out in live.text) == expected


async def test_a_preview_may_do_nothing(studio):  # threat 100
    client = await studio.operator()
    answer = await studio.raw(frame_of(await client.get("/_studio/b/harbour/preview")))
    policy = dict(each.partition(" ")[::2] for each in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["sandbox"] == ""
    assert "script-src" not in policy
    assert "'unsafe-inline'" not in policy["style-src"]
    assert "x-frame-options" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"  # or Firefox shows none
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    logo = await studio.raw(re.search(r'src="([^"]+/static/logo[^"]+)"', answer.text)[1])
    assert logo.headers["cross-origin-resource-policy"] == "cross-origin"
    assert logo.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in logo.headers["content-security-policy"]


@pytest.mark.parametrize("file", ["my/invoices/csv?year=2026", "my/invoices/zip?year=2026", "my/details/export"])
async def test_a_download_is_said_to_be_none_in_the_frame(studio, file, caplog):
    client = await studio.operator()
    url = frame_of(await client.get("/_studio/b/harbour/preview")).partition("/my/")[0].replace(".nobody", ".jenny")
    answer = await studio.raw(f"{url}/{file}")
    assert (answer.status_code, "a file to download" in answer.text) == (404, True)
    assert "x-frame-options" not in answer.headers
    assert not caplog.records


async def test_a_token_opens_one_brand_for_one_session_and_dies_with_it(studio):  # threat 101
    client = await studio.operator()
    url = frame_of(await client.get("/_studio/b/harbour/preview"))
    token = url.split("/")[3]
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert (await studio.raw(url)).status_code == 200
    for wrong in (url.replace("/harbour/", "/orbit/"), url.replace(token, "0" * 32), url.replace(token, token[:31])):
        assert (await studio.raw(wrong)).status_code == 404
    await client.post("/_studio/logout")
    assert (await studio.raw(url)).status_code == 404


async def test_no_customer_is_read_for_a_preview(studio, monkeypatch):  # threat 101
    await studio.customer(address="jenny@example.com", name="Real Jenny")
    client = await studio.operator()
    url = frame_of(await client.get("/_studio/b/harbour/preview"))
    said, read = [], studio.store.read
    monkeypatch.setattr(studio.store, "read", lambda sql, values=None: said.append(sql) or read(sql, values))
    monkeypatch.setattr(studio.store, "write", None)
    answer = await studio.raw(url)
    assert answer.status_code == 200
    assert "Jenny" in answer.text
    assert "Real Jenny" not in answer.text
    tables = {table for sql in said for table in re.findall(r"(?:FROM|JOIN)\s+(\w+)", sql)}
    assert tables == {"studio_session", "studio_draft"}


async def test_pages_come_one_at_a_time_and_ten_a_second(studio, monkeypatch):  # threat 119
    monkeypatch.setattr(computing, "monotonic", lambda: 0.0)
    client = await studio.operator()
    url = frame_of(await client.get("/_studio/b/harbour/preview?page=help/"))
    assert (await studio.raw(url)).status_code == 200
    for _ in range(previews.MOST_A_SECOND):
        with suppress(TooOften):
            studio.previews.turn(OWNER, "x")
    picture = f"{url.rpartition('/help/')[0]}/static/none.svg"
    assert (await studio.raw(picture)).status_code == 404
    monkeypatch.setattr(studio.store, "read", None)
    answer = await studio.raw(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    turns = [studio.previews.turn(each, each) for each in ("one", "one", "another")]
    assert turns[0] is turns[1] is not turns[2]


async def test_every_page_mail_and_document_can_be_chosen(studio):
    client = await studio.operator()
    page = await client.get("/_studio/b/harbour/preview")
    prefix = frame_of(page).rpartition("/my/")[0]
    listed = re.search(r'<select id="preview-page".*?</select>', page.text, re.DOTALL)[0]
    state = await studio.previews.state(studio.place, OWNER, "harbour", "auto")
    values = re.findall(r'<option value="([^"]*)"', listed)
    assert len(values) > 25
    for value in values:
        answer = await previews.answer(studio.previews, state, Shown(), value)
        assert answer.status < 400 or value == "login", (value, answer.status)
    document = await studio.raw(f"{prefix}/_documents/invoice")
    picture = await studio.raw(re.search(r'src="([^"]+\.svg)"', document.text)[1])
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.lstrip().startswith("<svg")


async def test_all_that_takes_long_is_done_one_after_the_other_beside_customers(studio, monkeypatch):  # threat 119
    computed, at_once, most = [], 0, 0

    def watched(asked):
        def watch(*args, **rest):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            computed.append((asked.__name__, threading.current_thread().name))
            try:
                return asked(*args, **rest)
            finally:
                at_once -= 1

        return watch

    clients = [await studio.operator(), await studio.operator("ed@shop.example", "editor")]
    urls = [frame_of(await each.get("/_studio/b/harbour/preview")) for each in clients]
    pages = [await each.get("/_studio/b/harbour/business") for each in clients]
    for where, name in (
        (Renderer, "page"),
        (pages_of_build, "render_page"),
        (messages, "render"),
        (saving, "propose"),
        (forming, "live"),
        (forming, "form"),
    ):
        monkeypatch.setattr(where, name, watched(getattr(where, name)))
    monkeypatch.setattr(previews, "load", watched(previews.load))
    asked = [each for url in urls for each in (url, url.replace("my/overview", "help/"), mail_of(url))]
    typed = [
        each.fill(page, fragment=True, **{"business.name": f"Shore {n}"})
        for each, page in zip(clients, pages, strict=True)
        for n in range(3)
    ]
    opened = [each.get("/_studio/b/harbour/look") for each in clients]
    answers = await asyncio.gather(*map(studio.raw, asked), *typed, *opened)
    assert {each.status_code for each in answers} == {200}
    assert {name for name, _ in computed} == {"page", "render_page", "render", "propose", "load", "live", "form"}
    assert {thread for _, thread in computed} == {"studio_0"}
    assert most == 1
    assert sys.getswitchinterval() == TURN


async def test_the_samples_are_written_by_one_thread(studio, monkeypatch):
    """A store that two threads write to at once is damaged, or waits for ever."""
    threads, write = set(), SqliteStore._write

    def watched(store, work):
        if store is not studio.store:
            threads.add(threading.current_thread().name)
        return write(store, work)

    monkeypatch.setattr(SqliteStore, "_write", watched)
    clients = [await studio.operator(), await studio.operator("ed@shop.example", "editor")]
    urls = [frame_of(await each.get("/_studio/b/harbour/preview")) for each in clients]
    answers = await asyncio.gather(*map(studio.raw, [*urls, *(each.replace(".jenny", ".max") for each in urls)]))
    assert {each.status_code for each in answers} == {200}
    assert threads == {"studio_0"}


def mail_of(url):
    return url.replace("my/overview", "_mails/passcode/0")


async def test_an_operator_asks_for_twenty_things_a_second(sqlite_store, clock, tmp_path):  # threat 119
    studio = StudioWorld(sqlite_store, clock, tmp_path, limits=Limits())
    client, other = await studio.operator(), await studio.operator("ed@shop.example", "editor")
    began = time.monotonic()
    answers = await asyncio.gather(*(client.get("/_studio/b/harbour") for _ in range(50)))
    refused = [each for each in answers if each.status_code == 429]
    assert 20 <= 50 - len(refused) <= 20 * (1 + time.monotonic() - began)
    assert all(each.headers["retry-after"] == "1" for each in refused)
    assert (await other.get("/_studio/b/harbour")).status_code == 200
    assert refused


@pytest.mark.parametrize("how", ["", "dark", "blue.en.jenny", "dark.en.stranger", "dark.e/n.jenny", "dark.e n.jenny"])
def test_only_what_there_is_can_be_chosen(how):
    with pytest.raises(NotThere):
        Shown.read(how)
