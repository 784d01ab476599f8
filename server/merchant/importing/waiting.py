"""Schedules, pending invoice items and what is the customer's, put where they wait: at a subscription of the customer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.ledger.sums.bills import line_taxes, rates_of, taxes_on
from server.billing.ledger.sums.upcoming import with_subscription
from server.billing.model.account import ENDED, Account, Pending, Subscription
from server.billing.model.periods import renews_at
from server.billing.stripe import mapping_waiting
from server.billing.stripe.mapping_catalog import counted_in
from server.billing.stripe.reading import Known
from server.merchant.importing.catalog import named
from server.merchant.importing.staging import Staged


def with_schedules(account: Account, each: Staged, known: Known, *, came: Collection[str]) -> tuple[Account, str]:
    """The account with that schedule, and why it was left out, or empty. `came`: the subscriptions that came, too."""
    raw: Any = msgspec.msgpack.decode(each.document)
    whose = raw.get("subscription") or raw.get("released_subscription")
    found = account.subscription(whose.get("id", "") if isinstance(whose, dict) else str(whose or ""))
    if found is None:
        return account, "its subscription has not begun" if not whose else "its subscription is not there"
    schedule = named(each, lambda: mapping_waiting.schedule(raw, known, found, is_billed_here=True))
    is_sent = found.collection_method == "send_invoice"
    for phase in schedule.phases:
        if phase.collection_method == "send_invoice" and phase.days_until_due is None and not is_sent:
            problem = f"expected days_until_due for the phase of {phase.at:%Y-%m-%d}, which sends invoices; got nothing"
            raise each.place.refusal(problem, "$.phases")
    if schedule.is_over:
        changed = replace(found, schedule="", phases=()) if found.schedule == schedule.id else found
    else:
        # The end of one that did not come may be what this schedule said before; nobody else asked for it.
        is_its = found.id not in came and found.schedule == schedule.id and found.canceled_at is None
        ends = (None if is_its else found.cancel_at) or schedule.cancel_at
        changed = replace(found, schedule=schedule.id, phases=schedule.phases, cancel_at=ends)
    return with_subscription(account, changed), ""


NOBODY = "no subscription bills it"


def with_items(account: Account, each: Staged, known: Known, *, came_before: bool) -> tuple[Account, str]:
    """The account with that invoice item, and why it was left out, or empty. `came_before`: it waited already, so where it
    waits no more it was billed, be it on an invoice that the account no longer holds."""
    raw: Any = msgspec.msgpack.decode(each.document)
    waiting = named(each, lambda: mapping_waiting.invoice_item(raw, known))
    before, account = account, _without(account, waiting.id)
    if waiting.is_billed:
        return account, "on an invoice already"
    if came_before and account is before:
        return account, "on an invoice of the ledger already"
    found = _at(account, waiting)
    if found is None:
        return account, NOBODY
    pending = (*found.pending, _pending(waiting, found))
    return with_subscription(account, replace(found, pending=pending)), ""


def with_customers(account: Account, came: Collection[str]) -> Account:
    """Each subscription with what is the customer's: the exemption, and the discount where it has none of its own."""
    customer = account.customer
    found = []
    for each in account.subscriptions:
        own = tuple(discount for discount in each.discounts if not discount.of_customer)
        given = {discount.id for discount in each.discounts if discount.of_customer}
        # One that counted once is gone from the subscription, and does not come again with the same customer.
        new = each.id in came or given - {discount.id for discount in customer.discounts}
        counted = tuple(it for given in customer.discounts if (it := counted_in(given, each.currency)))
        discounts = (own or counted) if new else each.discounts
        found.append(replace(each, tax_exempt=customer.tax_exempt, discounts=discounts))
    return replace(account, subscriptions=tuple(found))


def with_what_waited(found: Subscription, before: Subscription | None, schedules: Collection[str]) -> Subscription:
    """A subscription that came again, with what waited at the one before it: its own record does not say it. What the
    ledger prorated itself was for a plan that is not there any more. `schedules`: those that came, too."""
    if before is None or found.status in ENDED:
        return found
    own = f"il_{found.id}_"
    found = replace(found, pending=tuple(each for each in before.pending if not each.line.id.startswith(own)))
    if not found.schedule or before.schedule != found.schedule or found.schedule in schedules:
        return found
    its_end = before.cancel_at if before.canceled_at is None else None
    return replace(found, phases=before.phases, cancel_at=found.cancel_at or its_end)


def _without(account: Account, identity: str) -> Account:
    for each in account.subscriptions:
        left = tuple(waits for waits in each.pending if waits.line.id != identity)
        if left != each.pending:
            account = with_subscription(account, replace(each, pending=left))
    return account


def _pending(waiting: mapping_waiting.Waiting, found: Subscription) -> Pending:
    """The item with its own rates, or those of the subscription."""
    as_item = replace(found.items[0], tax_rates=waiting.rates)
    taxes = taxes_on(waiting.line.amount.amount, rates_of(found, as_item), found.currency)
    line = replace(waiting.line, subscription=found.id, taxes=line_taxes(taxes))
    return Pending(line, taxes, is_discountable=waiting.is_discountable, product=waiting.product)


def _at(account: Account, waiting: mapping_waiting.Waiting) -> Subscription | None:
    """Its own subscription, or the one of its currency that is billed next."""
    currency = waiting.line.amount.currency
    alive = [each for each in account.subscriptions if each.status not in ENDED and each.currency == currency]
    if waiting.subscription:
        return next((each for each in alive if each.id == waiting.subscription), None)
    due = [(at, each.id, each) for each in alive if (at := renews_at(each))]
    return min(due, default=(None, "", None))[2]
