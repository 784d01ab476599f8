"""Stripe's JSON -> our types: customers, payment methods, tax ids, subscriptions.

Pure: a decoded JSON value and what is `Known` come in, a struct comes out, or a `MappingError` with the JSON path.
Products, prices and discounts are in `mapping_catalog`, invoices in `mapping_invoices`, customers of the v2 API in
`mapping_accounts`. A customer is disabled by the metadata `portal_disabled: "true"`; a payment method of the ledger's
sandbox carries what a charge does in `portal_behavior`, such as `insufficient_funds`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from server.billing.model.account import Customer, Discount, Item, PaymentMethod, Subscription, TaxId
from server.billing.model.amounts import amount_of, is_metered
from server.billing.model.periods import on_day
from server.billing.stripe import mapping_catalog, wire
from server.billing.stripe.legacy import todays_customer, todays_subscription
from server.billing.stripe.reading import (
    Known,
    MappingError,
    Nothing,
    address,
    at,
    custom_fields,
    exemption,
    ident,
    is_disabled,
    maybe_at,
    money,
    read,
)
from server.formats.money import Money

_BRANDS = {
    "american_express": "amex",
    "diners_club": "diners",
    "eftpos_australia": "eftpos_au",
    "union_pay": "unionpay",
    "other": "",
}
"""Stripe's words for brands that are shown -> for brands."""
LARGEST = 10**15
"""Minor units that one item may cost: sums of a hundred of them, with taxes, still fit 64 bits."""


def customer(raw: Any, known: Known | None = None) -> tuple[Customer, Money | None]:
    """A customer of the v1 API and the balance (negative: credit), where the customer has a currency."""
    found = read(wire.Customer, todays_customer(raw))
    shipping = found.shipping or wire.Shipping()
    settings = found.invoice_settings or wire.InvoiceSettings()
    method = settings.default_payment_method
    given = mapping_catalog.discount(found.discount, known or Nothing(), "$.discount") if found.discount else None
    mapped = Customer(
        id=found.id,
        email=found.email or "",
        created_at=at(found.created),
        name=found.name or found.business_name or found.individual_name or "",
        phone=found.phone or "",
        address=address(found.address),
        shipping_name=shipping.name or "",
        shipping_phone=shipping.phone or "",
        shipping=address(shipping.address),
        tax_ids=tuple(_tax_id(each) for each in found.tax_ids.data) if found.tax_ids else (),
        tax_exempt=exemption(found.tax_exempt),
        preferred_locales=found.preferred_locales or (),
        default_payment_method=ident(method, "$.invoice_settings.default_payment_method")
        or ident(found.default_source, "$.default_source"),
        disabled=is_disabled(found.metadata),
        invoice_fields=custom_fields(settings.custom_fields),
        invoice_footer=settings.footer or "",
        invoice_prefix=found.invoice_prefix or "",
        next_invoice_sequence=found.next_invoice_sequence or 1,
        discounts=(replace(given, of_customer=True),) if given else (),
    )
    return mapped, money(found.balance, found.currency) if found.balance and found.currency else None


def tax_id(raw: Any) -> tuple[str, TaxId]:
    """A tax id that comes by itself, and whose it is."""
    found = read(wire.TaxId, raw)
    holder = found.owner or wire.Owner()
    whose = ident(found.customer, "$.customer") or found.customer_account
    return whose or ident(holder.customer, "$.owner.customer") or holder.customer_account or "", _tax_id(found)


def _tax_id(found: wire.TaxId) -> TaxId:
    said = found.verification or wire.Verification()
    return TaxId(
        id=found.id,
        kind=found.type,
        value=found.value,
        verification=said.status or "",
        verified_name=said.verified_name or "",
        verified_address=said.verified_address or "",
    )


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
        brand=_shown_brand(card)
        or words.get("bank_name")
        or words.get("brand")
        or words.get("bank")
        or words.get("display_name")
        or "",
        last4=words.get("last4", "")[-4:],
        exp_month=card.exp_month or 0,
        exp_year=card.exp_year or 0,
        behavior=behavior if isinstance(behavior, str) else "",
    )


