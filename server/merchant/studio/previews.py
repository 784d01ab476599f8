"""A brand as an operator's draft would make it: the real portal over sample customers, asked from inside.

    page = await previews.answer(studio, brand_name, address, shown, path)

Nothing is written to a disk, and nothing of a customer is read: the portal that answers stands over a store of its own, with
the same sample customers as the demo. What it answers is what a visitor would get; then one prefix of its URLs is changed,
so that links lead to other pages of the preview (`moved`), and back (`moved_back`).

A state is a brand's files and a draft over them; the 64 that were shown last are kept. An address of a preview holds a
token, which is made from the session of an operator and from a secret of the server: it ends with the session.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from server.access import directory, sealing
from server.access import sessions as customer_sessions
from server.brands import Brand, ThemeError, load, stamps
from server.mail import messages
from server.merchant.importing.files import import_records
from server.merchant.studio import drafts, saving
from server.merchant.studio import sessions as operator_sessions
from server.merchant.studio.computing import Pace, apart
from server.merchant.studio.drafts import Draft
from server.merchant.studio.place import App, Studio
from server.paths import DYNAMIC_PREFIXES
from server.portal import Portal
from server.publishing import brand_files, examples, pages, samples
from server.store import Store, open_store
from server.web.cookies import cookie_name
from server.web.studio_guard import PREVIEW

MOST_KEPT = 64
MOST_A_SECOND = 10
MODES = ("auto", "light", "dark")
NOBODY = "nobody"
WHO = (NOBODY, *(each.partition("@")[0] for each in samples.ADDRESSES))
DOCUMENTS, MAILS = "_documents/", "_mails/"
"""What the paths of a preview begin with that are no pages of the portal."""
_INVOICE = re.compile(r'"([^"]*/my/invoices/(?!csv|zip)[A-Za-z0-9_]+)"')


class NotThere(Exception):
    """There is no such page."""


class Shown(msgspec.Struct, frozen=True):
    """How a page is shown. As text, a part of its address: `dark.ar.jenny`."""

    mode: str = "auto"
    tag: str = ""
    """Of the language; empty: the brand's first."""
    who: str = "jenny"

    def __str__(self) -> str:
        return f"{self.mode}.{self.tag or '-'}.{self.who}"

    @classmethod
    def read(cls, text: str) -> Shown:
        """Raises `NotThere`."""
        mode, tag, who = [*text.split("."), "", "", ""][:3]
        if mode not in MODES or who not in WHO or not re.fullmatch(r"-|[A-Za-z0-9-]{1,35}", tag):
            raise NotThere
        return cls(mode, "" if tag == "-" else tag, who)


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    media_type: str
    styles: tuple[str, ...] = ()
    """The hashes that a style of the page can have, as a policy names them; empty: it has none, and `is_mail` says whether it has others."""
    is_mail: bool = False
    location: str = ""


class State(msgspec.Struct, frozen=True):
    """A brand as it is shown, running."""

    brand: Brand
    app: App
    portal: Portal


