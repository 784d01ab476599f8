"""Stripe's JSON in our types: today's shapes, older ones, what is open, and what is refused."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.billing import (
    Address,
    BuyerTaxId,
    Coupon,
    InvoiceDiscount,
    InvoiceTax,
    LineTax,
    Money,
    Product,
    TaxId,
    TaxRate,
    Tier,
)
from server.billing.model.periods import end_after
from server.billing.stripe import mapping, mapping_accounts, mapping_catalog, mapping_invoices
from server.billing.stripe.reading import MappingError, Nothing
from tests.support import exports
from tests.support.exports import APRIL, MARCH


class Known(Nothing):
    """Knows a product, a coupon, a promotion code, a tax rate and a discount."""

    def product(self, product_id):
        return Product("prod_1", "Coffee", unit_label="bag") if product_id == "prod_1" else None

    def coupon(self, coupon_id):
        return Coupon("OFF", "Ten off", percent_off="10") if coupon_id == "OFF" else None

    def promotion_code(self, promotion_code_id):
        return "WELCOME" if promotion_code_id == "promo_1" else ""

    def tax_rate(self, tax_rate_id):
        return TaxRate("txr_1", "19", "MwSt", inclusive=True) if tax_rate_id == "txr_1" else None

    def discount(self, discount_id):
        return mapping_catalog.discount(exports.discount(), self) if discount_id == "di_1" else None


KNOWN = Known()


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def subscription(**more):
    return mapping.subscription(exports.subscription(**more), KNOWN)


def invoice(**more):
    return mapping_invoices.invoice(exports.invoice(**more), KNOWN)[1]


def test_a_customer():
    raw = exports.customer(
        address={"line1": "1 Street", "city": "Town", "country": "de", "state": None},
        shipping={"name": "Jo", "phone": "1", "address": {"postal_code": "10997"}},
        tax_ids={"object": "list", "data": [{"id": "t", "type": "eu_vat", "value": "DE1", "verification": {"status": "pending"}}]},
        preferred_locales=["de"], invoice_settings={"default_payment_method": "pm_1"}, balance=-500, currency="eur",
        invoice_prefix="ABC", next_invoice_sequence=7,
    )  # fmt: skip
    customer, balance = mapping.customer(raw)
    assert customer.address == Address(line1="1 Street", city="Town", country="DE")
    assert (customer.shipping_name, customer.shipping.postal_code) == ("Jo", "10997")
    assert customer.tax_ids == (TaxId("t", "eu_vat", "DE1", "pending"),)
    assert (customer.preferred_locales, customer.default_payment_method) == (("de",), "pm_1")
    assert (customer.invoice_prefix, customer.next_invoice_sequence) == ("ABC", 7)
    assert balance == Money(-500, "EUR")


@pytest.mark.parametrize(
    ("flag", "disabled"), [("true", True), (True, True), ("false", False), ("", False), ({}, False)]
)
def test_metadata_switches_a_customer_off(flag, disabled):
    assert mapping.customer(exports.customer(metadata={"portal_disabled": flag}))[0].disabled is disabled


def test_a_customer_of_the_v2_api_has_a_contact_email():
    identity = {
        "business_details": {
            "registered_name": "Officina",
            "phone": "+39",
            "address": {"town": "Milano", "country": "IT"},
        }
    }
    configuration = {"customer": {"billing": {"default_payment_method": "pm_1"}, "shipping": {"name": "Dock 4"}}}
    customer = mapping_accounts.account(
        exports.account(display_name=None, identity=identity, configuration=configuration)
    )
    assert (customer.id, customer.email, customer.name) == ("acct_1", "jenny@example.com", "Officina")
    assert (customer.created_at, customer.address.city) == (datetime(2025, 1, 1, tzinfo=UTC), "Milano")
    assert (customer.default_payment_method, customer.shipping_name) == ("pm_1", "Dock 4")


@pytest.mark.parametrize("created", ["yesterday", "9999-12-31T00:00:00Z", "0001-01-01"])
def test_a_date_that_is_none_is_refused(created):
    with pytest.raises(MappingError, match=r"^\$\.created: expected a date"):
        mapping_accounts.account(exports.account(created=created))


@pytest.mark.parametrize(
    ("kind", "part", "brand", "last4"),
    [
        ("card", {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2030}, "visa", "4242"),
        ("sepa_debit", {"last4": "3000", "bank_code": "370400440"}, "", "3000"),
        ("us_bank_account", {"bank_name": "STRIPE TEST BANK", "last4": "6789"}, "STRIPE TEST BANK", "6789"),
        ("paypal", {"payer_email": "a@b.example"}, "", ""),
        ("link", {"email": "a@b.example"}, "", ""),
        ("carrier_pigeon", {"last4": "0007", "wings": 2}, "", "0007"),
        ("carrier_pigeon", None, "", ""),
    ],
)
def test_every_kind_of_payment_method_is_kept(kind, part, brand, last4):
    owner, found = mapping.payment_method(exports.method(type=kind, card=None) | {kind: part})
    assert (owner, found.kind, found.brand, found.last4) == ("cus_1", kind, brand, last4)


def test_a_payment_method_may_belong_to_a_v2_customer_or_to_nobody():
    assert mapping.payment_method(exports.method(customer=None, customer_account="acct_1"))[0] == "acct_1"
    assert mapping.payment_method(exports.method(customer=None))[0] == ""


@pytest.mark.parametrize(
    ("amounts", "unit_amount"),
    [
        ({"unit_amount": 500, "unit_amount_decimal": "500"}, "500"),
        ({"unit_amount": None, "unit_amount_decimal": "0.50"}, "0.5"),
        ({"unit_amount": 500, "unit_amount_decimal": None}, "500"),
        ({"unit_amount": None, "unit_amount_decimal": None}, ""),
    ],
)
def test_a_unit_amount_is_an_exact_decimal(amounts, unit_amount):
    assert mapping_catalog.price(exports.price(**amounts), KNOWN).unit_amount == unit_amount


def test_a_tiered_price():
    tiers = [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount_decimal": "2.5", "flat_amount": 50}]
    found = mapping_catalog.price(exports.price(billing_scheme="tiered", tiers_mode="volume", tiers=tiers), KNOWN)
    assert found.tiers == (Tier(10, "100"), Tier(None, "2.5", "50"))


def test_a_product_is_expanded_or_known_by_its_id():
    expanded = mapping_catalog.price(exports.price(product=exports.product("prod_9", name="Tea")), Nothing())
    assert (expanded.product, expanded.product_name) == ("prod_9", "Tea")
    assert mapping_catalog.price(exports.price(), KNOWN).unit_label == "bag"


def test_a_product_that_nobody_knows_is_named():
    with pytest.raises(MappingError, match=r"^\$\.items\.data\[0\]\.price\.product: product prod_1 is not known"):
        mapping.subscription(exports.subscription(), Nothing())


def test_a_coupon():
    assert mapping_catalog.coupon(exports.coupon()).percent_off == "10.5"
    off = exports.coupon(percent_off=None, amount_off=500, currency="eur", applies_to={"products": ["prod_1"]})
    assert mapping_catalog.coupon(off).amount_off == Money(500, "EUR")
    assert mapping_catalog.coupon(off).products == ("prod_1",)


@pytest.mark.parametrize("place", [{"promotion": {"type": "coupon", "coupon": "OFF"}}, {"coupon": exports.coupon()}])
def test_a_promotion_code_leads_to_its_coupon_in_either_shape(place):
    raw = {"id": "promo_1", "object": "promotion_code", "code": "WELCOME", **place}
    assert mapping_catalog.promotion_code(raw).coupon == "OFF"


def test_periods_are_the_items():
    later = exports.item("si_2", current_period_end=APRIL + 86400)
    found = subscription(items=[later, exports.item()])
    assert [each.current_period_end_at for each in found.items] == [at(APRIL + 86400), at(APRIL)]
    assert found.current_period_end_at == at(APRIL)


def test_an_older_export_has_its_period_on_the_subscription():
    bare = exports.item()
    del bare["current_period_start"], bare["current_period_end"]
    found = subscription(items=[bare], current_period_start=MARCH, current_period_end=APRIL)
    assert found.items[0].current_period_end_at == at(APRIL)
    with pytest.raises(MappingError, match=r"^\$\.items\.data\[0\]\.current_period_start: "):
        subscription(items=[bare])


@pytest.mark.parametrize(
    ("said", "cancel_at"),
    [
        ({"cancel_at_period_end": True}, at(APRIL)),
        ({"cancel_at_period_end": True, "cancel_at": APRIL}, at(APRIL)),
        ({"cancel_at": APRIL + 5}, at(APRIL + 5)),
        ({}, None),
    ],
)
def test_both_ways_to_say_ends_then_are_read(said, cancel_at):
    assert subscription(**said).cancel_at == cancel_at


@pytest.mark.parametrize(
    "discounts", [{"discounts": [exports.discount()]}, {"discounts": ["di_1"]}, {"discount": exports.discount()}]
)
def test_discounts_come_expanded_as_ids_or_alone(discounts):
    assert subscription(**discounts).discounts[0].coupon.id == "OFF"


def test_a_discount_of_an_older_export_holds_its_coupon():
    old = exports.discount(source=None, coupon=exports.coupon("OLD"), promotion_code="promo_1")
    found = subscription(discounts=[old]).discounts[0]
    assert (found.coupon.id, found.promotion_code) == ("OLD", "WELCOME")


@pytest.mark.parametrize(("own", "quantity"), [(None, 3), (2, 2), (0, 0)])
def test_the_quantity_of_an_older_subscription_is_that_of_its_item(own, quantity):
    assert subscription(items=[exports.item(quantity=own)], quantity=3).items[0].quantity == quantity


def test_a_discount_counts_also_where_the_list_beside_it_is_empty():
    assert subscription(discounts=[], discount=exports.discount()).discounts[0].coupon.id == "OFF"


class WithOne(Nothing):
    """Knows one coupon, with all that Stripe sends only where it is asked for."""

    def coupon(self, coupon_id):
        return Coupon(id=coupon_id, percent_off="5", products=("prod_9",), other_amounts=(Money(400, "EUR"),))


@pytest.mark.parametrize(
    ("more", "products"),
    [({}, ("prod_9",)), ({"applies_to": None}, ()), ({"applies_to": {"products": ["prod_2"]}}, ("prod_2",))],
)
def test_a_coupon_without_its_products_has_those_of_the_coupon_by_itself(more, products):
    held = exports.discount(source={"coupon": exports.coupon(**more)})
    assert mapping_catalog.discount(held, WithOne()).coupon.products == products


def test_a_coupon_without_its_other_currencies_has_those_of_the_coupon_by_itself():
    dollars = {"id": "OFF", "amount_off": 500, "currency": "usd", "duration": "forever"}
    found = mapping_catalog.discount_in(exports.discount(source={"coupon": dollars}), WithOne(), "$", "eur")
    assert found.coupon.amount_off == Money(400, "EUR")


def test_a_coupon_that_does_not_say_how_long_it_counts_is_refused():
    with pytest.raises(MappingError, match="missing required field `duration`"):
        mapping_catalog.coupon({"id": "OFF", "percent_off": 5})


@pytest.mark.parametrize(
    ("coupon", "path"),
    [
        ({"amount_off": -500, "currency": "eur"}, r"^\$\.amount_off: expected `int` >= 0"),
        (
            {"amount_off": 5, "currency": "eur", "currency_options": {"usd": {"amount_off": -5}}},
            r"amount_off: expected",
        ),
        ({"percent_off": 5, "duration": "repeating"}, r"^\$\.duration_in_months: expected how many months"),
    ],
)
def test_a_coupon_that_would_count_otherwise_than_it_says_is_refused(coupon, path):
    with pytest.raises(MappingError, match=path):
        mapping_catalog.coupon({"id": "T", **coupon})


@pytest.mark.parametrize(
    ("discount", "path"),
    [
        ("di_9", r"\$\.discounts\[0\]: discount di_9"),
        (exports.discount(source={"coupon": "NO"}), r"\$\.discounts\[0\]\.source\.coupon: coupon NO"),
    ],
)
def test_a_discount_that_leads_nowhere_is_named(discount, path):
    with pytest.raises(MappingError, match=path):
        subscription(discounts=[discount])


def test_periods_are_counted_from_the_day_of_the_month_that_was_asked_for():
    february, march = 1803816000, 1806494400  # 28 February and 31 March 2027, 12:00 UTC
    found = subscription(
        items=[exports.item(current_period_start=february, current_period_end=march)],
        billing_cycle_anchor=february, billing_cycle_anchor_config={"day_of_month": 31, "hour": 12},
    )  # fmt: skip
    (item,), ends = found.items, []
    at = item.current_period_end_at
    for _ in range(3):
        at = end_after(found, item, at)
        ends.append((at.month, at.day))
    assert ends == [(4, 30), (5, 31), (6, 30)]


def test_the_rest_of_a_subscription():
    found = subscription(
        status="levitating", trial_start=MARCH, trial_end=APRIL, default_payment_method={"id": "pm_9"},
        pause_collection={"behavior": "void", "resumes_at": APRIL}, schedule={"id": "sub_sched_1"},
        latest_invoice={"id": "in_1"}, collection_method="send_invoice", days_until_due=14,
        default_tax_rates=[{"id": "txr_1", "percentage": 8.875, "display_name": "Tax", "inclusive": False}],
    )  # fmt: skip
    assert (found.status, found.trial_end_at, found.default_payment_method) == ("levitating", at(APRIL), "pm_9")
    assert (found.pause_behavior, found.pause_resumes_at) == ("void", at(APRIL))
    assert (found.schedule, found.latest_invoice, found.days_until_due) == ("sub_sched_1", "in_1", 14)
    assert found.default_tax_rates == (TaxRate("txr_1", "8.875", "Tax"),)


def test_an_invoice_of_todays_api():
    parent = {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}
    detail = {"subscription_item_details": {"subscription": "sub_1", "proration": True}}
    pricing = {"price_details": {"price": "price_1"}, "unit_amount_decimal": "3100"}
    found = invoice(
        parent=parent, lines={"data": [exports.line(parent=detail, pricing=pricing)], "has_more": True},
        total_taxes=[{"amount": 495, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}],
        customer_tax_ids=[{"type": "eu_vat", "value": "DE1"}], customer_tax_exempt="reverse",
        total_discount_amounts=[{"amount": 310, "discount": "di_1"}, {"amount": 1, "discount": "di_gone"}],
        starting_balance=-600, ending_balance=0, post_payment_credit_notes_amount=100,
        status_transitions={"paid_at": APRIL}, hosted_invoice_url="https://invoice.stripe.com/i/x",
    )  # fmt: skip
    line = found.lines[0]
    assert (found.subscription, line.subscription, line.price, line.proration) == ("sub_1", "sub_1", "price_1", True)
    assert found.taxes == (InvoiceTax("MwSt 19%", Money(495, "EUR"), inclusive=True, percentage="19"),)
    assert (found.customer_tax_ids, found.customer_tax_exempt) == ((BuyerTaxId("eu_vat", "DE1"),), "reverse")
    assert found.discounts == (InvoiceDiscount("Ten off", Money(310, "EUR")), InvoiceDiscount("", Money(1, "EUR")))
    assert (found.balance_applied, found.credited) == (Money(-600, "EUR"), Money(100, "EUR"))
    assert (found.paid_at, found.has_more_lines, found.hosted) == (at(APRIL), True, True)


def test_an_invoice_of_an_older_export():
    found = invoice(
        subscription="sub_1", lines={"data": [exports.line(price=exports.price(), subscription="sub_1", proration=True)]},
        total_tax_amounts=[{"amount": 5, "inclusive": False, "tax_rate": {"id": "t", "percentage": 7.5, "display_name": "VAT"}}],
    )  # fmt: skip
    line = found.lines[0]
    assert (found.subscription, line.subscription, line.price, line.proration) == ("sub_1", "sub_1", "price_1", True)
    assert found.taxes == (InvoiceTax("VAT 7.5%", Money(5, "EUR"), percentage="7.5"),)


def test_the_taxes_and_discounts_of_a_line():  # I7
    today = exports.line(
        taxes=[{"amount": 495, "tax_behavior": "inclusive", "taxability_reason": "standard_rated",
                "tax_rate_details": {"tax_rate": "txr_1"}}],
        discount_amounts=[{"amount": 300, "discount": "di_1"}],
        pretax_credit_amounts=[{"amount": 300, "type": "discount"}, {"amount": 10, "type": "credit_balance_transaction"}],
    )  # fmt: skip
    older = exports.line(
        tax_amounts=[{"amount": 5, "inclusive": False, "tax_rate": "txr_gone"}],
        discount_amounts=[{"amount": 30, "discount": "di_1"}],
    )
    first, second, bare = invoice(lines={"data": [today, older, exports.line()]}).lines
    assert first.taxes == (LineTax(Money(495, "EUR"), "19", True, "standard_rated"),)
    assert (first.discount, second.discount, bare.discount) == (Money(310, "EUR"), Money(30, "EUR"), None)
    assert (second.taxes, bare.taxes) == ((LineTax(Money(5, "EUR")),), ())


@pytest.mark.parametrize(
    ("status", "remaining", "due"),
    [("open", 2100, 2100), ("open", None, 0), ("paid", 0, 0), ("void", 3100, 0), (None, 3100, 0)],
)
def test_only_an_open_invoice_is_still_to_be_paid(status, remaining, due):
    found = invoice(status=status, amount_remaining=remaining)
    assert (found.status, found.amount_due) == (status or "draft", Money(due, "EUR"))


def payment(intent, **more):
    raw = {
        "id": "inpay_1",
        "status": "open",
        "created": MARCH,
        "amount_requested": 3100,
        "payment": {"payment_intent": intent},
    }
    return invoice(payments={"data": [raw | more]}).payments[0]


def test_a_payment_that_failed_says_why_and_with_what():
    card = {"type": "card", "card": {"brand": "visa", "last4": "4242"}}
    found = payment(
        {
            "id": "pi",
            "payment_method": card,
            "last_payment_error": {"code": "card_declined", "decline_code": "lost_card"},
        }
    )
    assert (found.status, found.failure, found.method) == ("failed", "lost_card", "visa 4242")


def test_a_payment_that_waits_for_its_owner_says_so():
    assert payment({"id": "pi", "status": "requires_action"}).failure == "authentication_required"


def test_a_payment_that_worked_and_was_refunded():
    charge = {
        "payment_method_details": {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}},
        "amount_refunded": 1000,
    }
    found = payment(
        {"id": "pi", "latest_charge": charge}, status="paid", amount_paid=3100, status_transitions={"paid_at": APRIL}
    )
    assert (found.status, found.failure, found.method) == ("paid", "", "sepa_debit 3000")
    assert (found.refunded, found.at) == (Money(1000, "EUR"), at(APRIL))


@pytest.mark.parametrize("refunded", ["100", -1, 10**13, True, 1.5])
def test_a_refund_that_is_no_amount_is_refused(refunded):
    paid = {"status": "succeeded", "latest_charge": {"id": "ch_1", "amount_refunded": refunded}}
    with pytest.raises(MappingError, match=r"^\$\.payments\.data\[0\]: expected what its charge gave back, got amount"):
        payment(paid, status="paid")


def test_a_line_in_another_currency_than_its_invoice_is_refused():
    with pytest.raises(MappingError, match=r"^\$\.lines\.data\[0\]\.currency: is in USD, the invoice in EUR"):
        invoice(lines={"data": [exports.line(currency="usd")]})


def test_a_payment_that_is_not_expanded_is_still_there():
    assert (payment("pi_1").status, payment("pi_1").method) == ("open", "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"created": "2026"}, r"^\$\.created: expected `int`, got `str`$"),
        ({"created": 10**15}, r"^\$\.created: expected `int` <= "),
        ({"created": True}, r"^\$\.created: expected `int`, got `bool`$"),
        ({"currency": "euros"}, r"^\$\.currency: "),
        ({"items": {"data": []}}, r"^\$\.items\.data: expected `array` of length >= 1"),
        ({"items": [exports.item()]}, r"^\$\.items: expected `object`, got `array`$"),
        ({"cancel_at_period_end": "yes"}, r"^\$\.cancel_at_period_end: expected `bool`, got `str`$"),
        ({"customer": 5}, r"^\$\.customer: expected `str \| object \| null`, got `int`$"),
        ({"default_payment_method": {}}, r"^\$\.default_payment_method\.id: expected an id, got NoneType$"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_named_with_its_path(wrong, message):
    raw = exports.subscription() | wrong
    with pytest.raises(MappingError, match=message):
        mapping.subscription(raw, KNOWN)


def tiered(tiers, **more):
    return exports.price(billing_scheme="tiered", tiers=tiers, **{"tiers_mode": "volume", **more})


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"quantity": -1}, r"^\$\.items\.data\[0\]\.quantity: "),
        ({"quantity": 1.5}, r"^\$\.items\.data\[0\]\.quantity: expected `int \| null`, got `float`$"),
        ({"quantity": 10**9, "price": exports.price(unit_amount=None, unit_amount_decimal="9999999999")}, r"quantity: .* is more than"),
        ({"price": exports.price(unit_amount=3100, unit_amount_decimal="31.00")}, r"price\.unit_amount: says 31\.00 and 3100"),
        ({"current_period_end": MARCH - 1}, r"^\$\.items\.data\[0\]\.current_period_end: expected an end after"),
        ({"price": exports.price(unit_amount_decimal="1e9")}, r"^\$\.items\.data\[0\]\.price\.unit_amount_decimal: "),
        ({"price": exports.price(recurring={"interval": "year", "interval_count": 101})}, r"price\.recurring\.interval_count: expected at most 100"),
        ({"price": tiered([{"up_to": None}], tiers_mode=None)}, r"price\.tiers_mode: expected \"graduated\" or"),
        ({"price": tiered([{"up_to": 5}])}, r"price\.tiers\[0\]\.up_to: expected \"inf\" or null in the last tier, got 5"),
        ({"price": tiered([{"up_to": "inf"}, {"up_to": 5}])}, r"price\.tiers\[0\]\.up_to: expected more than 0, got no end"),
        ({"price": tiered([{"up_to": 5}, {"up_to": 5}, {"up_to": None}])}, r"tiers\[1\]\.up_to: expected more than 5, got 5"),
        ({"price": exports.price(tiers=[{"up_to": "many"}])}, r"price\.tiers\[0\]\.up_to: expected a number, null"),
    ],
)  # fmt: skip
def test_a_wrong_item_is_named_with_its_path(wrong, path):
    with pytest.raises(MappingError, match=path):
        subscription(items=[exports.item() | wrong])


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"usd": {"unit_amount": 5}, "eur": {"unit_amount": "5"}}, r"price\.currency_options\.eur\.unit_amount: expected `int"),
        ({"usd": {"tiers": [{"unit_amount": "5"}]}}, r"price\.currency_options\.usd\.tiers\[0\]\.unit_amount: expected `int"),
        ({"euros": {"unit_amount": 5}}, r'price\.currency_options: expected a currency of three letters, such as "eur"$'),
    ],
)  # fmt: skip
def test_a_wrong_currency_option_is_named_with_its_key(options, path):
    with pytest.raises(MappingError, match=path):
        subscription(items=[exports.item(price=exports.price(currency_options=options))])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
MAPPINGS = [
    (exports.customer(), mapping.customer),
    (exports.account(), mapping_accounts.account),
    (exports.method(), mapping.payment_method),
    (exports.product(), mapping_catalog.product),
    (exports.price(), lambda raw: mapping_catalog.price(raw, KNOWN)),
    (exports.coupon(), mapping_catalog.coupon),
    (exports.subscription(), lambda raw: mapping.subscription(raw, KNOWN)),
    (exports.invoice(), lambda raw: mapping_invoices.invoice(raw, KNOWN)),
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nothing_but_a_mapping_error_comes_of_a_broken_record(data):
    raw, work = data.draw(st.sampled_from(MAPPINGS))
    keys = sorted(raw)
    broken = raw | {data.draw(st.sampled_from(keys)): data.draw(JSON)}
    with suppress(MappingError):
        work(broken)


def test_the_limits_of_coupons_and_promotion_codes_are_read():
    found = mapping_catalog.coupon(
        exports.coupon(redeem_by=exports.APRIL, max_redemptions=3, times_redeemed=2, valid=False)
    )
    assert (found.redeem_by, found.max_redemptions, found.times_redeemed, found.valid) == (
        datetime(2026, 4, 1, tzinfo=UTC),
        3,
        2,
        False,
    )
    held = {"first_time_transaction": True, "minimum_amount": 500, "minimum_amount_currency": "eur",
            "currency_options": {"usd": {"minimum_amount": 600}}}  # fmt: skip
    promotion = {"type": "coupon", "coupon": "OFF"}
    raw = {"id": "promo_1", "code": "SPRING", "promotion": promotion, "customer": "cus_1", "restrictions": held}
    code = mapping_catalog.promotion_code(raw)
    assert (code.customer, code.first_time, code.minimum) == ("cus_1", True, Money(500, "EUR"))
    assert code.other_minimums == (Money(600, "USD"),)


def test_a_minimum_without_a_currency_is_refused():
    raw = {"id": "promo_1", "code": "SPRING", "coupon": "OFF", "restrictions": {"minimum_amount": 500}}
    with pytest.raises(MappingError, match="expected a currency beside minimum_amount"):
        mapping_catalog.promotion_code(raw)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: mapping.customer(exports.customer(id="../x")), "expected an id of 1 to 255 letters, digits, _ and -"),
        (
            lambda: mapping_catalog.price(exports.price(currency="euro"), Known()),
            'expected a currency of three letters, such as "eur"',
        ),
        (
            lambda: mapping_catalog.price(exports.price(unit_amount_decimal="1,5"), Known()),
            'expected a decimal number of 0 or more in quotes, such as "10.5"',
        ),
    ],
)
def test_a_refusal_says_in_words_what_is_expected(read, words):
    with pytest.raises(MappingError) as refused:
        read()
    assert refused.value.problem == words


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ({}, MARCH),
        ({"status_transitions": {"finalized_at": MARCH + 3600}}, MARCH + 3600),
        ({"status_transitions": {"finalized_at": MARCH + 3600}, "effective_at": MARCH + 60}, MARCH + 60),
    ],
)
def test_an_invoice_has_the_date_of_its_finalizing_unless_it_has_its_own(dates, day):
    _, found = mapping_invoices.invoice(exports.invoice(**dates), Known())
    assert found.created_at == datetime.fromtimestamp(day, UTC)


@pytest.mark.parametrize(
    ("shown", "brand"),
    [("cartes_bancaires", "cartes_bancaires"), ("american_express", "amex"), ("other", "visa"), (None, "visa")],
)
def test_a_card_of_two_brands_is_called_by_the_one_that_was_chosen(shown, brand):
    _, found = mapping.payment_method(exports.method(card={"brand": "visa", "display_brand": shown, "last4": "4242"}))
    assert found.brand == brand
