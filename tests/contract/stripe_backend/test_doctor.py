"""`doctor` about a brand that Stripe bills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from server.billing.stripe.leases import Lease
from server.merchant import stripe_findings
from server.merchant.syncing import NotSynced, sync
from server.settings import StripeSecrets
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.app import KEY
from tests.stripe.keys import EVERYTHING, Key
from tests.support.world import SETTINGS, brands

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def look(store, url, now=NOW, **secrets):
    brand = next(each for each in brands() if each.name == BRAND)
    settings = replace(SETTINGS, stripe={"HARBOUR": StripeSecrets(KEY, **secrets)}, stripe_api_base=url)
    found = [await stripe_findings.key(settings, brand), *await stripe_findings.near(settings, store, brand, now)]
    return {each.what: (each.is_fine, each.words) for each in found}


async def test_each_permission_that_the_key_lacks_is_named(sqlite_store, served):
    standin, url = served
    assert (await look(sqlite_store, url))["Stripe's key of harbour"][0]
    standin.keys[KEY] = Key(KEY, EVERYTHING - {"coupon_read", "coupon_write", "event_read", "event_write"})
    fine, words = (await look(sqlite_store, url))["Stripe's key of harbour"]
    assert (fine, words) == (False, "lacks the permission to read Coupons, Events")
    standin.keys[KEY] = Key(KEY, EVERYTHING - {"invoice_write", "customer_write"})
    fine, words = (await look(sqlite_store, url))["Stripe's key of harbour"]
    assert (fine, words) == (False, "lacks the permission to write Customers, Invoices")
    assert all(each.verb == "get" or each.status in (403, 404) for each in standin.log)


async def test_what_was_synced_and_is_not_followed_yet_is_told(sqlite_store, served):
    assert (await look(sqlite_store, served[1]))["Stripe's copies of harbour"] == (False, "never read")
    lease = Lease(sqlite_store, BRAND, "sync", "one")
    await lease.take(NOW)
    await lease.move("", NOW)
    fine, words = (await look(sqlite_store, served[1]))["Stripe's copies of harbour"]
    assert (fine, words.startswith("the directory is of 2026-03-01 00:00:00 UTC")) == (False, True)


async def test_a_key_that_was_rolled_is_told_and_not_shown(sqlite_store, served):
    standin, url = served
    standin.keys.clear()
    fine, words = (await look(sqlite_store, url))["Stripe's key of harbour"]
    assert not fine
    assert "does not know this key" in words
    assert KEY not in words


async def test_a_sync_says_which_key_stripe_does_not_take(sqlite_store, served):
    standin, url = served
    standin.keys.clear()
    settings = replace(SETTINGS, stripe={"HARBOUR": StripeSecrets(KEY)}, stripe_api_base=url)
    brand = next(each for each in brands() if each.name == BRAND)
    config = replace(brand.config, billing=replace(brand.config.billing, backend="stripe"))
    with pytest.raises(NotSynced, match=r"^Stripe does not take the key, PORTAL_STRIPE_KEY_HARBOUR") as refused:
        await sync(settings, sqlite_store, replace(brand, config=config), lambda: NOW, lambda *_: None)
    assert KEY not in str(refused.value)


async def test_stripe_away_is_told(sqlite_store):
    fine, words = (await look(sqlite_store, "http://127.0.0.1:1"))["Stripe's key of harbour"]
    assert (fine, words) == (False, "Stripe does not answer")


async def test_how_old_the_copies_are_is_said(sqlite_store, served):
    _, url = served
    assert (await look(sqlite_store, url))["Stripe's copies of harbour"] == (False, "never read")
    lease = Lease(sqlite_store, BRAND, "events", "one")
    await lease.take(NOW)
    await lease.move("1", NOW)
    for after, fine in ((60, True), (3600, False)):
        found = await look(sqlite_store, url, NOW + timedelta(seconds=after))
        assert found["Stripe's copies of harbour"][0] is fine


async def test_where_the_webhook_is_taken_is_said(sqlite_store, served):
    _, url = served
    assert (
        "https://portal.example/harbour/webhooks/stripe"
        in (await look(sqlite_store, url))["Stripe's webhook of harbour"][1]
    )
    told = await look(sqlite_store, url, webhook_secret="whsec_0123456789")
    assert told["Stripe's webhook of harbour"][1].startswith("taken at")
