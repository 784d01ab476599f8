"""What becomes of every field of Stripe's objects: nothing that can change an amount, a date or a page is lost in silence.

    read      it is in the account
    older     the same, of API versions that are gone: today's do not send it
    harmless  it changes nothing that a customer is charged or shown here
    named     it may change something, and the portal does not know how: the import names it, with its place
    refused   with it the ledger would charge a wrong amount: such an object is refused

A field of a field is written with a dot. Where a field is `harmless`, `named` or `refused`, so is all that is inside; a
`*` says the same of one that is read as a whole. Fields that are empty, zero or false say nothing. A field that stands
nowhere here is named where its name looks like money. A word that decides an amount, and that nobody knows, is refused. A test holds the table against the classes of Stripe's own SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

_MONEY = re.compile(r"amount|balance|tax|discount|price|coupon|credit")
_REFUSED_IN_PART = ("items", "lines")
"""Lists of which a part is refused, or named with what it means."""
_BY_THEMSELVES = ("sources", "subscriptions", "tax_ids")
"""Lists whose entries are imported by themselves, too."""
_DOCUMENTS = ("invoice", "credit_note")
"""They say their own amounts: what decided those inside them decides nothing more, and is only named."""
_ADDRESS = "line1 line2 city state postal_code country"


class Fields(msgspec.Struct, frozen=True):
    """The decisions about one kind of object."""

    read: str
    harmless: str
    older: str = ""
    named: Mapping[str, str] = {}
    """Each with what is lost, in words."""
    refused: Mapping[str, str] = {}
    words: Mapping[str, str] = {}
    """All that such a field may say: with another word the ledger would charge a wrong amount."""
    inside: Mapping[str, str] = {}
    """Which kind of object is in a field, where it is one with decisions of its own."""


class Finding(msgspec.Struct, frozen=True):
    """One field of one object that the import says something about."""

    kind: str
    field: str
    why: str
    path: str
    is_refused: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.field}"


def _below(name: str, *children: str) -> str:
    """A field and those inside it."""
    return " ".join((name, *(f"{name}.{each}" for text in children for each in text.split())))


_ELSEWHERE = "the money goes to another account at Stripe; here it is not shared out"
_AUTOMATIC = "Stripe works out the tax, which the ledger cannot; --bill-without-automatic-tax bills without it"
_OWN_METHOD = "what is charged is the subscription's own payment method, or the default"
_COLLECTION, _SCHEME, _MODE = "charge_automatically send_invoice", "per_unit tiered", "graduated volume"
_THRESHOLD = "Stripe bills early from an amount or a use on; here the period's end bills"

KINDS: dict[str, Fields] = {
    "customer": Fields(
        read=f"""{_below("address", _ADDRESS)} balance created currency default_source deleted discount email id
            invoice_prefix {_below("invoice_settings", "default_payment_method custom_fields footer")}
            invoice_settings.custom_fields.name invoice_settings.custom_fields.value livemode metadata.* name business_name
            individual_name next_invoice_sequence object phone preferred_locales
            {_below("shipping", "name phone address", " ".join(f"address.{each}" for each in _ADDRESS.split()))} sources
            subscriptions tax_exempt tax_ids""",
        older="account_balance cards default_card subscription",
        harmless="customer_account delinquent description shipping.carrier shipping.tracking_number tax test_clock",
        named={
            "cash_balance": "money of the customer that lies at Stripe does not move with an import",
            "invoice_credit_balance": "the balance in several currencies; the one of `balance` is read",
            "invoice_settings.rendering_options": "invoices look as the portal's do",
        },
        words={"tax_exempt": "exempt none reverse"},
        inside={"discount": "discount", "sources": "source", "subscriptions": "subscription", "tax_ids": "tax_id"},
    ),
    "subscription": Fields(
        read=f"""billing_cycle_anchor {_below("billing_cycle_anchor_config", "day_of_month")} cancel_at
            cancel_at_period_end canceled_at
            {_below("cancellation_details", "comment feedback")} collection_method created currency customer
            customer_account days_until_due default_payment_method default_source default_tax_rates description
            discounts ended_at id items latest_invoice livemode object
            {_below("pause_collection", "behavior resumes_at")} schedule status trial_end
            {_below("trial_settings", "end_behavior end_behavior.missing_payment_method")} trial_start automatic_tax""",
        older="""discount tax_percent billing plan quantity current_period_start current_period_end start
            """,
        harmless="""application billing_cycle_anchor_config.hour billing_cycle_anchor_config.minute
            billing_cycle_anchor_config.month billing_cycle_anchor_config.second billing_mode metadata cancellation_details.feedback_option
            cancellation_details.reason automatic_tax.disabled_reason automatic_tax.liability payment_settings
            pending_setup_intent start_date test_clock invoice_customer_balance_settings""",
        named={
            "application_fee_percent": _ELSEWHERE,
            "trial_settings.end_behavior.billing_cycle_anchor": "after the trial, periods begin with its end",
            "billing_schedules": "billing of several periods at once; here each period is billed by itself",
            "billing_thresholds": _THRESHOLD,
            "invoice_settings": "the invoices' own footer, fields and issuer; here they are the brand's",
            "managed_payments": "Stripe is the seller of it, and owes the tax",
            "next_pending_invoice_item_invoice": "pending items are billed with the next period",
            "on_behalf_of": _ELSEWHERE,
            "pending_invoice_item_interval": "pending items are billed with the next period",
            "pending_update": "a change that waits for its payment is not carried over",
            "presentment_details": "the customer was shown another currency",
            "status_details": "why it is paused",
            "transfer_data": _ELSEWHERE,
        },
        refused={"automatic_tax.enabled": _AUTOMATIC},
        words={
            "billing": _COLLECTION,
            "collection_method": _COLLECTION,
            "pause_collection.behavior": "keep_as_draft mark_uncollectible void",
            "trial_settings.end_behavior.missing_payment_method": "cancel create_invoice pause",
        },
        inside={
            "discount": "discount",
            "discounts": "discount",
            "items": "subscription_item",
            "latest_invoice": "invoice",
            "default_tax_rates": "tax_rate",
            "plan": "plan",
            "schedule": "subscription_schedule",
            "customer": "customer",
        },
    ),
    "subscription_item": Fields(
        read="current_period_end current_period_start discounts id object price quantity tax_rates subscription",
        older="plan",
        harmless="created deleted metadata",
        named={
            "billed_until": "the item was billed for longer than its period",
            "billing_thresholds": _THRESHOLD,
            "current_trial": "a trial of this item alone; here it is charged",
        },
        inside={"discounts": "discount", "price": "price", "plan": "plan", "tax_rates": "tax_rate"},
    ),
    "price": Fields(
        read=f"""active billing_scheme currency id livemode nickname object product
            {_below("recurring", "interval interval_count usage_type")} tax_behavior tiers tiers_mode
            tiers.flat_amount tiers.flat_amount_decimal tiers.unit_amount tiers.unit_amount_decimal tiers.up_to
            {_below("transform_quantity", "divide_by round")} type unit_amount unit_amount_decimal currency_options.*""",
        harmless="created deleted lookup_key metadata recurring.meter recurring.trial_period_days recurring.aggregate_usage",
        named={"custom_unit_amount": "the customer chooses the amount"},
        words={
            "billing_scheme": _SCHEME,
            "recurring.usage_type": "licensed metered",
            "tiers_mode": _MODE,
            "transform_quantity.round": "down up",
        },
    ),
    "plan": Fields(
        read=f"""active amount amount_decimal billing_scheme currency id interval interval_count livemode nickname object
            product {_below("tiers", "flat_amount flat_amount_decimal unit_amount unit_amount_decimal up_to")} tiers_mode
            {_below("transform_usage", "divide_by round")} usage_type""",
        older="name",
        harmless="aggregate_usage created deleted metadata meter statement_descriptor trial_period_days",
        words={
            "billing_scheme": _SCHEME,
            "tiers_mode": _MODE,
            "transform_usage.round": "down up",
            "usage_type": "licensed metered",
        },
    ),
    "coupon": Fields(
        read=f"""amount_off {_below("applies_to", "products")} currency currency_options.* duration duration_in_months id
            max_redemptions name object percent_off redeem_by times_redeemed valid livemode""",
        harmless="created deleted metadata",
        words={"duration": "forever once repeating"},
    ),
    "promotion_code": Fields(
        read=f"""active code customer customer_account expires_at id livemode max_redemptions object
            {_below("promotion", "coupon")} {_below("restrictions", "first_time_transaction minimum_amount")}
            restrictions.minimum_amount_currency restrictions.currency_options.* times_redeemed""",
        older="coupon",
        harmless="created metadata promotion.type",
        inside={"coupon": "coupon", "promotion.coupon": "coupon"},
    ),
    "discount": Fields(
        read=f"{_below('source', 'coupon type')} end id object promotion_code start customer",
        older="coupon",
        harmless="checkout_session customer_account deleted invoice invoice_item subscription subscription_item",
        inside={"source.coupon": "coupon", "coupon": "coupon"},
    ),
    "tax_rate": Fields(
        read="display_name id inclusive object percentage rate_type livemode",
        harmless="""active country created description effective_percentage jurisdiction jurisdiction_level metadata state
            tax_type""",
        refused={"flat_amount": "is a flat amount, which the portal cannot charge"},
        words={"rate_type": "flat_amount percentage"},
    ),
    "invoice": Fields(
        read=f"""amount_due amount_paid amount_remaining amount_shipping billing_reason created currency customer
            customer_account {_below("customer_address", _ADDRESS)} customer_email customer_name customer_tax_exempt
            {_below("custom_fields", "name value")}
            {_below("customer_shipping", "name address", " ".join(f"address.{each}" for each in _ADDRESS.split()))}
            {_below("shipping_details", "name address", " ".join(f"address.{each}" for each in _ADDRESS.split()))}
            {_below("customer_tax_ids", "type value")} deleted description discounts due_date effective_at ending_balance footer
            hosted_invoice_url id lines livemode next_payment_attempt number object
            {_below("parent", "subscription_details subscription_details.subscription")} payments period_end
            period_start post_payment_credit_notes_amount pre_payment_credit_notes_amount
            {_below("shipping_cost", "amount_subtotal amount_total")} starting_balance status
            {_below("status_transitions", "finalized_at paid_at")} subtotal total
            {_below("total_discount_amounts", "amount discount")} {_below("total_pretax_credit_amounts", "amount type")}
            {_below("total_taxes", "amount tax_behavior tax_rate_details tax_rate_details.tax_rate")}
            total_taxes.taxable_amount""",
        older="""subscription charge.* payment_intent.* date paid closed forgiven billing discount tax tax_percent
            total_tax_amounts.* amount_shipping""",
        harmless="""account_country account_name account_tax_ids application attempt_count attempted auto_advance
            automatic_tax automatically_finalizes_at collection_method confirmation_secret customer_phone
            default_payment_method default_source default_tax_rates invoice_pdf issuer last_finalization_error
            metadata on_behalf_of parent.quote_details parent.subscription_details.metadata parent.type
            parent.subscription_details.subscription_proration_date payment_settings receipt_number rendering
            shipping_cost.amount_tax shipping_cost.shipping_rate shipping_cost.taxes statement_descriptor status_details
            status_transitions.marked_uncollectible_at status_transitions.voided_at subtotal_excluding_tax test_clock
            threshold_reason total_excluding_tax total_discount_amounts.discount
            total_taxes.type total_taxes.taxability_reason total_pretax_credit_amounts.credit_balance_transaction total_pretax_credit_amounts.discount
            webhooks_delivered_at subscription_details subscription_proration_date discountable
            customer_shipping.carrier customer_shipping.phone customer_shipping.tracking_number
            shipping_details.carrier shipping_details.phone shipping_details.tracking_number""",
        named={
            "amount_overpaid": "more was paid than was due",
            "amount_paid_off_stripe": "a part was paid elsewhere; it is among what was paid",
            "application_fee_amount": _ELSEWHERE,
            "from_invoice": "it takes the place of an earlier invoice",
            "latest_revision": "a later invoice takes its place",
        },
        inside={
            "lines": "line_item",
            "payments": "invoice_payment",
            "customer": "customer",
            "discount": "discount",
            "discounts": "discount",
        },
    ),
    "line_item": Fields(
        read=f"""amount currency description {_below("discount_amounts", "amount")} id object
            {_below("parent", "invoice_item_details subscription_item_details")} parent.invoice_item_details.proration
            parent.invoice_item_details.subscription parent.subscription_item_details.proration
            parent.subscription_item_details.subscription {_below("period", "end start")}
            {_below("pretax_credit_amounts", "amount")} {_below("pricing", "price_details unit_amount_decimal")}
            pricing.price_details.price quantity subscription
            {_below("taxes", "amount tax_behavior tax_rate_details tax_rate_details.tax_rate taxability_reason")}""",
        older="price plan proration tax_amounts.*",
        harmless="""discountable discounts invoice livemode metadata quantity_decimal subtotal discount_amounts.discount
            parent.type parent.invoice_item_details.invoice_item parent.invoice_item_details.proration_details
            parent.subscription_item_details.invoice_item parent.subscription_item_details.proration_details
            parent.subscription_item_details.subscription_item pricing.type pricing.price_details.product
            pretax_credit_amounts.credit_balance_transaction pretax_credit_amounts.discount pretax_credit_amounts.type
            taxes.taxable_amount taxes.type amount_excluding_tax unit_amount_excluding_tax tax_rates""",
        inside={"plan": "plan", "price": "price"},
    ),
    "credit_note": Fields(
        read=f"""created currency customer customer_account {_below("discount_amounts", "amount")} effective_at id invoice
            lines livemode memo number object out_of_band_amount post_payment_amount
            pre_payment_amount reason {_below("refunds", "amount_refunded")} status subtotal total type
            {_below("total_taxes", "amount tax_behavior tax_rate_details tax_rate_details.tax_rate")}
            total_taxes.taxable_amount""",
        older="refund tax_amounts.* total_tax_amounts.*",
        harmless="""amount customer_balance_transaction discount_amount discount_amounts.discount metadata pdf
            pretax_credit_amounts refunds.payment_record_refund refunds.refund refunds.type subtotal_excluding_tax
            total_excluding_tax total_taxes.taxability_reason total_taxes.type voided_at""",
        named={
            "amount_shipping": "the delivery is not shown by itself: no document where its parts make no total",
            "shipping_cost": "the delivery is not shown by itself: no document where its parts make no total",
        },
        inside={"lines": "credit_note_line_item"},
    ),
    "credit_note_line_item": Fields(
        read="amount description id object quantity unit_amount_decimal",
        older="tax_amounts.* amount_excluding_tax unit_amount_excluding_tax",
        harmless="""discount_amount discount_amounts invoice_line_item livemode metadata pretax_credit_amounts tax_rates taxes
            type unit_amount""",
    ),
    "subscription_schedule": Fields(
        read=f"""{_below("current_phase", "start_date end_date")} customer customer_account end_behavior id object phases
            phases.start_date phases.end_date phases.default_tax_rates phases.collection_method
            phases.billing_cycle_anchor phases.proration_behavior phases.items phases.items.price
            phases.items.quantity phases.items.tax_rates phases.automatic_tax
            {_below("default_settings", "automatic_tax billing_cycle_anchor collection_method invoice_settings")}
            default_settings.invoice_settings.days_until_due {_below("phases.invoice_settings", "days_until_due")}
            {_below("phases.items.discounts", "coupon discount promotion_code")}
            {_below("phases.discounts", "coupon discount promotion_code")} released_subscription status subscription
            {_below("phases.add_invoice_items", "discountable discounts price quantity tax_rates")} phases.trial_end
            {_below("phases.add_invoice_items.discounts", "coupon discount promotion_code").partition(" ")[2]} livemode""",
        older="phases.trial phases.coupon phases.items.plan phases.plans renewal_behavior",
        harmless="""application billing_mode canceled_at completed_at created metadata released_at
            test_clock phases.automatic_tax.disabled_reason phases.automatic_tax.liability phases.currency
            default_settings.automatic_tax.disabled_reason default_settings.automatic_tax.liability
            default_settings.description default_settings.invoice_settings.account_tax_ids
            default_settings.invoice_settings.custom_fields default_settings.invoice_settings.description
            default_settings.invoice_settings.footer default_settings.invoice_settings.issuer phases.description
            phases.invoice_settings.account_tax_ids phases.invoice_settings.custom_fields
            phases.invoice_settings.description phases.invoice_settings.footer phases.invoice_settings.issuer
            phases.add_invoice_items.metadata phases.add_invoice_items.period phases.items.metadata phases.metadata""",
        named={
            "default_settings.application_fee_percent": _ELSEWHERE,
            "default_settings.billing_thresholds": _THRESHOLD,
            "default_settings.default_payment_method": _OWN_METHOD,
            "default_settings.on_behalf_of": _ELSEWHERE,
            "default_settings.transfer_data": _ELSEWHERE,
            "pause_schedules": "a pause that was put off is not carried over",
            "phases.application_fee_percent": _ELSEWHERE,
            "phases.billing_thresholds": _THRESHOLD,
            "phases.default_payment_method": _OWN_METHOD,
            "phases.items.billing_thresholds": _THRESHOLD,
            "phases.on_behalf_of": _ELSEWHERE,
            "phases.transfer_data": _ELSEWHERE,
        },
        refused=dict.fromkeys(("phases.automatic_tax.enabled", "default_settings.automatic_tax.enabled"), _AUTOMATIC),
        words={
            "default_settings.billing_cycle_anchor": "automatic phase_start",
            "default_settings.collection_method": _COLLECTION,
            "end_behavior": "cancel none release",
            "status": "active canceled completed not_started released",
            "phases.billing_cycle_anchor": "automatic phase_start",
            "phases.collection_method": _COLLECTION,
            "phases.proration_behavior": "always_invoice create_prorations none",
        },
    ),
    "invoiceitem": Fields(
        read=f"""amount currency customer customer_account date description discountable discounts id invoice net_amount object
            {_below("parent", "subscription_details subscription_details.subscription")} {_below("period", "end start")}
            {_below("pricing", "price_details price_details.price price_details.product unit_amount_decimal")} proration
            quantity tax_rates
            livemode""",
        older="subscription price plan unit_amount unit_amount_decimal",
        harmless="""deleted frozen_fields invoicing_rules metadata parent.type
            parent.subscription_details.subscription_item pricing.type proration_details quantity_decimal test_clock subscription_item""",
    ),
    "payment_method": Fields(
        read=f"""{_below("card", "brand last4 exp_month exp_year display_brand")} created customer customer_account id
            metadata.* object type livemode acss_debit.* affirm.* afterpay_clearpay.* alipay.* alma.* amazon_pay.*
            au_becs_debit.* bacs_debit.* bancontact.* billie.* bizum.* blik.* boleto.* card_present.* cashapp.* crypto.*
            custom.* customer_balance.* eps.* fpx.* giropay.* grabpay.* ideal.* interac_present.* kakao_pay.* klarna.*
            konbini.* kr_card.* link.* mb_way.* mobilepay.* multibanco.* naver_pay.* nz_bank_account.* oxxo.* p24.*
            pay_by_bank.* payco.* paynow.* paypal.* paypay.* payto.* pix.* promptpay.* revolut_pay.* samsung_pay.*
            satispay.* scalapay.* sepa_debit.* sequra.* sofort.* sunbit.* swish.* twint.* upi.* us_bank_account.*
            wechat_pay.* zip.*""",
        harmless="allow_redisplay billing_details radar_options card.*",
    ),
    "invoice_payment": Fields(
        read=f"""amount_paid amount_requested created id object {_below("payment", "charge payment_intent")}
            status {_below("status_transitions", "canceled_at paid_at")} livemode""",
        harmless="currency invoice is_default payment.type",
        named={"payment.payment_record": "a payment that was made elsewhere"},
    ),
}


def undecided(kind: str, field: str) -> bool:
    """Whether nobody decided what becomes of this field. One inside a field that is decided as a whole is decided."""
    decided = _decisions(kind)
    parts = field.split(".")
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        if f"{name}.*" in decided or decided.get(name) in ("harmless", "named", "refused"):
            return False
    return field not in decided


def findings(kind: str, raw: Any, path: str = "$", prefix: str = "") -> Iterator[Finding]:
    """What is to be said about the fields of one object, and of those inside it."""
    fields = KINDS.get(kind)
    if fields is None or not isinstance(raw, dict):
        return
    decided = _decisions(kind)
    for key, value in raw.items():
        if not isinstance(key, str) or _says_nothing(value):
            continue
        name, place = prefix + key, f"{path}.{key}"
        decision = decided.get(name, "read" if f"{name}.*" in decided else "")
        if decision in ("named", "refused"):
            words = fields.named if decision == "named" else fields.refused
            yield Finding(kind, name, words[name], place, is_refused=decision == "refused")
        elif name in fields.words and isinstance(value, str) and value not in fields.words[name].split():
            expected = ", ".join(fields.words[name].split())
            yield Finding(kind, name, f"expected one of {expected}; got {value[:40]!r}", place, is_refused=True)
        elif not decision and _MONEY.search(key):
            yield Finding(kind, name, "nobody knows this field, and it looks like money", place)
        elif decision == "read" and f"{name}.*" not in decided:
            if name not in _REFUSED_IN_PART and isinstance(value, dict) and value.get("has_more") is True:
                way_out = (
                    "import their list by itself, too" if name in _BY_THEMSELVES else f"export the {kind} with all"
                )
                yield Finding(kind, name, f"holds some of them only (has_more); {way_out}", place)
            inner = fields.inside.get(name)
            for where, each in _objects(value, place):
                own = inner or _kind_of(each)
                found = findings(own or kind, each, where, "" if own else f"{name}.")
                yield from (replace(one, is_refused=False) for one in found) if own and kind in _DOCUMENTS else found


def _kind_of(value: Any) -> str:
    """What an object says that it is: an expanded reference has its own decisions wherever it stands."""
    said = value.get("object") if isinstance(value, dict) else None
    return said if isinstance(said, str) and said in KINDS else ""


def _decisions(kind: str) -> dict[str, str]:
    found = _DECISIONS.get(kind)
    if found is None:
        fields = KINDS[kind]
        found = dict.fromkeys((fields.read + " " + fields.older).split(), "read")
        found |= dict.fromkeys(fields.harmless.split(), "harmless")
        found |= dict.fromkeys(fields.named, "named") | dict.fromkeys(fields.refused, "refused")
        _DECISIONS[kind] = found
    return found


_DECISIONS: dict[str, dict[str, str]] = {}


def _objects(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The objects in a field: itself, the entries of an array, or those of a list that Stripe wraps."""
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value, path = value["data"], f"{path}.data"
    if isinstance(value, list):
        yield from ((f"{path}[{index}]", each) for index, each in enumerate(value))
    else:
        yield path, value


def _says_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_says_nothing(each) for each in value.values())
    return value in (None, False, 0, "", "none", "now", []) or (
        isinstance(value, list) and all(map(_says_nothing, value))
    )
