"""The build: a brand becomes a folder of files for a CDN, `dist/<brand>/`.

    index.html  account/  help/  link-not-active/  404.html  500.html     pages/ of the templates, no customer in sight
    p/login/<link>/index.html                                             only while the link is active
    <tag>/                                                                the same in each further language, but for
                                                                          404.html and 500.html
    static/                                                               assets under hashed names
    _headers  _redirects  robots.txt                                      for the CDN, see cdn.py; hosts.py for others

A brand is whole or not there (atomic_files.py), held to the house rules before it is written, and the same bytes from the same
input, on every machine. Nothing is kept between two builds, so nothing can go stale.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import msgspec

from server.brands import Brand
from server.paths import Paths
from server.publishing import cdn, hosts, sites
from server.publishing.atomic_files import NotOurs, write_file, write_folder
from server.publishing.links import Links
from server.publishing.rules import html_rules, template_rules
from server.publishing.rules.html_rules import Problem
from server.rendering.assets import AssetError, Assets
from server.rendering.renderer import Renderer

FEW = 4
"""This many brands are built faster than another process starts."""


_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")


class BuildError(Exception):
    """What must be repaired before there can be a build; nothing was written. One line for each mistake."""


class Built(msgspec.Struct, frozen=True):
    name: str
    pages: int
    bytes: int
    """Of all files."""
    seconds: float


def build(
    brands: Sequence[Brand],
    out: Path,
    *,
    server: str = "",
    secure: bool = True,
    reload: bool = False,
    host: str = "netlify",
    origin: str = "",
    on_brand: Callable[[Built], object] | None = None,
) -> list[Built]:
    """Write `out/<brand>/` for each brand; `on_brand` is told of each that is done.

    `server` is the origin at which a CDN reaches the server; `host` one of `hosts.HOSTS`, for which what it needs is
    written; `origin` where browsers reach the brands without a domain of their own, where that is known. `secure` says whether browsers come by https, where the
    brand has no domain of its own that says so. Raises `BuildError` with the mistakes of every brand: those without
    one are built, the others stay as they were.
    """
    out, server = out.absolute(), server.rstrip("/")
    if server and not _ORIGIN.fullmatch(server):
        raise BuildError(f"--server {server[:80]!r}: must be https:// or http:// and a host, without a path")
    if host not in hosts.HOSTS:
        raise BuildError(f"--for {host[:80]!r}: not a host that is known; allowed is one of {', '.join(hosts.HOSTS)}")
    if host != "netlify" and not server:
        raise BuildError(f"--for {host}: say with --server https://… where the host reaches the server")
    built, mistakes = [], []
    for brand, result in _each(brands, out, _Wanted(server, secure, reload, host)):
        if isinstance(result, Built):
            built.append(result)
            if on_brand:
                on_brand(result)
        else:
            mistakes.append(f"{brand.name}: not built\n{result}")
    if built:
        _write_shared(out, host, origin)
    if mistakes:
        raise BuildError("\n".join(sorted(mistakes)))
    return sorted(built, key=lambda each: each.name)


def files_of(brand: Brand, *, server: str = "", secure: bool = True, reload: bool = False) -> dict[str, bytes]:
    """Every file of the brand's folder by its path in it. Raises `BuildError`."""
    outputs = _Outputs()
    try:
        assets = Assets.of(brand, reload=reload)
        for name, content in assets.files.items():
            outputs.add(f"static/{name}", content, f"the asset {name}")
        pages = dict(render_pages(brand, assets))
    except AssetError as error:
        raise BuildError(str(error)) from None
    for path, (template, html) in pages.items():
        outputs.add(path, html.encode(), f"site/templates/{template}")
    if problems := [*template_rules.override_problems(brand), *page_problems(brand, assets, pages)]:
        raise BuildError("\n".join(map(str, problems)))
    secure = brand.config.site.url.startswith("https://") if brand.config.site.url else secure
    outputs.add("robots.txt", cdn.ROBOTS, "server/cdn.py")
    headers = cdn.headers(outputs.files, assets, brand.base, secure=secure)
    outputs.add("_headers", headers.encode(), "server/cdn.py")
    redirects = cdn.redirects(brand.name, brand.base, server, brand.config.site.locales[1:])
    outputs.add("_redirects", redirects.encode(), "server/cdn.py")
    return dict(sorted(outputs.files.items()))


class Page(msgspec.Struct, frozen=True):
    template: str
    """Its name in `pages/`."""
    locale: str
    in_others: str | None = None
    """Where a visitor who changes the language here goes on, below the folder of each; None: it exists in this one only."""


def page_templates(brand: Brand) -> dict[str, Page]:
    """Which page is where, by the path in the brand's folder."""
    first, link = brand.config.site.locales[0], active_link(brand)
    login = f"p/login/{link}/"
    # Who changes the language on the start is on the way to the log-in page.
    start = {"": ("home", login), login: ("login", login)} if link else {"": ("link_not_active", "")}
    others = {"account/": "account", "help/": "help", "link-not-active/": "link_not_active"}
    spoken = {**start, **{path: (name, path) for path, name in others.items()}}
    pages = {
        f"{'' if tag == first else f'{tag}/'}{path}index.html": Page(name, tag, going)
        for tag in brand.config.site.locales
        for path, (name, going) in spoken.items()
    }
    return {**pages, "404.html": Page("not_found", first), "500.html": Page("server_error", first)}


