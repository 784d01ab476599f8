"""The static pages of a brand, with no customer in sight: which there are, what is in them, and what may not be.

Both the build and the comparison of overrides with the site's own templates (`overrides.py`) render them here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from server import paths as urls
from server.brands import PORTAL_FILE, Brand, disk_cache
from server.brands.door_keys import KINDS
from server.paths import Paths
from server.publishing.links import Links
from server.publishing.rules import alike, html_rules, template_rules
from server.publishing.rules.html_rules import Problem
from server.rendering import words
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer

MOST_KNOWN = 20_000
_HASH = sha256().digest_size
_HERE = Path(__file__).parent
_DECIDING = (*_HERE.rglob("*.py"), Path(urls.__file__))
"""The rules, the links that lead somewhere, and what says which pages are alike."""
_KEY = "pages that keep the rules"


class PageError(Exception):
    """A template that cannot be rendered: its file, its line and why."""


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
    others |= {f"{kind}/": kind for kind in KINDS if brand.config.doors.opens(kind)}
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
    """Path, template and HTML of each static page. Raises `PageError` for a template that fails."""
    renderer = Renderer(brand, assets, Paths(brand.base))
    for path, page in page_templates(brand).items():
        template = f"pages/{page.template}.html"
        try:
            yield path, (template, render_page(renderer, page))
        except template_rules.MISTAKES as error:
            raise PageError(template_rules.template_mistake(error, template)) from error


def render_page(renderer: Renderer, page: Page) -> str:
    def url(tag: str) -> str:
        return f"{renderer.paths_in(tag).home}{page.in_others}"

    languages = renderer.languages(url, page.locale) if page.in_others is not None else ()
    return renderer.static_page(page.template, page.locale, languages, link=active_link(renderer.brand))


def page_problems(brand: Brand, assets: Assets, pages: dict[str, tuple[str, str]]) -> list[Problem]:
    """What the house rules have against these pages, dead links included."""
    links, link, sheets, keep_the_rules = links_of(brand, assets), active_link(brand), assets.all_styles(), _known()
    there = "\n".join(page_templates(brand)).replace(f"p/login/{link}/", "p/login/*/")
    problems: list[Problem] = []
    for path, (template, html) in pages.items():
        shape = alike.shape(html, sheets, brand.base, link, assets.files)
        known = sha256(f"{shape}\n{there}".encode()).digest() if shape is not None else b""
        if known in keep_the_rules:
            continue
        found = html_rules.check(html, "page", links.resolves, f"{brand.name}/{path} ({template})")
        if known and not found and len(keep_the_rules) < MOST_KNOWN:
            keep_the_rules.add(known)
        problems += found
    return problems


@cache
def _known() -> set[bytes]:
    """What no rule has anything against, by its shape and the pages that are there; also of processes before."""
    return _kept()


def _kept() -> set[bytes]:
    content = disk_cache.read(_folder(), _KEY) or b""
    found = {content[at : at + _HASH] for at in range(0, len(content), _HASH)}
    return found if len(found) < MOST_KNOWN else set()


def remember() -> None:
    """Keep for the next process which pages keep the rules; another rule is another folder."""
    kept = _kept()
    if not _known() <= kept:
        disk_cache.write(_folder(), _KEY, b"".join(sorted(_known() | kept)))


@cache
def _folder() -> Path:
    return disk_cache.folder(disk_cache.PLACE / "rules", _DECIDING)


def links_of(brand: Brand, assets: Assets) -> Links:
    """Where the brand's links may lead."""
    urls = {f"{brand.base}/{path}".removesuffix("index.html") for path in page_templates(brand)}
    return Links(Paths(brand.base), assets, frozenset(urls))


def words_problems(brand: Brand) -> Iterator[Problem]:
    """Languages of the brand that nobody has translated the portal into."""
    for tag in brand.config.site.locales:
        if words.catalog_of(tag) is None and tag.partition("-")[0] != "en":
            message = (
                f"site.locales: there are no words for {tag}, its pages are English; `build.py words {tag}` begins them"
            )
            yield Problem(str(brand.folder / PORTAL_FILE), 0, "words", message)
