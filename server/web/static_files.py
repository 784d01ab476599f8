"""The pages that the build wrote, served by us: in the demo, and where `serve --static` takes the place of a CDN.

A middleware in front of the application: `/<brand>/…` is a file of `dist/<brand>/` unless it is one of the paths that a
CDN passes on. At the host of a brand's own domain it is so without `/<brand>`, and the application is asked with it. Files are found in an index made from the folder, so no path can lead out of it, and they carry the
headers of the build's own `_headers`. Of a request only the path, `If-None-Match` and `Accept-Encoding` count: no other
header can change what anybody gets.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
import string
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import cast
from urllib.parse import quote

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from server.brands.theme_file import NAME
from server.paths import DYNAMIC_PREFIXES
from server.web import policy

RawHeaders = list[tuple[bytes, bytes]]
Rule = tuple[re.Pattern[str], dict[str, str]]

_TYPES = {
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
    ".js": "text/javascript",
}
_IS_TEXT = re.compile(r"text/|image/svg|application/(json|javascript|manifest)")
PLAIN: RawHeaders = [(b"content-type", b"text/plain; charset=utf-8")]
_NOT_PAGES = ("_headers", "_redirects")


class File(msgspec.Struct, frozen=True, dict=True):
    body: bytes
    is_text: bool
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    @cached_property
    def gzipped(self) -> bytes:
        """Empty where it is not worth it. Made when it is first asked for: most files of a build never are."""
        smaller = gzip.compress(self.body, 9, mtime=0) if self.is_text else b""
        return smaller if len(smaller) < len(self.body) else b""


class Site:
    """One brand's folder in memory, read again when a build has put another in its place. The first of the folders that is
    there counts."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._stamp: tuple[int, int] | None = None
        self.files: dict[str, File] = {}

    @property
    def is_secure(self) -> bool:
        """Whether the build says that browsers come by https."""
        self._refresh()
        index = self.files.get("index.html")
        return index is not None and any(name.lower() == b"strict-transport-security" for name, _ in index.headers)

    def find(self, path: str) -> tuple[int, File | None]:
        """Status and file for a path below the brand; a folder is its `index.html`."""
        self._refresh()
        name = f"{path}index.html" if path.endswith("/") or not path else path
        if name in self.files and name not in _NOT_PAGES:
            return 200, self.files[name]
        if f"{path}/index.html" in self.files:
            return 308, None
        folder, is_login, _ = path.rpartition("p/login/")  # in the folder of a language, or in none
        missing = f"{folder}link-not-active/index.html" if is_login and folder.count("/") < 2 else "404.html"
        return 404, self.files.get(missing) or self.files.get("404.html")

    def _refresh(self) -> None:
        for each in self._folders:
            try:
                if _stamp(each) != self._stamp:
                    folder = each.resolve()  # a link may lead elsewhere while its files are read
                    self.files, self._stamp = _files(folder), _stamp(folder)
            except FileNotFoundError:
                continue
            return
        self.files, self._stamp = {}, None


def _stamp(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_ino, status.st_mtime_ns


def _files(folder: Path) -> dict[str, File]:
    rules = _rules(folder / "_headers")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {each.relative_to(folder).as_posix(): _read(each, folder, rules) for each in found}


class StaticFiles:
    """ASGI middleware: the static pages of these brands, everything else from `app`."""

    def __init__(
        self,
        app: ASGIApp,
        dist: Path,
        brands: Iterable[str],
        domains: Mapping[str, str] | None = None,
        *,
        not_at: str = "",
        released: Callable[[str], Path] | None = None,
    ) -> None:
        """`domains`: the brand of each host and port that is one brand's own, in lower case. `not_at`: the host and port
        at which no page of a brand is: the studio's. `released`: the folder of a brand's release, which goes before the one
        in `dist`."""
        self._app = app
        self._domains = {host.encode(): brand for host, brand in (domains or {}).items()}
        self._dist, self._released = dist, released
        self._sites = {name: self._made(name) for name in brands}
        self._not_at = not_at.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"").lower()
        if self._not_at and host == self._not_at:
            await self._app(scope, receive, send)
            return
        at_home = self._domains.get(host, "")
        if at_home and not scope.get("path", "").startswith(f"/{at_home}/"):  # a proxy may have put it there
            before = f"/{quote(at_home)}".encode()
            inside = {"path": f"/{at_home}{scope['path']}", "raw_path": before + scope["raw_path"]}
            scope = cast("Scope", {**scope, **inside})
        brand, slash, path = scope.get("path", "").removeprefix("/").partition("/")
        site, base = self._site(brand), "" if at_home else f"/{quote(brand)}"
        method = scope.get("method", "")
        if scope["type"] != ScopeType.HTTP or site is None or is_dynamic(f"/{path}"):
            await self._app(scope, receive, send)
        elif method not in ("GET", "HEAD"):
            await answer_bare(send, 405, [(b"allow", b"GET, HEAD")], secure=site.is_secure)
        elif not slash:
            await _add_slash(send, scope, base, site)
        else:
            status, file = site.find(path)
            if status == 308:
                await _add_slash(send, scope, f"{base}/{quote(path)}", site)
            elif file is None:
                await answer_bare(send, 404, PLAIN, b"Not found.\n", secure=site.is_secure)
            else:
                await _send_file(send, status, file, dict(scope["headers"]), with_body=method == "GET")

    def _site(self, brand: str) -> Site | None:
        """Also of a brand that was made and published since this began."""
        if brand not in self._sites and self._released and re.fullmatch(NAME, brand):
            if not (self._released(brand) / "index.html").is_file():
                return None
            self._sites[brand] = self._made(brand)
        return self._sites.get(brand)

    def _made(self, brand: str) -> Site:
        return Site(*([self._released(brand)] if self._released else []), self._dist / brand)


