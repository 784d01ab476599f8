"""What the list of Stripe's fields calls read is read: another value of it gives another account, as the mapping has it."""

import copy

from server.billing import Product
from server.billing.stripe import mapping, mapping_catalog, mapping_credit_notes, mapping_invoices, mapping_waiting
from server.billing.stripe.fields import KINDS
from server.billing.stripe.reading import MappingError, Nothing
from tests.support import exports

DAY, MARCH = 86_400, exports.MARCH
WHERE = {
    "line1": "Quay 1",
    "line2": "Door 2",
    "city": "Hamburg",
    "state": "HH",
    "postal_code": "20457",
    "country": "DE",
}
RATE = {"id": "txr_1", "object": "tax_rate", "percentage": 19, "inclusive": False, "display_name": "VAT"}
COUPON = exports.coupon(
    percent_off=None, amount_off=100, currency="eur", applies_to={"products": ["prod_1"]}, redeem_by=MARCH,
    duration="repeating", duration_in_months=3, max_redemptions=5, times_redeemed=1, valid=True,
    currency_options={"usd": {"amount_off": 90}},
)  # fmt: skip
DISCOUNT = exports.discount(source={"type": "coupon", "coupon": COUPON}, end=MARCH + DAY, promotion_code="promo_1")
PRICE = exports.price(
    nickname="Nick", tax_behavior="exclusive", transform_quantity={"divide_by": 2, "round": "up"}, currency="usd",
    currency_options={"eur": {"unit_amount": 5}},
)  # fmt: skip
TIERED = exports.price(
    billing_scheme="tiered", tiers_mode="volume", unit_amount=None, unit_amount_decimal=None,
    tiers=[{"up_to": 5, "unit_amount": 1, "flat_amount": 2}, {"up_to": None, "unit_amount_decimal": "1.5", "flat_amount_decimal": "2.5"}],
)  # fmt: skip
ITEM = exports.item(discounts=[DISCOUNT], tax_rates=[RATE], price=PRICE)
TAX = {"amount": 589, "tax_behavior": "exclusive", "taxable_amount": 3100, "tax_rate_details": {"tax_rate": RATE}}
PERIOD = {"start": MARCH, "end": MARCH + DAY}
PAID = {"brand": "visa", "last4": "4242"}
CHARGE = {"id": "ch_1", "amount_refunded": 5, "payment_method_details": {"type": "card", "card": PAID}}
PAYMENT = {
    "id": "inpay_1", "object": "invoice_payment", "status": "paid", "created": MARCH, "amount_requested": 500,
    "amount_paid": 400, "payment": {"type": "charge", "charge": CHARGE, "payment_intent": {"last_payment_error": {}}},
    "status_transitions": {"paid_at": MARCH, "canceled_at": None},
}  # fmt: skip
TRIED = {**PAYMENT, "status": "open", "payment": {"payment_intent": {"last_payment_error": {"code": "card_declined"}}}}
LINE = exports.line(
    discount_amounts=[{"amount": 5}], taxes=[{**TAX, "taxability_reason": "standard_rated"}],
    pricing={"price_details": {"price": "price_1"}, "unit_amount_decimal": "3100"},
    parent={"subscription_item_details": {"subscription": "sub_1", "proration": False}, "invoice_item_details": None},
)  # fmt: skip
WHOLE = {
    "customer": exports.customer(
        phone="1", address=WHERE, balance=-100, currency="eur", tax_exempt="none", preferred_locales=["de"],
        invoice_prefix="ABC", next_invoice_sequence=7, shipping={"name": "Jenny", "phone": "2", "address": WHERE},
        invoice_settings={"custom_fields": [{"name": "PO", "value": "1"}], "footer": "Foot"},
        discount=DISCOUNT, tax_ids={"data": [{"id": "txi_1", "type": "eu_vat", "value": "DE1"}]},
    ),
    "subscription": exports.subscription(
        items=[ITEM], cancellation_details={"comment": "c", "feedback": "other"}, days_until_due=5, description="d",
        default_tax_rates=[RATE], discounts=[DISCOUNT], pause_collection={"behavior": "void", "resumes_at": MARCH},
        trial_settings={"end_behavior": {"missing_payment_method": "cancel"}}, latest_invoice="in_1",
    ),
    "invoice": exports.invoice(
        total=3589, amount_due=3600, amount_paid=0, status="open", amount_remaining=3500, shipping_cost={"amount_subtotal": 490, "amount_total": 500},
        customer_address=WHERE, customer_email="a@example.com", customer_name="Jenny", customer_tax_exempt="none",
        customer_tax_ids=[{"type": "eu_vat", "value": "DE1"}], custom_fields=[{"name": "PO", "value": "9"}],
        customer_shipping={"name": "Sam", "address": WHERE}, description="memo", due_date=MARCH, footer="foot",
        starting_balance=-100, ending_balance=0, period_start=MARCH, period_end=MARCH, billing_reason="manual",
        status_transitions={"finalized_at": MARCH, "paid_at": MARCH}, discounts=[DISCOUNT],
        total_discount_amounts=[{"amount": 500, "discount": "di_1"}], total_taxes=[TAX], payments={"data": [PAYMENT, TRIED]},
        parent={"subscription_details": {"subscription": "sub_1"}}, lines={"data": [LINE, {**LINE, "pretax_credit_amounts": [{"amount": 3}]}], "has_more": False},
        total_pretax_credit_amounts=[{"amount": 5, "type": "credit_balance_transaction"}],
    ),
    "invoiceitem": {
        "id": "ii_1", "object": "invoiceitem", "customer": "cus_1", "currency": "eur", "date": MARCH, "amount": 1500,
        "description": "Setup", "quantity": 2, "discountable": True, "period": PERIOD, "tax_rates": [RATE],
        "parent": {"subscription_details": {"subscription": "sub_1"}}, "proration": True,
        "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}, "unit_amount_decimal": "750"},
    },
    "subscription_schedule": {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "end_behavior": "cancel", "current_phase": {"start_date": MARCH, "end_date": MARCH + DAY},
        "default_settings": {"billing_cycle_anchor": "automatic", "collection_method": "charge_automatically",
                             "invoice_settings": {"days_until_due": 9}},
        "phases": [{
            "start_date": MARCH + DAY, "end_date": MARCH + 9 * DAY, "default_tax_rates": [RATE],
            "items": [{"price": PRICE, "quantity": 2, "tax_rates": [RATE], "discounts": [{"coupon": COUPON, "promotion_code": "promo_1"}]}],
            "discounts": [{"coupon": COUPON, "promotion_code": "promo_1"}], "proration_behavior": "none", "invoice_settings": {"days_until_due": 14},
            "add_invoice_items": [{"price": PRICE, "quantity": 2, "tax_rates": [RATE], "discountable": True,
                                   "discounts": [{"coupon": COUPON, "promotion_code": "promo_1"}]}],
            "trial_end": MARCH + DAY,
        }],
    },
    "payment_method": exports.method(metadata={"portal_behavior": "lost_card"}),
    "credit_note": {
        "id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": "in_1", "number": "C-1", "currency": "eur",
        "amount": 500, "total": 500, "subtotal": 500, "status": "issued", "created": MARCH, "reason": "duplicate",
        "memo": "m", "type": "post_payment", "discount_amounts": [{"amount": 5}], "refunds": [{"amount_refunded": 100}],
        "total_taxes": [TAX], "lines": {"has_more": False, "data": [{
            "id": "cnli_1", "object": "credit_note_line_item", "amount": 500, "description": "d", "quantity": 1,
            "unit_amount_decimal": "500"}]},
    },
    "price": TIERED,
    "promotion_code": {
        "id": "promo_1", "object": "promotion_code", "code": "SPRING", "promotion": {"type": "coupon", "coupon": "OFF"},
        "customer": "cus_1", "expires_at": MARCH, "max_redemptions": 3, "times_redeemed": 1, "active": True,
        "restrictions": {"first_time_transaction": True, "minimum_amount": 500, "minimum_amount_currency": "eur",
                         "currency_options": {"usd": {"minimum_amount": 600}}},
    },
}  # fmt: skip


