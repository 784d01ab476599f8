"""Tables that are opened in a spreadsheet. Pure: rows in, bytes out.

They follow RFC 4180 (commas, CRLF, quotes doubled), in UTF-8 with a byte order mark, without which spreadsheets read them
as Latin-1.

No text is a formula where it is opened (`harmless`). Spreadsheets take a cell that begins with `=`, `+`, `-` or `@`, also
in another width, for one; they pass over blanks and quotes in front of it. Where the decimal sign is a comma, they part
cells at semicolons, and some at tabs or bars, quoted or not: there a text of ours may begin a cell in its middle. An
apostrophe in front of the sign keeps it text, and a text has one line.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable

BEGINNING = b"\xef\xbb\xbf"
"""Of the file."""
# Each character that compatibility turns into one of the four signs, such as U+FF1D for `=`.
_SIGNS = "".join(chr(each) for each in range(0x10000) if unicodedata.normalize("NFKC", chr(each)) in tuple("=+-@"))
_BLANKS = "\\s\"'\u00ad\u180e\u200b-\u200f\u2060\ufeff"
_FORMULA = re.compile(rf"(^|[;|])([{_BLANKS}]*)(?=[{re.escape(_SIGNS)}])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """The rows as they are: texts that are not ours come through `harmless`."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def harmless(text: str) -> str:
    """The text in one line, kept from being a formula."""
    return _FORMULA.sub(r"\1\2'", _CONTROL.sub(" ", text))
