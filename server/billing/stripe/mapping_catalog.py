"""Stripe's products, prices, coupons, promotion codes, discounts and tax rates -> our types. Pure, as `mapping`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from server.billing.model.account import Coupon, Discount, Price, Product, PromotionCode, Recurring, TaxRate, Tier
from server.billing.rules.discounts import in_currency
from server.billing.stripe import wire
from server.billing.stripe.reading import Known, MappingError, decimal_text, ident, maybe_at, money, percent, read

_LONGEST = {"day": 1200, "week": 1200, "month": 1200, "year": 100}


def product(raw: Any, path: str = "$") -> Product:
    found = read(wire.Product, raw, path)
    return Product(
        id=found.id,
        name=found.name,
        active=found.active,
        unit_label=found.unit_label or "",
        description=found.description or "",
    )


def price(raw: Any, known: Known) -> Price:
    return price_of(read(wire.Price, raw), known, "$")


def price_of(found: wire.Price, known: Known, path: str) -> Price:
    sold = _product(found.product, known, f"{path}.product")
    packages = found.transform_quantity
    return Price(
        id=found.id,
        product=sold.id,
        product_name=sold.name,
        currency=found.currency.upper(),
        unit_amount=decimal_text(found.unit_amount_decimal, found.unit_amount, f"{path}.unit_amount"),
        recurring=_recurring(found.recurring, f"{path}.recurring") if found.recurring else None,
        nickname=found.nickname or "",
        unit_label=sold.unit_label,
        billing_scheme=found.billing_scheme,
        tiers_mode=found.tiers_mode or "",
        tiers=tuple(_tier(each, f"{path}.tiers[{index}]") for index, each in enumerate(found.tiers or ())),
        tax_behavior=found.tax_behavior or "unspecified",
        active=found.active,
        package_size=packages.divide_by if packages else 1,
        package_round=packages.round if packages else "up",
    )


def price_in(found: wire.Price, known: Known, path: str, currency: str) -> Price:
    """The price as a subscription of this currency pays it. What an export leaves out of a price inside something else
    is taken from the price by itself; an amount that is nowhere is refused, since it would count as nothing."""
    price, code = price_of(found, known, path), currency.lower()
    alone = known.price(price.id)
    option = (found.currency_options or {}).get(code)
    if price.currency.lower() != code and option:
        place = f"{path}.currency_options.{code}"
        exact = decimal_text(option.unit_amount_decimal, option.unit_amount, f"{place}.unit_amount")
        tiers = tuple(_tier(each, f"{place}.tiers") for each in option.tiers or ())
        price = replace(price, currency=currency.upper(), unit_amount=exact, tiers=tiers)
    elif price.currency.lower() != code:
        problem = (
            f"is in {price.currency}, the subscription in {currency.upper()}; expand currency_options of the price"
        )
        raise MappingError(problem, f"{path}.currency")
    elif alone and alone.currency == price.currency:
        price = replace(price, unit_amount=price.unit_amount or alone.unit_amount, tiers=price.tiers or alone.tiers)
    return _priced(price, path)


def _priced(price: Price, path: str) -> Price:
    if price.billing_scheme == "tiered" and not price.tiers:
        problem = "has no tiers; export the prices with expand[]=data.tiers, and import them in the same run"
        raise MappingError(problem, f"{path}.tiers")
    if price.billing_scheme == "tiered" and not price.tiers_mode:
        raise MappingError('expected "graduated" or "volume", got nothing', f"{path}.tiers_mode")
    _check_order(price.tiers, f"{path}.tiers")
    if price.billing_scheme != "tiered" and not price.unit_amount:
        raise MappingError("expected what one unit costs, got nothing", f"{path}.unit_amount")
    return price


def _check_order(tiers: Sequence[Tier], path: str) -> None:
    """Each ends above the one before it, and only the last has no end: else a quantity would count in a wrong one."""
    below = 0
    for index, each in enumerate(tiers):
        is_last = index == len(tiers) - 1
        if is_last and each.up_to is not None:
            raise MappingError(f'expected "inf" or null in the last tier, got {each.up_to}', f"{path}[{index}].up_to")
        if not is_last and (each.up_to is None or each.up_to <= below):
            found = "no end" if each.up_to is None else each.up_to
            raise MappingError(f"expected more than {below}, got {found}", f"{path}[{index}].up_to")
        below = each.up_to or 0


def price_ref(ref: wire.Ref, known: Known, path: str, currency: str) -> Price:
    """A price that is expanded, or known by its id."""
    if isinstance(ref, dict):
        return price_in(read(wire.Price, ref, path), known, path, currency)
    price = known.price(ref)
    if price is None or price.currency != currency.upper():
        raise MappingError(f"price {ref} in {currency.upper()} is not known; export it, too", path)
    return _priced(price, path)


def _product(ref: wire.Ref, known: Known, path: str) -> Product:
    product_id = ident(ref, path)
    if isinstance(ref, dict) and not ref.get("deleted"):
        return product(ref, path)
    sold = known.product(product_id)
    if sold is None:
        raise MappingError(f"product {product_id} is not known", path)
    return sold


def _recurring(found: wire.Recurring, path: str) -> Recurring:
    longest = _LONGEST.get(found.interval, 1200)
    if found.interval_count > longest:
        raise MappingError(f"expected at most {longest}, got {found.interval_count}", f"{path}.interval_count")
    return Recurring(interval=found.interval, count=found.interval_count, usage=found.usage_type)


def _tier(found: wire.Tier, path: str) -> Tier:
    if isinstance(found.up_to, str) and found.up_to != "inf":
        raise MappingError(f'expected a number, null or "inf", got {found.up_to[:40]!r}', f"{path}.up_to")
    return Tier(
        up_to=None if isinstance(found.up_to, str) else found.up_to,
        unit_amount=decimal_text(found.unit_amount_decimal, found.unit_amount, f"{path}.unit_amount"),
        flat_amount=decimal_text(found.flat_amount_decimal, found.flat_amount, f"{path}.flat_amount"),
    )


def coupon(raw: Any, path: str = "$") -> Coupon:
    found = read(wire.Coupon, raw, path)
    if found.amount_off is not None and found.currency is None:
        raise MappingError("expected a currency beside amount_off, got none", f"{path}.currency")
    if found.duration == "repeating" and found.duration_in_months is None:
        problem = "expected how many months a repeating coupon counts, got nothing"
        raise MappingError(problem, f"{path}.duration_in_months")
    return Coupon(
        id=found.id,
        name=found.name or "",
        percent_off="" if found.percent_off is None else percent(found.percent_off),
        amount_off=money(found.amount_off, found.currency) if found.amount_off and found.currency else None,
        other_amounts=tuple(money(each.amount_off, code) for code, each in (found.currency_options or {}).items()),
        duration=found.duration,
        duration_in_months=found.duration_in_months or 0,
        products=found.applies_to.products if found.applies_to else (),
        redeem_by=maybe_at(found.redeem_by),
        max_redemptions=found.max_redemptions or 0,
        times_redeemed=found.times_redeemed or 0,
        valid=found.valid,
    )


def promotion_code(raw: Any) -> PromotionCode:
    found = read(wire.PromotionCode, raw)
    ref = (found.promotion.coupon if found.promotion else None) or found.coupon
    held = found.restrictions or wire.Restrictions()
    if held.minimum_amount and held.minimum_amount_currency is None:
        problem = "expected a currency beside minimum_amount, got none"
        raise MappingError(problem, "$.restrictions.minimum_amount_currency")
    return PromotionCode(
        id=found.id,
        code=found.code,
        coupon=ident(ref, "$.promotion.coupon"),
        active=found.active,
        expires_at=maybe_at(found.expires_at),
        max_redemptions=found.max_redemptions or 0,
        times_redeemed=found.times_redeemed or 0,
        customer=ident(found.customer, "$.customer") or found.customer_account or "",
        first_time=held.first_time_transaction,
        minimum=money(held.minimum_amount, held.minimum_amount_currency)
        if held.minimum_amount and held.minimum_amount_currency
        else None,
        other_minimums=tuple(money(each.minimum_amount, code) for code, each in (held.currency_options or {}).items()),
    )


def tax_rate(raw: Any) -> TaxRate:
    return tax_rate_of(read(wire.TaxRate, raw))


def tax_rates(found: Sequence[wire.TaxRate | str] | None, known: Known, path: str) -> tuple[TaxRate, ...]:
    """Rates that are expanded, or known by their ids."""
    return tuple(_tax_rate_in(each, known, f"{path}[{index}]") for index, each in enumerate(found or ()))


def _tax_rate_in(ref: wire.TaxRate | str, known: Known, path: str) -> TaxRate:
    if not isinstance(ref, str):
        return tax_rate_of(ref, path)
    there = known.tax_rate(ref)
    if there is None:
        raise MappingError(f"tax rate {ref} is not known; export the tax rates, too", path)
    return there


def tax_rate_of(found: wire.TaxRate, path: str = "$") -> TaxRate:
    if found.rate_type == "flat_amount":
        problem = "is a flat amount, which the portal cannot charge; expected a rate with a percentage"
        raise MappingError(problem, f"{path}.rate_type")
    return TaxRate(
        id=found.id,
        percentage=percent(found.percentage),
        display_name=found.display_name or "",
        inclusive=found.inclusive,
    )


def discount_in(ref: Any, known: Known, path: str, currency: str) -> Discount:
    """A discount as a subscription of this currency gets it. One without an amount in it is refused: it would take off
    nothing."""
    found = discount(ref, known, path)
    counted = counted_in(found, currency.upper())
    if counted is None:
        problem = f"coupon {found.coupon.id} has no amount in {currency.upper()}; expand its currency_options"
        raise MappingError(problem, path)
    return counted


def counted_in(found: Discount, currency: str) -> Discount | None:
    """The discount with its amount in that currency; None where it has none, and takes nothing off there."""
    coupon = in_currency(found.coupon, currency)
    return replace(found, coupon=coupon) if coupon else None


def discount(ref: Any, known: Known, path: str = "$") -> Discount:
    """A discount that is expanded, or known by its id."""
    if isinstance(ref, str):
        there = known.discount(ref)
        if there is None:
            raise MappingError(f"discount {ref} is not known; export it, or expand it where it is used", path)
        return there
    found = read(wire.Discount, ref, path)
    source = found.source.coupon if found.source else None
    coupon = _coupon(source or found.coupon, known, f"{path}.source.coupon")
    if coupon.duration == "repeating" and found.start is None and found.end is None:
        raise MappingError("expected when a coupon of some months began or ends, got nothing", f"{path}.start")
    return Discount(
        id=found.id,
        coupon=coupon,
        promotion_code=_code(found.promotion_code, known, f"{path}.promotion_code"),
        start_at=maybe_at(found.start),
        end_at=maybe_at(found.end),
    )


def _coupon(ref: wire.Ref | None, known: Known, path: str) -> Coupon:
    if isinstance(ref, dict):
        found = coupon(ref, path)
        alone = known.coupon(found.id) or found  # which may say what Stripe sends only where it was asked for
        products = found.products if "applies_to" in ref else alone.products
        return replace(found, products=products, other_amounts=found.other_amounts or alone.other_amounts)
    there = known.coupon(ref) if ref else None
    if there is None:
        raise MappingError(f"coupon {ref or '(none)'} is not known", path)
    return there


def _code(ref: wire.Ref | None, known: Known, path: str) -> str:
    if isinstance(ref, dict) and isinstance(ref.get("code"), str):
        return str(ref["code"])
    code_id = ident(ref, path)
    return known.promotion_code(code_id) or code_id if code_id else ""
