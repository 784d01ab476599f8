"""The files that a brand's pages load, under names that change with their bytes.

A deterministic function of `site/static/` and of the brand's folder: the build writes `files`, the server links to
them, and the two agree because both ask here. Templates write `{{ asset("account.js") }}` for the URL and
`{{ asset.integrity("account.js") }}` for the hash that the browser checks and that the Content-Security-Policy lists.

    logical name      what it is
    account.js        site/static/vendor/htmx.min.js, byte for byte, then site/static/portal.js
    <name>.js         each other script of site/static; reload.js only while `build.py dev` runs
                      (ours without the lines that are comments)
    logo, icon        the theme's, whatever their type; dark_logo where it has one
    pictures/<file>   each file of that folder of the theme
    <font file>       each font of the theme, by its file name

A style sheet is no file: it is inside every page, see `styles`. Each layout has its own: the theme's custom properties, then
site/static/portal.css and what that layout has besides (`SHEETS`), then the theme's own rules.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup
from rcssmin import cssmin

from server.brands import Brand, tokens_css
from server.brands.tokens import RADII
from server.paths import Paths

STATIC = Path(__file__).parents[2] / "site" / "static"

SHEETS = {
    "visitor": ("portal.css", "visitor.css"),
    "account": ("portal.css", "account.css"),
    "provider": ("portal.css", "account.css", "provider.css"),
}
"""Of which files of `site/static/` the style sheet of a layout is made."""

# Only what browsers need to know to treat the file as what it is; anything else has no business in a build.
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}


class AssetError(Exception):
    """A file that cannot be published, or a name that no file has. The message says which and what would do."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Use `Assets.of(brand)`. Called with a logical name, it answers the URL."""

    files: Mapping[str, bytes]
    """By hashed name, such as `account.1a2b3c4d5e.js`."""
    reload: bool
    """Whether pages load `reload.js`, which shows what a designer saved."""
    style_hashes: tuple[str, ...]
    """Of the inline `<style>` of each layout."""
    _names: Mapping[str, str]
    _paths: Paths
    _sheets: Mapping[str, str]
    _tokens: str
    _own: str

    @classmethod
    def of(cls, brand: Brand, *, reload: bool = False) -> Assets:
        """Raises `AssetError` for a file that cannot be published."""
        paths = Paths(brand.base)
        scripts = {name: each for name, each in _scripts().items() if reload or name != "reload.js"}
        found = scripts | _theme_files(brand)
        names = {logical: _hashed_name(logical, suffix, content) for logical, (suffix, content) in found.items()}
        urls = {logical: paths.static(name) for logical, name in names.items()}
        written = (tokens_css(brand.theme, lambda font: urls[font.name]), brand.theme.styles)
        tokens, own = (_resolved(brand, css, urls) for css in written)
        sheets = _sheets(brand.theme.shape)
        files = {names[logical]: content for logical, (_, content) in found.items()}
        return cls(
            files=MappingProxyType(dict(sorted(files.items()))),
            reload=reload,
            style_hashes=tuple(style_hash(f"{tokens}{sheets[each]}{own}") for each in sorted(SHEETS)),
            _names=MappingProxyType(names),
            _paths=paths,
            _sheets=sheets,
            _tokens=tokens,
            _own=own,
        )

    def __call__(self, logical: str) -> str:
        """Its URL. Raises `AssetError` for a name that no file has."""
        return self._paths.static(self._name(logical))

    def __contains__(self, logical: object) -> bool:
        """`{% if "logo" in asset %}`"""
        return logical in self._names

    def integrity(self, logical: str) -> str:
        """For the `integrity` attribute: `sha384-…`."""
        return sri(self.files[self._name(logical)])

    @property
    def script_hashes(self) -> tuple[str, ...]:
        """Of every script there is, sorted by name: nothing else may run."""
        return tuple(self.integrity(name) for name in sorted(self._names) if name.endswith(".js"))

    def styles(self, layout: str) -> Markup:
        """The whole style sheet of `visitor`, `account` or `provider` for an inline `<style>`, marked as safe: the tags may
        hold nothing but it."""
        css = f"{self._tokens}{self._sheets[layout]}{self._own}"
        return Markup(css)  # noqa: S704 (it holds no "</": checked in _resolved)

    def all_styles(self) -> tuple[Markup, ...]:
        return tuple(map(self.styles, sorted(SHEETS)))

    def _name(self, logical: str) -> str:
        if logical not in self._names:
            near = difflib.get_close_matches(logical, self._names, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(self._names))}"
            raise AssetError(f"{logical}: no such asset{hint}")
        return self._names[logical]


