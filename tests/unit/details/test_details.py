"""The billing details, and addresses in the order of their country."""

import pytest

from server.billing import Address
from server.details import views
from tests.support.accounts import account
from tests.support.rendered import lines, renderer


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            Address("Speicherstraße 4", "", "Hamburg", "", "20457", "DE"),
            ["Speicherstraße 4", "20457 Hamburg", "Germany"],
        ),
        (
            Address("510 Townsend St", "Floor 2", "San Francisco", "CA", "94103", "US"),
            ["510 Townsend St", "Floor 2", "San Francisco, CA 94103", "United States"],
        ),
        (
            Address("10 Downing St", "", "London", "", "SW1A 2AA", "GB"),
            ["10 Downing St", "London", "SW1A 2AA", "United Kingdom"],
        ),
        (Address(country="FR"), ["France"]),
        (Address(line1="Somewhere"), ["Somewhere"]),
        (Address("Via Roma 1", "", "Torino", "TO", "10121", "IT"), ["Via Roma 1", "10121 Torino, TO", "Italy"]),
        (Address(city="Nowhere", country="QQ"), ["Nowhere", "QQ"]),
    ],
)
def test_an_address_reads_as_its_country_writes_it(address, expected):
    template = (
        renderer().environment().from_string('{% from "components/address.html" import address %}{{ address(it) }}')
    )
    assert lines(template.render(it=address)) == expected


def test_a_customer_without_an_address_has_none():
    it = views.details(account())
    assert not it.has_address
    assert not it.has_shipping


def test_a_shipping_name_alone_is_shown():
    assert views.details(account(shipping_name="Front desk")).has_shipping
