"""The page that names a bucket, against one that checks signatures: the key is tried, kept sealed, and never seen again."""

import sqlite3
from contextlib import closing

import pytest

from server.merchant.releases import buckets, releasing, rows
from server.merchant.releases.copying import Copying
from server.merchant.releases.following import Following
from server.merchant.studio import history
from tests.support.bucket import NAME, REGION, running
from tests.support.studio import StudioWorld
from tests.support.world import brands

pytestmark = pytest.mark.anyio
BUCKET, PUBLISH = "/_studio/b/harbour/settings/publishing", "/_studio/b/harbour/publish"


@pytest.fixture(scope="module")
def moto():
    with running() as server:
        yield server


@pytest.fixture
async def studio(sqlite_store, clock, tmp_path):
    made = StudioWorld(sqlite_store, clock, tmp_path, private_targets=True)
    yield made
    await made.previews.close()


@pytest.fixture
def form(moto):
    moto.clear()
    named = {"endpoint": moto.endpoint, "region": REGION, "bucket": NAME, "prefix": "shop/"}
    return named | {"key_id": moto.key_id, "secret": moto.secret}


async def test_a_key_is_tried_kept_and_seen_nowhere_again(studio, clock, form, moto, stream, tmp_path):  # noqa: PLR0917  # threat 109
    client = await studio.operator()
    shown = [await client.get(BUCKET)]
    passkey = await studio.with_passkey(client)
    wrong = "canary" + moto.secret[6:]
    shown.append(await client.fill(shown[0], form=0, **form | {"secret": wrong}))
    assert (shown[-1].status_code, "the bucket refuses this key" in shown[-1].text.lower()) == (422, True)
    assert await buckets.find(studio.store, "harbour") is None
    shown.append(
        await client.post(BUCKET, data=form | {"endpoint": "ftp://x", "bucket": "A", "secret": wrong, "region": ""})
    )
    assert shown[-1].status_code == 422
    for field in ("endpoint", "bucket", "region"):
        assert f'href="#field-{field}"' in shown[-1].text
    clock.forward(minutes=6)
    shown.append(await client.post(BUCKET, data=form))
    assert (shown[-1].status_code, "Show your passkey" in shown[-1].text) == (403, True)
    assert not moto.files()
    await studio.verify(client, passkey)
    shown.append(await client.post(BUCKET, data=form, follow=True))
    assert "The bucket takes files" in shown[-1].text
    assert f"<code>{moto.key_id[-4:]}</code>" in shown[-1].text
    files = {"source/harbour/portal.toml": b"", "site/index.html": b"1", "site/_headers": b"", "site/_redirects": b""}
    await studio.store.write(rows.adding("harbour", files, operator="", now=clock(), allow=releasing.anybody))
    shown.append(await client.get(PUBLISH))
    assert "0 of 1 files" in shown[-1].text
    shown.append(await client.get(f"{PUBLISH}/copy", fragment=True))
    await Copying(studio.settings, studio.store, clock).copy_releases()
    assert list(moto.files()) == ["shop/index.html"]
    shown += [
        await client.get(PUBLISH),
        await client.get("/_studio/b/harbour/settings/history"),
        await client.get(BUCKET),
    ]
    assert "Every file of what is served is there" in shown[-3].text
    assert "Named the bucket pages" in shown[-2].text
    await Following(studio.settings, studio.store, brands()).look()
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as database:
        dump = "\n".join(database.iterdump())
    told = str((await history.read(studio.store)).acts)
    on_disk = b"".join(each.read_bytes() for each in studio.settings.releases.rglob("*") if each.is_file())
    for canary in (moto.secret, wrong):
        assert not [each.url for each in shown if canary in each.text]
        for where in (dump, told, stream.getvalue(), repr(studio.settings), on_disk.decode(errors="replace")):
            assert canary not in where
        assert canary.encode().hex() not in dump.lower()
    assert not [each.url for each in shown if moto.key_id in each.text and each.status_code == 200]


async def test_a_sealed_secret_opens_for_its_own_endpoint_alone(studio, form):  # threat 109
    client = await studio.operator()
    await studio.with_passkey(client)
    await client.post(BUCKET, data=form)
    sql = "UPDATE release_bucket SET bucket = CAST(replace(CAST(bucket AS TEXT), '127.0.0.1', '127.0.0.2') AS BLOB)"
    assert await studio.store.write(lambda transaction: transaction.count(sql)) == 1
    kept = await buckets.find(studio.store, "harbour")
    assert "127.0.0.2" in kept.bucket.endpoint
    assert buckets.secret_of(studio.settings, "harbour", kept) is None


async def test_a_copy_that_fails_is_shown_and_tried_again_and_a_bucket_is_given_up(studio, clock, form, moto):
    client = await studio.operator()
    await studio.with_passkey(client)
    await client.post(BUCKET, data=form)
    files = {"source/harbour/portal.toml": b"", "site/index.html": b"1", "site/_headers": b"", "site/_redirects": b""}
    await studio.store.write(rows.adding("harbour", files, operator="", now=clock(), allow=releasing.anybody))
    sql = "UPDATE release_bucket SET secret = :wrong"
    await studio.store.write(lambda transaction: transaction.count(sql, {"wrong": b"x" * 40}))
    worker = Copying(studio.settings, studio.store, clock)
    assert "enter the key again" in await worker.copy_releases()
    page = await client.get(PUBLISH)
    assert "The last attempt failed" in page.text
    assert (await client.post(f"{PUBLISH}/copy", data={"do": "again"})).status_code == 303
    assert "enter the key again" in await worker.copy_releases()
    page = await client.get(BUCKET)
    gone = await client.fill(page, form=0, follow=True)
    assert "Nothing is copied any more" in gone.text
    assert await buckets.find(studio.store, "harbour") is None
    assert "In the bucket" not in (await client.get(PUBLISH)).text
    assert not moto.files()
