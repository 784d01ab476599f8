"""A customer's invoices to take along: one CSV, one ZIP, made while they are sent. Pure: pages in, bytes out.

The CSV follows RFC 4180 (commas, CRLF, quotes doubled), in UTF-8 with a byte order mark, without which spreadsheets
read it as Latin-1. Its first line names the columns, the same in every language; amounts have a decimal point and no
currency sign, dates are ISO 8601 in the brand's time zone.

No text is a formula where it is opened (`harmless`). Spreadsheets take a cell that begins with `=`, `+`, `-` or `@`, also
in another width, for one; they pass over blanks and quotes in front of it. Where the decimal sign is a comma, they part
cells at semicolons, and some at tabs or bars, quoted or not: there a text of ours may begin a cell in its middle. An
apostrophe in front of the sign keeps it text, and a text has one line.

The ZIP holds PDFs as they are: they are compressed inside. What is in memory at a time is one of them, and of those
that were sent their names.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, tzinfo
from typing import Any

from server.billing import Invoice, Money
from server.formats.minor_units import in_units

COLUMNS = (
    *(
        "number",
        "date",
        "due",
        "paid",
        "status",
        "currency",
        "subtotal",
        "discount",
        "credits",
        "shipping",
        "tax",
        "total",
    ),
    *("amount_paid", "amount_due", "billed_to", "email", "country", "lines", "id"),
)
# Each character that compatibility turns into one of the four signs, such as U+FF1D for `=`.
_SIGNS = "".join(chr(each) for each in range(0x10000) if unicodedata.normalize("NFKC", chr(each)) in tuple("=+-@"))
_BLANKS = "\\s\"'\u00ad\u180e\u200b-\u200f\u2060\ufeff"
_FORMULA = re.compile(rf"(^|[;|])([{_BLANKS}]*)(?=[{re.escape(_SIGNS)}])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


async def as_csv(pages: AsyncIterator[tuple[Invoice, ...]], zone: tzinfo) -> AsyncIterator[bytes]:
    """Each page of invoices as soon as it is there."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    async for page in pages:
        yield _lines(_row(each, zone) for each in page)


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _row(it: Invoice, zone: tzinfo) -> list[object]:
    def day(at: datetime | None) -> str:
        return at.astimezone(zone).date().isoformat() if at else ""

    return [
        harmless(it.number),
        *(day(it.created_at), day(it.due_at), day(it.paid_at)),
        *(harmless(it.status), harmless(it.currency)),
        decimal(it.subtotal),
        decimal(it.discounted),
        *(decimal(each or Money(0, it.currency)) for each in (it.credit_grants, it.shipping)),
        decimal(it.taxed),
        *(decimal(it.total), decimal(it.amount_paid), decimal(it.amount_due)),
        *(harmless(it.customer_name), harmless(it.customer_email), harmless(it.customer_address.country)),
        harmless("; ".join(each.description for each in it.lines if each.description)),
        harmless(it.id),
    ]


def harmless(text: str) -> str:
    """The text in one line, kept from being a formula."""
    return _FORMULA.sub(r"\1\2'", _CONTROL.sub(" ", text))


def decimal(amount: Money) -> str:
    """In the currency's own unit, with all its decimals: `14.50`, `-2.90`, `1450` yen."""
    return f"{in_units(amount.amount, amount.currency):f}"


async def as_zip(files: AsyncIterator[tuple[str, datetime, bytes]]) -> AsyncIterator[bytes]:
    """Files by name, with their time, one after the other; two of one name get a number."""
    pipe: Any = _Pipe()
    names: set[str] = set()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        async for name, at, content in files:
            entry = zipfile.ZipInfo(_new(name, names), at.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
            yield pipe.taken()
    yield pipe.taken()


def _new(name: str, names: set[str]) -> str:
    stem, _, suffix = name.rpartition(".")
    number, found = 1, name
    while found in names:
        number += 1
        found = f"{stem}-{number}.{suffix}"
    names.add(found)
    return found


class _Pipe:
    """A file that can be written to and not looked back in, which is what `zipfile` asks of a stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nowhere to flush to."""

    def taken(self) -> bytes:
        """What was written since."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
