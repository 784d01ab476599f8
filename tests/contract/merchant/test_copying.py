"""Copies of releases in a bucket that checks signatures: what is there after each step, and after a copy that was cut short."""

import asyncio
import logging
import re

import pytest
from msgspec.structs import replace

from server.merchant.releases import buckets, copying, releasing, rows
from server.merchant.releases.buckets import Bucket
from server.merchant.releases.copying import Copying, NotCopied
from tests.support.bucket import NAME, REGION, running
from tests.support.world import SETTINGS

pytestmark = pytest.mark.anyio
BRAND = "harbour"
OPEN = replace(SETTINGS, studio_private_targets=True)


@pytest.fixture(scope="module")
def moto():
    with running() as server:
        yield server


@pytest.fixture
def bucket(moto):
    moto.clear()
    return Bucket(moto.endpoint, REGION, NAME, "shop/", moto.key_id)


def release(text, asset="one", link="test_a"):
    pages = {
        "index.html": text,
        "help/index.html": text,
        f"p/login/{link}/index.html": text,
        f"static/{asset}.js": asset,
    }
    rules = "/static/*\n  Cache-Control: public, max-age=31536000, immutable\n/help/\n  Cache-Control: no-cache\n"
    files = {**pages, "_headers": rules, "_redirects": ""}
    return {"source/harbour/theme.toml": b""} | {f"site/{path}": each.encode() for path, each in files.items()}


@pytest.fixture
def publish(store, clock):
    async def publish(*given, **named):
        files = release(*given, **named)
        return await store.write(rows.adding(BRAND, files, operator="", now=clock(), allow=releasing.anybody))

    return publish


@pytest.fixture
async def copy(store, clock, bucket, moto):
    """One round of a worker; what it says is wrong."""
    await keep(store, bucket, moto.secret)
    return Copying(OPEN, store, clock).copy_releases


async def keep(store, bucket, secret):
    row = buckets.keeping(OPEN, BRAND, bucket, secret)
    await store.write(lambda transaction: buckets.keep(transaction, row))


def paths(moto):
    return {key.removeprefix("shop/"): content.decode() for key, content in moto.files().items()}


async def test_a_release_is_copied_and_old_files_stay_for_two_more(moto, publish, copy, store):
    assert await copy() == ""
    assert paths(moto) == {}
    for number, link in enumerate(("test_a", "test_b", "test_b", "test_b")):
        await publish(f"page {number}", f"asset{number}", link)
        assert await copy() == ""
        there = paths(moto)
        assert {each for each in there if not each.startswith("static/")} == {
            "index.html",
            "help/index.html",
            f"p/login/{link}/index.html",
        }
        assert there["help/index.html"] == f"page {number}"
        kept = {f"static/asset{each}.js" for each in range(max(0, number - 2), number + 1)}
        assert {each for each in there if each.startswith("static/")} == kept
    assert moto.headers("shop/help/index.html") == ("text/html; charset=utf-8", "no-cache")
    assert moto.headers("shop/static/asset3.js") == (
        "text/javascript; charset=utf-8",
        "public, max-age=31536000, immutable",
    )
    found = await buckets.find(store, BRAND)
    assert (found.turn, found.trouble) == (4, "")


async def test_what_the_bucket_refuses_is_said_and_tried_again(  # noqa: PLR0917 (fixtures)
    moto, publish, copy, store, clock, bucket, stream
):
    await publish("page 0")
    wrong = "wrong" + moto.secret[5:]
    await keep(store, bucket, wrong)
    assert "the bucket refuses this key" in await copy()
    found = await buckets.find(store, BRAND)
    assert (found.failures, "PutObject" in found.trouble, paths(moto)) == (1, True, {})
    assert await copy() == ""  # not at once
    clock.forward(minutes=1, seconds=1)
    assert await copy() != ""
    with pytest.raises(NotCopied, match="refuses this key"):
        await copying.check(OPEN, bucket, wrong)
    with pytest.raises(NotCopied, match=r"no bucket of this name|refuses this key"):
        await copying.check(OPEN, replace(bucket, name="another"), moto.secret)
    await copying.check(OPEN, bucket, moto.secret)
    assert paths(moto) == {}
    for kept in (moto.secret, wrong):
        assert kept not in stream.getvalue()
        assert kept not in found.trouble


async def test_of_two_workers_one_copies_and_a_newer_release_goes_first(  # noqa: PLR0917 (fixtures)
    moto, publish, copy, store, clock, caplog
):
    await publish("page 0")
    with caplog.at_level(logging.INFO, "werkzeug"):
        await asyncio.gather(copy(), Copying(OPEN, store, clock).copy_releases())
    assert len(re.findall(r"PUT \S+/static/", caplog.text)) == 1
    await publish("page 1")
    began = Copying(OPEN, store, clock)
    put, seen = copying.Way.put, []

    class Meanwhile(copying.Way):
        async def put(self, path, *given):
            seen.append(path)
            if len(seen) == 1:
                await publish("page 2", "two")
            await put(self, path, *given)

    began.way = Meanwhile
    assert await began.copy_releases() == ""
    assert len(seen) == 1  # what was published meanwhile is what is copied
    assert await began.copy_releases() == ""
    assert paths(moto)["index.html"] == "page 2"