def is_dynamic(path: str) -> bool:
    """Whether a path below a brand is the application's, by the same list that the CDN is given."""
    return any(
        path.startswith(prefix) if prefix.endswith("/") else path == prefix or path.startswith(f"{prefix}/")
        for prefix in DYNAMIC_PREFIXES
    )


async def _send_file(send: Send, status: int, file: File, asked: dict[bytes, bytes], *, with_body: bool) -> None:
    headers = [*file.headers, (b"etag", file.etag)]
    if file.gzipped:
        headers.append((b"vary", b"Accept-Encoding"))
    known = {each.strip() for each in asked.get(b"if-none-match", b"").split(b",")}
    if status == 200 and file.etag in known:
        await answer(send, 304, headers)
        return
    body = file.body
    if file.gzipped and _takes_gzip(asked.get(b"accept-encoding", b"")):
        body = file.gzipped
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await answer(send, status, headers, body if with_body else b"")


async def answer(send: Send, status: int, headers: RawHeaders, body: bytes = b"") -> None:
    """One whole answer over ASGI."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _add_slash(send: Send, scope: Scope, address: str, site: Site) -> None:
    """To the folder, with whatever was asked of it: a link may bring an address, a flow or a language along."""
    asked = scope.get("query_string", b"")
    location = f"{address}/?{quote(asked, safe=string.punctuation)}" if asked else f"{address}/"
    await answer_bare(send, 308, [(b"location", location.encode())], secure=site.is_secure)


async def answer_bare(send: Send, status: int, headers: RawHeaders, body: bytes = b"", *, secure: bool = False) -> None:
    """One whole answer that is no file of the build, under the policy of such answers: it may do nothing, nobody keeps it."""
    ours = [(name.lower().encode(), value.encode()) for name, value in policy.bare(secure=secure).items()]
    await answer(send, status, [*headers, *ours], body)


def _takes_gzip(header: bytes) -> bool:
    for part in header.split(b","):
        coding, _, weight = part.replace(b" ", b"").lower().partition(b";q=")
        if coding in (b"gzip", b"*"):
            return weight.strip(b"0.") != b"" if weight else True
    return False


def _read(path: Path, folder: Path, rules: list[Rule]) -> File:
    body = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    name = "/" + path.relative_to(folder).as_posix()
    headers = {"content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind}
    url = name.removesuffix("index.html")
    for pattern, given in rules:
        if pattern.fullmatch(url):
            headers |= given
    return File(
        body=body,
        is_text=_IS_TEXT.match(kind) is not None,
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'.encode(),
        headers=tuple((key.encode(), value.encode()) for key, value in headers.items()),
    )


def _rules(path: Path) -> list[Rule]:
    """`_headers` as CDNs read it: a line with a path, `*` for anything, then indented lines with a header each."""
    rules: list[Rule] = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            rules.append((re.compile(".*".join(re.escape(part) for part in line.strip().split("*"))), {}))
        elif rules:
            key, _, value = line.strip().partition(":")
            rules[-1][1][key.strip().lower()] = value.strip()
    return rules
