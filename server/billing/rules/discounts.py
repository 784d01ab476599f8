"""Promotion codes and coupons: whether one counts here, and the discount that it gives. Pure.

code_not_allowed                          the brand lets nobody type one
code_unknown                              there is none, or it is somebody else's: the two look alike
code_inactive, code_expired, code_used_up
code_wrong_product, code_wrong_currency   it is for something else
code_first_time_only                      and this customer paid before
code_minimum_amount                       with the amount and its currency
code_already_applied
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.model.account import Account, Catalog, Coupon, Discount, PromotionCode, Subscription, Upcoming
from server.billing.model.amounts import amount_of, is_metered
from server.billing.model.change import Plan
from server.billing.model.errors import Refusal
from server.billing.model.periods import add_months

LONGEST = 200
"""Characters of a promotion code."""


def canonical(code: str) -> str:
    """How codes are compared: without spaces around them, whatever their case."""
    return code.strip()[:LONGEST].casefold()


def redeem(
    account: Account,
    subscription: Subscription,
    plan: Plan,
    code: str,
    catalog: Catalog,
    *,
    at: datetime,
    begins: datetime,
) -> Discount | Refusal:
    """The discount of a promotion code on this plan, from `begins` on; it must hold at `at`."""
    wanted = canonical(code)
    refused = Refusal("code_unknown")
    for each in catalog.codes:
        coupon = catalog.coupons.get(each.coupon)
        if canonical(each.code) != wanted or coupon is None or each.customer not in ("", account.customer.id):
            continue
        why_not = _of_code(account, subscription, plan, each, at) or why_no_coupon(subscription, plan, coupon, at)
        if why_not is None:
            return discount_of(in_currency(coupon, subscription.currency) or coupon, begins, each)
        # Of several codes with the same text, the one that is still given says why it does not count.
        if refused.reason in ("code_unknown", "code_inactive"):
            refused = why_not
    return refused


def why_no_coupon(subscription: Subscription, plan: Plan, coupon: Coupon, at: datetime) -> Refusal | None:
    """Why the coupon gives nothing here; None: it does."""
    reason = ""
    if coupon.redeem_by and coupon.redeem_by <= at:
        reason = "code_expired"
    elif coupon.max_redemptions and coupon.times_redeemed >= coupon.max_redemptions:
        reason = "code_used_up"
    elif not coupon.valid:
        reason = "code_inactive"
    elif coupon.products and plan.price.product not in coupon.products:
        reason = "code_wrong_product"
    elif in_currency(coupon, subscription.currency) is None:
        reason = "code_wrong_currency"
    elif any(each.coupon.id == coupon.id for each in subscription.discounts):
        reason = "code_already_applied"
    return Refusal(reason) if reason else None


def changes_nothing(subscription: Subscription, before: Upcoming | None, after: Upcoming | None) -> bool:
    """Whether the next charge is the same with a coupon as without it: its months are over before a yearly plan renews,
    or the plan is free. Of what is billed by use, nobody knows yet."""
    known = before is not None and before.total is not None
    return known and before == after and not any(is_metered(each.price) for each in subscription.items)


def in_currency(coupon: Coupon, currency: str) -> Coupon | None:
    """The coupon with its amount in that currency; None where it has none, and takes nothing off there."""
    if coupon.percent_off or (coupon.amount_off and coupon.amount_off.currency == currency):
        return coupon
    other = next((each for each in coupon.other_amounts if each.currency == currency), None)
    return replace(coupon, amount_off=other) if other else None


def discount_of(coupon: Coupon, begins: datetime, code: PromotionCode | None = None) -> Discount:
    """What it gives, without how often it was given: another customer's redemption changes nothing in this one's."""
    coupon = replace(coupon, times_redeemed=0)
    months = coupon.duration_in_months if coupon.duration == "repeating" else 0
    return Discount(
        id=f"di_{coupon.id}_{begins:%Y%m%d%H%M%S%f}",
        coupon=coupon,
        promotion_code=code.code if code else "",
        redeemed=code.id if code else "",
        start_at=begins,
        end_at=add_months(begins, months) if months else None,
    )


def _of_code(
    account: Account, subscription: Subscription, plan: Plan, code: PromotionCode, at: datetime
) -> Refusal | None:
    reason, said = "", [each for each in (code.minimum, *code.other_minimums) if each]
    least = next((each for each in said if each.currency == subscription.currency), None)
    if not code.active:
        reason = "code_inactive"
    elif code.expires_at and code.expires_at <= at:
        reason = "code_expired"
    elif code.max_redemptions and code.times_redeemed >= code.max_redemptions:
        reason = "code_used_up"
    elif code.first_time and _paid_before(account):
        reason = "code_first_time_only"
    elif said and least is None:
        reason = "code_wrong_currency"
    elif least and amount_of(plan.price, plan.quantity) < least.amount:
        return Refusal("code_minimum_amount", f"{least.amount} {least.currency}")
    return Refusal(reason) if reason else None


def _paid_before(account: Account) -> bool:
    """Older invoices than the latest ones count as paid: nobody gets that far without paying."""
    paid = any(each.status == "paid" and each.total.amount > 0 for each in account.invoices)
    return paid or account.has_older_invoices
