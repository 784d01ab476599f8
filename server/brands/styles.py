"""`styles.css` of a theme: a designer's own rules, which stand after the portal's in the style sheet of every page.

It loads nothing but the theme's own pictures, so a page needs no other server and keeps its policy. A mistake is told with
the line of `styles.css`; what is read is the same CSS with empty comments, and each `url()` as `url("pictures/…")`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from server.brands.reading.mistakes import Mistake, nearest, shown

LIMIT = 16 * 1024
"""Bytes of the rules without what the comments say: each page has all of them."""

_ALLOWED = 'a picture of the folder pictures/, such as url("pictures/hero.jpg")'
_REFUSED = {
    "@import": "the rules themselves, in this file",
    "@charset": "nothing: the file is UTF-8",
    "@namespace": "nothing: pages are HTML",
    "src(": _ALLOWED,
    "image(": _ALLOWED,
    "image-set(": _ALLOWED,
    "-webkit-image-set(": _ALLOWED,
}
"""What would load something from elsewhere, and what takes its place."""
_ESCAPED = r"\\(?:[0-9A-Fa-f]{1,6}\s?|[^\n0-9A-Fa-f])"
_NAME = rf"-{{0,2}}(?:[A-Za-z_]|[^\x00-\x7f]|{_ESCAPED})(?:[A-Za-z0-9_-]|[^\x00-\x7f]|{_ESCAPED})*"
_STRING = r""""(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'"""
_TOKEN = re.compile(
    rf"(?P<comment>/\*[\s\S]*?(?:\*/|\Z))|(?P<string>{_STRING})|(?P<quote>[\"'])|(?P<end></)"
    rf"|(?P<rule>@{_NAME})|(?P<call>{_NAME}\()|(?P<name>{_NAME})|(?P<open>[{{(\[])|(?P<close>[}})\]])"
)
_ADDRESS = re.compile(rf"\s*(?:({_STRING})|((?:{_ESCAPED}|[^\"'()\s\\])*))\s*\)")
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})\s?|(\n)|(.))", re.DOTALL)
_PAIRS = {"}": "{", ")": "(", "]": "["}


def read(file: Path, content: bytes, pictures: Collection[str], mistakes: list[Mistake]) -> str:
    """The rules of this file; `pictures` are those that they may show."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        mistakes.append(Mistake(file, line, "", f"the byte 0x{content[error.start]:02x}", "text in UTF-8"))
        return ""
    css, found = _Reader(text, pictures).read()
    mistakes += [Mistake(file, text.count("\n", 0, at) + 1, "", what, allowed) for at, what, allowed in found]
    if (size := len(css.encode())) > LIMIT:
        mistakes.append(Mistake(file, 0, "", f"rules of {size} bytes without comments", f"at most {LIMIT} bytes"))
    return css


class _Reader:
    """One pass over the tokens; what is wrong is noted as place, what was found, and what is allowed."""

    def __init__(self, text: str, pictures: Collection[str]) -> None:
        self._text, self._pictures = text, pictures
        self._found: list[tuple[int, str, str]] = []
        self._open: list[tuple[str, int]] = []

    def read(self) -> tuple[str, list[tuple[int, str, str]]]:
        css = "".join(self._parts())
        self._found += [(at, f"a {mark} that nothing closes", "as many closed as opened") for mark, at in self._open]
        return css, self._found

    def _parts(self) -> Iterator[str]:
        at = 0
        while token := _TOKEN.search(self._text, at):
            yield self._text[at : token.start()]
            at = token.end()
            kind, written = token.lastgroup, token[0]
            if kind == "call" and _plain(written) == "url(":
                address = _ADDRESS.match(self._text, at)
                at = address.end() if address else at
                yield self._url(token.start(), address)
                continue
            yield written if kind != "comment" else "/**/"
            self._look(str(kind), written, token.start())
        yield self._text[at:]

    def _look(self, kind: str, written: str, at: int) -> None:
        if kind in ("rule", "call") and (plain := _plain(written)) in _REFUSED:
            self._found.append((at, plain + (")" if kind == "call" else ""), _REFUSED[plain]))
        elif kind == "end" or (kind == "string" and "</" in written):
            self._found.append((at, 'the characters "</"', 'no end of an element: write "<\\2f"'))
        elif kind == "quote":
            self._found.append((at, f"a {written} that nothing closes", "a text in quotes that ends on its line"))
        elif kind == "comment" and not written.endswith("*/"):
            self._found.append((at, "a comment that nothing closes", "*/ at its end"))
        if kind in ("open", "call"):
            self._open.append((written[-1], at))
        elif kind == "close":
            if self._open and self._open[-1][0] == _PAIRS[written]:
                self._open.pop()
            else:
                self._found.append((at, f"a {written} that closes nothing", f"a {_PAIRS[written]} before it"))

    def _url(self, at: int, address: re.Match[str] | None) -> str:
        if address is None:
            self._found.append((at, "a url( that nothing closes", _ALLOWED))
            return "url("
        name = _unescaped(address[1][1:-1] if address[1] else address[2]).removeprefix("./")
        if name.startswith("#"):
            return f'url("{name}")' if re.fullmatch(r"#[\w-]+", name) else self._refuse(at, name)
        return f'url("{name}")' if name in self._pictures else self._refuse(at, name)

    def _refuse(self, at: int, name: str) -> str:
        there = f"; there are {nearest(name, self._pictures)}" if self._pictures else "; there is none yet"
        self._found.append((at, f"url({shown(name)})", f"{_ALLOWED}{there}"))
        return "url()"


def _plain(written: str) -> str:
    return _unescaped(written).lower()


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code, newline, other = match.groups()
        if code:
            return chr(int(code, 16)) if 0 < int(code, 16) < 0x110000 else "\ufffd"
        return "" if newline else str(other)

    return _ESCAPE.sub(plain, text)
