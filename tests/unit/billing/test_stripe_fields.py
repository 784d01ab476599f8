"""Every field of Stripe's objects is decided about: held against the classes of Stripe's own SDK."""

import inspect
import re

import pytest
import stripe

from server.billing.stripe.fields import KINDS, findings, undecided
from tests.support import exports

CLASSES = {
    "customer": stripe.Customer,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
    "price": stripe.Price,
    "plan": stripe.Plan,
    "coupon": stripe.Coupon,
    "promotion_code": stripe.PromotionCode,
    "discount": stripe.Discount,
    "tax_rate": stripe.TaxRate,
    "invoice": stripe.Invoice,
    "line_item": stripe.InvoiceLineItem,
    "subscription_schedule": stripe.SubscriptionSchedule,
    "invoiceitem": stripe.InvoiceItem,
    "payment_method": stripe.PaymentMethod,
    "invoice_payment": stripe.InvoicePayment,
    "credit_note": stripe.CreditNote,
    "credit_note_line_item": stripe.CreditNoteLineItem,
}


def fields_of(shape, prefix=""):
    """The names of a class's fields, and of those of the classes inside it that they lead to."""
    inner = {
        name: each
        for name, each in vars(shape).items()
        if inspect.isclass(each) and issubclass(each, stripe.StripeObject)
    }
    for name, annotation in shape.__annotations__.items():
        if name == "OBJECT_NAME":
            continue
        yield prefix + name
        text = annotation if isinstance(annotation, str) else repr(annotation)
        for within, each in inner.items():
            if re.search(rf"\b{within}\b", text):
                yield from fields_of(each, f"{prefix}{name}.")


@pytest.mark.parametrize("kind", CLASSES)
def test_somebody_decided_about_every_field_of_the_sdk(kind):
    found = list(fields_of(CLASSES[kind]))
    assert len(found) > 8
    assert [f"{kind}.{name}" for name in found if undecided(kind, name)] == []


@pytest.mark.parametrize("kind", CLASSES)
def test_a_decision_is_made_once_and_about_a_field_that_is_there(kind):
    fields, there = KINDS[kind], set(fields_of(CLASSES[kind]))
    read = [each for each in fields.read.replace(".*", "").split() if each not in fields.harmless.split()]
    names = [*read, *fields.named, *fields.refused]
    assert len(names) == len(set(names))
    assert set(read) - there == set()


def test_the_amounts_in_other_currencies_are_those_that_are_read():
    """Their names are currencies, so that the list of fields has them as a whole."""
    assert set(fields_of(stripe.Coupon.CurrencyOptions)) == {"amount_off"}
    read = {"unit_amount", "unit_amount_decimal", "tiers"}
    assert {each for each in fields_of(stripe.Price.CurrencyOptions) if "." not in each} - read == {
        "custom_unit_amount", "tax_behavior",
    }  # fmt: skip


def test_a_new_field_is_noticed():
    assert undecided("customer", "surcharge_amount")
    assert undecided("customer", "shipping.insurance")
    assert not undecided("customer", "tax.location.state")


def said(kind, raw):
    return {each.field: each for each in findings(kind, raw)}


def test_what_may_change_an_amount_and_is_not_read_is_named_with_its_place():
    raw = exports.subscription(
        items=[exports.item(billing_thresholds={"usage_gte": 5})],
        pending_update={"expires_at": 5}, transfer_data=None, application_fee_percent=0,
    )  # fmt: skip
    assert {each.name: each.path for each in findings("subscription", raw)} == {
        "subscription_item.billing_thresholds": "$.items.data[0].billing_thresholds",
        "subscription.pending_update": "$.pending_update",
    }


@pytest.mark.parametrize("field", ["new_tax", "surcharge_amount", "loyalty_balance", "bulk_discount", "floor_price"])
@pytest.mark.parametrize("kind", ["customer", "subscription", "price", "invoice", "line_item", "payment_method"])
def test_a_field_that_nobody_knows_and_that_looks_like_money_is_named(kind, field):
    assert said(kind, {field: 5})[field].why.startswith("nobody knows")
    assert said(kind, {field: None, "sparkle": 5}) == {}


