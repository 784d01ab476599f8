"""Bytes on the wire, gzip, empty cache: everything that a browser fetches for one page."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.brands import Brand, load_all
from server.paths import Paths
from server.publishing import examples, publishing
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.rendering.views import View
from tests.bench.menu import Row

THEMES = Path(__file__).resolve().parents[2] / "themes"
COMPRESSED = (".html", ".css", ".js", ".svg", ".txt")


def rows() -> Iterator[Row]:
    brands = load_all(THEMES)
    with TemporaryDirectory() as folder:
        out = Path(folder)
        publishing.build(brands, out)
        for brand in brands:
            login = out / brand.name / "p" / "login" / brand.config.login_page.link / "index.html"
            yield _budget(f"{brand.name}: log-in page, all of it", _everything(login, out, brand), 18)
            yield _budget(f"{brand.name}: log-in page, its HTML with the styles", _wire(login), 14)
            account = out / brand.name / "account" / "index.html"
            first = Renderer(brand, Assets.of(brand), Paths(brand.base)).fragment(fullest("home", "overview"))
            total = _everything(account, out, brand) + len(gzip.compress(first.encode(), 6))
            yield _budget(f"{brand.name}: account page with its first fragment", total, 24)


def fullest(feature: str, fragment: str) -> View:
    """The example of this fragment with the most to show."""
    shown = [each for each in examples.load() if (each.feature, each.fragment) == (feature, fragment)]
    return max(shown, key=lambda each: len(repr(each.view))).view


def _everything(page: Path, out: Path, brand: Brand) -> int:
    """The page and every file of ours that it loads."""
    text = page.read_text()
    linked = set(re.findall(rf'(?:src|href)="({re.escape(brand.base)}/static/[^"]+)"', text))
    return _wire(page) + sum(_wire(out / brand.name / each.removeprefix(brand.base + "/")) for each in linked)


def _wire(file: Path) -> int:
    content = file.read_bytes()
    return len(gzip.compress(content, 6)) if file.suffix in COMPRESSED else len(content)


def _budget(what: str, size: int, kilobytes: int) -> Row:
    return Row(
        what,
        f"{size:,} B",
        "the budget",
        f"{size / (kilobytes * 1024):.2f}",
        f"≤ {kilobytes} KB",
        size <= kilobytes * 1024,
    )
