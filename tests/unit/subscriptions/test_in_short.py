"""What a card says in one line, how a switch of plans begins, and by what name a tax ID goes on paper. Pure: no portal runs."""

import re
from datetime import timedelta

import pytest

from server.billing import Catalog, Recurring, Upcoming
from server.billing.model.catalog import Tier
from server.billing.rules.plans import options
from server.brands.features import Product
from server.features.subscriptions import change_views, views
from tests.support.accounts import END, FEATURES, NOW, account, ending, eur, item, price, subscription
from tests.support.rendered import renderer, words
from tests.support.selling import SMALL, YEARLY, offering

METERED = item(
    id="si_use", price=price(id="price_use", unit_amount="35", recurring=Recurring("month", usage="metered"))
)
STEPS = item(id="si_steps", price=price(id="price_steps", unit_amount="", tiers=(Tier(None, "500"),)))


def line(it, **rest):
    view = views.card(it, account(it, **rest), FEATURES, NOW)
    found = re.search(r'<p class="in-short">(.*?)</p>', renderer().fragment(view), re.DOTALL)
    return words(found[1]) if found else ""


def charge(amount, **more):
    return {"upcoming": (Upcoming("sub_1", END, eur(amount), **more),)}


def test_a_card_says_what_is_paid_when_and_with_what():
    assert line(subscription()) == "€14.50 a month Next charge on March 15, 2026 Visa •••• ending in 4242"


def test_an_amount_that_is_not_the_price_is_said_with_the_next_charge():
    assert "Next charge €12.00 on March 15, 2026" in line(subscription(), **charge(1200))
    assert "Next charge €43.50 on March 15, 2026" in line(subscription(items=(item(quantity=3),)), **charge(4350))


def test_who_pays_by_invoice_gets_one_and_is_not_charged():
    sent = {"collection_method": "send_invoice", "days_until_due": 14}
    assert line(subscription(**sent)) == "€14.50 a month Next invoice on March 15, 2026 By invoice, due within 14 days"
    assert "Next invoice €12.00 on March 15, 2026" in line(subscription(**sent), **charge(1200))


def test_what_depends_on_use_is_no_fixed_amount():  # D6
    assert "Next charge on March 15, 2026, for what you use" in line(
        subscription(items=(METERED,)), **charge(0, plus_usage=True)
    )
    both = line(subscription(items=(item(), METERED)), **charge(1450, plus_usage=True))
    assert "Next charge €14.50 plus what you use on March 15, 2026" in both


def test_steps_are_charged_as_the_preview_says():
    assert "Next charge €25.00 on March 15, 2026" in line(subscription(items=(STEPS,)), **charge(2500))


@pytest.mark.parametrize(
    ("mode", "first", "said"),
    [("graduated", "0", "3,000 included"), ("graduated", "2", "Up to 3,000: €0.02 each"),
     ("volume", "0", "Up to 3,000: €0.00 each")],
)  # fmt: skip
def test_units_that_cost_nothing_are_included_unless_more_would_cost_them_too(mode, first, said):
    steps = price(unit_amount="", tiers=(Tier(3000, first), Tier(None, "1")), tiers_mode=mode)
    view = views.card(it := subscription(items=(item(price=steps),)), account(it), FEATURES, NOW)
    shown = words(renderer().fragment(view))
    assert f"{said} Above that: €0.01 each" in shown


def test_nothing_is_said_to_be_charged_after_the_end():
    assert "Next charge" not in line(ending())
    assert "Visa" not in line(ending())
    over = subscription(status="canceled", ended_at=NOW - timedelta(days=1))
    assert "Next charge" not in line(over)


@pytest.mark.parametrize(("yearly", "saves"), [("14500", 16), ("17400", 0), ("20000", 0), ("", 0)])
def test_a_yearly_price_says_how_much_it_saves(yearly, saves):
    tiers = {} if yearly else {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": (Tier(None, "9900"),)}
    year = price(id=YEARLY.id, product=SMALL.product, unit_amount=yearly, recurring=Recurring("year"), **tiers)
    features = offering(products=(Product(SMALL.product, (SMALL.id, year.id)),))
    it = subscription()
    sold = options(it, Catalog(prices={SMALL.id: SMALL, year.id: year}), features, NOW)
    view = change_views.choose_plan(it, account(it), sold, features, NOW)
    assert [each.saves for group in view.intervals for each in group.plans] == [0, saves]
    assert (f"save up to {saves}%" in renderer().fragment(view)) == bool(saves)


def test_the_switch_begins_with_the_plan_of_now():
    year = price(id=YEARLY.id, product=SMALL.product, unit_amount="14500", recurring=Recurring("year"))
    features = offering(products=(Product(SMALL.product, (SMALL.id, year.id)),))
    it = subscription(items=(item(price=year),))
    sold = options(it, Catalog(prices={SMALL.id: SMALL, year.id: year}), features, NOW)
    html = renderer().fragment(change_views.choose_plan(it, account(it), sold, features, NOW))
    (open_one,) = re.findall(r'name="every" value="(\d)" checked', html)
    chosen = re.search(rf'value="{year.id}"[^>]*checked', html)
    assert chosen
    assert html.count("<fieldset>", html.index('<div class="plans">'), chosen.start()) == int(open_one)


@pytest.mark.parametrize(
    ("kind", "number", "name"),
    [
        ("eu_vat", "DE123456789", "EU VAT number (USt-IdNr.)"),
        ("eu_vat", "IE6388047V", "VAT number"),
        ("gb_vat", "GB980780684", "VAT registration number"),
        ("au_abn", "12345678912", "ABN"),
        ("in_gst", "12ABCDE3456FGZH", "GST number"),
        ("", "12-3456789", "Tax ID"),
    ],
)
def test_a_vat_number_is_called_one_on_paper(kind, number, name):  # D7
    source = '{% from "components/tax_kind.html" import tax_kind %}{{ tax_kind(kind, number) }}'
    assert renderer().environment().from_string(source).render(kind=kind, number=number) == name