class Known(Nothing):
    def product(self, product_id):
        return Product(product_id, "Coffee")

    def promotion_code(self, promotion_code_id):
        return promotion_code_id.upper()


KNOWN = Known()
BEGUN = mapping.subscription(exports.subscription(), KNOWN)
MAPPED = {
    "customer": lambda raw: mapping.customer(raw, KNOWN),
    "subscription": lambda raw: mapping.subscription(raw, KNOWN),
    "invoice": lambda raw: mapping_invoices.invoice(raw, KNOWN),
    "invoiceitem": lambda raw: mapping_waiting.invoice_item(raw, KNOWN),
    "subscription_schedule": lambda raw: mapping_waiting.schedule(raw, KNOWN, BEGUN, is_billed_here=True),
    "payment_method": mapping.payment_method,
    "credit_note": lambda raw: mapping_credit_notes.credit_note(raw, KNOWN),
    "price": lambda raw: mapping_catalog.price_ref(raw, KNOWN, "$", "eur"),
    "promotion_code": lambda raw: ("", mapping_catalog.promotion_code(raw)),
}


def leaves(kind, raw, steps=(), prefix=""):
    """Each value in an object: its way, its kind, and its name as the list of fields has it."""
    for key, value in raw.items():
        name, at, found = prefix + key, (*steps, key), value
        if isinstance(value, dict) and isinstance(value.get("data"), list):
            at, found = (*at, "data"), value["data"]
        for more, each in enumerate(found) if isinstance(found, list) else [(None, found)]:
            way = at if more is None else (*at, more)
            if not isinstance(each, dict):
                yield way, kind, name, each
            elif each.get("object") in KINDS:
                yield way, kind, name, each
                yield from leaves(each["object"], each, way)
            else:
                yield from leaves(kind, each, way, f"{name}.")


