"""The changes of a subscription that were put off, and what they do when they take effect: the customer's own, and the
phases of a schedule. Pure.

A phase that begins while a period runs is prorated as it says (Stripe's `proration_behavior`): the credit for what was paid
and is not used, and the charge for the rest at the new price, wait for the next invoice (`create_prorations`) or are
invoiced at once (`always_invoice`, which `renewals` does). A period that begins anew with it is invoiced as any other.
Nothing is prorated in a trial, in a pause, or while unpaid.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill, bill, exact_net, line_taxes, rates_of, take_off, taxes_on
from server.billing.ledger.sums.proration import basis_of, charge_for, credit_for, worth_of
from server.billing.model.account import (
    Account,
    Basis,
    Discount,
    InvoiceLine,
    Item,
    Pending,
    Phase,
    PhaseItem,
    Price,
    Subscription,
)
from server.billing.model.amounts import amount_of
from server.billing.model.periods import begun, next_end
from server.formats.money import Money

_BILLED = frozenset({"active", "past_due"})


def as_scheduled(subscription: Subscription) -> Subscription:
    """The subscription once its scheduled change has come."""
    scheduled = subscription.scheduled
    if scheduled is None:
        return subscription
    first = replace(subscription.items[0], price=scheduled.price, quantity=scheduled.quantity)
    discounts = with_discount(subscription.discounts, scheduled.discount)
    return replace(
        subscription,
        items=(first, *subscription.items[1:]),
        discounts=discounts,
        scheduled=None,
        billing_cycle_anchor_at=_anchor(subscription, scheduled.price, scheduled.at),
    )


def _anchor(subscription: Subscription, price: Price, at: datetime) -> datetime:
    """What the periods are counted from once its first item has this price: another interval counts from its own first
    period, which begins when the running one is over."""
    item = subscription.items[0]
    old, new = item.price.recurring, price.recurring
    if old and new and (old.interval, old.count) == (new.interval, new.count):
        return subscription.billing_cycle_anchor_at
    return max(at, item.current_period_end_at)


def changes_at(subscription: Subscription) -> datetime | None:
    """When the next change that was put off takes effect, the customer's or one of the schedule."""
    moments = [each.at for each in (subscription.scheduled, *subscription.phases[:1]) if each]
    return min(moments, default=None)


def begun_by(subscription: Subscription, at: datetime, account: Account | None = None) -> Subscription:
    """The subscription with the changes that take effect until then. Without the account nothing is prorated: what was
    paid for a running period is not known."""
    while (change := changes_at(subscription)) and change <= at:
        is_own = subscription.scheduled is not None and subscription.scheduled.at == change
        subscription = as_scheduled(subscription) if is_own else _in_next_phase(subscription, account)
    return subscription


def invoices_at(account: Account, subscription: Subscription, until: datetime) -> tuple[datetime, Bill] | None:
    """When a phase that is invoiced at once begins before `until`, within a running period, and that invoice."""
    while (change := changes_at(subscription)) and change < until:
        before, subscription = subscription, begun_by(subscription, change, account)
        made = invoiced_by(before, subscription, change)
        if made:
            return change, made
    return None


def invoiced_by(before: Subscription, after: Subscription, at: datetime) -> Bill | None:
    """What the phase that begins at `at` invoices at once: what waits, and the periods that begin anew with it."""
    phase = before.phases[0] if before.phases and before.phases[0].at == at else None
    if phase is None or before.status not in _BILLED or before.pause_behavior:
        return None
    fresh = begun_at(after, at)
    runs = any(each.current_period_end_at > at for each in before.items)
    if not fresh and not (runs and phase.proration_behavior == "always_invoice" and after.pending):
        return None
    return bill(after, fresh, at, after.pending)


def begun_at(subscription: Subscription, at: datetime) -> list[Item]:
    """The items whose running period began then."""
    return [each for each in subscription.items if each.current_period_start_at == at]


def _beside(old: tuple[Item, ...], phase: Phase) -> Iterator[tuple[Item, PhaseItem, bool]]:
    """Each item of the phase with the one it takes the place of, or, new, with the one whose period it shares."""
    for index, new in enumerate(phase.items):
        yield old[min(index, len(old) - 1)], new, index >= len(old)


def _restarts(old: Item, new: PhaseItem, phase: Phase) -> bool:
    """Whether a new period begins with the phase, within a running one: as at Stripe, with another interval, too."""
    was, will = old.price.recurring, new.price.recurring
    other = was and will and (was.interval, was.count) != (will.interval, will.count)
    return old.current_period_end_at > phase.at and (phase.is_new_anchor or bool(other))


