"""From one to four colors of a brand, every color of its pages, in light and in dark, so that WCAG 2.2 AA cannot fail.

Colors are moved in OKLCH, where lightness is what the eye calls lightness: a hue keeps its character while it is made
dark enough to read. The rules:

- what a designer gave stays as given in the set it was given for; only the link color is nudged where it must be;
- neutrals carry a breath of the brand's hue, so that gray looks chosen;
- the dark set is not the light one turned over: a tinted, almost black page, surfaces lifted above it, softer colors;
- every pair of `PAIRS` reaches its minimum, which a property test shows for any brand color.

Two colors that the designer fixed and that cannot be read on each other are a `Clash`; it names the nearest that can.

What comes out for the colors of a theme is kept on disk (`server.brands.disk_cache`), so most processes never load ColorAide, which
takes longer than to read a brand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

from server.brands import disk_cache

TEXT, GRAPHIC = 4.5, 3.0
"""WCAG 2.2: 1.4.3 for text, 1.4.11 for the borders of controls and the focus ring."""

_KINDS = ("good", "warn", "bad", "info")
_GROUNDS = ("page", "surface", *(f"{kind}-surface" for kind in _KINDS))

TOKENS = (
    *("page", "surface", "text", "muted", "border", "control", "brand", "on-brand"),
    *("button", "button-hover", "on-button", "accent", "accent-hover", "focus"),
    *(token for kind in _KINDS for token in (kind, f"{kind}-surface")),
    *("danger", "on-danger"),
)
"""The custom properties, each written as `--color-<token>`."""

PAIRS: tuple[tuple[str, str, float], ...] = (
    *((text, ground, TEXT) for text in ("text", "muted", "accent", "accent-hover") for ground in _GROUNDS),
    *((kind, ground, TEXT) for kind in _KINDS for ground in ("page", "surface", f"{kind}-surface")),
    ("on-brand", "brand", TEXT),
    ("on-button", "button", TEXT),
    ("on-button", "button-hover", TEXT),
    ("on-danger", "danger", TEXT),
    *((mark, ground, GRAPHIC) for mark in ("control", "focus") for ground in _GROUNDS),
)
"""(foreground, background, least contrast): which color is used on which."""

LIGHT_PAGE, DARK_PAGE = 0.85, 0.30
"""OKLCH lightness: a page's background is at least the first or at most the second; between them no text is at ease."""

GRAY = 0.03
"""OKLCH chroma below which a color is taken for black, gray or white."""

MOST_KEPT = 4_096
"""Files: two for each theme."""
Made = TypeVar("Made")

_HUES = {"good": 152.0, "warn": 72.0, "bad": 25.0, "info": 247.0}


class Palette(msgspec.Struct, frozen=True):
    light: dict[str, str]
    """Token -> `#rrggbb`."""
    dark: dict[str, str]


class Clash(msgspec.Struct, frozen=True):
    """A color that cannot be read where the designer put it."""

    key: str
    """`accent` or `background`: the key to change."""
    problem: str
    allowed: str
    nearest: str
    """The nearest color that passes, `#rrggbb`."""


class Oklch(msgspec.Struct, frozen=True):
    lightness: float
    chroma: float
    hue: float

    def at(self, lightness: float, chroma: float | None = None) -> Oklch:
        return Oklch(lightness, self.chroma if chroma is None else chroma, self.hue)

    @property
    def hex(self) -> str:
        return _hex(self.lightness, self.chroma, self.hue)


@lru_cache(maxsize=65536)
def _hex(lightness: float, chroma: float, hue: float) -> str:
    from coloraide import Color  # noqa: PLC0415 (what is kept on disk needs none of it)

    color = Color("oklch", [min(max(lightness, 0.0), 1.0), max(chroma, 0.0), hue])
    return str(color.fit("srgb", method="oklch-chroma").convert("srgb").to_string(hex=True))


@lru_cache(maxsize=65536)
def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def oklch(color: str) -> Oklch:
    from coloraide import Color  # noqa: PLC0415 (as above)

    lightness, chroma, hue = Color(color).convert("oklch").coords()
    return Oklch(lightness, chroma, 0.0 if math.isnan(hue) else hue)


def readable(color: Oklch, grounds: list[str], minimum: float, *, darker: bool) -> Oklch:
    """The color moved as little as possible, darker or lighter, until it has `minimum` on every ground."""

    def passes(lightness: float) -> bool:
        written = color.at(lightness).hex
        return all(contrast(written, ground) >= minimum for ground in grounds)

    if passes(color.lightness):
        return color
    bad, good = color.lightness, 0.0 if darker else 1.0
    for _ in range(9):
        middle = (bad + good) / 2
        bad, good = (bad, middle) if passes(middle) else (middle, good)
    return color.at(good)