OTHER = {"tax_exempt": "reverse", "customer_tax_exempt": "reverse", "tax_behavior": "inclusive", "missing_payment_method": "pause",
         "billing_cycle_anchor": "phase_start", "end_behavior": "release", "billing_scheme": "per_unit"}  # fmt: skip
"""Of words that mean something, another one."""


def another(key, value):
    """Another value of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7
    if not isinstance(value, str):
        return "other"
    return OTHER.get(key) or (value[:-1] + ("1" if value[-1] != "1" else "2"))


def answer(kind, raw):
    try:
        return MAPPED[kind](raw)
    except MappingError as error:
        return str(error)


def with_another(kind, steps):
    raw = inside = copy.deepcopy(WHOLE[kind])
    for step in steps[:-1]:
        inside = inside[step]
    inside[steps[-1]] = another(steps[-1], inside[steps[-1]])
    return raw


MORE = {
    "customer": {"default_source": "pm_1", "invoice_settings": {"default_payment_method": "pm_1"},
                 "metadata": {"portal_disabled": "true"}},
    "subscription": {"cancel_at": MARCH, "cancel_at_period_end": True, "canceled_at": MARCH, "ended_at": MARCH,
                     "collection_method": "send_invoice", "default_payment_method": "pm_1", "default_source": "pm_1",
                     "schedule": "sub_sched_1", "trial_end": MARCH, "trial_start": MARCH,
                     "automatic_tax": {"enabled": True}, "default_tax_rates": [{**RATE, "rate_type": "flat_amount"}]},
    "invoice": {"hosted_invoice_url": "https://example.com", "next_payment_attempt": MARCH, "effective_at": MARCH + DAY,
                "post_payment_credit_notes_amount": 5, "pre_payment_credit_notes_amount": 5},
    "invoiceitem": {"invoice": "in_1", "net_amount": 5, "discounts": [DISCOUNT]},
    "credit_note": {"effective_at": MARCH + DAY, "out_of_band_amount": 5, "post_payment_amount": 5, "pre_payment_amount": 5},
    "subscription_schedule": {"status": "released", "current_phase": {"start_date": MARCH + DAY, "end_date": MARCH + 9 * DAY}},
    "payment_method": {
        each: {"last4": "9999"} for each in KINDS["payment_method"].read.replace(".*", "").split()
        if each not in exports.method()
    },
}  # fmt: skip
"""What the whole objects do not hold, and what another value of its kind would not be."""
NOT_ALONE = {
    "the same for all": ("id", "object", "livemode", "deleted", "type", "url", "source.type"),
    "read by the import": (
        "customer", "customer_account", "sources", "subscriptions", "subscription", "default_settings.automatic_tax",
        "phases.automatic_tax", "customer.invoice_settings.default_payment_method",
    ),
    "another field stands for it": (
        "unit_amount", "created", "invoiceitem.date", "amount_shipping", "shipping_cost.amount_total", "amount_due",
        "amount_requested", "released_subscription", "subscription_item.subscription", "price.active", "business_name",
        "individual_name", "current_phase.end_date", "current_phase.start_date", "phases.billing_cycle_anchor", "phases.collection_method",
        "phases.discounts.discount", "phases.items.discounts.discount", "phases.add_invoice_items.discounts.discount", "parent.invoice_item_details.proration",
        "parent.invoice_item_details.subscription", "pretax_credit_amounts.amount", "tax_rate.rate_type",
        "customer.tax_ids", "tiers.unit_amount", "tiers.flat_amount", "subscription.billing_cycle_anchor_config",
        "billing_cycle_anchor_config.day_of_month", "default_settings.invoice_settings",
        "default_settings.invoice_settings.days_until_due",
    ),
}  # fmt: skip
"""Fields whose other value, alone, changes nothing in the mapping."""


def told_by_the_answers():
    """What is read: of each kind the names whose other value gives another answer, and the names above them."""
    for top, raw in WHOLE.items():
        before = answer(top, raw)
        assert not isinstance(before, str), before
        for steps, kind, name, _ in leaves(top, raw):
            if answer(top, with_another(top, steps)) != before:
                yield kind, name
        for name, value in MORE.get(top, {}).items():
            more = {"type": name} if top == "payment_method" and name != "card" else {}
            assert answer(top, {**raw, **more, name: value}) != answer(top, {**raw, **more}), name
            yield top, name


def test_another_value_of_what_is_read_gives_another_account():
    told = set(told_by_the_answers())
    told |= {(kind, name[:at]) for kind, name in told for at, sign in enumerate(name) if sign == "."}
    known = {each for names in NOT_ALONE.values() for each in names}
    read = {(kind, name) for kind in KINDS if kind != "plan" for name in KINDS[kind].read.replace(".*", "").split()}
    unread = {f"{kind}.{name}" for kind, name in read - told if name not in known}
    assert sorted(each for each in unread - known if ".shipping_details" not in each) == []  # another name of the same
