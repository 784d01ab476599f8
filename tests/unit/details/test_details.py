"""The billing details, and addresses in the order of their country."""

import pytest
from msgspec.structs import replace

from server.billing import Address
from server.brands.portal_file import Seat
from server.features.details import views
from server.formats import address_lines, postal
from server.paths import Paths
from server.rendering.renderer import Renderer
from tests.support.accounts import account
from tests.support.rendered import lines, renderer


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (Address("Speicherstraße 4", "", "Hamburg", "HH", "20457", "DE"), ["Speicherstraße 4", "20457 Hamburg"]),
        (
            Address("510 Townsend St", "Floor 2", "San Francisco", "CA", "94103", "US"),
            ["510 Townsend St", "Floor 2", "San Francisco, CA 94103", "United States"],
        ),
        (
            Address("510 Townsend St", "", "San Francisco", "", "94103", "US"),
            ["510 Townsend St", "San Francisco 94103", "United States"],
        ),
        (
            Address("10 Downing St", "", "London", "", "SW1A 2AA", "GB"),
            ["10 Downing St", "London", "SW1A 2AA", "United Kingdom"],
        ),
        (
            Address("Bahnhofstr. 1", "", "Zürich", "ZH", "8001", "CH"),
            ["Bahnhofstr. 1", "CH-8001 Zürich", "Switzerland"],
        ),
        (
            Address("Bahnhofstr. 1", "", "Zürich", "", "CH-8001", "CH"),
            ["Bahnhofstr. 1", "CH-8001 Zürich", "Switzerland"],
        ),
        (
            Address("神宮前1-2-3", "", "渋谷区", "東京都", "150-0001", "JP"),
            ["〒150-0001", "東京都渋谷区", "神宮前1-2-3", "Japan"],
        ),
        (
            Address("1-2-3 Jingumae", "Bldg 4", "Shibuya-ku", "Tokyo", "150-0001", "JP"),
            ["1-2-3 Jingumae", "Bldg 4, Shibuya-ku, Tokyo", "150-0001", "Japan"],
        ),
        (
            Address("1 Raffles Pl", "", "Singapore", "", "048616", "SG"),
            ["1 Raffles Pl", "SINGAPORE 048616", "Singapore"],
        ),
        (Address("1 Calle", "", "", "", "", "ES"), ["1 Calle", "Spain"]),
        (Address(country="FR"), ["France"]),
        (Address(line1="Somewhere"), ["Somewhere"]),
        (Address("Via Roma 1", "", "Torino", "TO", "10121", "IT"), ["Via Roma 1", "10121 Torino TO", "Italy"]),
        (Address(city="Nowhere", country="QQ"), ["Nowhere", "QQ"]),
    ],
)
def test_an_address_reads_as_its_country_writes_it(address, expected):
    """The business is in Germany: it and its customers there need not be told so."""
    brand = renderer().brand
    home = replace(brand.config.business, address=Seat(country="DE"))
    german = Renderer(replace(brand, config=replace(brand.config, business=home)), renderer().assets, Paths(brand.base))
    template = german.environment().from_string('{% from "components/address.html" import address %}{{ address(it) }}')
    assert lines(template.render(it=address)) == expected


@pytest.mark.parametrize("letters", ["a", "漢", "Я"])
def test_no_country_loses_a_part_of_an_address_but_its_state(letters):
    parts = [f"{letters}{n}" for n in range(5)]
    for code in postal.codes():
        written = " ".join(address_lines.lines(Address(*parts, code))).casefold()
        assert [each for each in parts if each.casefold() not in written] in ([], [parts[3].casefold()], [parts[3]]), (
            code
        )


def test_a_customer_without_an_address_has_none():
    it = views.details(account())
    assert not it.has_address
    assert not it.has_shipping


def test_a_shipping_name_alone_is_shown():
    assert views.details(account(shipping_name="Front desk")).has_shipping
