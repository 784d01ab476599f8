"""Every page, fragment example and mail of a brand as a document in the browser, without a server."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from playwright.sync_api import BrowserContext, Page, Route

from server.brands import Brand, load, load_all
from server.mail import messages
from server.paths import Paths
from server.publishing import examples
from server.publishing.pages import render_pages
from server.rendering.assets import MEDIA_TYPES, Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "https://portal.example"
FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen", here="home")

_APART = Markup('<div style="position: relative; padding-block-start: 4rem">{}</div><hr>')
"""The way back is placed at the top of a page: each example has its own."""
_SCRIPT = re.compile(r"<script [^>]*></script>")  # these tests ask how it looks, not what it does
_REFRESH = re.compile(r"<meta http-equiv=\"refresh\"[^>]*>")  # the page would be gone before it is looked at


class Document(NamedTuple):
    name: str
    html: str


@cache
def brands() -> dict[str, Brand]:
    return {brand.name: brand for brand in load_all(ROOT / "themes")}


def arabic(folder: Path) -> Brand:
    """The brand with the fullest templates, offered from right to left; its files are copied into the folder."""
    shutil.copytree(ROOT / "themes", folder, dirs_exist_ok=True)
    portal = folder / "harbour" / "portal.toml"
    portal.write_text(portal.read_text("utf-8").replace("locales = [", 'locales = ["ar", '), "utf-8")
    return load(folder / "harbour")


def modes(brand: Brand) -> tuple[str, ...]:
    """Those that a visitor can meet."""
    return ("light", "dark") if brand.theme.mode == "auto" else (brand.theme.mode,)


def renderer_of(brand: Brand) -> Renderer:
    return Renderer(brand, Assets.of(brand), Paths(brand.base))


def pages(brand: Brand) -> Iterator[Document]:
    for path, (_, html) in render_pages(brand, Assets.of(brand)):
        yield Document(path, _REFRESH.sub("", html))


def fragments(brand: Brand, locale: str | None = None) -> Iterator[Document]:
    """Each example in its layout, and what opens in the place of something else also in the account's."""
    renderer = renderer_of(brand)
    for each in examples.load():
        name = f"{each.feature}/{each.fragment}: {each.name}"
        yield Document(name, renderer.page(each.view, FRAME, locale))
        if each.view.layout == "visitor":
            yield Document(f"{name} (in place)", renderer.page(each.view, FRAME, locale, "account"))


class Looks(HTMLParser):
    """Whether an example has an element that none before it had within the same elements: another look, for all that
    a style sheet can tell apart."""

    _SAYS_NOTHING = re.compile(
        r"hx-|href$|id$|for$|value$|name$|action$|data-(page|address|label)$|aria-(label|describedby|controls)"
    )
    _VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self._way: list[str] = []
        self._ways: set[str] = set()

    def is_new(self, html: str) -> bool:
        before = len(self._ways)
        self.reset()
        self._way = []
        self.feed(html)
        return len(self._ways) > before

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = sorted(f"{name}={value}" for name, value in attrs if not self._SAYS_NOTHING.match(name))
        self._way.append(" ".join((tag, *said)))
        self._ways.add(" > ".join(self._way))
        if tag in self._VOID:
            self._way.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._way and self._way.pop().partition(" ")[0] != tag:
            pass


def features(brand: Brand, *, each_look_once: bool = False) -> Iterator[Document]:
    """All examples of a feature below each other on one page, in each layout that `fragments` shows them in: for what
    does not depend on their being alone. `each_look_once`: without those that look like some before them."""
    renderer = renderer_of(brand)
    looks: dict[str, Looks] = defaultdict(Looks)
    for feature, found in groupby(examples.load(), key=lambda each: each.feature):
        in_layouts: dict[str, list[Markup]] = {}
        for each in found:
            fragment = Markup(renderer.fragment(each.view))  # noqa: S704 (escaped)
            for layout in (each.view.layout, "account") if each.view.layout == "visitor" else (each.view.layout,):
                if not each_look_once or looks[layout].is_new(fragment):
                    in_layouts.setdefault(layout, []).append(fragment)
        for layout, of_layout in in_layouts.items():
            around = renderer.environment().get_template(f"layouts/{layout}.html")
            body = Markup().join(_APART.format(each) for each in of_layout)
            yield Document(f"{feature} ({layout})", around.render(title="Examples", body=body, frame=FRAME))


def mails(brand: Brand) -> Iterator[Document]:
    renderer = renderer_of(brand)
    for each in examples.load_mails():
        yield Document(f"mail {each.name}", messages.render(renderer, each.mail).html)


def serve(context: BrowserContext, brand: Brand) -> None:
    """Answer what the documents load; everything else is not there."""
    files = Assets.of(brand).files

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        content = files.get(name)
        if name == "":
            route.fulfill(body="<!doctype html><title>Empty</title>", content_type="text/html")
        elif content is None:
            route.fulfill(status=404, body="")
        else:
            route.fulfill(body=content, content_type=MEDIA_TYPES[Path(name).suffix])

    context.route("**/*", answer)


def show(page: Page, document: Document) -> None:
    if not page.url.startswith(ORIGIN):
        page.goto(f"{ORIGIN}/")
    page.set_content(_SCRIPT.sub("", document.html), wait_until="load")
