"""What people type into one line: how it is kept, and how it is read where only its characters matter."""

from __future__ import annotations

import re
import unicodedata

# How a text was set is not part of it: marks around a number that was copied, and byte order marks.
_INVISIBLE = re.compile("[\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BREAKS = frozenset({"Cc", "Zl", "Zp", "Cs"})


def line(typed: str) -> str | None:
    """One line, composed (NFC), its blanks single and none around it. None: it holds control characters."""
    text = _INVISIBLE.sub("", typed.replace("\t", " "))
    if any(unicodedata.category(each) in _BREAKS for each in text):
        return None
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain(typed: str) -> str:
    """Upper case, with digits and dashes of any writing as the plain ones: for numbers and codes."""
    text = unicodedata.normalize("NFKC", typed).upper()
    digits = (str(unicodedata.digit(each)) if unicodedata.category(each) == "Nd" else each for each in text)
    return " ".join(re.sub("[\u2010-\u2015\u2212]", "-", "".join(digits)).split())
