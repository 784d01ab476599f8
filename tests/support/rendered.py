"""Rendering in tests: the demo's brands, and what a rendered text says."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from server.paths import Paths
from server.publishing.links import Links
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.support.world import brands


@cache
def renderer(name: str = "harbour") -> Renderer:
    brand = next(each for each in brands() if each.name == name)
    return Renderer(brand, Assets.of(brand), Paths(brand.base))


@cache
def links(name: str = "harbour") -> Links:
    it = renderer(name)
    return Links(it.paths, it.assets, frozenset({it.paths.home, it.paths.account, it.paths.help}))


def words(html: str) -> str:
    """What a person reads of it, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def lines(html: str) -> list[str]:
    """What a person reads of it, broken where `<br>` stands."""
    return [words(each) for each in html.split("<br>") if words(each)]
