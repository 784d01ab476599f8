"""What came of asking for the money of an invoice: what the port's `pay` answers."""

from __future__ import annotations

import msgspec

from server.billing.model.account import Account, Invoice, Payment


class Paying(msgspec.Struct, frozen=True):
    account: Account
    invoice: Invoice
    payment: Payment
    """`paid`, `failed` with its decline code, or `open`: it waits for the customer's confirmation."""
    confirm_at: str = ""
    """Where the customer confirms it: a page of the provider's, ours where the ledger plays one."""
