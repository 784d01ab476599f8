"""A theme as CSS custom properties: the only way by which looks reach the style sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from server.brands.theme_file import Font, Theme

RADII = {
    "rounded": {"small": "0.375rem", "": "0.625rem", "large": "1rem", "button": "0.625rem"},
    "sharp": {"small": "0", "": "0", "large": "0", "button": "0"},
    "pill": {"small": "0.5rem", "": "0.875rem", "large": "1.5rem", "button": "999px"},
}


def tokens_css(theme: Theme, url: Callable[[Path], str] = lambda file: file.name) -> str:
    """The theme's fonts and custom properties. `url` says where a font file is published; left out: its name.

    A theme in `auto` mode is light, and dark for a browser that prefers it; the other two are what they say.
    """
    faces = "".join(_face(each, url(each.file)) for each in theme.type.fonts)
    first = "dark" if theme.mode == "dark" else "light"
    scheme = "light dark" if theme.mode == "auto" else first
    root = {"color-scheme": scheme, **colors(theme, first), **_shape(theme), **_type(theme)}
    css = faces + _rule(":root", root)
    if theme.mode == "auto":
        changed = {name: color for name, color in colors(theme, "dark").items() if color != root[name]}
        css += "@media (prefers-color-scheme: dark) {\n" + _rule(":root", changed) + "}\n"
    return css


def colors(theme: Theme, mode: str) -> dict[str, str]:
    """The colors of `light` or `dark` as custom properties."""
    tokens = theme.palette.dark if mode == "dark" else theme.palette.light
    return {f"--color-{token}": color for token, color in tokens.items()}


def _shape(theme: Theme) -> dict[str, str]:
    return {f"--radius-{size}".rstrip("-"): value for size, value in RADII[theme.shape].items()}


def _type(theme: Theme) -> dict[str, str]:
    return {"--font-body": theme.type.body, "--font-heading": theme.type.heading, "--scale": f"{theme.type.scale:g}"}


def _rule(selector: str, properties: dict[str, str]) -> str:
    lines = "".join(f"  {name}: {value};\n" for name, value in properties.items())
    return f"{selector} {{\n{lines}}}\n"


def _face(font: Font, url: str) -> str:
    properties = {
        "font-family": f"'{font.family}'",
        "font-style": font.style,
        "font-weight": font.weight,
        "font-display": "swap",
        "src": f"url('{url}') format('{font.kind}')",
    }
    return _rule("@font-face", properties)
