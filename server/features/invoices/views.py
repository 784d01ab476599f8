"""The invoices of a customer: the list, page by page, and one with everything that happened to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec
from msgspec.structs import replace

from server.billing import Account, Address, Invoice, InvoiceFilter, InvoiceLine, InvoicePage, Money, Payment
from server.billing.electronic import Gaps, seller_gaps, statement
from server.billing.model.names import name_of
from server.billing.rules import paying
from server.brands.portal_file import Business
from server.formats.bank_transfers import QrCode, epc_code, in_fours
from server.rendering.views import View

STATUSES = frozenset({"open", "paid", "void", "uncollectible"})
BADGES = {"paid": "good", "credited": "good", "open": "warn", "overdue": "bad", "uncollectible": "bad"}
SHOWN_ON_OVERVIEW = 5
MOST_YEARS = 30
MOST_LINES = 2_000
"""A PDF of more lines is not made: it would take the time and the memory of all the others."""


class NoteRow(msgspec.Struct, frozen=True):
    """A credit note below its invoice in a list."""

    id: str
    number: str
    created_at: datetime
    total: Money
    is_void: bool = False


class InvoiceRow(msgspec.Struct, frozen=True):
    """One invoice in a list."""

    id: str
    number: str
    """Empty where the billing side gave none."""
    created_at: datetime
    total: Money
    status: str
    """`open`, `overdue`, `paid`, `credited`, `void`, `uncollectible`, or `other` for a word that we do not know."""
    word: str
    """The billing side's own word for the status."""
    badge: str
    """The kind of the status badge: good, warn, bad or quiet."""
    what_for: str = ""
    """The first line of the invoice that is not given back, with an ellipsis where nobody knows how many there are."""
    more_lines: int = 0
    """How many lines there are besides, where that is known."""
    amount_due: Money | None = None
    """What is still to pay, where that is not the whole amount."""
    refunded: Money | None = None
    """What was given back of what was paid."""
    may_pay: bool = False
    """The customer can pay it here, and is asked to."""
    notes: tuple[NoteRow, ...] = ()
    """Its credit notes, oldest first."""


class List(View, frozen=True):
    """One page of the invoices, newest first."""

    rows: tuple[InvoiceRow, ...] = ()
    before: str = ""
    """The cursor that this page was asked for with; empty: the newest."""
    older: str = ""
    """The cursor of the next, older page; empty: there is none."""
    year: int = 0
    """Only this year's are shown; 0: those of all years."""
    status: str = ""
    """Only those with this status are shown; empty: all."""
    years: tuple[int, ...] = ()
    """Those that can be chosen, newest first; none: the customer has no invoice."""
    debts: tuple[InvoiceRow, ...] = ()
    """Older ones that are still to be paid, beside the newest page."""
    has_documents: bool = True
    """There are PDFs of that year's, as far as this page knows."""

    @property
    def is_chosen(self) -> bool:
        """Whether something was left out."""
        return bool(self.year or self.status)


class Line(msgspec.Struct, frozen=True):
    """One line of an invoice."""

    line: InvoiceLine
    has_period: bool = False


class StillDue(msgspec.Struct, frozen=True):
    """Another invoice that is still to be paid."""

    id: str
    number: str
    due: Money


class Balance(msgspec.Struct, frozen=True):
    """The customer's balance beside an invoice, without a sign: whether it is a credit or a debt its name says."""

    is_before: bool
    amount: Money


class Transfer(msgspec.Struct, frozen=True):
    """To which account what is due can be transferred."""

    holder: str
    iban: str
    """As it is printed: in groups of four."""
    bic: str
    bank: str
    reference: str
    """What the transfer has to say: the number of the invoice."""
    code: QrCode | None = None
    """For banking apps; None: there is none for such a transfer."""


class Detail(View, frozen=True):
    """One invoice, as it was finalized, and what happened to it since."""

    invoice: Invoice
    row: InvoiceRow
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    """The tries that ended, oldest first: paid, failed or canceled."""
    billed_to: Address | None = None
    """None: the invoice carries no address."""
    can_still_be_paid: bool = False
    """Open, with something to pay."""
    paid_with: str = ""
    """How it was paid, such as `visa 4242`; empty where nothing says so."""
    has_document: bool = False
    """There is a PDF of it: the ledger makes them, and only of what is complete."""
    has_receipt: bool = False
    """And a receipt: it is paid, and something was."""
    is_electronic: bool = False
    """The PDF holds an electronic invoice (Factur-X)."""
    not_electronic: tuple[str, ...] = ()
    """Why it does not, although the business makes them: the words of `billing.electronic`."""
    withheld: str = ""
    """Why there is no PDF of it: a word of `Invoice.gap`, or `too_long`."""
    ship_to: Address | None = None
    """Where the goods go, where that is not where the bill goes."""
    custom_fields: tuple[tuple[str, str], ...] = ()
    """What the customer wants to read on it, each with its name."""
    balances: tuple[Balance, ...] = ()
    """The customer's balance before and after it, where it had any."""
    is_reverse_charge: bool = False
    """The customer owes the tax."""
    transfer: Transfer | None = None
    """How to pay it by bank transfer, where the business has an account for that and nothing is charged by itself."""
    pay_url: str = ""
    """The whole URL of the page to pay it on, for its documents."""
    may_pay: bool = False
    """The customer can pay it here: it is open, or was written off."""
    failure: str = ""
    """Why the last try to charge it failed: a decline code, while it is to be paid."""
    waits_with: str = ""
    """A payment with this, such as `visa 4242`, waits for the customer's confirmation."""
    next_attempt_at: datetime | None = None
    """When it will be charged again by itself."""
    announcement: str = ""
    """What was just asked for and is so: `paid`, or a word of `billing.rules.paying` that says why it cannot be paid."""
    goes_on: str = ""
    """What the subscription is called that is in order again, with the announcement `paid`."""
    still_due: tuple[StillDue, ...] = ()
    """With the announcement `paid`: the other invoices that are to be paid, newest first."""


