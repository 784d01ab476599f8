"""The ledger's verbs about paying: one transaction holds the operation under its key, the invoice, the account and the
line of the history.

The invoice may be older than those that the account holds, so its row is read, and written, in the same transaction.
Everybody who changes an invoice writes the account with the version that was seen: of two payments at once, the second
begins again and finds the invoice paid.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from msgspec.structs import replace

from server.billing import Account, Activity, By, Invoice, NotFound, Paying, Refusal, Refused, rows
from server.billing.ledger.accounts import Command, LedgerAccounts
from server.billing.ledger.events.renewals import due_at
from server.billing.ledger.sandbox import ProviderSession, begin
from server.billing.ledger.sums import paying
from server.billing.ledger.sums.invoicing import as_kept
from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model import history
from server.billing.model.documents import decode_invoice
from server.billing.rules.notices import of_invoice, of_moves
from server.paths import Paths
from server.store import Transaction, micros

_KINDS = {"paid": "invoice.paid", "failed": "invoice.payment_failed", "open": "invoice.payment_action_required"}
Make = Callable[[Account, Invoice, list[Invoice]], Paying | Refusal]


class LedgerPayments(LedgerAccounts):
    async def pay(self, by: By, invoice_id: str, payment_method_id: str) -> Paying:
        command = Command(by, "invoice.paid", invoice_id, (payment_method_id,))
        payment_id = payment_of(invoice_id, by.key)

        def make(account: Account, invoice: Invoice, later: list[Invoice]) -> Paying | Refusal:
            return paying.pay(account, invoice, payment_method_id, payment_id=payment_id, later=later, now=by.now)

        return await self._write(lambda transaction: self._pay(transaction, command, payment_id, make))

    async def payment_confirmed(self, by: By, seen: ProviderSession, *, succeeded: bool) -> Paying:
        payment_id, failure = seen.data.get("payment", ""), "" if succeeded else paying.NOT_CONFIRMED
        command = Command(by, "invoice.confirmed", seen.subject, (payment_id, failure))

        def make(account: Account, invoice: Invoice, later: list[Invoice]) -> Paying | Refusal:
            return paying.confirm(account, invoice, payment_id, failure=failure, later=later, now=by.now)

        return await self._write(lambda transaction: self._pay(transaction, command, payment_id, make))

    def _pay(self, transaction: Transaction, command: Command, payment_id: str, make: Make) -> Paying:
        """Ask once for the key. The same key again answers what came of it; for something else it is refused."""
        by, whose = command.by, self._whose(command.by.customer_id)
        before = rows.plan(transaction, self.brand, by.customer_id, key=by.key, wanted=command.wanted, now=by.now)
        if before not in (None, command.wanted):
            raise Refused("key_reused")
        seen = self._current(transaction, by.customer_id, by.now)
        invoice = self._invoice(transaction, whose, command.subject)
        if before == command.wanted:
            done = next((each for each in invoice.payments if each.id == payment_id), None)
            if done is None:
                raise Refused("key_reused")
            return self._to_confirm(transaction, command, Paying(seen.account, invoice, done))
        made = make(seen.account, invoice, self._later(transaction, whose, seen.account, invoice))
        if isinstance(made, Refusal):
            raise Refused(made.reason, made.detail)
        made = replace(made, account=as_kept(made.account))
        fields = history.of_payment(made.invoice, made.payment)
        line = Activity(by.now, _KINDS[made.payment.status], invoice.id, fields, by.browser)
        due = due_at(made.account)
        lines = [line, *history.paid_for(seen.account, made.account, by.now, by.browser)]
        rows.store_change(transaction, self.brand, seen, made.account, due, invoices=[made.invoice], activities=lines)
        notice = of_invoice(invoice, made.invoice, made.account, by.now, present=True)
        told = [*([notice] if notice else []), *of_moves(seen.account, made.account, by.now, upcoming_of)]
        self._tell(transaction, by.customer_id, told, by.now)
        self._tell_listeners(transaction, seen.account, made.account, [made.invoice], by.now, old=invoice)
        transaction.count(rows.DONE, {**whose, "key": by.key, "now": micros(by.now)})
        return self._to_confirm(transaction, command, made)

    def _to_confirm(self, transaction: Transaction, command: Command, made: Paying) -> Paying:
        """With a page for it, where the customer has to confirm the payment. The ledger plays the bank."""
        it, paths = made.payment, Paths(self.base)
        if it.status != "open":
            return made
        brand, _, last4 = it.method.partition(" ")
        data = {"payment": it.id, "amount": str(it.amount.amount), "currency": it.amount.currency}
        wanted = ProviderSession(
            "payment",
            made.invoice.id,
            paths.invoice_pay(made.invoice.id),
            data={**data, "brand": brand, "last4": last4},
        )
        token = begin(transaction, self.brand, command.by.customer_id, wanted, command.by.now)
        return replace(made, confirm_at=paths.sandbox(token))

    def _invoice(self, transaction: Transaction, whose: dict[str, object], invoice_id: str) -> Invoice:
        found = transaction.run(rows.ONE_INVOICE, {**whose, "id": invoice_id})
        if not found:
            raise NotFound
        return decode_invoice(found[0][0])

    def _later(
        self, transaction: Transaction, whose: dict[str, object], account: Account, invoice: Invoice
    ) -> list[Invoice]:
        """Newer invoices that may decide about the subscription and are not in the account: only beside an old one."""
        held = {each.id for each in account.invoices}
        subscription = account.subscription(invoice.subscription)
        latest = subscription.latest_invoice if subscription else ""
        if invoice.id in held or not latest or latest in held or latest == invoice.id:
            return []
        found = transaction.run(rows.ONE_INVOICE, {**whose, "id": latest})
        return [decode_invoice(document) for (document,) in found]


def payment_of(invoice_id: str, key: str) -> str:
    """The id of the payment that a form asks for: the same form again finds it."""
    return "inpay_" + blake2b(f"{invoice_id} {key}".encode(), digest_size=12).hexdigest()
