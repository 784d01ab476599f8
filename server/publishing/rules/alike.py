"""Pages that no rule can tell apart. Most of a thousand brands differ only in names, colors and addresses, so the rules need
to look at one of them.

`shape` is a page without what no rule looks at; of two pages with one shape, both keep the rules or neither does.

| left out | a rule asks only |
|---|---|
| a text between two tags, and `alt` | whether it says something |
| `value`, a color in `content`, the brand's style sheets | nothing |
| `href` to another origin (`https:`, `http:`, `mailto:`, `tel:`) | whether it is one |
| the brand's base and the token of its log-in page | whether a page is there; the caller names those that are |
| the hash in the name of a file of the brand | whether the file is there, as only then it is left out |

Where it takes a parser to say what is a tag, as in a comment, a page has no shape.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from html import unescape

_PLAIN = re.compile(
    r"""<!doctype html>(?:[^<>]++|</?[a-z][a-z0-9]*+(?:\s++[a-zA-Z0-9:-]++(?:=(?:"[^"<>]*+"|'[^'<> ]*+'))?+)*+\s*+/?>)*+""",
    re.ASCII,
)
_TEXT = re.compile(r"(?<=>)[^<]+")
_ASKS_ELSEWHERE = re.compile(r'hx-(?:get|post)=(?!"/)')
"""Rules compare where htmx asks with where the link leads, so such a link has to stay as it is."""
_VALUE = re.compile(r' value="[^"]*"')
_COLOR = re.compile(r' content="#[0-9a-f]{6}"')
_ALT = re.compile(r' alt="([^"]*)"')
_ELSEWHERE = re.compile(r' href="(https?:|mailto:|tel:)[!#-Z\\^-~]+"')
_FILE = re.compile(r'"\0/static/([^"/]+)"')
LEFT_OUT = "\0"


def shape(html: str, sheets: Collection[str], base: str, link: str, files: Container[str]) -> str | None:
    """`sheets` are the brand's style sheets; `files` has the hashed names of its assets; `link` is the token of its log-in
    page, or empty."""
    at = html.find("<style>") + len("<style>")
    until = html.find("</style>", at)
    if html[at:until] not in sheets:
        return None
    html = html[:at] + html[until:]
    if LEFT_OUT in html or _ASKS_ELSEWHERE.search(html):
        return None
    html = html.replace(f'="{base}/', '="\0/').replace(f"url={base}/", "url=\0/")
    if link:
        html = html.replace(f"/p/login/{link}/", "/p/login/\0/")
    if not _PLAIN.fullmatch(html):
        return None
    html = _TEXT.sub(lambda match: _if_any(match[0]), html)
    html = _COLOR.sub(' content="\0"', _VALUE.sub(' value="\0"', html))
    html = _ELSEWHERE.sub(r' href="\1"', _ALT.sub(lambda match: f' alt="{_if_any(match[1])}"', html))
    return _FILE.sub(lambda match: f'"{_named(match[1])}"' if match[1] in files else match[0], html)


def _if_any(text: str) -> str:
    said = unescape(text) if "&" in text else text
    return "" if said.isspace() or not said else LEFT_OUT


def _named(file: str) -> str:
    stem, _, rest = file.partition(".")
    return f"\0{stem}.{rest.partition('.')[2]}"