class Previews:
    """Of one process."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, str, str, bytes], State] = OrderedDict()
        self._store: Store | None = None
        self._filled: set[str] = set()
        self._filling = asyncio.Lock()
        self._sessions: dict[tuple[str, str], str] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self.pace = Pace(MOST_A_SECOND)
        """Of pages, by the token in their address."""

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()
            self._store = None
            self._filled.clear()
            self._states.clear()

    def turn(self, address: str, token: str) -> asyncio.Lock:
        """One page at a time for one operator. Raises `TooOften`."""
        self.pace.use(address, token.encode())
        return self._turns.setdefault(address, asyncio.Lock())

    async def state(self, studio: Studio, address: str, brand_name: str, mode: str) -> State:
        """The brand with the operator's draft over it; where that cannot be read, the brand as its files have it. Raises
        `ThemeError` where they cannot be read either."""
        folder = saving.folder_of(studio.themes, brand_name)
        draft = await drafts.find(studio.store, address, brand_name)
        uploads = await drafts.uploads(studio.store, address, brand_name) if draft.changes else {}
        overlay, stamp = await apart(_drafted, folder, draft, uploads)
        key = (address, brand_name, mode, stamp)
        found = self._states.pop(key, None) or await self._made(studio, folder, overlay, mode)
        self._states[key] = found
        while len(self._states) > MOST_KEPT:
            self._states.popitem(last=False)
        return found

    async def _made(self, studio: Studio, folder: Path, overlay: Mapping[Path, bytes], mode: str) -> State:
        store = await self._samples(studio, folder.name)

        def made() -> State:
            try:
                brand = load(folder, overlay)
            except ThemeError:
                brand = load(folder)
            brand = as_shown(brand, mode)
            assert studio.show  # noqa: S101 (app.py gives it to every studio)
            return State(brand, *studio.show(brand, store))

        return await apart(made)

    async def _samples(self, studio: Studio, brand_name: str) -> Store:
        """The store, in a folder that goes with this process, with the samples of the brand in it."""
        async with self._filling:
            if self._store is None:
                folder = tempfile.mkdtemp(prefix="postern-preview-")
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self._store = await asyncio.to_thread(open_store, f"sqlite:{folder}/samples.sqlite")
            if brand_name not in self._filled:
                now = studio.clock()
                records = samples.records(brand_name, now)
                await apart(asyncio.run, import_records(self._store, brand_name, records, now=now, source="samples"))
                self._filled.add(brand_name)
        return self._store

    async def session(self, state: State, who: str) -> str:
        """The token of a session of this sample customer; empty: nobody's. Asked in the thread that asks for the pages: they
        write into the samples too, and a store is no two threads'."""
        return "" if who == NOBODY else await apart(asyncio.run, self._session(state, who))

    async def _session(self, state: State, who: str) -> str:
        portal, key = state.portal, (state.brand.name, who)
        kept = self._sessions.get(key, "")
        if kept and isinstance(await customer_sessions.find(portal, kept, portal.clock()), customer_sessions.LoggedIn):
            return kept
        address = f"{who}@example.com"
        found = await directory.customer_for(portal.store, portal.name, address)
        if found is None:
            return ""
        made = await portal.store.write(
            lambda it: customer_sessions.start(
                it, portal, customer_id=found.id, address=address, browser="", now=portal.clock(), replaced=kept
            )
        )
        self._sessions[key] = made
        return made

    def asset(self, address: str, brand_name: str, name: str) -> bytes | None:
        """A file of a state that was shown to this operator."""
        for (whose, brand, _, _), state in reversed(self._states.items()):
            if (whose, brand) == (address, brand_name) and name in state.portal.renderer.assets.files:
                return state.portal.renderer.assets.files[name]
        return None


def as_shown(brand: Brand, mode: str) -> Brand:
    """The brand in this mode, with what a preview has nothing of: it is billed by the ledger."""
    config = msgspec.structs.replace(
        brand.config, billing=msgspec.structs.replace(brand.config.billing, backend="ledger")
    )
    theme = brand.theme if mode == "auto" else msgspec.structs.replace(brand.theme, mode=mode)
    return msgspec.structs.replace(brand, config=config, theme=theme)


def _overlay(folder: Path, draft: Draft, uploads: Mapping[str, bytes]) -> dict[Path, bytes]:
    """As `saving.propose` has it, but nothing is judged, which takes longest: `load` says what cannot be read."""
    files = brand_files.read(folder)
    contested = {each.path for each in drafts.conflicts(draft, brand_files.held(files))}
    changes = {path: value for path, value in draft.values.items() if path not in contested}
    try:
        return brand_files.overlay(folder, brand_files.proposed(folder, files, changes), uploads)
    except ThemeError:
        return {}


def _drafted(folder: Path, draft: Draft, uploads: Mapping[str, bytes]) -> tuple[dict[Path, bytes], bytes]:
    overlay = _overlay(folder, draft, uploads)
    return overlay, _stamp(folder, overlay)


def _stamp(folder: Path, overlay: Mapping[Path, bytes]) -> bytes:
    """Of everything that the brand is made of."""
    made = hashlib.sha256(repr(stamps(folder, overlay)).encode())
    for file, content in sorted(overlay.items()):
        made.update(f"{file} {len(content)}\n".encode() + content)
    return made.digest()


# --- addresses -----------------------------------------------------------------------------------------------------


def token_of(studio: Studio, id_hash: bytes, brand_name: str) -> str:
    """128 bits, made from a session of an operator and a brand."""
    key = sealing.keys(studio.settings.secrets, "studio preview")[0]
    return sealing.mac(key, id_hash, brand_name.encode())[:16].hex()


async def whose(studio: Studio, token: str, brand_name: str) -> str:
    """The address of the operator whose session lives and whose token this is. Raises `NotThere`."""
    for session in await operator_sessions.every(studio):
        if sealing.same(token.encode(), [token_of(studio, session.id_hash, brand_name).encode()]):
            return session.address
    raise NotThere


def prefix_of(token: str, brand_name: str, shown: Shown) -> str:
    return f"{PREVIEW}{token}/{brand_name}/{shown}"