def active_link(brand: Brand) -> str:
    """The token of the log-in page, or nothing where it is switched off."""
    return brand.config.login_page.link if brand.config.login_page.enabled else ""


def render_pages(brand: Brand, assets: Assets) -> Iterator[tuple[str, tuple[str, str]]]:
    """Path, template and HTML of each static page. Raises `BuildError` for a template that fails."""
    renderer = Renderer(brand, assets, Paths(brand.base))
    for path, page in page_templates(brand).items():
        template = f"pages/{page.template}.html"
        try:
            yield path, (template, render_page(renderer, page))
        except template_rules.MISTAKES as error:
            raise BuildError(template_rules.template_mistake(error, template)) from error


def render_page(renderer: Renderer, page: Page) -> str:
    def url(tag: str) -> str:
        return f"{renderer.paths_in(tag).home}{page.in_others}"

    languages = renderer.languages(url, page.locale) if page.in_others is not None else ()
    return renderer.static_page(page.template, page.locale, languages, link=active_link(renderer.brand))


def page_problems(brand: Brand, assets: Assets, pages: dict[str, tuple[str, str]]) -> list[Problem]:
    """What the house rules have against these pages, dead links included."""
    links = links_of(brand, assets)
    return [
        problem
        for path, (template, html) in pages.items()
        for problem in html_rules.check(html, "page", links.resolves, f"{brand.name}/{path} ({template})")
    ]


def links_of(brand: Brand, assets: Assets) -> Links:
    """Where the brand's links may lead."""
    urls = {f"{brand.base}/{path}".removesuffix("index.html") for path in page_templates(brand)}
    return Links(Paths(brand.base), assets, frozenset(urls))


class _Outputs:
    """The files of one build; two sources for one file are refused, also where a disk ignores upper and lower case."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._sources: dict[str, str] = {}

    def add(self, path: str, content: bytes, source: str) -> None:
        first = self._sources.setdefault(path.casefold(), source)
        if first is not source or path in self.files:
            raise BuildError(f"{path}: written by {first} and by {source}; rename one of the two")
        self.files[path] = content


class _Wanted(msgspec.Struct, frozen=True):
    """Of one build, for every brand of it."""

    server: str
    secure: bool
    reload: bool
    host: str


def _write_shared(out: Path, host: str, origin: str) -> None:
    """What the CDN and the host need for the brands that share a domain. Raises `BuildError`."""
    cdn.write_shared(out)
    if (out / "_headers").is_file():
        texts = [(out / name).read_text("utf-8") for name in ("_headers", "_redirects")]
        shared = sites.read("portal", urlsplit(origin).netloc, out, *texts)
        try:
            _put(out, hosts.files(shared, host), (*hosts.AT_ROOT, *hosts.aside(shared.name)))
        except sites.Unfit as error:
            raise BuildError(f"--for {host}: {error}") from None


def _put(out: Path, files: Mapping[str, str], mine: Iterable[str]) -> None:
    """Write these, and take away those of `mine` that another host wanted before."""
    for path in set(mine) - set(files):
        (out / path).unlink(missing_ok=True)
    for path, text in files.items():
        (out / path).parent.mkdir(exist_ok=True)
        write_file(out / path, text.encode())


def _each(brands: Sequence[Brand], out: Path, wanted: _Wanted) -> Iterator[tuple[Brand, Built | str]]:
    """Each brand with what became of it, as they get done; in parallel where they are many."""
    if len(brands) <= FEW:
        for brand in brands:
            yield brand, _build_one(brand, out, wanted)
        return
    # Not `fork`: the caller may have threads, and a fork copies the locks that they hold.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            jobs = {pool.submit(_build_one, brand, out, wanted): brand for brand in brands}
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _build_one(brand: Brand, out: Path, wanted: _Wanted) -> Built | str:
    """Build it, or say why not: an exception with a traceback would not cross to the other process whole."""
    start = perf_counter()
    try:
        files = files_of(brand, server=wanted.server, secure=wanted.secure, reload=wanted.reload)
        wants: Mapping[str, str] = {}
        if domain := urlsplit(brand.config.site.url).netloc:
            texts = (files["_headers"].decode(), files["_redirects"].decode())
            wants = hosts.files(sites.read(brand.name, domain, out / brand.name, *texts), wanted.host)
            files |= {path: text.encode() for path, text in wants.items() if path in hosts.AT_ROOT}
        write_folder(out / brand.name, files)
        aside = {path: text for path, text in wants.items() if path not in hosts.AT_ROOT}
        _put(out, aside, hosts.aside(brand.name))
    except sites.Unfit as error:
        return f"--for {wanted.host}: {error}"
    except (BuildError, NotOurs, OSError) as error:
        return str(error)
    pages = sum(path.endswith(".html") for path in files)
    return Built(brand.name, pages, sum(map(len, files.values())), perf_counter() - start)
