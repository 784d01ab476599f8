"""A cancellation that was declared without logging in, where Stripe bills: proved, it is done there."""

from __future__ import annotations

import pytest

from server.access.declarations import Case, Content, Declaration
from server.billing import Unavailable
from server.features.doors import applying
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio


def declared(shop, address="jenny@example.com"):
    said = Content("cancel", "Jenny Rosen", address, "The beans", "ordinary", locale="en")
    return Case(Declaration("dec_0123456789abcdef", BRAND, shop.clock(), said), "", shop.clock(), "open")


async def test_it_ends_the_one_subscription_once(shop, stripe_world, standin):  # E3
    portal = shop.state.portals[BRAND]
    first = await applying.apply(portal, declared(shop), "", shop.clock())
    assert first
    row = stripe_world.tables["subscription"][first.subscription]
    assert int(first.ends_at.timestamp()) == row["cancel_at"]
    assert row["status"] == "active"
    written = standin.count("subscription.update")
    again = await applying.apply(portal, declared(shop), "", shop.clock())
    assert again == first
    assert standin.count("subscription.update") == written


async def test_with_stripe_away_nothing_is_said_to_be_done(shop, standin):  # E3
    standin.faults.append(Fault("refused", times=1000))
    with pytest.raises(Unavailable):
        await applying.apply(shop.state.portals[BRAND], declared(shop), "", shop.clock())