def _shown_brand(card: wire.Card) -> str:
    """Of a card of two brands the one that its holder chose, by the name that it has among brands."""
    chosen = card.display_brand or ""
    return _BRANDS.get(chosen, chosen) or card.brand or ""


def subscription(raw: Any, known: Known) -> Subscription:
    """Periods are the items'; where an older export has them on the subscription, every item gets that one."""
    found = read(wire.Subscription, todays_subscription(raw))
    if found.items.has_more:  # without the others it would cost, and renew, at a wrong price
        raise MappingError("holds some of the items only (has_more); export the subscription with all", "$.items")
    items = tuple(_item(each, found, known, index) for index, each in enumerate(found.items.data))
    pause, trial = found.pause_collection, found.trial_settings or wire.TrialSettings()
    missing = trial.end_behavior.missing_payment_method if trial.end_behavior else None
    said = found.cancellation_details or wire.CancellationDetails()
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
        discounts=_discounts(found, known),
        default_payment_method=ident(found.default_payment_method, "$.default_payment_method")
        or ident(found.default_source, "$.default_source"),
        collection_method=found.collection_method,
        days_until_due=found.days_until_due or 0,
        pause_resumes_at=maybe_at(pause.resumes_at) if pause else None,
        pause_behavior=pause.behavior if pause else "",
        default_tax_rates=mapping_catalog.tax_rates(found.default_tax_rates, known, "$.default_tax_rates"),
        automatic_tax=found.automatic_tax is not None and found.automatic_tax.enabled,
        trial_without_method=missing if missing in ("cancel", "pause") else "",
        feedback=said.feedback or "",
        comment=said.comment or "",
        description=found.description or "",
        latest_invoice=ident(found.latest_invoice, "$.latest_invoice"),
        schedule=ident(found.schedule, "$.schedule"),
    )
    anchor = maybe_at(found.billing_cycle_anchor) or mapped.current_period_end_at
    if found.billing_cycle_anchor_config and found.billing_cycle_anchor_config.day_of_month:
        anchor = on_day(anchor, found.billing_cycle_anchor_config.day_of_month, items[0].price.recurring)
    ends = mapped.current_period_end_at if mapped.cancel_at_period_end and not mapped.cancel_at else mapped.cancel_at
    return replace(mapped, billing_cycle_anchor_at=anchor, cancel_at=ends)


def _discounts(found: wire.Subscription, known: Known) -> tuple[Discount, ...]:
    """An older export names its discounts by their ids and has one of them beside them."""
    beside = found.discount
    refs = found.discounts or tuple(each for each in (beside,) if each)
    whole = {ident(beside, "$.discount"): beside} if isinstance(beside, dict) else {}
    return tuple(
        mapping_catalog.discount_in(
            whole.get(each, each) if isinstance(each, str) else each, known, f"$.discounts[{index}]", found.currency
        )
        for index, each in enumerate(refs)
    )


def _item(found: wire.Item, whole: wire.Subscription, known: Known, index: int) -> Item:
    path = f"$.items.data[{index}]"
    start = whole.current_period_start if found.current_period_start is None else found.current_period_start
    end = whole.current_period_end if found.current_period_end is None else found.current_period_end
    if start is None or end is None:
        missing = "current_period_start" if start is None else "current_period_end"
        raise MappingError(f"expected the seconds since 1970, got nothing in `{missing}`", f"{path}.{missing}")
    if end < start:
        raise MappingError(f"expected an end after the start {start}, got {end}", f"{path}.current_period_end")
    price = mapping_catalog.price_ref(found.price, known, f"{path}.price", whole.currency)
    item = Item(
        id=found.id,
        price=price,
        current_period_start_at=at(start),
        current_period_end_at=at(end),
        quantity=(0 if is_metered(price) else 1) if found.quantity is None else found.quantity,
        discounts=tuple(
            mapping_catalog.discount_in(each, known, f"{path}.discounts[{place}]", whole.currency)
            for place, each in enumerate(found.discounts or ())
        ),
        tax_rates=mapping_catalog.tax_rates(found.tax_rates, known, f"{path}.tax_rates"),
    )
    if abs(amount_of(item.price, item.quantity)) > LARGEST:
        raise MappingError(f"{item.quantity} times this price is more than {LARGEST} minor units", f"{path}.quantity")
    return item
