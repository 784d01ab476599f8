"""Amounts are counted as Stripe counts them, whatever a locale prints, on pages, in mails, in CSV and in XML."""

from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from server.billing import Money, electronic
from server.features.invoices.exports import decimal
from server.formats.minor_units import ALWAYS_WHOLE, THOUSANDTHS, WITHOUT, digits, in_units
from server.rendering.filters import babel_locale, filters_of

# Every presentment currency of https://docs.stripe.com/currencies, and the ones that old exports still hold.
NAMES = (
    "USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR "
    "ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRO MUR "
    "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK "
    "SGD SHP SLE SLL SOS SRD STD SVC SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VND VUV WST XAF XCD XCG XOF "
    "XPF YER ZAR ZMW"
)
STRIPES = NAMES.split()
NONE = {
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
THREE = {"BHD", "JOD", "KWD", "OMR", "TND"}


def filters(locale):
    return filters_of(babel_locale(locale), ZoneInfo("UTC"), "DE")


@pytest.mark.parametrize("code", STRIPES)
def test_every_currency_of_stripe_is_counted_as_stripe_counts_it(code):
    expected = 0 if code in NONE else 3 if code in THREE else 2
    assert digits(code) == digits(code.lower()) == expected
    assert in_units(123400, code) * 10**expected == 123400
    assert decimal(Money(-123400, code)) == f"{Decimal(-123400).scaleb(-expected):f}"
    # ISK and UGX: their hundredths are always zero, so that nobody is shown them.
    decimals = "" if code in ALWAYS_WHOLE or not expected else "." + "0" * expected
    whole = f"{123400000 // 10**expected:,}"
    assert filters("en")["money"](Money(123400000, code)).endswith(whole + decimals)


def test_the_two_lists_hold_nothing_that_stripe_does_not_name():
    assert WITHOUT == NONE
    assert THOUSANDTHS == THREE
    assert not WITHOUT & (THOUSANDTHS | ALWAYS_WHOLE)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (120000, "RSD", "en", "RSD\u00a01,200.00"),
        (120000, "RSD", "de", "1.200,00\u00a0RSD"),
        (120000, "HUF", "en", "HUF\u00a01,200.00"),
        (120000, "TWD", "en", "NT$1,200.00"),
        (120000, "ISK", "en", "ISK\u00a01,200"),
        (120050, "ISK", "en", "ISK\u00a01,200.50"),
        (500, "UGX", "fr", "5\u00a0UGX"),
        (120000, "JPY", "en", "¥120,000"),
        (3120, "KWD", "en", "KWD\u00a03.120"),
        (-290, "EUR", "de", "-2,90\u00a0€"),
        (120000, "LBP", "en", "LBP\u00a01,200.00"),
        (120000, "MGA", "en", "MGA\u00a0120,000"),
    ],
)
def test_how_a_locale_prints_a_currency_does_not_decide_what_its_minor_unit_counts(amount, currency, locale, written):
    assert filters(locale)["money"](Money(amount, currency)) == written


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        ("0.5", "EUR", "€0.005"),
        ("2", "RSD", "RSD\u00a00.02"),
        ("0.5", "JPY", "¥0.5"),
        ("1000.25", "KWD", "KWD\u00a01.00025"),
        ("120000", "UGX", "UGX\u00a01,200"),
    ],
)
def test_a_unit_price_keeps_its_fractions(minor, currency, written):
    assert filters("en")["unit_price"](minor, currency) == written


def test_the_electronic_invoice_counts_the_same_way():
    empty = {
        "number": "A-1", "lines": (1,), "has_more_lines": False, "status": "paid", "total": Money(1, "RSD"),
        "credited": None, "balance_applied": None, "shipping": None, "taxes": (), "customer_address": SimpleNamespace(country="RS"),
    }  # fmt: skip
    gaps = {code: electronic._invoice_gaps(SimpleNamespace(currency=code, **empty)) for code in ("RSD", "KWD", "JPY")}
    assert gaps == {"RSD": [], "KWD": ["currency"], "JPY": []}


@pytest.mark.parametrize(
    ("amount", "locale", "end"),
    [
        (Money(2069, "USD"), "ar", "US$\u200e"),
        (Money(2069, "GBP"), "ar", "UK£\u200e"),
        (Money(2069, "EUR"), "ar", "€"),
        (Money(2069, "USD"), "en", "20.69"),
        (Money(2069, "USD"), "fr", "$US"),
    ],
)
def test_from_right_to_left_a_sign_stays_with_its_letters(amount, locale, end):
    assert filters(locale)["money"](amount).endswith(end)
