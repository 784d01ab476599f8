"""Every page of the studio as a document: what an owner finds by following links, and what only a form leads to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from server.store import open_store
from tests.support.client import Client
from tests.support.shown import Document
from tests.support.studio import StudioWorld

_LINK = re.compile(r'href="(/_studio/[^"#?]*)')
_LEAVES = re.compile(r"/_studio/(static|preview)/|\.patch$")
_AROUND = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fragment</title></head><body><h1>Fragment</h1>{}</body></html>'
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>'


def pages(folder: Path) -> Iterator[Document]:
    """`folder`: an empty one, for its store and its brands."""

    async def found() -> list[Document]:
        store = open_store(f"sqlite:{folder}/studio.sqlite")
        studio = StudioWorld(store, lambda: datetime.now(UTC), folder)
        try:
            return [each async for each in _pages(studio)]
        finally:
            await studio.previews.close()
            await store.close()

    yield from asyncio.run(found())


async def _pages(studio: StudioWorld) -> AsyncIterator[Document]:
    async for each in _before_log_in(studio):
        yield each
    client = await studio.operator()
    async for each in _followed(client, "as the files are"):
        yield each
    for name, path, changed in (
        ("written", "business", {"business.name": "Harbour & Sons"}),
        ("a mistake", "look", {"brand.color": "blue"}),
        ("several mistakes", "business", {"business.support_email": "nobody", "business.support_url": "ftp:"}),
        ("in conflict", "business/invoices", {"business.legal_name": "Mine"}),
    ):
        page = await client.get(f"/_studio/b/harbour/{path}")
        words: dict[str, Any] = {**changed}
        live = await client.fill(page, fragment=True, **words)
        yield Document(f"{path}, {name}, as a fragment", _AROUND.format(live.text))
        saved = await client.fill(page, do="save", follow=True, **words)
        yield Document(f"{path}, {name}, saved", saved.text)
        if name == "written":
            change = await client.get("/_studio/b/harbour/change")
            yield Document("change, to be written", change.text)
            yield Document("writes, just written", (await client.fill(change, do="write", follow=True)).text)
    file = studio.themes / "harbour" / "portal.toml"
    file.write_text(file.read_text("utf-8") + '\n[business.bank_account]\nbic = "?"\n', "utf-8")
    file.write_text(
        re.sub("(?m)^\\[business\\]$", '[business]\nlegal_name = "Theirs"', file.read_text("utf-8")), "utf-8"
    )
    await studio.role("ed@shop.example", "editor", "harbour")
    async for each in _followed(client, "with a draft"):
        yield each
    people = await client.get("/_studio/b/harbour/settings/people")
    yield Document("people, without a passkey", (await client.fill(people)).text)
    await studio.with_passkey(client)
    yield Document("passkeys, with one", (await client.get("/_studio/passkey")).text)
    yield Document("people, a mistake", (await client.fill(people)).text)
    made = await client.fill(await client.get("/_studio/new"), brand="UP", name="", color="blue")
    yield Document("new brand, mistakes", made.text)
    made = await client.fill(
        await client.get("/_studio/new"), brand="north", called="North", color="#0a7d4f", follow=True
    )
    yield Document("link of a new brand", made.text)
    yield Document("link, activated", (await client.fill(made, follow=True)).text)
    viewer = await studio.operator("vi@shop.example", "viewer", "harbour")
    async for each in _followed(viewer, "as a viewer"):
        yield each
    yield Document("not allowed", (await viewer.get("/_studio/new")).text)


async def _before_log_in(studio: StudioWorld) -> AsyncIterator[Document]:
    visitor = studio.visitor()
    await studio.role()
    for name, answer in (
        ("log-in", await visitor.get("/_studio/login")),
        ("log-in, no address", await visitor.post("/_studio/login", data={"email": "nobody"})),
        ("log-in, sent", await visitor.post("/_studio/login", data={"email": "owner@shop.example"})),
        ("code", await visitor.get("/_studio/login/code")),
        ("code, wrong", await visitor.post("/_studio/login/code", data={"code": "000"})),
        ("not there", await visitor.get("/_studio/nowhere")),
    ):
        if answer.status_code != 303:
            yield Document(name, answer.text)


async def _followed(client: Client, when: str) -> AsyncIterator[Document]:
    known, left = {"/_studio/"}, ["/_studio/"]
    while left:
        path = left.pop()
        answer: httpx.Response = await client.get(path, follow=True)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        yield Document(f"{path}, {when}", answer.text)
        for link in sorted(set(_LINK.findall(answer.text)) - known):
            if not _LEAVES.search(link) and "/orbit" not in link and "/plain" not in link:
                known.add(link)
                left.append(link)