@lru_cache(maxsize=1024)
def palette_of(color: str, accent: str, background: str, button: str, mode: str) -> Palette:
    """Both sets of a theme: `derive`, or what it answered another process."""
    return _kept(derive, (color, accent, background, button, mode), tuple[Palette, tuple[Clash, ...]])[0]


@lru_cache(maxsize=1024)
def clashes_of(accent: str, background: str, mode: str) -> tuple[Clash, ...]:
    """What is wrong with two colors that the designer fixed. It takes a tenth of `derive`'s time, so that a server with many
    brands can check all of them when it starts."""
    return _kept(_clashes, (accent, background, mode), tuple[Clash, ...]) if background else ()


def _kept(make: Callable[..., Made], given: tuple[str, ...], kind: type[Made]) -> Made:
    key = repr((make.__name__, *given))
    known = disk_cache.read(_folder(), key)
    if known is None:
        known = msgspec.json.encode(make(*given))
        disk_cache.write(_folder(), key, known, MOST_KEPT)
    return msgspec.json.decode(known, type=kind)


@cache
def _folder() -> Path:
    return disk_cache.folder(disk_cache.PLACE / "palettes", [Path(__file__)])


@lru_cache(maxsize=1024)
def derive(color: str, accent: str, background: str, button: str, mode: str) -> tuple[Palette, tuple[Clash, ...]]:
    """Both sets. Colors are `#rrggbb`, or empty where the designer left one out; `mode` is `light`, `dark` or `auto`."""
    own, clashes = _own_set(background, mode), _clashes(accent, background, mode)
    brand, link = oklch(color), oklch(accent or color)
    act = oklch(button or accent or color)
    sets = {}
    for name in ("light", "dark"):
        given = background if name == own and not clashes else ""
        sets[name] = _set(brand, link, act, given, is_dark=name == "dark", is_own=name == own)
    return Palette(light=sets["light"], dark=sets["dark"]), clashes


def _own_set(background: str, mode: str) -> str:
    """The set that the designer's colors were chosen for."""
    if mode != "auto":
        return mode
    return "dark" if background and oklch(background).lightness < 0.5 else "light"


def _clashes(accent: str, background: str, mode: str) -> tuple[Clash, ...]:
    if not background:
        return ()
    own = _own_set(background, mode)
    page = oklch(background)
    is_dark = own == "dark"
    bound = DARK_PAGE if is_dark else LIGHT_PAGE
    if not _is_at_ease(page, is_dark=is_dark):
        problem = f"{background} (lightness {page.lightness:.0%}) as the page of a {own} theme"
        allowed = f"a lightness of at {'most' if is_dark else 'least'} {bound:.0%}, so that text is at ease"
        return (Clash("background", problem, allowed, _page_at_ease(page, is_dark=is_dark)),)
    if accent and (ratio := contrast(accent, background)) < TEXT:
        better = readable(oklch(accent), [background], TEXT, darker=not is_dark).hex
        problem = f"{accent}, which has a contrast of {ratio:.2f}:1 with the background {background}"
        return (Clash("accent", problem, f"at least {TEXT}:1, since links are text", better),)
    return ()


def _is_at_ease(page: Oklch, *, is_dark: bool) -> bool:
    return page.lightness <= DARK_PAGE if is_dark else page.lightness >= LIGHT_PAGE


def _page_at_ease(page: Oklch, *, is_dark: bool) -> str:
    """The same hue as a page that text can be read on. Fitting a strong color to the screen may shift its lightness."""
    steps = (DARK_PAGE - 0.005 * step if is_dark else LIGHT_PAGE + 0.005 * step for step in range(1, 30))
    written = (page.at(lightness).hex for lightness in steps)
    return next(each for each in written if _is_at_ease(oklch(each), is_dark=is_dark))