def test_automatic_tax_is_refused_where_it_is_switched_on():
    on = said("subscription", {"automatic_tax": {"enabled": True, "liability": {"type": "self"}}})
    assert on["automatic_tax.enabled"].is_refused
    assert said("subscription", {"automatic_tax": {"enabled": False, "liability": None}}) == {}


@pytest.mark.parametrize(
    ("kind", "raw", "problem"),
    [
        ("subscription", {"collection_method": "pigeon"},
         "$.collection_method: expected one of charge_automatically, send_invoice; got 'pigeon'"),
        ("subscription", {"pause_collection": {"behavior": "sleep"}},
         "$.pause_collection.behavior: expected one of keep_as_draft, mark_uncollectible, void; got 'sleep'"),
        ("subscription", {"items": {"data": [{"price": {"recurring": {"usage_type": "capped"}}}]}},
         "$.items.data[0].price.recurring.usage_type: expected one of licensed, metered; got 'capped'"),
        ("subscription", {"discounts": [{"object": "discount", "source": {"coupon": {"duration": "thrice"}}}]},
         "$.discounts[0].source.coupon.duration: expected one of forever, once, repeating; got 'thrice'"),
        ("price", {"billing_scheme": "package"}, "$.billing_scheme: expected one of per_unit, tiered; got 'package'"),
        ("price", {"tiers_mode": "stairs"}, "$.tiers_mode: expected one of graduated, volume; got 'stairs'"),
        ("price", {"transform_quantity": {"round": "nearest"}},
         "$.transform_quantity.round: expected one of down, up; got 'nearest'"),
        ("plan", {"transform_usage": {"round": "nearest"}},
         "$.transform_usage.round: expected one of down, up; got 'nearest'"),
        ("customer", {"tax_exempt": "half"}, "$.tax_exempt: expected one of exempt, none, reverse; got 'half'"),
        ("tax_rate", {"rate_type": "stairs"}, "$.rate_type: expected one of flat_amount, percentage; got 'stairs'"),
        ("subscription_schedule", {"status": "sleeping"},
         "$.status: expected one of active, canceled, completed, not_started, released; got 'sleeping'"),
        ("subscription_schedule", {"end_behavior": "renew"},
         "$.end_behavior: expected one of cancel, none, release; got 'renew'"),
        ("subscription_schedule", {"phases": [{"proration_behavior": "half"}]},
         "$.phases[0].proration_behavior: expected one of always_invoice, create_prorations, none; got 'half'"),
    ],
)  # fmt: skip
def test_a_word_that_decides_an_amount_and_that_nobody_knows_is_refused(kind, raw, problem):
    assert [f"{each.path}: {each.why}" for each in findings(kind, raw) if each.is_refused] == [problem]


@pytest.mark.parametrize(
    "raw",
    [
        {"discounts": [{"object": "discount", "source": {"coupon": {"duration": "thrice"}}}]},
        {"discount": {"coupon": {"duration": "thrice"}}},
        {"lines": {"data": [{"price": {"recurring": {"usage_type": "capped"}}}]}},
        {"lines": {"data": [{"plan": {"usage_type": "capped"}}]}},
        {"customer": {"tax_exempt": "half"}},
        {"total_taxes": [{"tax_rate_details": {"tax_rate": {"object": "tax_rate", "rate_type": "stairs"}}}]},
    ],
)
def test_a_word_inside_an_invoice_decides_no_amount_and_is_only_named(raw):
    (found,) = findings("invoice", raw)
    assert not found.is_refused
    (inside,) = findings("subscription", {"latest_invoice": raw})
    assert not inside.is_refused


@pytest.mark.parametrize("kind", CLASSES)
def test_words_are_of_fields_that_are_read(kind):
    fields = KINDS[kind]
    assert set(fields.words) <= set(f"{fields.read} {fields.older}".split())


def test_what_the_samples_of_the_tests_hold_is_all_known():
    whole = {
        "customer": exports.customer(), "subscription": exports.subscription(), "invoice": exports.invoice(),
        "payment_method": exports.method(), "price": exports.price(), "coupon": exports.coupon(),
        "discount": exports.discount(),
    }  # fmt: skip
    assert {kind: said(kind, raw) for kind, raw in whole.items() if said(kind, raw)} == {}