class Choice(msgspec.Struct, frozen=True):
    """Which invoices a customer asked for."""

    year: int = 0
    status: str = ""

    def only(self, zone: tzinfo) -> InvoiceFilter:
        """The year is one of the brand's calendar: dates are told in its time zone."""
        if not self.year:
            return InvoiceFilter(status=self.status)
        since, until = (datetime(year, 1, 1, tzinfo=zone) for year in (self.year, self.year + 1))
        return InvoiceFilter(since, until, self.status)


def choice(account: Account, zone: tzinfo, year: str, status: str) -> Choice:
    """What was asked for, as far as it can be: a year or a status that is not offered is as if it were not given."""
    offered = {str(each): each for each in years(account, zone)}
    return Choice(offered.get(year, 0), status if status in STATUSES else "")


def years(account: Account, zone: tzinfo) -> tuple[int, ...]:
    """The years in which there may be invoices or credit notes, newest first. The account holds the latest ones only; what is older
    is no older than the customer."""
    if not account.invoices:
        return ()
    newest, oldest = account.invoices[0].created_at, account.invoices[-1].created_at
    newest = max([newest, *(note.created_at for each in account.invoices for note in each.credit_notes)])
    if account.has_older_invoices:
        oldest = min(oldest, account.customer.created_at)
    first, last = oldest.astimezone(zone).year, newest.astimezone(zone).year
    return tuple(range(last, max(first, last - MOST_YEARS) - 1, -1))


def listing(
    page: InvoicePage,
    now: datetime,
    before: str = "",
    chosen: Choice | None = None,
    offered: tuple[int, ...] = (),
    *,
    debts: Sequence[Invoice] = (),
) -> List:
    chosen = chosen or Choice()
    taken = chosen.year or next(iter(offered), 0)
    of_year = [each for each in page.invoices if each.created_at.year == taken]
    return List(
        rows=tuple(row(each, now) for each in page.invoices),
        before=before,
        older=page.before,
        year=chosen.year,
        status=chosen.status,
        years=offered,
        debts=tuple(row(each, now) for each in debts),
        has_documents=bool(page.before) or not of_year or any(map(has_document, of_year)),
    )


def latest(account: Account, now: datetime) -> tuple[InvoiceRow, ...]:
    """The first few, and whatever else is asked for, for the overview: they are in the account, so no other query is
    needed."""
    shown = account.invoices[:SHOWN_ON_OVERVIEW]
    asked = (each for each in account.invoices[SHOWN_ON_OVERVIEW:] if _is_asked_for(each))
    return tuple(row(each, now) for each in (*shown, *asked))


def row(invoice: Invoice, now: datetime) -> InvoiceRow:
    status = status_word(invoice, now)
    named = [each for each in invoice.lines if each.description]
    first = next((each.description for each in named if each.amount.amount >= 0), named[0].description if named else "")
    partly_paid = invoice.status == "open" and invoice.amount_due != invoice.total
    return InvoiceRow(
        id=invoice.id,
        number=invoice.number,
        created_at=invoice.created_at,
        total=invoice.total,
        status=status,
        word=invoice.status,
        badge=BADGES.get(status, "quiet"),
        what_for=f"{first}, …" if first and invoice.has_more_lines else first,
        more_lines=0 if invoice.has_more_lines else max(len(invoice.lines) - 1, 0),
        amount_due=invoice.amount_due if partly_paid and invoice.amount_due else None,
        refunded=invoice.refunded or None,
        may_pay=_is_asked_for(invoice),
        notes=tuple(
            NoteRow(each.id, each.number, each.created_at, each.total, each.status == "void")
            for each in invoice.credit_notes
        ),
    )


def _is_asked_for(invoice: Invoice) -> bool:
    return invoice.status == "open" and paying.may_pay(invoice) is None


def status_word(invoice: Invoice, now: datetime) -> str:
    """The status as templates know it: an open invoice past its due date is `overdue`, a paid one that is a credit is
    `credited`, an unknown word is `other`."""
    if invoice.status == "open" and invoice.due_at is not None and invoice.due_at < now:
        return "overdue"
    if invoice.status == "paid" and invoice.total.amount < 0:
        return "credited"
    return invoice.status if invoice.status in STATUSES else "other"


