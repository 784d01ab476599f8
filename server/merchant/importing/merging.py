"""How what was staged becomes accounts: references resolved, records merged into what the ledger has. See `import_files`.

One customer after the other. A record that is wrong is named and left out; whether the run goes on without it is decided
when everything was looked at, by `Problems.check`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.invoicing import as_kept, prefix_of, with_invoices
from server.billing.model.account import (
    ALIVE,
    ENDED,
    PAYABLE,
    Account,
    Customer,
    Invoice,
    PaymentMethod,
    Subscription,
    TaxId,
)
from server.billing.model.periods import INTERVALS
from server.billing.stripe import mapping, mapping_accounts, mapping_invoices
from server.billing.stripe.mapping_catalog import counted_in
from server.billing.stripe.reading import Known
from server.brands.dunning import STANDARD, Dunning
from server.formats.email import EmailMistake, canonical
from server.formats.money import Money
from server.merchant.importing.catalog import Catalog, named
from server.merchant.importing.charges import tells_refunds
from server.merchant.importing.coming_again import as_owed, as_refunded, replaced, stays_ended
from server.merchant.importing.credit_notes import Notes, Stored
from server.merchant.importing.handover import handed_over, is_tried, with_next_try
from server.merchant.importing.reading import ImportRefused
from server.merchant.importing.report import Coming, coming
from server.merchant.importing.rows import Rows
from server.merchant.importing.staging import Staged, Staging
from server.merchant.importing.waiting import NOBODY, with_customers, with_items, with_schedules, with_what_waited

_WAITING = ("subscription_schedule", "invoiceitem")
Work = Callable[[Account, Staged, Known], tuple[Account, str]]


class Merging:
    """Merges one customer's records after the other into the ledger."""

    def __init__(
        self,
        into: Rows,
        catalog: Catalog,
        staging: Staging,
        now: datetime,
        billed_until: datetime,
        *,
        dunning: Dunning = STANDARD,
    ) -> None:
        self._dunning = dunning
        self._into, self._catalog, self._staging, self._now = into, catalog, staging, now
        self._until, self._notes = billed_until, staging.notes
        self.objects: Counter[str] = Counter()
        self.unreachable: list[str] = []
        self.carried = 0
        self.coming: list[Coming] = []

    def merge(self, together: Sequence[Staged]) -> str:
        """All records of one customer; `new`, `changed`, `unchanged`, or `left out`."""
        seen = self._into.account(together[0].owner)
        changed: Sequence[Staged] = [each for each in together if self._is_news(each)]
        if not changed:
            if seen:
                self.coming += coming(seen.account, self._now)
            return "unchanged" if seen else "left out"
        if any(each.kind == "subscription" for each in changed):
            # It takes the place of what is there: what waits at it is put there again.
            changed = [each for each in together if each in changed or each.kind in _WAITING]
        account, changed = self._with_customer(seen.account if seen else None, changed)
        if account is None:
            return "left out"
        # Of a customer that is new, the ledger has no invoice.
        stored = cache(partial(self._into.invoice, account.customer.id)) if seen else lambda _: None
        account, invoices, changed = self._with_things(account, changed, stored)
        account = self._with_known_methods(account, changed, seen.account if seen else account)
        if seen:
            self._name_replaced(seen.account, account, changed)
        # What lies behind this moment was told by the former billing side: nobody is reminded of it again.
        account = settled(replace(account, as_of=max(account.as_of, self._now)))
        self._into.put_account(seen, account, invoices)
        for each in changed:
            self._into.remember(each)
        if isinstance(canonical(account.customer.email), EmailMistake):
            self.unreachable.append(account.customer.id)
        self.coming += coming(account, self._now)
        return "changed" if seen else "new"

    def _is_news(self, each: Staged) -> bool:
        before, counts = self._into.imported(each.kind, each.id), self._notes.of(each.kind)
        if before is None:
            counts.new += 1
            return True
        whose, digest = before
        if whose != each.owner:
            problem = f"{each.kind} {each.id} belongs to {whose} in the ledger, got {each.owner}"
            self._staging.broken(each.place.refusal(problem, "$.customer"), each.kind)
            return False
        counts.same += digest == each.digest
        counts.changed += digest != each.digest
        return digest != each.digest

    def _broken(self, each: Staged, refusal: ImportRefused) -> None:
        self._uncount(each)
        self._staging.broken(refusal, each.kind)

    def _left_out(self, each: Staged, why: str) -> None:
        if self._uncount(each):
            self._notes.of(each.kind).leave_out(why)

    def _uncount(self, each: Staged) -> bool:
        """Whether it was counted as news."""
        counts, before = self._notes.of(each.kind), self._into.imported(each.kind, each.id)
        if before and before[1] == each.digest:
            return False
        counts.new -= before is None
        counts.changed -= before is not None
        return True

    def _with_customer(
        self, base: Account | None, changed: Sequence[Staged]
    ) -> tuple[Account | None, Sequence[Staged]]:
        """The account with the customer that came; without one, the one that is there. Nobody's records are named."""
        came = next((each for each in changed if each.kind == "customer"), None)
        if came is not None:
            try:
                return self._customer(base, came, changed), changed
            except ImportRefused as error:
                self._broken(came, error)
                changed = [each for each in changed if each is not came]
        if base is not None:
            return base, changed
        for each in changed:
            problem = f"customer {each.owner} is neither in these files nor in the ledger"
            self._broken(each, each.place.refusal(problem, "$.customer"))
        return None, ()

    def _customer(self, base: Account | None, came: Staged, changed: Sequence[Staged]) -> Account:
        raw: Any = msgspec.msgpack.decode(came.document)
        if raw.get("object") == "customer":
            customer, balance = named(came, lambda: mapping.customer(raw, self._catalog))
            self._name_unlimited(came, raw.get("discount"), "$.discount")
        else:
            customer, balance = mapping_accounts.account(raw), None
        amount = raw.get("balance") or raw.get("account_balance")
        if balance is None and type(amount) is int:
            balance = self._balance(base, came, changed, amount)
        if base is None:
            return Account(customer=customer, as_of=self._now, balance=balance)
        # Stripe sends tax ids only where they were asked for, and the ledger may have numbered invoices since.
        number = max(customer.next_invoice_sequence, base.customer.next_invoice_sequence)
        tax_ids = customer.tax_ids or base.customer.tax_ids
        customer = replace(customer, next_invoice_sequence=number, tax_ids=tax_ids)
        if raw.get("balance") is None and raw.get("account_balance") is None:  # as in the v2 API, which has none
            balance = base.balance
        return replace(base, customer=customer, balance=balance)

    def _balance(self, base: Account | None, came: Staged, changed: Sequence[Staged], amount: int) -> Money | None:
        """A balance without a currency is in the one that the customer is billed in."""
        currencies = {each.currency for each in (base.subscriptions if base else ())}
        for each in changed:
            if each.kind in ("subscription", "invoice"):
                currency = msgspec.msgpack.decode(each.document).get("currency")
                currencies |= {currency.upper()} if isinstance(currency, str) else set()
        if len(currencies) == 1:
            return Money(amount, currencies.pop())
        problem = (
            f"a balance of {amount} without a currency, and nothing else of the customer says which; add `currency`"
        )
        raise came.place.refusal(problem, "$.balance")

    def _with_things(
        self, account: Account, changed: Sequence[Staged], stored: Stored
    ) -> tuple[Account, list[Invoice], Sequence[Staged]]:
        methods = {each.id: each for each in account.payment_methods}
        tax_ids = {each.id: each for each in account.customer.tax_ids}
        subscriptions = {each.id: each for each in account.subscriptions}
        invoices: list[Invoice] = []
        kept: list[Staged] = []
        schedules = {each.id for each in changed if each.kind == "subscription_schedule"}
        for each in changed:
            try:
                if each.is_detached:
                    methods.pop(each.id, None)
                elif self._was_removed(each, {"payment_method": methods, "tax_id": tax_ids}):
                    self._left_out(each, "removed here by now")
                    continue
                elif each.kind == "payment_method":
                    methods[each.id] = msgspec.msgpack.decode(each.document, type=PaymentMethod)
                elif each.kind == "tax_id":
                    tax_ids[each.id] = msgspec.msgpack.decode(each.document, type=TaxId)
                elif each.kind == "subscription":
                    before = subscriptions.get(each.id)
                    found = with_what_waited(self._subscription(each, before), before, schedules)
                    self._name_lost_schedule(each, found, {*schedules, before.schedule if before else ""})
                    subscriptions[each.id] = found
                elif each.kind == "invoice":
                    invoices += self._invoice(each, stored)
            except ImportRefused as error:
                self._broken(each, error)
                continue
            kept.append(each)
        invoices = self._with_credit_notes(invoices, kept, stored)
        newest = sorted(methods.values(), key=lambda each: (each.created_at, each.id), reverse=True)
        customer = _numbering_on(replace(account.customer, tax_ids=tuple(tax_ids.values())), invoices)
        account = replace(account, customer=customer, payment_methods=tuple(newest))
        came = {each.id for each in kept if each.kind == "subscription"}
        account = replace(account, subscriptions=tuple(subscriptions.values()))
        account = self._with_waiting(self._unpinned(account, kept), kept, came)
        known = (*invoices, *account.invoices)
        account = replace(
            account, subscriptions=tuple(self._taken_over(account, each, came, known) for each in account.subscriptions)
        )
        invoices = self._with_tries(account, invoices, kept)
        self.objects.update(each.kind for each in kept)
        return as_kept(with_invoices(account, invoices)), invoices, kept

    def _was_removed(self, each: Staged, held: Mapping[str, Collection[str]]) -> bool:
        """Whether it came before and is there no more: neither Stripe nor the ledger takes such a one back."""
        gone = each.kind in held and each.id not in held[each.kind]
        return gone and self._into.imported(each.kind, each.id) is not None

    def _with_tries(self, account: Account, invoices: list[Invoice], kept: Sequence[Staged]) -> list[Invoice]:
        """Without the tries that nobody makes: their pages would promise one."""
        places = {each.id: each.place for each in kept if each.kind == "invoice"}
        found = []
        for each in invoices:
            if each.next_attempt_at and not is_tried(account, each):
                why = "nothing charges it by itself here: it has no running subscription that is charged"
                place = places[each.id].at("$.next_payment_attempt") if each.id in places else each.id
                self._notes.name("invoice.next_payment_attempt", why, place)
                each = replace(each, next_attempt_at=None)  # noqa: PLW2901 (the same invoice, without the promise)
            found.append(each)
        return found

    def _with_credit_notes(self, invoices: list[Invoice], kept: list[Staged], stored: Stored) -> list[Invoice]:
        notes = Notes(invoices, stored)
        for each in [each for each in kept if each.kind == "credit_note"]:
            try:
                why = notes.add(each, self._catalog)
            except ImportRefused as error:
                self._broken(each, error)
                kept.remove(each)
                continue
            if not why and (gap := notes.gap_of(each.id)):
                self._notes.name("credit_note", f"{gap}: no document of it", each.place.at("$"))
            if why:
                # It is looked at again when its invoice comes.
                self._left_out(each, why)
                kept.remove(each)
        return notes.invoices()

    def _with_waiting(self, account: Account, kept: list[Staged], came: set[str]) -> Account:
        """What waits at subscriptions: the customer's discount and exemption, schedules, invoice items."""
        account = with_customers(account, came)
        self._name_what_is_idle(account, kept)
        works: tuple[Work, ...] = (partial(with_schedules, came=came), self._with_item)
        for work, kind in zip(works, _WAITING, strict=True):
            for each in [each for each in kept if each.kind == kind]:
                try:
                    account, why = work(account, each, self._catalog)
                except ImportRefused as error:
                    self._broken(each, error)
                    kept.remove(each)
                    continue
                self._name_unlimited(each, msgspec.msgpack.decode(each.document))
                if why:
                    self._left_out(each, why)
                if why == NOBODY:  # it is looked at again when a subscription comes
                    kept.remove(each)
        return account

    def _with_item(self, account: Account, each: Staged, known: Known) -> tuple[Account, str]:
        return with_items(account, each, known, came_before=self._into.imported(each.kind, each.id) is not None)

    def _unpinned(self, account: Account, kept: Sequence[Staged]) -> Account:
        """No default and no subscription names a payment method that was detached, as at Stripe."""
        gone = {each.id: each.place for each in kept if each.is_detached}
        for place in gone.values():
            self._notes.name(
                "payment_method", "was detached: nothing is charged to it any more", place.at("$.customer")
            )
        for each in account.subscriptions:
            if each.default_payment_method in gone:
                account = with_subscription(account, replace(each, default_payment_method=""))
        if account.customer.default_payment_method in gone:
            account = replace(account, customer=replace(account.customer, default_payment_method=""))
        return account

    def _name_what_is_idle(self, account: Account, kept: Sequence[Staged]) -> None:
        """What the customer has, and what changes nothing of a subscription because it is of another currency."""
        came = next((each for each in kept if each.kind == "customer"), None)
        currencies = sorted({each.currency for each in account.subscriptions if each.status not in ENDED})
        if came is None:
            return
        for each in account.customer.discounts:
            for currency in currencies:
                if counted_in(each, currency) is None:
                    why = f"has no amount in {currency}, and takes nothing off what is in it; expand currency_options"
                    self._notes.name("customer.discount", why, came.place.at("$.discount"))
        if account.balance and currencies and account.balance.currency not in currencies:
            why = f"is in {account.balance.currency}, and changes nothing of what is in {', '.join(currencies)}"
            self._notes.name("customer.balance", why, came.place.at("$.balance"))

    def _taken_over(
        self, account: Account, found: Subscription, came: set[str], invoices: Sequence[Invoice]
    ) -> Subscription:
        if found.id not in came:
            return found
        taken = handed_over(account, found, invoices, self._until)
        self.carried += taken.items != found.items or taken.status != found.status
        return taken

    def _name_replaced(self, before: Account, account: Account, changed: Sequence[Staged]) -> None:
        for each in changed:
            for field in replaced(each.kind, each.id, before, account):
                why = "takes the place of what the ledger had, which may have changed since"
                self._notes.name(f"{each.kind}.{field}", why, each.place.at("$"))

    def _subscription(self, each: Staged, before: Subscription | None) -> Subscription:
        raw: Any = msgspec.msgpack.decode(each.document)
        found = named(each, lambda: mapping.subscription(raw, self._catalog), raw)
        ids = Counter(item.id for item in found.items)
        for index, item in enumerate(found.items):
            if ids[item.id] > 1:
                raise each.place.refusal(f"item {item.id} is there {ids[item.id]} times", f"$.items.data[{index}].id")
            recurring = item.price.recurring
            if found.status not in ENDED and (recurring is None or recurring.interval not in INTERVALS):
                problem = f"expected a price for each {', '.join(INTERVALS)}: with another one nothing is ever billed"
                raise each.place.refusal(problem, f"$.items.data[{index}].price.recurring")
        if found.status in ALIVE and found.collection_method == "send_invoice" and raw.get("days_until_due") is None:
            problem = "expected in how many days a sent invoice is due, got nothing"
            raise each.place.refusal(problem, "$.days_until_due")
        if found.status not in ALIVE | ENDED:
            self._notes.name("subscription.status", "is not known here: nothing is billed", each.place.at("$.status"))
        self._name_unlimited(each, raw)
        if before and stays_ended(before, found):
            self._notes.name("subscription.status", "ended here by now, and stays so", each.place.at("$.status"))
            return before
        return found

    def _name_lost_schedule(self, each: Staged, found: Subscription, known: Collection[str]) -> None:
        if found.schedule and found.schedule not in known and found.status not in ENDED:
            why = "is neither in these files nor in the ledger: what it changes later is not known"
            self._notes.name("subscription.schedule", why, each.place.at("$.schedule"))

    def _name_unlimited(self, each: Staged, raw: Any, path: str = "$") -> None:
        """The coupons of which nothing says whether they are for some products only."""
        if isinstance(raw, list):
            for index, inside in enumerate(raw):
                self._name_unlimited(each, inside, f"{path}[{index}]")
        if not isinstance(raw, dict):
            return
        if raw.get("object") == "coupon" and "applies_to" not in raw and not self._catalog.coupon(str(raw.get("id"))):
            why = "was not expanded: it counts for every product; import the coupons, too, with applies_to"
            self._notes.name("coupon.applies_to", why, each.place.at(path))
        for key, inside in raw.items():
            self._name_unlimited(each, inside, f"{path}.{key}")

    def _invoice(self, each: Staged, stored: Stored) -> list[Invoice]:
        """Drafts are never shown; a page of Stripe's for the invoice is not this ledger's."""
        raw: Any = msgspec.msgpack.decode(each.document)
        _, invoice = named(each, lambda: mapping_invoices.invoice(raw, self._catalog), raw)
        if invoice.status == "draft":
            self._left_out(each, "draft")
            return []
        if invoice.has_more_lines:
            why = "holds some of its lines only (has_more): no document of it; export the invoice with all"
            self._notes.name("invoice.lines", why, each.place.at("$.lines"))
        elif not invoice.adds_up:
            why = "its parts do not make its total: no document of it"
            self._notes.name("invoice", why, each.place.at("$.total"))
        before = stored(invoice.id)
        if before and invoice.status in PAYABLE and before.status != "open":
            why = f"is {before.status} here by now, and stays so"
            self._notes.name("invoice.status", why, each.place.at("$.status"))
            return [before]
        if before and invoice.status == "open":
            invoice = as_owed(invoice, before)
        if not tells_refunds(raw):
            invoice = as_refunded(invoice, before)
            why = "what was given back of its payment is not known: import the charges, too, or expand them"
            self._notes.name("invoice.payments", why, each.place.at("$"))
        return [with_next_try(replace(invoice, hosted=False), self._until, self._dunning)]

    def _with_known_methods(self, account: Account, changed: Sequence[Staged], before: Account) -> Account:
        """A payment method that is nowhere is named, and charged by nothing; for one removed here, what was chosen stays."""
        known = {"", *(each.id for each in account.payment_methods)}
        for each in changed:
            subscription = account.subscription(each.id) if each.kind == "subscription" else None
            holder = subscription or (account.customer if each.kind == "customer" else None)
            if holder is None or holder.default_payment_method in known:
                continue
            left = ""
            if self._into.imported("payment_method", holder.default_payment_method):
                was = before.subscription(each.id) if subscription else before.customer
                left = was.default_payment_method if was and was.default_payment_method in known else ""
                why = "was removed here by now: what is charged instead stays"
                self._notes.name(f"{each.kind}.default_payment_method", why, each.place.at(_method_path(each)))
            else:
                method = f"payment method {holder.default_payment_method} of {account.customer.id}"
                problem = f"{method} is neither in these files nor in the ledger"
                self._staging.problems.add(each.place.refusal(problem, _method_path(each)))
            if subscription:
                account = with_subscription(account, replace(subscription, default_payment_method=left))
            else:
                account = replace(account, customer=replace(account.customer, default_payment_method=left))
        return account


def _numbering_on(customer: Customer, invoices: Sequence[Invoice]) -> Customer:
    """No number is given twice, also where an export lacks the customer's `next_invoice_sequence`."""
    prefix = f"{customer.invoice_prefix or prefix_of(customer)}-"
    ends = [each.number.removeprefix(prefix) for each in invoices if each.number.startswith(prefix)]
    used = [int(end) for end in ends if re.fullmatch(r"[0-9]{1,12}", end)]
    return replace(customer, next_invoice_sequence=max([customer.next_invoice_sequence, *(each + 1 for each in used)]))


def _method_path(each: Staged) -> str:
    if each.kind == "subscription":
        return "$.default_payment_method"
    return "$.invoice_settings.default_payment_method"
