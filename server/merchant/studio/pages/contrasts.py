"""Whether the colors that a form holds can be read where they meet, and the nearest that can."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from server.brands.palette import TEXT, Palette, contrast, derive

_MEETS = {
    "brand.color": (("Text on the brand color", "on-brand", "brand"),),
    "brand.accent": (("Links on the page", "accent", "page"), ("Links on cards", "accent", "surface")),
    "brand.background": (("Text", "text", "page"), ("Quiet text", "muted", "page")),
    "brand.button": (("Text on the button", "on-button", "button"), ("While pointed at", "on-button", "button-hover")),
}
"""What each color meets: in words, and the two tokens of the palette."""


class Pair(msgspec.Struct, frozen=True):
    what: str
    front: str
    ground: str
    """Both `#rrggbb`."""
    ratio: str
    passes: bool
    mode: str
    """`light` or `dark`: the pages that it is about."""


class Met(msgspec.Struct, frozen=True):
    """What one color meets."""

    pairs: tuple[Pair, ...] = ()
    shows: str = ""
    """The color that holds, `#rrggbb`: what was given, or what is made of the others."""
    nearest: str = ""
    """The nearest color that passes; empty: it passes."""


def met(colors: Mapping[str, str], mode: str) -> dict[str, Met]:
    """By the path of the color. `colors`: what is given for each, empty where left out; one that is no color counts as
    left out."""
    given = {path: _color(colors.get(path, "")) for path in _MEETS}
    if not given["brand.color"]:
        return {path: Met(shows=color) for path, color in given.items()}
    if mode not in ("light", "dark", "auto"):
        mode = "auto"
    names = ("brand.color", "brand.accent", "brand.background", "brand.button")
    palette, clashes = derive(*(given[name] for name in names), mode)
    nearest = {f"brand.{each.key}": each.nearest for each in clashes}
    main = "dark" if mode == "dark" or (mode == "auto" and _is_dark(given["brand.background"])) else "light"
    modes = {"light": ("light",), "dark": ("dark",)}.get(mode, (main, "dark" if main == "light" else "light"))
    found = {}
    for path, pairs in _MEETS.items():
        shows = given[path] or getattr(palette, main)[pairs[0][2] if path != "brand.accent" else "accent"]
        clashing = _clash(given) if nearest.get("brand.accent") and path == "brand.accent" else ()
        found[path] = Met((*clashing, *_pairs(pairs, palette, modes)), shows, nearest.get(path, ""))
    return found


def _clash(given: Mapping[str, str]) -> tuple[Pair, ...]:
    front, ground = given["brand.accent"], given["brand.background"]
    return (Pair("As it is given", front, ground, f"{contrast(front, ground):.1f}", False, "light"),)


def _pairs(pairs: tuple[tuple[str, str, str], ...], palette: Palette, modes: tuple[str, ...]) -> tuple[Pair, ...]:
    made = []
    for mode in modes:
        colors: dict[str, str] = getattr(palette, mode)
        for what, front, ground in pairs:
            ratio = contrast(colors[front], colors[ground])
            made.append(Pair(what, colors[front], colors[ground], f"{ratio:.1f}", ratio >= TEXT, mode))
    return tuple(made)


def _is_dark(background: str) -> bool:
    return bool(background) and contrast(background, "#ffffff") > contrast(background, "#000000")


def _color(text: str) -> str:
    text = text.strip().lower()
    if re.fullmatch("#[0-9a-f]{3}", text):
        return "#" + "".join(each * 2 for each in text[1:])
    return text if re.fullmatch("#[0-9a-f]{6}", text) else ""