def _set(brand: Oklch, link: Oklch, act: Oklch, background: str, *, is_dark: bool, is_own: bool) -> dict[str, str]:
    colors = _dark_grounds(brand, background) if is_dark else _light_grounds(brand, background)
    grounds = [colors[name] for name in _GROUNDS]
    darker = not is_dark
    tint = min(brand.chroma, 0.02)
    neutral = Oklch(0.0, 0.0, brand.hue)

    def on_grounds(color: Oklch, minimum: float = TEXT) -> Oklch:
        return readable(color, grounds, minimum, darker=darker)

    colors["text"] = on_grounds(neutral.at(0.945 if is_dark else 0.235, tint * (0.4 if is_dark else 1.0))).hex
    colors["muted"] = on_grounds(neutral.at(0.735 if is_dark else 0.485, tint * 0.9)).hex
    colors["control"] = on_grounds(neutral.at(0.53 if is_dark else 0.63, tint), GRAPHIC).hex
    for kind in _KINDS:
        wanted = Oklch(0.83, 0.13, _HUES[kind]) if is_dark else Oklch(0.46, 0.13, _HUES[kind])
        own = [colors["page"], colors["surface"], colors[f"{kind}-surface"]]
        colors[kind] = readable(wanted, own, TEXT, darker=darker).hex
    if is_dark and not is_own:  # the least that can be read is dull on black: links are lifted well above it
        link = link.at(max(link.lightness, 0.73 if link.chroma >= GRAY else 0.9))
    accent = on_grounds(link)
    colors["accent"] = accent.hex
    # Towards more contrast; at the end of the scale there is no way but back.
    step = 0.07 if is_dark else -0.09
    room = 1.0 - accent.lightness if is_dark else accent.lightness
    colors["accent-hover"] = on_grounds(accent.at(accent.lightness + (step if room > abs(step) else -2.5 * step))).hex
    colors["focus"] = colors["accent"]
    fill = brand if is_own else _visible(brand, colors["page"], is_dark=is_dark)
    colors["brand"], colors["on-brand"] = fill.hex, _text_on(fill.hex, neutral)
    act = act if is_own else _visible(act, colors["page"], is_dark=is_dark)
    colors["button"], colors["on-button"] = act.hex, _text_on(act.hex, neutral)
    colors["button-hover"] = _hover(act, colors["on-button"])
    danger = Oklch(0.56 if is_dark else 0.53, 0.19, 26.0)
    colors["danger"], colors["on-danger"] = danger.hex, _text_on(danger.hex, neutral)
    return {token: colors[token] for token in TOKENS}


def _light_grounds(brand: Oklch, background: str) -> dict[str, str]:
    tint = min(brand.chroma, 0.012)
    page = oklch(background) if background else Oklch(0.977, tint * 0.6, brand.hue)
    if page.chroma < 0.002:  # white has no hue; what lies on it has the brand's
        page = Oklch(page.lightness, page.chroma, brand.hue)
    # A white page has no room above it: its cards lie a shade below instead.
    lifted = (
        page.at(0.968, max(page.chroma, tint * 0.6))
        if page.lightness > 0.99
        else page.at(min(page.lightness + 0.03, 1.0), page.chroma * 0.3)
    )
    colors = {"page": background or page.hex, "surface": lifted.hex}
    colors["border"] = Oklch(
        min(page.lightness, lifted.lightness) - 0.075,
        max(page.chroma, tint),
        page.hue,
    ).hex
    return colors | {f"{kind}-surface": Oklch(0.957, 0.032, hue).hex for kind, hue in _HUES.items()}


def _dark_grounds(brand: Oklch, background: str) -> dict[str, str]:
    tint = min(brand.chroma, 0.016)
    page = oklch(background) if background else Oklch(0.175, tint, brand.hue)
    colors = {"page": background or page.hex, "surface": page.at(max(page.lightness + 0.045, 0.17)).hex}
    colors["border"] = page.at(max(page.lightness + 0.14, 0.28), max(page.chroma, tint)).hex
    return colors | {
        f"{kind}-surface": Oklch(max(page.lightness + 0.09, 0.23), 0.045, hue).hex for kind, hue in _HUES.items()
    }


def _visible(color: Oklch, page: str, *, is_dark: bool) -> Oklch:
    """A fill that was chosen for the other set, kept apart from this set's page."""
    if contrast(color.hex, page) >= (GRAPHIC if is_dark else 1.5):
        return color
    if color.chroma < GRAY:  # black on a light page is meant as "the strongest": on a dark one that is white
        return color.at(0.95 if is_dark else 0.25)
    return readable(color, [page], GRAPHIC, darker=not is_dark)


def _text_on(fill: str, neutral: Oklch) -> str:
    """White where it can be read, else the darkest tint, else black: one of the three always passes."""
    choices = ("#ffffff", neutral.at(0.2, 0.02).hex, "#000000")
    return next(each for each in choices if contrast(each, fill) >= TEXT)


def _hover(fill: Oklch, text: str) -> str:
    """The fill one step away from its text; at the end of the scale, one step towards it."""
    away = -1 if luminance(text) > 0.5 else 1
    steps = [fill.at(fill.lightness + sign * step).hex for step in (0.07, 0.14, 0.21, 0.28) for sign in (away, -away)]
    return next(each for each in steps if contrast(each, text) >= TEXT and contrast(each, fill.hex) >= 1.12)
