"""Documents as PDF: the brand's words as data, and a Typst template that sets them.

    documents/<name>.txt   Jinja, like a mail's text: what is said, as one JSON object, in the customer's language
    documents/<name>.typ   Typst: how it looks. It reads that object, and `look`, as data

Nothing of a customer ever becomes Typst source: the two objects travel as inputs and are parsed there as JSON, so a `#`,
a `$` or a backslash is a character like any other. A template can read what `_files` gives it and the site's documents,
nothing else of the disk.

What is written is PDF/A-3a and PDF/UA-1: tagged, with every font inside. Both standards forbid a character that none of
the fonts has, such as an emoji: an empty square takes its place (`missing_glyphs`). An electronic invoice inside keeps it.

    script                        font                      from
    Latin, Greek, Cyrillic        Inter                     fontpkg-inter
    Latin serif, for headings     Libertinus Serif          typst
    Arabic                        IBM Plex Sans Arabic      fontpkg-ibm-plex-sans-arabic
    Hebrew                        Heebo                     fontpkg-heebo
    Devanagari                    Noto Sans Devanagari      fontpkg-noto-sans-devanagari
    Chinese, Japanese, Korean     Noto Sans CJK             noto-cjk-sans-otc

A theme's own fonts are WOFF files, which Typst does not read. All scripts are set by the one warm compiler of the
process, one document after the other, in a thread: measured with Typst 0.15, 120 lines take 50 ms and 2,000 lines 1 s
and some 200 MB, without holding Python's lock.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import Any

import msgspec
import typst

from server.brands import Theme
from server.rendering.compiled import SITE
from server.rendering.filters import babel_locale
from server.rendering.printing import factur_x_metadata, missing_glyphs
from server.rendering.renderer import Renderer

_log = logging.getLogger(__name__)
STANDARDS = ["a-3a", "ua-1"]
_FONTS = (
    "fontpkg_inter", "fontpkg_ibm_plex_sans_arabic", "fontpkg_heebo", "fontpkg_noto_sans_devanagari",
    "noto_cjk_sans_otc",
)  # fmt: skip
_SANS, _SERIF = "Inter", "Libertinus Serif"
_CJK = {"CN": "SC", "SG": "SC", "TW": "TC", "HK": "HK", "MO": "TC", "KR": "KR"}
_CJK_OF_LANGUAGE = {"zh": "SC", "ko": "KR"}
_LETTER = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})
_WITH_INVOICE = f"""#include "document.typ"
#pdf.attach("{factur_x_metadata.NAME}", bytes(sys.inputs.electronic), relationship: "alternative",
  mime-type: "{factur_x_metadata.MEDIA_TYPE}", description: "Factur-X")
"""
"""Around a document: the electronic invoice says the same as the pages."""
_NO_LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
_RADII = {"rounded": 4, "sharp": 0, "pill": 9}


class Look(msgspec.Struct, frozen=True):
    """What a Typst template knows of the brand, beside the words."""

    colors: dict[str, str]
    """The theme's light palette: paper is white."""
    radius: int
    """In points."""
    body: tuple[str, ...]
    """Font families, the first that has a character sets it."""
    heading: tuple[str, ...]
    logo: str
    """The name under which the logo can be read: always an SVG."""
    lang: str
    dir: str
    """`ltr` or `rtl`."""
    paper: str
    """`a4` or `us-letter`."""


