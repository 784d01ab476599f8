"""Payment methods of both backends, on both stores: each change once, and never the last one while a subscription lives."""

import asyncio
from datetime import timedelta

import pytest

from server.billing import NotFound, Refused, Unpin
from server.billing.ledger import sandbox as provider_sessions
from server.billing.ledger.sandbox import LIFE, ProviderSession
from server.publishing.samples import records
from server.store import micros
from tests.support.accounts import START, card
from tests.support.ledger_accounts import NOW

pytestmark = pytest.mark.anyio
HOW = {"now": NOW, "browser": "Firefox on Linux"}


@pytest.fixture
def jenny(samples):
    return samples["jenny"]


@pytest.fixture
async def billing(backend):
    return await backend.begun(records("plain", NOW))


@pytest.fixture
async def people(billing, store):
    """The ids of the sample customers, by the first part of their address."""
    found = await store.read("SELECT address, id FROM customer WHERE brand = 'plain' ORDER BY created_at")
    return {address.split("@")[0]: identity for address, identity in reversed(found)}


async def ids(billing, customer):
    account = await billing.account(customer, NOW)
    return [each.id for each in account.payment_methods], account.customer.default_payment_method


async def test_one_is_added_once_for_its_key_and_is_the_default(ledger, jenny, store):  # P2, P3
    for _ in range(2):
        await ledger.add_payment_method(
            ledger.by(jenny, key="visit-1", **HOW), card("pm_new", created_at=START), replaces=""
        )
    found, default = await ids(ledger, jenny)
    assert (found.count("pm_new"), len(found), default) == (1, 3, "pm_new")
    lines = await ledger.history(jenny)
    assert [(each.kind, each.data["last4"]) for each in lines] == [("payment_method.added", "4242")]


async def test_a_new_one_leaves_the_default_alone_where_it_is_to(ledger, jenny):  # P3
    _, default = await ids(ledger, jenny)
    url = await ledger.setup(ledger.by(jenny, now=NOW), return_to="/plain/my/payment-methods", as_default=False)
    seen = await provider_sessions.find(ledger.store, "plain", jenny, url.rpartition("/")[2], NOW)
    assert provider_sessions.KEEPS in seen.data
    by = ledger.by(jenny, key="visit-1", **HOW)
    await ledger.add_payment_method(by, card("pm_new", created_at=START), replaces="", as_default=False)
    found, kept = await ids(ledger, jenny)
    assert (kept, "pm_new" in found) == (default, True)


async def test_two_cards_typed_into_one_visit_are_one_method(ledger, jenny):
    first, second = card("pm_visit"), card("pm_visit", last4="4444", brand="mastercard")
    await asyncio.gather(
        *(
            ledger.add_payment_method(ledger.by(jenny, key="visit-1", **HOW), each, replaces="")
            for each in (first, second)
        )
    )
    assert (await ids(ledger, jenny))[0].count("pm_visit") == 1


async def test_a_default_is_chosen_and_a_key_is_for_one_thing(billing, people):  # P4
    (first, second), default = await ids(billing, people["jenny"])
    other = second if default == first else first
    await billing.set_default(billing.by(people["jenny"], key="k1", **HOW), other, everywhere=False)
    assert (await ids(billing, people["jenny"]))[1] == other
    with pytest.raises(Refused, match="key_reused"):
        await billing.set_default(billing.by(people["jenny"], key="k1", **HOW), other, everywhere=True)


@pytest.mark.parametrize("round_", range(3))
async def test_two_tabs_that_remove_the_last_two_leave_one(billing, people, round_):  # P4
    found, _ = await ids(billing, people["jenny"])
    tabs = [
        billing.remove_payment_method(billing.by(people["jenny"], key=f"tab-{each}", **HOW), each) for each in found
    ]
    answers = await asyncio.gather(*tabs, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, Refused)]
    assert [each.reason for each in refused] == ["last_method"]
    left, default = await ids(billing, people["jenny"])
    assert left == [default]


async def test_removing_twice_removes_once(billing, people):  # P4
    found, default = await ids(billing, people["jenny"])
    gone = next(each for each in found if each != default)
    for _ in range(2):
        await billing.remove_payment_method(billing.by(people["jenny"], key="k1", **HOW), gone)
    assert await ids(billing, people["jenny"]) == ([default], default)
    with pytest.raises(NotFound):
        await billing.remove_payment_method(billing.by(people["jenny"], key="k2", **HOW), gone)
    assert len(await billing.history(people["jenny"])) == 1


async def test_a_subscription_is_charged_to_the_default_again(billing, people):  # P5
    whose = people["zoe"]
    account = await billing.account(whose, NOW)
    (pinned,) = [each for each in account.subscriptions if each.default_payment_method]
    after = (await billing.apply(billing.by(whose, key="k1", **HOW), pinned.id, Unpin())).account
    assert after.subscription(pinned.id).default_payment_method == ""
    assert (await billing.history(whose))[0].kind == "subscription.unpinned"


async def test_one_default_for_everything(billing, people):  # P3
    whose = people["zoe"]
    (good,) = [each for each in (await billing.account(whose, NOW)).payment_methods if each.brand == "amex"]
    after = await billing.set_default(billing.by(whose, key="k1", **HOW), good.id, everywhere=True)
    assert {each.default_payment_method for each in after.subscriptions} == {""}


async def test_another_customers_methods_are_not_found(billing, people):  # threat 75
    theirs = (await ids(billing, people["sam"]))[0][0]
    with pytest.raises(NotFound):
        await billing.set_default(billing.by(people["jenny"], key="k1", **HOW), theirs, everywhere=False)
    with pytest.raises(NotFound):
        await billing.remove_payment_method(billing.by(people["jenny"], key="k2", **HOW), theirs)
    by = billing.by(people["jenny"], now=NOW)
    with pytest.raises(NotFound):
        await billing.setup(by, replaces=theirs, return_to="/plain/my/payment-methods")


async def test_a_visit_is_moved_on_by_one_and_ends_after_an_hour(ledger, jenny, store):
    url = await ledger.setup(ledger.by(jenny, now=NOW), return_to="/plain/my/payment-methods")
    token = url.rpartition("/")[2]
    seen = await provider_sessions.find(store, "plain", jenny, token, NOW)
    assert seen == ProviderSession("setup", "", "/plain/my/payment-methods")

    async def move():
        return await store.write(
            lambda transaction: provider_sessions.move(transaction, "plain", token, seen, state="done", now=NOW)
        )

    assert sorted(await asyncio.gather(*(move() for _ in range(8)))) == [False] * 7 + [True]
    assert await provider_sessions.find(store, "orbit", jenny, token, NOW) is None
    assert await provider_sessions.find(store, "plain", "cus_other", token, NOW) is None
    assert await provider_sessions.find(store, "plain", jenny, token, NOW + LIFE) is None
    kept = await store.read("SELECT expires_at FROM provider_session")
    assert kept == [(micros(NOW + timedelta(hours=1)),)]
