"""Texts that a spreadsheet takes for formulas, and what it reads of a file, however it parts the cells."""

import csv
import io
import re
import unicodedata

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\x00=1",
    "  =1",
    "\u00a0=1",
    "\u3000=1",
    "\ufeff=1",
    "\u200b=1",
    '"=1',
    "'=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫1",
    "⁺1",
    '=HYPERLINK("http://evil")',
    "=cmd|' /C calc'!A0",
    "Beans;=1+1",
    'Beans; "=1+1',
    "Beans\t=1+1",
    "Beans|-1",
    "Beans\r\n=1+1",
)
PARTINGS = [(",", True), (";", True), ("\t", True), ("|", True), (";", False), ("\t", False), ("|", False)]
"""Where cells are parted, and whether quotes keep them together."""


def cells(raw: str, between: str, *, quotes: bool) -> list[str]:
    """What a spreadsheet reads that parts cells there: with quotes as RFC 4180 has them, or as it opens a file of commas,
    whose quotes stand in the middle of its cells."""
    if quotes:
        rows = csv.reader(io.StringIO(raw, newline=""), delimiter=between)
        return [cell for row in rows for cell in row]
    return [cell for line in re.split(r"[\r\n]+", raw) for cell in line.split(between)]


def is_formula(cell: str) -> bool:
    began = unicodedata.normalize("NFKC", cell).strip('\x00\ufeff\u200b" \t\r\n\u00a0\u3000')
    return began[:1] in tuple("=+-@") and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", began)
