"""A portal that offers everything about plans."""

import pytest

from tests.support.accounts import Failing
from tests.support.pages import ledger_of
from tests.support.selling import offering
from tests.support.world import World


@pytest.fixture
def update():
    """Keys of `subscription_update` that a test changes."""
    return {}


@pytest.fixture
def shop(sqlite_store, clock, update):
    return World(sqlite_store, clock, features=offering(**update))


@pytest.fixture
def told():
    """The billing sides of `shaky_shop`, one a brand, which do what they are told."""
    return []


@pytest.fixture
def shaky_shop(sqlite_store, clock, told):
    def make(brand, store):
        told.append(Failing(ledger_of(store, brand.name, brand.config.features)))
        return told[-1]

    return World(sqlite_store, clock, features=offering(), billing=make)
