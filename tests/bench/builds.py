"""Seconds for one brand and for two hundred. The peer renders the same pages with Jinja alone: no palette, no hashing,
no rules, no files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from server.brands import load_all
from server.paths import Paths
from server.publishing import pages, publishing
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.bench.menu import Row

THEMES = Path(__file__).resolve().parents[2] / "themes"
MANY = 200


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        brands = Path(folder) / "themes"
        shutil.copytree(THEMES / "plain", brands / "brand-000")
        one = _timed(brands, Path(folder) / "one")
        peer = _jinja_alone(brands)
        yield Row("build of 1 brand", f"{one:.2f} s", f"Jinja alone {peer:.3f} s", f"{one / peer:.1f}", "")
        for number in range(1, MANY):
            shutil.copytree(THEMES / "plain", brands / f"brand-{number:03}")
        many = _timed(brands, Path(folder) / "many")
        each = many / MANY
        yield Row(f"build of {MANY} brands", f"{many:.1f} s", f"{MANY} times 1 brand", f"{many / (MANY * one):.2f}", "")
        yield Row("one brand among them", f"{each:.3f} s", f"Jinja alone {peer:.3f} s", f"{each / peer:.1f}", "")


def _timed(folder: Path, out: Path) -> float:
    began = time.perf_counter()
    publishing.build(load_all(folder), out)
    return time.perf_counter() - began


def _jinja_alone(folder: Path) -> float:
    brand = load_all(folder)[0]
    assets = Assets.of(brand)
    began = time.perf_counter()
    renderer = Renderer(brand, assets, Paths(brand.base))
    for page in pages.page_templates(brand).values():
        pages.render_page(renderer, page)
    return time.perf_counter() - began
