"""What is wrong with a brand's files: every mistake names its file, line and key, what was found and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


class Mistake(msgspec.Struct, frozen=True):
    file: Path
    line: int
    """1 is the first; 0 where the mistake belongs to no line (a missing file, a picture)."""
    key: str
    """The path of the key, such as `features.subscription_cancel.mode`; empty for the file as a whole."""
    found: str
    allowed: str
    also: tuple[str, ...] = ()
    """The other keys of a rule about several: its sentence is beside each of them in a form."""

    def __str__(self) -> str:
        file = str(self.file) if str(self.file).isprintable() else repr(str(self.file))
        place = f"{file}:{self.line}" if self.line else file
        key = f" {self.key}:" if self.key else ""
        return f"{place}:{key} found {self.found}; allowed: {self.allowed}"


class ThemeError(Exception):
    """A brand that cannot be used. `mistakes` holds all that were found, in the order of the files."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        unique = dict.fromkeys(mistakes)
        self.mistakes = tuple(sorted(unique, key=lambda each: (str(each.file), each.line)))
        super().__init__("\n".join(map(str, self.mistakes)))


def shown(value: Any) -> str:
    """A value as the file would have it, cut to a readable length."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        return "a table"
    elif isinstance(value, list):
        if not value or any(isinstance(each, dict | list) for each in value):
            return "an empty list" if not value else f"a list of {len(value)}"
        text = f"[{', '.join(map(shown, value))}]"
    else:
        text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed words, and the one that was probably meant."""
    words = sorted(allowed)
    close = difflib.get_close_matches(word[:80], words, n=1, cutoff=0.5)
    listed = ", ".join(words) if words else "nothing"
    return f"{listed} (did you mean {close[0]}?)" if close else listed
