"""A credit note: the document that takes an invoice back, in part or as a whole, and what became of the money."""

from __future__ import annotations

import re

from server.billing import Address, Invoice, Money, NotFound
from server.billing import CreditNote as Note
from server.features.invoices.views import MOST_LINES, Line, ship_to
from server.rendering.views import View

_GIVEN = ("reduced_due", "refunded", "to_balance", "out_of_band")


class CreditNote(View, frozen=True):
    """One credit note of an invoice. Its amounts are what the customer is given: positive."""

    invoice: Invoice
    note: Note
    lines: tuple[Line, ...] = ()
    """None: it credits a sum, not lines."""
    billed_to: Address | None = None
    """None: the invoice carries no address."""
    ship_to: Address | None = None
    given: tuple[tuple[str, Money], ...] = ()
    """Where the money went: `reduced_due`, `refunded`, `to_balance`, `out_of_band`, each with how much."""
    has_document: bool = False
    """There is a PDF of it."""
    withheld: str = ""
    """Why there is none: a word of `CreditNote.gap`, or `too_long`."""
    is_reverse_charge: bool = False
    """The customer owes the tax."""
    custom_fields: tuple[tuple[str, str], ...] = ()
    """What the customer wants to read on it, each with its name."""


def of(invoice: Invoice, note_id: str) -> CreditNote:
    """Raises `NotFound`."""
    note = next((each for each in invoice.credit_notes if each.id == note_id), None)
    if note is None:
        raise NotFound
    return shown(invoice, note)


def shown(invoice: Invoice, note: Note) -> CreditNote:
    why = "" if invoice.hosted else withheld(note)
    return CreditNote(
        invoice=invoice,
        note=note,
        lines=tuple(Line(each) for each in note.lines),
        billed_to=invoice.customer_address if invoice.customer_address != Address() else None,
        ship_to=ship_to(invoice),
        given=tuple((word, amount) for word in _GIVEN if (amount := getattr(note, word))),
        has_document=not why,
        withheld=why,
        is_reverse_charge=invoice.customer_tax_exempt == "reverse" and not any(each.amount for each in note.taxes),
        custom_fields=tuple((each.name, each.value) for each in invoice.custom_fields),
    )


def withheld(note: Note) -> str:
    """Why the portal makes no PDF of it; empty where it does."""
    return note.gap or ("too_long" if len(note.lines) > MOST_LINES else "")


def file_name(note: Note) -> str:
    """Letters, digits and dashes, whatever its number is."""
    known = re.sub(r"[^A-Za-z0-9]+", "-", note.number or note.id).strip("-")[:60].strip("-")
    return f"credit-note-{known}.pdf" if known else "credit-note.pdf"
