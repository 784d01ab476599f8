"""Credit notes, put where they belong: at the invoice that each one takes back, in part or as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.model.account import CreditNote, Invoice
from server.billing.stripe import mapping_credit_notes
from server.billing.stripe.reading import Known
from server.formats.money import Money
from server.merchant.importing.catalog import named
from server.merchant.importing.staging import Staged

Stored = Callable[[str], Invoice | None]
"""Answers an invoice of the customer by its id, as the ledger has it now."""


class Notes:
    """The invoices of one customer that came or change, by id; a credit note may come after its invoice did."""

    def __init__(self, invoices: list[Invoice], stored: Stored) -> None:
        self._stored = stored
        self._found = {each.id: self._as_before(each) for each in invoices}

    def invoices(self) -> list[Invoice]:
        return list(self._found.values())

    def add(self, each: Staged, known: Known) -> str:
        """Why it was left out, or empty."""
        raw: Any = msgspec.msgpack.decode(each.document)
        whose, note = named(each, lambda: mapping_credit_notes.credit_note(raw, known))
        invoice = self._found.get(whose) or self._stored(whose)
        if invoice is None:
            return "its invoice is neither in these files nor in the ledger"
        if note.total.currency != invoice.currency:
            return "its currency is not that of its invoice"
        self._found[whose] = _with(invoice, (note,))
        return ""

    def gap_of(self, note_id: str) -> str:
        """Why no document is made of this credit note, in words; empty where one is."""
        notes = (note for invoice in self._found.values() for note in invoice.credit_notes)
        gap = next((each.gap for each in notes if each.id == note_id), "")
        return (
            "holds some of its lines only (has_more)" if gap == "lines" else gap and "its parts do not make its total"
        )

    def _as_before(self, invoice: Invoice) -> Invoice:
        """With the notes that came in an earlier import."""
        before = self._stored(invoice.id)
        return _with(invoice, before.credit_notes) if before else invoice


def _with(invoice: Invoice, more: tuple[CreditNote, ...]) -> Invoice:
    """What was credited in all is the invoice's own word, unless its notes are more than that."""
    by_id = {each.id: each for each in (*invoice.credit_notes, *more)}
    notes = tuple(sorted(by_id.values(), key=lambda each: (each.created_at, each.id)))
    given = sum(each.total.amount for each in notes if each.status != "void")
    credited = max(given, invoice.credited.amount if invoice.credited else 0)
    return replace(invoice, credit_notes=notes, credited=Money(credited, invoice.currency) if credited else None)
