"""A customer's invoices to take along: one CSV, one ZIP, made while they are sent. Pure: pages in, bytes out.

The CSV is as `formats.spreadsheets` writes it. Its first line names the columns, the same in every language; amounts have a
decimal point and no currency sign, dates are ISO 8601 in the brand's time zone.

The ZIP holds PDFs as they are: they are compressed inside. What is in memory at a time is one of them, and of those
that were sent their names.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from server.billing import CreditNote, Invoice, InvoiceFilter, InvoiceTax, Money, Payment
from server.formats.minor_units import in_units
from server.formats.spreadsheets import BEGINNING, harmless, lines

COLUMNS = (
    *("number", "date", "type", "due", "paid", "status", "currency", "subtotal", "discount", "credits", "shipping"),
    *("tax", "total", "balance_used", "amount_paid", "amount_due", "refunded", "credited", "balance_before"),
    *("balance_after", "taxes", "payments", "billed_to", "email", "country", "fields", "lines", "id"),
)
"""`balance_used` is what the customer's balance added to the total: a credit is negative, as in the two balances. `taxes`
and `payments` say each of them in words; the rows of credit notes have negative amounts. They follow their invoice, where it is of the same year."""
_ALL = InvoiceFilter()


async def as_csv(
    pages: AsyncIterator[tuple[Invoice, ...]], zone: tzinfo, only: InvoiceFilter = _ALL
) -> AsyncIterator[bytes]:
    """Each page of invoices as soon as it is there: of them and of their credit notes those whose own date is wanted."""
    yield BEGINNING + lines([COLUMNS])
    async for page in pages:
        yield lines(row for each in page for row in _rows(each, zone, only))


def _rows(it: Invoice, zone: tzinfo, only: InvoiceFilter) -> Iterator[list[object]]:
    """The invoice and its credit notes."""
    if only.is_within(it.created_at):
        yield _row(it, zone)
    yield from (_note(it, each, zone) for each in it.credit_notes if only.is_within(each.created_at))


def _row(it: Invoice, zone: tzinfo) -> list[object]:
    nothing = Money(0, it.currency)
    sums = (it.credit_grants, it.shipping, it.taxed, it.total, it.balance_applied, it.amount_paid, it.amount_due)
    given = (it.refunded, it.credited, it.starting_balance, it.ending_balance)
    return [
        *(harmless(it.number), _day(it.created_at, zone), "invoice", _day(it.due_at, zone), _day(it.paid_at, zone)),
        *(harmless(it.status), harmless(it.currency), decimal(it.subtotal), decimal(it.discounted)),
        *(decimal(each or nothing) for each in (*sums, *given)),
        _taxes((each, it.taxable(each)) for each in it.taxes),
        harmless("; ".join(_payment(each, zone) for each in it.payments if each.status == "paid")),
        *_whose(it),
        harmless("; ".join([each.description for each in it.lines if each.description] + ["…"] * it.has_more_lines)),
        harmless(it.id),
    ]


def _note(it: Invoice, note: CreditNote, zone: tzinfo) -> list[object]:
    nothing = decimal(Money(0, it.currency))
    return [
        *(harmless(note.number), _day(note.created_at, zone), "credit_note", "", "", harmless(note.status)),
        *(harmless(it.currency), decimal(-note.subtotal), decimal(-note.discounted), nothing, nothing),
        *(decimal(-note.taxed), decimal(-note.total), *[nothing] * 7),
        _taxes((each, each.taxable) for each in note.taxes),
        *("", *_whose(it)),
        harmless(
            "; ".join([each.description for each in note.lines if each.description] + ["…"] * note.has_more_lines)
        ),
        harmless(note.id),
    ]


def _whose(it: Invoice) -> list[str]:
    fields = "; ".join(f"{each.name}: {each.value}" for each in it.custom_fields)
    return [harmless(each) for each in (it.customer_name, it.customer_email, it.customer_address.country, fields)]


def _taxes(taxes: Iterable[tuple[InvoiceTax, Money | None]]) -> str:
    """Such as `VAT 19% 4.96 on 26.10`."""
    said = (
        f"{tax.label or 'tax'} {decimal(tax.amount)}{f' on {decimal(base)}' if base else ''}{' included' if tax.inclusive else ''}"
        for tax, base in taxes
    )
    return harmless("; ".join(said))


def _payment(it: Payment, zone: tzinfo) -> str:
    """Such as `2026-10-03 31.06 visa 4242`."""
    return " ".join(each for each in (_day(it.at, zone), decimal(it.amount), it.method) if each)


def _day(at: datetime | None, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat() if at else ""


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