def moved(html: str, base: str, prefix: str) -> str:
    """The page with its own URLs below `prefix` instead of `base`: those in attributes and in its style."""
    return re.sub(rf'(="|url\("?){re.escape(base)}/(?!/)', lambda found: f"{found[1]}{prefix}/", html)


def moved_back(html: str, base: str, prefix: str) -> str:
    return html.replace(f"{prefix}/", f"{base}/")


# --- pages ---------------------------------------------------------------------------------------------------------


async def answer(previews: Previews, state: State, shown: Shown, path: str, query: str = "") -> Answer:
    """What is at a path of the brand, such as `account/` or `my/invoices`; its URLs are still the brand's own. Raises
    `NotThere`."""
    brand, locales = state.brand, state.brand.config.site.locales
    tag = shown.tag if shown.tag in locales else locales[0]
    assets = state.portal.renderer.assets
    if path.startswith(MAILS):
        return await apart(_mail, state, path.removeprefix(MAILS), tag)
    if path == f"{DOCUMENTS}invoice":
        return await _document(previews, state, shown, tag)
    if not f"/{path}".startswith(DYNAMIC_PREFIXES):
        inside = path if path.startswith(f"{tag}/") or tag == locales[0] else f"{tag}/{path}"
        page = pages.page_templates(brand).get(inside if inside.endswith(".html") else f"{inside}index.html")
        if page is None:
            raise NotThere
        html = await apart(pages.render_page, state.portal.renderer, page)
        return Answer(200, html.encode(), "text/html; charset=utf-8", assets.style_hashes)
    return await _asked(state, await previews.session(state, shown.who), tag, path, query)


async def _asked(state: State, session: str, tag: str, path: str, query: str = "") -> Answer:
    portal = state.portal
    cookie = f"{cookie_name(portal, 'session')}={session}; " if session else ""
    headers = {"cookie": f"{cookie}{cookie_name(portal, 'language')}={tag}", "accept-language": tag}
    asked = get(state.app, portal.origin, f"/{state.brand.name}/{path}", query, headers)
    status, said, body = await apart(asyncio.run, asked)
    return Answer(
        status,
        body,
        said.get("content-type", "text/plain"),
        portal.renderer.assets.style_hashes,
        location=said.get("location", ""),
    )


def mail(state: State, name: str, number: int, tag: str) -> messages.Rendered:
    """An example of the mail, as the state has it. Raises `NotThere`."""
    found = [each for each in examples.load_mails() if each.mail.template == name]
    if number >= len(found):
        raise NotThere
    return messages.render(state.portal.renderer, found[number].mail, tag)


def _mail(state: State, path: str, tag: str) -> Answer:
    name, _, number = path.partition("/")
    if not re.fullmatch("[0-9]{1,3}", number):
        raise NotThere
    html = mail(state, name, int(number), tag).html
    return Answer(200, html.encode(), "text/html; charset=utf-8", is_mail=True)


async def _document(previews: Previews, state: State, shown: Shown, tag: str) -> Answer:
    """The newest invoice, as a picture of its first page."""
    session = await previews.session(state, shown.who)
    listed = await _asked(state, session, tag, "my/invoices")
    found = _INVOICE.search(listed.body.decode())
    if found is None:
        raise NotThere
    path = found[1].removeprefix(state.brand.base).lstrip("/")
    made = await _asked(state, session, tag, f"{path}/pdf")
    if not made.body.lstrip().startswith(b"<svg"):
        raise NotThere
    return Answer(200, made.body, "image/svg+xml")


async def get(
    app: App,
    origin: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    state: Mapping[str, object] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Ask an application as a browser would: status, headers and body. `state`: what its handlers find in the request's,
    which no browser can say."""
    scheme, _, host = origin.partition("://")
    pairs = [(b"host", host.encode()), *((key.encode(), value.encode("latin-1")) for key, value in headers.items())]
    scope: Any = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": scheme, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": pairs, "client": ("127.0.0.1", 1), "server": (host.partition(":")[0], 443), "state": dict(state or {}),
    }  # fmt: skip
    started: list[Any] = []
    body: list[bytes] = []
    coming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return coming.pop() if coming else {"type": "http.disconnect"}  # only a download asks again: it is not made

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
        elif message["type"] == "http.response.body":
            body.append(message["body"])

    async with asyncio.timeout(20):
        await app(scope, receive, send)
    said = {key.decode().lower(): value.decode("latin-1") for key, value in started[0]["headers"]}
    return started[0]["status"], said, b"".join(body)