class Printer:
    """Sets documents. Safe to share; `close` it at the end. `as_picture`: the first page as an SVG, for a preview, where
    browsers open no PDF."""

    def __init__(self, *, as_picture: bool = False) -> None:
        self._as_picture = as_picture
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="documents")

    async def pdf(
        self,
        renderer: Renderer,
        name: str,
        locale: str,
        *,
        country: str,
        at: datetime,
        electronic: Callable[[], bytes] | None = None,
        **context: Any,
    ) -> bytes:
        """The document `name` in `locale`. `country` chooses the paper, and which forms Han characters have; `at` is
        the date that the file carries, so that the same document is the same bytes. `electronic` makes the XML of
        an electronic invoice to put inside, or nothing; it is called in the thread. The context goes to the words."""
        said = printable(msgspec.json.decode(renderer.text(f"documents/{name}.txt", locale, **context)))
        look = look_of(renderer.brand.theme, locale, country)
        files = _files(renderer, name, look)
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._set, files, said, look, at, electronic
        )

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    @cached_property
    def _compiler(self) -> typst.Compiler:
        paths: list[Any] = [str(resources.files(each)) for each in _FONTS]
        fonts = typst.Fonts(include_system_fonts=False, font_paths=paths)
        return typst.Compiler(root=str(SITE / "templates" / "documents"), font_paths=fonts)

    def _set(
        self, files: dict[str, bytes], said: Any, look: Look, at: datetime, electronic: Callable[[], bytes] | None
    ) -> bytes:
        """The words as they are; where the typesetter names characters that it cannot draw, without those."""
        inputs = {"look": msgspec.json.encode(look).decode()}
        xml = electronic() if electronic and not self._as_picture else b""
        if xml:
            inputs["electronic"] = xml.decode()
            files = {**files, "document.typ": files["main.typ"], "main.typ": _WITH_INVOICE.encode()}
        try:
            pdf = self._mended(files, inputs, said, at)
        except typst.TypstError as error:
            # What a browser draws may be nothing that the typesetter reads. The document is more than its logo.
            pdf = self._mended({**files, look.logo: _NO_LOGO}, inputs, said, at)
            _log.error("a document was set without the logo: %s", str(error)[:500])
        return factur_x_metadata.declared(pdf) if xml else pdf

    def _mended(self, files: dict[str, bytes], inputs: dict[str, str], said: Any, at: datetime) -> bytes:
        for mended in missing_glyphs.MENDS:
            try:
                return self._compiled(files, inputs, said, at)
            except typst.TypstError as error:
                unknown = missing_glyphs.named_in(str(error.diagnostic))
                if not unknown:
                    raise
                said = mended(said, unknown)
        return self._compiled(files, inputs, said, at)

    def _compiled(self, files: dict[str, bytes], inputs: dict[str, str], said: Any, at: datetime) -> bytes:
        given: Any = files
        inputs = {**inputs, "data": msgspec.json.encode(said).decode()}
        rest: Any = {"timestamp": int(at.timestamp())}
        rest |= {"format": "svg"} if self._as_picture else {"format": "pdf", "pdf_standards": STANDARDS}
        made: Any = self._compiler.compile(input=given, sys_inputs=inputs, **rest)
        return bytes(made[0] if isinstance(made, list) else made)


def printable(said: Any) -> Any:
    """The words without characters that nothing shows: controls, and what is no character at all. No font has them."""
    if isinstance(said, str):
        return said if said.isprintable() else "".join(each for each in said if _is_shown(each))
    if isinstance(said, list):
        return [printable(each) for each in said]
    if isinstance(said, dict):
        return {key: printable(each) for key, each in said.items()}
    return said


def _is_shown(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cn", "Cs")


def look_of(theme: Theme, locale: str, country: str) -> Look:
    """The looks of a document in this language, for somebody in this country (two letters, or empty)."""
    parsed = babel_locale(locale)
    cjk = _CJK.get(country) or _CJK_OF_LANGUAGE.get(parsed.language, "JP")
    others = ("IBM Plex Sans Arabic", "Heebo", "Noto Sans Devanagari", f"Noto Sans CJK {cjk}")
    heading = _SERIF if theme.type.heading.endswith(" serif") else _SANS
    return Look(
        colors=theme.palette.light,
        radius=_RADII[theme.shape],
        body=(_SANS, *others),
        heading=(heading, _SANS, *others),
        logo="logo.svg",
        lang=parsed.language,
        dir="rtl" if parsed.text_direction == "rtl" else "ltr",
        paper="us-letter" if country in _LETTER else "a4",
    )


def _logo(theme: Theme) -> bytes:
    """An SVG, drawn or around the pixels: typst 0.15.2 takes no file for its input that is not UTF-8."""
    content, image = theme.content(theme.brand.logo.file), theme.brand.logo.image
    if image.kind == "svg":
        return content
    size = f'width="{image.width}" height="{image.height}"'
    url = f"data:image/{image.kind};base64,{base64.b64encode(content).decode()}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="{url}"/></svg>'.encode()


def _files(renderer: Renderer, name: str, look: Look) -> dict[str, bytes]:
    """Everything that the template can read, by name; `main.typ` is where it begins."""
    return {
        "main.typ": renderer.source(f"documents/{name}.typ").encode(),
        "paper.typ": renderer.source("documents/paper.typ").encode(),
        look.logo: _logo(renderer.brand.theme),
    }