def detail(invoice: Invoice, now: datetime, announcement: str = "", goes_on: str = "") -> Detail:
    tried, waits = paying.last_try(invoice), paying.waiting(invoice)
    may_pay = paying.may_pay(invoice) is None
    payments = sorted((each for each in invoice.payments if each.status != "open"), key=lambda each: each.at)
    return Detail(
        invoice=invoice,
        row=row(invoice, now),
        lines=tuple(Line(each, has_period=bool(each.period_start_at and each.period_end_at)) for each in invoice.lines),
        payments=tuple(payments),
        billed_to=invoice.customer_address if invoice.customer_address != Address() else None,
        can_still_be_paid=invoice.status == "open" and invoice.amount_due.amount > 0,
        paid_with=next((each.method for each in reversed(payments) if each.status == "paid"), ""),
        has_document=invoice.hosted or has_document(invoice),
        withheld=withheld(invoice),
        ship_to=ship_to(invoice),
        custom_fields=tuple((each.name, each.value) for each in invoice.custom_fields),
        balances=balances(invoice),
        is_reverse_charge=invoice.customer_tax_exempt == "reverse" and not invoice.taxed,
        has_receipt=is_paid(invoice) and (invoice.hosted or has_document(invoice)),
        may_pay=may_pay,
        failure=tried.failure if tried and may_pay and not waits else "",
        waits_with=waits.method if waits else "",
        next_attempt_at=invoice.next_attempt_at if invoice.next_attempt_at and invoice.next_attempt_at > now else None,
        announcement=announcement,
        goes_on=goes_on,
    )


def paid(invoice: Invoice, account: Account, now: datetime) -> Detail:
    """A paid invoice, with a word of thanks."""
    found = account.subscription(invoice.subscription)
    shown = detail(invoice, now, "paid", name_of(found) if found and found.status == "active" else "")
    others = [each for each in account.invoices if each.status == "open" and each.amount_due.amount > 0]
    due = tuple(StillDue(each.id, each.number, each.amount_due) for each in others if each.id != invoice.id)
    return replace(shown, still_due=due)


def electronic(view: Detail, business: Business) -> Detail:
    """The same, with whether its PDF is an electronic invoice too, where the business makes them."""
    if not has_document(view.invoice) or seller_gaps(business):
        return view
    said = statement(view.invoice, business)
    return replace(view, not_electronic=said.missing) if isinstance(said, Gaps) else replace(view, is_electronic=True)


def payable(view: Detail, business: Business, url: str) -> Detail:
    """The same, with the ways to pay it that are not a click here: by transfer, and from its PDF at that URL."""
    invoice, account = view.invoice, business.bank_account
    if not view.can_still_be_paid:
        return view
    view = replace(view, pay_url=url if view.may_pay else "")
    # What is charged by itself, or on its way, would be paid twice.
    if not account.iban or invoice.next_attempt_at or view.waits_with:
        return view
    holder = account.account_holder or business.legal_name or business.name
    reference = invoice.number or invoice.id
    code = epc_code(holder, account.iban, account.bic, invoice.amount_due, reference)
    return replace(view, transfer=Transfer(holder, in_fours(account.iban), account.bic, account.bank, reference, code))


def ship_to(invoice: Invoice) -> Address | None:
    billed_to = (invoice.customer_name, invoice.customer_address)
    is_same = (invoice.ship_to_name or invoice.customer_name, invoice.ship_to) == billed_to
    return None if is_same or invoice.ship_to == Address() else invoice.ship_to


def balances(invoice: Invoice) -> tuple[Balance, ...]:
    before, after = invoice.starting_balance, invoice.ending_balance
    if not before and not after:
        return ()
    found = ((True, before), (False, after))
    return tuple(
        Balance(is_before, Money(abs(each.amount) if each else 0, invoice.currency)) for is_before, each in found
    )


def has_document(invoice: Invoice) -> bool:
    """Whether the portal can make a PDF of it: Stripe makes its own, and one whose parts do not make its total is wrong."""
    return not invoice.hosted and not withheld(invoice)


def withheld(invoice: Invoice) -> str:
    """Why the portal makes no PDF of it; empty where it does, or where the billing side has its own."""
    if invoice.hosted:
        return ""
    return invoice.gap or ("too_long" if len(invoice.lines) > MOST_LINES else "")


def has_receipt(invoice: Invoice) -> bool:
    return has_document(invoice) and is_paid(invoice)


def is_paid(invoice: Invoice) -> bool:
    """Money was paid for it."""
    return invoice.status == "paid" and invoice.amount_paid.amount > 0


def export_name(year: str, suffix: str) -> str:
    """Of the invoices of a year, or of all where it is empty."""
    return f"invoices-{year}.{suffix}" if year else f"invoices.{suffix}"


def file_name(kind: str, invoice: Invoice) -> str:
    """Of an `invoice` or `receipt` to save: letters, digits and dashes, whatever its number is."""
    known = re.sub(r"[^A-Za-z0-9]+", "-", invoice.number or invoice.id).strip("-")[:60].strip("-")
    return f"{kind}-{known}.pdf" if known else f"{kind}.pdf"
