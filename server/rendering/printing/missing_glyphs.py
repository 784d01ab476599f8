"""What becomes of characters that no font of a document has: a sign takes their place, so that the file keeps what it
claims. PDF/A and PDF/UA forbid a character without a drawing, and one of a private area.

Only the typesetter knows which those are, since the mark on a letter can need a font that the letter is not in. It names
them when it refuses, and the words are tried again without them (`mended`). A mark goes before its letter does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

SIGN = "\u25a1"
"""An empty square, as everywhere where a font lacks a character."""
_FOREIGN = re.compile("[^\n\t -~\u00a0-\u00ac\u00ae-\u00ff]+")
_NAMED = re.compile(r'(?:the text|the codepoint) `"(.*?)"`', re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}|\\(.)", re.DOTALL)
_JOINER = "\u200d"
_SKINS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_SIGNS = re.compile(f"{SIGN}(?:[{_JOINER}\ufe0f{_SKINS}]+{SIGN}?)+")


def named_in(refusal: str) -> frozenset[str]:
    """The characters that the typesetter names in its refusal, which writes text as Rust does."""
    found = (_ESCAPED.sub(lambda it: chr(int(it[1], 16)) if it[1] else it[2], each) for each in _NAMED.findall(refusal))
    return frozenset("".join(found))


def mended(said: Any, unknown: frozenset[str]) -> Any:
    """The words without these characters. Where one of them is one with others, such as a letter with its mark,
    only the first of those stays: it may do by itself, and is named again where it does not."""
    joined = {each for text in _texts(said) for cluster in _clusters(text) if len(cluster) > 1 for each in cluster}

    def instead(cluster: str) -> str:
        if len(cluster) > 1:
            return cluster[0] if unknown & set(cluster) else cluster
        return SIGN if cluster in unknown and cluster not in joined and not cluster.isascii() else cluster

    return _changed(said, lambda text: _SIGNS.sub(SIGN, "".join(map(instead, _clusters(text)))))


def bare(said: Any, _: frozenset[str] = frozenset()) -> Any:
    """With the letters of western Europe alone: some font has those."""
    return _changed(said, lambda text: _FOREIGN.sub(SIGN, unicodedata.normalize("NFC", text)))


MENDS = (mended, mended, mended, bare)
"""What is tried, one after the other, while the typesetter refuses."""


def _clusters(text: str) -> Iterator[str]:
    """The text in what is drawn as one: a character and the marks on it, or several that are joined."""
    begun = ""
    for each in text:
        joins = each in _SKINS or each == _JOINER or unicodedata.category(each).startswith("M")
        if begun and not joins and not begun.endswith(_JOINER):
            yield begun
            begun = ""
        begun += each
    if begun:
        yield begun


def _texts(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, list | dict):
        for each in said.values() if isinstance(said, dict) else said:
            yield from _texts(each)


def _changed(said: Any, change: Callable[[str], str]) -> Any:
    """The same with every text changed that is not plain ASCII."""
    if isinstance(said, str):
        return said if said.isascii() else change(said)
    if isinstance(said, list):
        return [_changed(each, change) for each in said]
    if isinstance(said, dict):
        return {key: _changed(each, change) for key, each in said.items()}
    return said
