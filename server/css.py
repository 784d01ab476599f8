"""A small minifier for our own style sheets: comments and white space go, nothing else changes.

It never touches strings and `url(…)`, keeps the spaces that selectors and values need, and merges or reorders nothing;
so what it leaves means what was written.
"""

from __future__ import annotations

import re
from functools import lru_cache

# In this order: a comment, a string, a url without quotes (which may hold anything but a parenthesis), white space.
_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/)
      | (?P<keep>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | url\(\s*[^\s"')][^)]*\))
      | (?P<space>\s+)
      | (?P<mark>[{};,])
      | (?P<colon>:)
      | (?P<text>[^\s{};,:"'/u]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
_NEEDS_NO_SPACE_AFTER = frozenset("{};,:")


@lru_cache(maxsize=64)
def minified(css: str) -> str:
    """The same style sheet in fewer characters. Raises `ValueError` for a comment or a string without an end."""
    parts: list[str] = []
    gap = ""
    for token in _TOKEN.finditer(css):
        kind, text = token.lastgroup, token[0]
        if kind == "comment":
            # `.a/**/.b` is `.a.b`, not `.a .b`; where nothing else keeps two words apart, an empty comment does.
            gap = gap or "/**/"
            continue
        if kind == "space":
            gap = " "
            continue
        if text in {'"', "'"} or css.startswith("/*", token.start()):
            raise ValueError(f"line {css.count(chr(10), 0, token.start()) + 1}: a comment or a string without an end")
        if gap and parts and parts[-1] not in _NEEDS_NO_SPACE_AFTER and kind != "mark":
            parts.append(gap)
        gap = ""
        while text == "}" and parts and parts[-1] == ";":
            parts.pop()
        parts.append(text)
    return "".join(parts)
