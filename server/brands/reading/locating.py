"""Where each key of a TOML file is. `tomllib` reads the values but forgets their places; this finds them again: the lines,
to explain a mistake, and the places in the text, to edit one value and nothing else.

It is asked only about a file that `tomllib` has accepted, so it may be simple: it walks over tokens and notes where each
key, table and list element begins and ends.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''(?P<space>[ \t\r]+|\#[^\n]*)
      |(?P<newline>\n)
      |(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
      |(?P<mark>[\[\]{},=.])
      |(?P<bare>[^\s\[\]{},=.\#"']+)''',
    re.VERBOSE | re.DOTALL,
)


class Header(NamedTuple):
    """A line such as `[business.address]` or `[[features.subscription_update.products]]`."""

    path: Path
    """Of the table that begins here: of a list of tables, with the position of this one."""
    start: int
    end: int
    is_list: bool


class Pair(NamedTuple):
    """A key with its value, such as `schedule_at_period_end.conditions = ["shortening_interval"]`."""

    table: Path
    """Of the header above it."""
    path: Path
    start: int
    value: int
    """Where the value begins."""
    end: int


class Member(NamedTuple):
    """One element of a list, or one key with its value of an inline table."""

    path: Path
    start: int
    value: int
    end: int


class Layout(NamedTuple):
    lines: dict[Path, int]
    """The line of every path; `()` is the first line."""
    headers: list[Header]
    pairs: list[Pair]
    """Those outside of inline tables."""
    members: dict[Path, list[Member]]
    """Of each list in brackets and each inline table."""
    comments: list[tuple[int, str]]
    """Where each comment begins, and its text."""


def lines_of(text: str) -> dict[Path, int]:
    """The line of every path in a valid TOML document; `()` is its first line."""
    return layout_of(text).lines


@lru_cache(maxsize=32)
def layout_of(text: str) -> Layout:
    """Everything that was found, to be read only: those asked for last are kept. A document that this cannot walk over to
    its end lacks the rest."""
    layout = Layout({(): 1}, [], [], {}, [])
    # What was found before a failure is still right; a path without a line is shown at its table's.
    with suppress(IndexError, RecursionError, tomllib.TOMLDecodeError):
        _Walk(text, layout).document()
    return layout


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    start: int
    end: int


class _Walk:
    def __init__(self, text: str, layout: Layout) -> None:
        self.layout, self.lines = layout, layout.lines
        self.tokens: list[_Token] = []
        self.at = 0
        line = 1
        for match in _TOKEN.finditer(text):
            kind = str(match.lastgroup)
            if kind != "space":
                self.tokens.append(_Token(kind, match[0], line, match.start(), match.end()))
            elif match[0].startswith("#"):
                layout.comments.append((match.start(), match[0].rstrip("\r")))
            line += match[0].count("\n")

    def document(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "newline":
                self.at += 1
            elif token.text == "[":
                table = self.header(token, counts)
            else:
                path, start, value = self.pair(table)
                self.layout.pairs.append(Pair(table, path, start, value, self.tokens[self.at - 1].end))

    def header(self, first: _Token, counts: dict[Path, int]) -> Path:
        is_list = self.tokens[self.at + 1].text == "["
        self.at += 2 if is_list else 1
        table: Path = ()
        keys = self.key()
        for position, key in enumerate(keys):
            table = (*table, key)
            if is_list and position == len(keys) - 1:
                self.lines.setdefault(table, first.line)
                counts[table] = counts.get(table, -1) + 1
            if table in counts:
                table = (*table, counts[table])
            self.lines.setdefault(table, first.line)
        self.at += 2 if is_list else 1
        self.layout.headers.append(Header(table, first.start, self.tokens[self.at - 1].end, is_list))
        return table

    def pair(self, table: Path) -> tuple[Path, int, int]:
        """The path, and where key and value begin."""
        first = self.tokens[self.at]
        path = table
        for key in self.key():
            path = (*path, key)
            self.lines.setdefault(path, first.line)
        self.at += 1
        value = self.tokens[self.at].start
        self.value(path)
        return path, first.start, value

    def key(self) -> list[str]:
        keys = []
        while True:
            token = self.tokens[self.at]
            written = token.kind == "string"
            keys.append(str(tomllib.loads(f"key = {token.text}")["key"]) if written else token.text)
            self.at += 1
            if self.tokens[self.at].text != ".":
                return keys
            self.at += 1

    def value(self, path: Path) -> None:
        opening = self.tokens[self.at].text
        if opening not in "[{":
            while self.at < len(self.tokens) and self.tokens[self.at].kind in ("string", "bare"):
                self.at += 1
                while self.at < len(self.tokens) and self.tokens[self.at].text == ".":
                    self.at += 1
            return
        self.at += 1
        members = self.layout.members.setdefault(path, [])
        while self.tokens[self.at].text not in "]}":
            token = self.tokens[self.at]
            if token.kind == "newline" or token.text == ",":
                self.at += 1
            elif opening == "{":
                below, start, value = self.pair(path)
                members.append(Member(below, start, value, self.tokens[self.at - 1].end))
            else:
                below = (*path, len(members))
                self.lines.setdefault(below, token.line)
                before = self.at
                self.value(below)
                self.at += self.at == before  # no TOML, so no value here: go on all the same
                members.append(Member(below, token.start, token.start, self.tokens[self.at - 1].end))
        self.at += 1