def _in_next_phase(subscription: Subscription, account: Account | None) -> Subscription:
    """Running periods go on, or begin again (`_restarts`)."""
    phase, old = subscription.phases[0], subscription.items
    items = [
        _in_phase(subscription, it, new, phase, f"_{index}" if is_new else "")
        for index, (it, new, is_new) in enumerate(_beside(old, phase))
    ]
    inherited = tuple(each for each in subscription.discounts if each.of_customer)
    restarts = _restarts(old[0], phase.items[0], phase)
    changed = replace(
        subscription,
        items=tuple(items),
        discounts=phase.discounts or inherited,
        default_tax_rates=phase.default_tax_rates,
        collection_method=phase.collection_method or subscription.collection_method,
        days_until_due=subscription.days_until_due if phase.days_until_due is None else phase.days_until_due,
        phases=subscription.phases[1:],
        billing_cycle_anchor_at=phase.at if restarts else _anchor(subscription, items[0].price, phase.at),
    )
    if account is None:
        return changed
    changed = replace(changed, pending=(*changed.pending, *_added(changed, phase)))
    if subscription.status not in _BILLED or subscription.pause_behavior:
        return changed
    return _prorated(subscription, changed, phase, account)


def _added(subscription: Subscription, phase: Phase) -> Iterator[Pending]:
    """What the phase charges once, on its first invoice."""
    for index, each in enumerate(phase.adds):
        whole, currency = amount_of(each.price, each.quantity), subscription.currency
        left = [whole]
        for own in each.discounts:
            take_off(own.coupon, (each.price.product,), (0,), left, currency)
        taxes = taxes_on(left[0], rates_of(subscription, each), currency)
        line = InvoiceLine(
            id=f"ii_{subscription.id}_{phase.at:%Y%m%d%H%M%S}_{index}",
            description=each.price.product_name,
            amount=Money(left[0], currency),
            quantity=each.quantity,
            unit_amount=each.price.unit_amount,
            period_start_at=phase.at,
            period_end_at=phase.at,
            proration=True,  # as what an import finds waiting: it is no period that was paid
            subscription=subscription.id,
            taxes=line_taxes(taxes),
            included_discount=Money(whole - left[0], currency) or None,
        )
        yield Pending(line, taxes, is_discountable=each.is_discountable, product=each.price.product)


def _in_phase(subscription: Subscription, item: Item, new: PhaseItem, phase: Phase, more: str) -> Item:
    changed = replace(
        item,
        id=item.id + more,
        price=new.price,
        quantity=new.quantity,
        discounts=new.discounts,
        tax_rates=new.tax_rates,
    )
    if _restarts(item, new, phase):
        end = next_end(phase.at, new.price.recurring, phase.at) or item.current_period_end_at
        changed = begun(subscription, changed, phase.at, end)
    return replace(changed, basis=Basis(net="0")) if more or _differs(item, changed, phase) else changed


def _differs(old: Item, new: Item, phase: Phase) -> bool:
    """Whether its running period is another one now: worth something else, or begun again."""
    runs = old.current_period_end_at > phase.at
    return runs and (old.price, old.quantity, old.current_period_start_at) != (
        new.price, new.quantity, new.current_period_start_at,
    )  # fmt: skip


def _prorated(before: Subscription, after: Subscription, phase: Phase, account: Account) -> Subscription:
    """With the credit for what is over within its period, and the charge for what begins within one."""
    waits: list[Pending] = []
    items = list(after.items)
    prorates, count = phase.proration_behavior != "none", len(before.items)
    for index, old in enumerate(before.items):
        is_over = old.current_period_end_at > phase.at and index >= len(items)
        if prorates and (is_over or (index < len(items) and _differs(old, items[index], phase))):
            credit = credit_for(account, before, old, phase.at, goes_on=True)
            waits += [credit] if credit else []
    for index, new in enumerate(items):
        old = before.items[min(index, count - 1)]
        begins = new.current_period_start_at == phase.at > old.current_period_start_at
        is_new = index >= count and new.current_period_end_at > phase.at
        if not is_new and not _differs(old, new, phase):
            continue
        if begins:
            items[index] = replace(new, basis=None)
        elif prorates:
            waits.append(charge_for(after, new, phase.at))
            net = exact_net(after, new.price, new.quantity, phase.at, new.discounts)
            worth = None if is_new else worth_of(account, before, old, goes_on=True)
            items[index] = replace(new, basis=Basis(net=str(net), invoice=worth.invoice if worth else ""))
        elif not is_new:
            # Nobody charges for the new price yet, so the rest stays worth what was paid for it.
            items[index] = replace(new, basis=basis_of(worth_of(account, before, old, goes_on=True)))
    return replace(after, items=tuple(items), pending=(*after.pending, *(each for each in waits if each.line.amount)))


def with_discount(discounts: tuple[Discount, ...], more: Discount | None) -> tuple[Discount, ...]:
    """A promotion code takes the place of an earlier one; what the business gave stays beside it."""
    if more is None:
        return discounts
    return (*(each for each in discounts if not each.promotion_code), more)
