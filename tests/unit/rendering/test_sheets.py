"""Each layout has a style sheet of its own, and nothing on its pages is left without the rules that another one has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from server.rendering.assets import SHEETS, STATIC
from tests.support import shown

_NAMES = re.compile(r"[.#](-?[a-z][\w-]*)")
_BOUND = re.compile(rf"\.({'|'.join(SHEETS)}) ")
"""What such a selector begins with says on the pages of which layout it counts."""
_GIVEN = re.compile(r'\s(?:class|id)="([^"]*)"')


@cache
def named_in(layout: str) -> frozenset[str]:
    """The classes and ids that its style sheet has rules for."""
    css = "".join((STATIC / each).read_text("utf-8") for each in SHEETS[layout])
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    selectors = ",".join(re.findall(r"([^{}]+)\{", css)).split(",")
    return frozenset(name for each in selectors if not _BOUND.match(each.strip()) for name in _NAMES.findall(each))


def documents() -> Iterator[tuple[str, str]]:
    for brand in shown.brands().values():
        yield from ((f"{brand.name}: {each.name}", each.html) for each in shown.pages(brand))
    yield from shown.features(shown.brands()["harbour"])


def test_no_page_has_what_only_the_style_sheet_of_another_layout_knows():
    everywhere = frozenset[str]().union(*map(named_in, SHEETS))
    found = []
    for name, html in documents():
        layout = re.findall(r'<body class="(\w+)', html)[0]
        given = {each for names in _GIVEN.findall(html) for each in names.split()}
        found += [f"{layout}: {each} ({name})" for each in sorted(given & everywhere - named_in(layout))]
    assert not found, "\n".join(found)
