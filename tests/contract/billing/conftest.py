"""A ledger over each store, and ways to fill it."""

import pytest

from server.brands.features import Features
from server.merchant.importing.files import import_records
from server.publishing.samples import records
from tests.support.ledger_accounts import NOW
from tests.support.pages import ledger_of


@pytest.fixture
def ledger(store):
    return ledger_of(store, "plain", Features())


@pytest.fixture
async def samples(store):
    """The ids of the sample customers of the brand `plain`, by the first part of their address."""
    await import_records(store, "plain", records("plain", NOW), now=NOW)
    found = await store.read("SELECT address, id FROM customer WHERE brand = 'plain' ORDER BY created_at")
    return {address.split("@")[0]: identity for address, identity in reversed(found)}
