"""A designer at work: `build.py dev` on a brand of its own, whose files a test or a benchmark saves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.brands import PORTAL, SVG, THEME, write_brand
from tests.support.served import Demo

STYLED = THEME.replace("[brand]\n", '[brand]\nstyles = "styles.css"\n')
LOGIN = "templates/pages/login.html"
TEMPLATE = '{% extends "site:pages/login.html" %}{% block footer %}{{ super() }}<p>Saved 0</p>{% endblock %}'


@contextmanager
def designing(folder: Path, name: str = "harbour") -> Iterator[tuple[Demo, Path]]:
    """The running `dev`, and the folder of its brand."""
    brand = write_brand(folder / "themes", name, theme=STYLED, portal=PORTAL, styles__css=b"h1 { color: inherit }\n")
    (brand / "pictures").mkdir()
    (brand / "pictures" / "hero.svg").write_bytes(SVG)
    (brand / LOGIN).parent.mkdir(parents=True)
    (brand / LOGIN).write_text(TEMPLATE, "utf-8")
    dev = Demo(name, command="dev", environment={"PORTAL_THEMES": str(folder / "themes")})
    try:
        dev.wait()
        yield dev, brand
    finally:
        dev.stop()
