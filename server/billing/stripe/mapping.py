"""Stripe's JSON -> our types: customers, products, prices, subscriptions, payment methods, tax ids, coupons.

Pure: a decoded JSON value and what is `Known` come in, a struct comes out, or a `MappingError` with the JSON path.
Invoices are in `mapping_invoices`. A customer is disabled by the metadata `portal_disabled: "true"`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from server.billing.money import Money
from server.billing.stripe import wire
from server.billing.stripe.reading import (
    Known,
    MappingError,
    address,
    at,
    decimal_text,
    ident,
    maybe_at,
    money,
    percent,
    read,
)
from server.billing.types import (
    Coupon,
    Customer,
    Discount,
    Item,
    PaymentMethod,
    Price,
    Product,
    PromotionCode,
    Recurring,
    Subscription,
    TaxId,
    TaxRate,
    Tier,
)

_LONGEST = {"day": 1200, "week": 1200, "month": 1200, "year": 100}


def customer(raw: Any) -> tuple[Customer, Money | None]:
    """A customer of the v1 API and the balance (negative: credit), where the customer has a currency."""
    found = read(wire.Customer, raw)
    shipping = found.shipping or wire.Shipping()
    method = found.invoice_settings.default_payment_method if found.invoice_settings else None
    mapped = Customer(
        id=found.id,
        email=found.email or "",
        created_at=at(found.created),
        name=found.name or "",
        phone=found.phone or "",
        address=address(found.address),
        shipping_name=shipping.name or "",
        shipping_phone=shipping.phone or "",
        shipping=address(shipping.address),
        tax_ids=tuple(_tax_id(each) for each in found.tax_ids.data) if found.tax_ids else (),
        preferred_locales=found.preferred_locales or (),
        default_payment_method=ident(method, "$.invoice_settings.default_payment_method"),
        disabled=_disabled(found.metadata),
        invoice_prefix=found.invoice_prefix or "",
        next_invoice_sequence=found.next_invoice_sequence or 1,
    )
    return mapped, money(found.balance, found.currency) if found.balance and found.currency else None


def account(raw: Any) -> Customer:
    """A customer of the v2 API: an account whose address is `contact_email`."""
    found = read(wire.Account, raw)
    identity = found.identity or wire.Identity()
    person, business = identity.individual or wire.Person(), identity.business_details or wire.Business()
    settings = found.configuration.customer if found.configuration else None
    settings = settings or wire.AccountCustomer()
    billing, shipping = settings.billing or wire.AccountBilling(), settings.shipping or wire.Shipping()
    invoicing = billing.invoice or wire.AccountInvoicing()
    own_name = " ".join(part for part in (person.given_name, person.surname) if part)
    path = "$.configuration.customer.billing.default_payment_method"
    return Customer(
        id=found.id,
        email=found.contact_email or "",
        created_at=_moment(found.created, "$.created"),
        name=found.display_name or business.registered_name or own_name,
        phone=found.contact_phone or business.phone or person.phone or "",
        address=address(business.address or person.address),
        shipping_name=shipping.name or "",
        shipping_phone=shipping.phone or "",
        shipping=address(shipping.address),
        preferred_locales=(found.defaults.locales if found.defaults else None) or (),
        default_payment_method=ident(billing.default_payment_method, path),
        disabled=_disabled(found.metadata),
        invoice_prefix=invoicing.prefix or "",
        next_invoice_sequence=invoicing.next_sequence or 1,
    )


def _moment(value: int | str, path: str) -> datetime:
    if isinstance(value, int):
        return at(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise MappingError(f"expected a date like 2026-01-31T12:00:00Z, got {value[:40]!r}", path) from None
    if not 1970 <= moment.year <= 9000:
        raise MappingError(f"expected a date after 1970, got {value[:40]!r}", path)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _disabled(metadata: dict[str, Any] | None) -> bool:
    return (metadata or {}).get("portal_disabled") in ("true", True)


def tax_id(raw: Any) -> tuple[str, TaxId]:
    """A tax id that comes by itself, and whose it is."""
    found = read(wire.TaxId, raw)
    holder = found.owner or wire.Owner()
    whose = ident(found.customer, "$.customer") or found.customer_account
    return whose or ident(holder.customer, "$.owner.customer") or holder.customer_account or "", _tax_id(found)


def _tax_id(found: wire.TaxId) -> TaxId:
    status = found.verification.status if found.verification else None
    return TaxId(id=found.id, kind=found.type, value=found.value, verification=status or "")


def payment_method(raw: Any) -> tuple[str, PaymentMethod]:
    """A payment method, and whose it is (empty: not attached to anybody). A kind we do not know is kept."""
    found = read(wire.PaymentMethod, raw)
    whose = ident(found.customer, "$.customer") or found.customer_account or ""
    part = raw.get(found.type)
    words = {key: text for key, text in part.items() if isinstance(text, str)} if isinstance(part, dict) else {}
    card = found.card if found.type == "card" and found.card else wire.Card()
    behavior = (found.metadata or {}).get("portal_behavior", "")
    return whose, PaymentMethod(
        id=found.id,
        kind=found.type,
        created_at=at(found.created),
        brand=card.brand or words.get("bank_name") or words.get("brand") or words.get("bank") or "",
        last4=words.get("last4", "")[-4:],
        exp_month=card.exp_month or 0,
        exp_year=card.exp_year or 0,
        behavior=behavior if isinstance(behavior, str) else "",
    )


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
    return _price(read(wire.Price, raw), known, "$")


def _price(found: wire.Price, known: Known, path: str) -> Price:
    sold = _product(found.product, known, f"{path}.product")
    packages = found.transform_quantity
    return Price(
        id=found.id,
        product=sold.id,
        product_name=sold.name,
        currency=found.currency.upper(),
        unit_amount=decimal_text(found.unit_amount_decimal, found.unit_amount),
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
        unit_amount=decimal_text(found.unit_amount_decimal, found.unit_amount),
        flat_amount=decimal_text(found.flat_amount_decimal, found.flat_amount),
    )


def coupon(raw: Any, path: str = "$") -> Coupon:
    found = read(wire.Coupon, raw, path)
    if found.amount_off is not None and found.currency is None:
        raise MappingError("expected a currency beside amount_off, got none", f"{path}.currency")
    return Coupon(
        id=found.id,
        name=found.name or "",
        percent_off="" if found.percent_off is None else percent(found.percent_off),
        amount_off=money(found.amount_off, found.currency) if found.amount_off and found.currency else None,
        duration=found.duration,
        duration_in_months=found.duration_in_months or 0,
        products=found.applies_to.products if found.applies_to else (),
    )


def promotion_code(raw: Any) -> PromotionCode:
    found = read(wire.PromotionCode, raw)
    ref = (found.promotion.coupon if found.promotion else None) or found.coupon
    return PromotionCode(
        id=found.id,
        code=found.code,
        coupon=ident(ref, "$.promotion.coupon"),
        active=found.active,
        expires_at=maybe_at(found.expires_at),
        max_redemptions=found.max_redemptions or 0,
        times_redeemed=found.times_redeemed or 0,
    )


def tax_rate(raw: Any) -> TaxRate:
    return _tax_rate(read(wire.TaxRate, raw))


def _tax_rate(found: wire.TaxRate) -> TaxRate:
    return TaxRate(
        id=found.id,
        percentage=percent(found.percentage),
        display_name=found.display_name or "",
        inclusive=found.inclusive,
    )


def discount(ref: Any, known: Known, path: str = "$") -> Discount:
    """A discount that is expanded, or known by its id."""
    if isinstance(ref, str):
        there = known.discount(ref)
        if there is None:
            raise MappingError(f"discount {ref} is not known; export it, or expand it where it is used", path)
        return there
    found = read(wire.Discount, ref, path)
    source = found.source.coupon if found.source else None
    return Discount(
        id=found.id,
        coupon=_coupon(source or found.coupon, known, f"{path}.source.coupon"),
        promotion_code=_code(found.promotion_code, known, f"{path}.promotion_code"),
        start_at=maybe_at(found.start),
        end_at=maybe_at(found.end),
    )


def _coupon(ref: wire.Ref | None, known: Known, path: str) -> Coupon:
    if isinstance(ref, dict):
        return coupon(ref, path)
    there = known.coupon(ref) if ref else None
    if there is None:
        raise MappingError(f"coupon {ref or '(none)'} is not known", path)
    return there


def _code(ref: wire.Ref | None, known: Known, path: str) -> str:
    if isinstance(ref, dict) and isinstance(ref.get("code"), str):
        return str(ref["code"])
    code_id = ident(ref, path)
    return known.promotion_code(code_id) or code_id if code_id else ""


def subscription(raw: Any, known: Known) -> Subscription:
    """Periods are the items'; where an older export has them on the subscription, every item gets that one."""
    found = read(wire.Subscription, raw)
    items = tuple(_item(each, found, known, index) for index, each in enumerate(found.items.data))
    refs = found.discounts if found.discounts is not None else tuple(each for each in (found.discount,) if each)
    pause = found.pause_collection
    mapped = Subscription(
        id=found.id,
        status=found.status,
        currency=found.currency.upper(),
        items=items,
        created_at=at(found.created),
        billing_cycle_anchor_at=items[0].current_period_end_at,
        cancel_at_period_end=found.cancel_at_period_end,
        cancel_at=maybe_at(found.cancel_at),
        canceled_at=maybe_at(found.canceled_at),
        ended_at=maybe_at(found.ended_at),
        trial_start_at=maybe_at(found.trial_start),
        trial_end_at=maybe_at(found.trial_end),
        discounts=tuple(discount(each, known, f"$.discounts[{index}]") for index, each in enumerate(refs)),
        default_payment_method=ident(found.default_payment_method, "$.default_payment_method"),
        collection_method=found.collection_method,
        days_until_due=found.days_until_due or 0,
        pause_resumes_at=maybe_at(pause.resumes_at) if pause else None,
        pause_behavior=pause.behavior if pause else "",
        default_tax_rates=tuple(_tax_rate(each) for each in found.default_tax_rates or ()),
        description=found.description or "",
        latest_invoice=ident(found.latest_invoice, "$.latest_invoice"),
        schedule=ident(found.schedule, "$.schedule"),
    )
    anchor = maybe_at(found.billing_cycle_anchor) or mapped.current_period_end_at
    ends = mapped.current_period_end_at if mapped.cancel_at_period_end and not mapped.cancel_at else mapped.cancel_at
    return replace(mapped, billing_cycle_anchor_at=anchor, cancel_at=ends)


def _item(found: wire.Item, whole: wire.Subscription, known: Known, index: int) -> Item:
    path = f"$.items.data[{index}]"
    start = whole.current_period_start if found.current_period_start is None else found.current_period_start
    end = whole.current_period_end if found.current_period_end is None else found.current_period_end
    if start is None or end is None:
        missing = "current_period_start" if start is None else "current_period_end"
        raise MappingError(f"expected the seconds since 1970, got nothing in `{missing}`", f"{path}.{missing}")
    if end < start:
        raise MappingError(f"expected an end after the start {start}, got {end}", f"{path}.current_period_end")
    metered = found.price.recurring is not None and found.price.recurring.usage_type == "metered"
    return Item(
        id=found.id,
        price=_price(found.price, known, f"{path}.price"),
        current_period_start_at=at(start),
        current_period_end_at=at(end),
        quantity=(0 if metered else 1) if found.quantity is None else found.quantity,
    )