@lru_cache(maxsize=64)
def sri(content: bytes) -> str:
    """The hash of a file as Subresource Integrity and Content-Security-Policy write it."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def style_hash(css: str) -> str:
    """The hash of an inline `<style>` as Content-Security-Policy writes it, without the quotes."""
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()


def minified(css: str) -> str:
    return str(cssmin(css))


def account_script() -> bytes:
    """htmx and what looks at each fragment."""
    return _scripts()["account.js"][1]


@lru_cache(maxsize=64)
def _hashed_name(logical: str, suffix: str, content: bytes) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", logical.removesuffix(suffix))
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}{suffix}"


def _scripts() -> Mapping[str, tuple[str, bytes]]:
    paths = sorted(STATIC.glob("*.js"))
    return _scripts_of(tuple((path, path.stat().st_mtime_ns) for path in paths))


@lru_cache(maxsize=1)
def _scripts_of(stamps: tuple[tuple[Path, int], ...]) -> Mapping[str, tuple[str, bytes]]:
    """Those files as they are published: the same objects for all brands, until one of them is written again."""
    # One file: a deferred htmx starts by a timer, so as a file of its own it was seen to fetch and swap before portal.js
    # had arrived to look at what comes, and without it altogether when that did not arrive at all.
    guarded = (STATIC / "vendor" / "htmx.min.js", STATIC / "portal.js")
    found = {"account.js": (".js", guarded[0].read_bytes() + b"\n" + _shorter(guarded[1].read_bytes()))}
    for path in sorted({path for path, _ in stamps} - set(guarded)):
        if path.name in found:
            raise AssetError(f"{path}: the name {path.name} is taken by htmx and portal.js together; rename the file")
        found[path.name] = (".js", _shorter(path.read_bytes()))
    return MappingProxyType(found)


def _shorter(script: bytes) -> bytes:
    """One of our scripts without the lines that are comments and without white space beside punctuation, except in strings.

    It holds for scripts that end each statement with a semicolon, and have no template in a template.
    """
    code = re.sub(rb"(?m)^[ \t]*//.*\n|^[ \t]+", b"", script)
    return re.sub(rb"""("[^"\n]*"|`[^`]*`)|\s*([{}()[;,=?:&|>+])[ \t\n]*""", lambda found: found[1] or found[2], code)


def _sheets(shape: str) -> Mapping[str, str]:
    paths = sorted(STATIC.glob("*.css"))
    return _sheets_of(tuple((path, path.stat().st_mtime_ns) for path in paths), shape)


@lru_cache(maxsize=len(RADII))
def _sheets_of(stamps: tuple[tuple[Path, int], ...], shape: str) -> Mapping[str, str]:
    """What the style sheets of all brands of this shape share, by layout: the same texts until a file is written again. The
    rules of the other shapes are left out."""
    others = re.compile(rf"(?m)^\.({'|'.join(each for each in RADII if each != shape)}) {{.*}}\n")
    texts = {path.name: others.sub("", path.read_text("utf-8")) for path, _ in stamps}
    return MappingProxyType({layout: minified("".join(map(texts.__getitem__, of))) for layout, of in SHEETS.items()})


def _theme_files(brand: Brand) -> dict[str, tuple[str, bytes]]:
    look = brand.theme.brand
    named = {"logo": look.logo.file, "icon": look.icon.file, **brand.theme.pictures}
    if look.dark_logo.file.name:
        named["dark_logo"] = look.dark_logo.file
    for font in brand.theme.type.fonts:
        taken = named.setdefault(font.file.name, font.file)
        if taken != font.file:
            raise AssetError(f"{font.file}: the name {font.file.name} is taken by {taken}; rename one of the two")
    found = {}
    for logical, path in named.items():
        suffix = path.suffix.lower()
        if suffix not in MEDIA_TYPES:
            raise AssetError(
                f"{path}: files of type {suffix or '(none)'} are not published; use one of {', '.join(MEDIA_TYPES)}"
            )
        found[logical] = (suffix, brand.theme.content(path))
    return found


def _resolved(brand: Brand, css: str, urls: Mapping[str, str]) -> str:
    """Minified; `url(<logical name>)` becomes the URL of that asset."""

    def resolved(match: re.Match[str]) -> str:
        return f'url("{urls[match[1]]}")' if match[1] in urls else match[0]

    css = minified(re.sub(r"""url\(\s*["']?([^"')\s]+)["']?\s*\)""", resolved, css))
    if "</" in css:
        # It is between <style> tags: with these two a theme could end them.
        raise AssetError(f'{brand.name}: the style sheet holds a "</"; write %3C in URLs and \\3C in strings')
    return css
