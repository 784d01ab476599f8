"""A page's numbers move money only with the page's own fingerprint: not one that was made up, carried over or is old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Cancel, Done, Move, Pause, Refusal, Retain, Stale, Unpause
from server.brands.features import Retention, SubscriptionCancel
from server.merchant.importing.files import import_records
from tests.contract.billing.test_atomicity import everything
from tests.contract.billing.test_plans import FEATURES, records
from tests.support.ledger_accounts import NOW, day
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio

CREDITING = replace(
    FEATURES,
    subscription_cancel=SubscriptionCancel(
        mode="immediately", proration_behavior="create_prorations", retention=Retention("OFF")
    ),
)
LATER = day(2026, 3, 28)
"""Half of the period and more lies behind: an older page would credit more."""


@pytest.fixture
async def ledger(store):
    await import_records(store, "plain", records(), now=NOW)
    return ledger_of(store, "plain", CREDITING)


async def shown(ledger, action, customer="cus_1", subscription="sub_1", now=NOW):
    page = await ledger.preview(ledger.by(customer, now=now), subscription, action)
    assert not isinstance(page, Refusal)
    return page


async def applied(ledger, action, token, key="k", now=NOW):
    return await ledger.apply(ledger.by(key=key, now=now), "sub_1", action, shown=token)


ACTIONS = [Cancel(), Move("price_2"), Move(quantity=4), Move(code="half")]


async def forgeries(ledger, store, action):
    """Fingerprints that look right, each by another way in which a customer could come by one."""
    true = (await shown(ledger, action)).fingerprint
    moment, _, mac = true.partition(".")
    other_secret = ledger_of(store, "plain", CREDITING, keys=(b"a key that is not the server's, 0123",))
    yield "of another secret", (await shown(other_secret, action)).fingerprint
    yield "of another customer", (await shown(ledger, action, "cus_2", "sub_2")).fingerprint
    yield "of another action", (await shown(ledger, Move("price_0") if action == Cancel() else Cancel())).fingerprint
    yield "of another moment", f"{int(moment) - 1}.{mac}"
    yield "of an earlier moment", f"{int(moment) - 60_000_000}.{mac}"
    yield "with another mac", f"{moment}.{'0' * len(mac)}"
    yield "without a mac", f"{moment}."
    yield "with more behind it", f"{true}0"
    yield "empty", ""
    yield "in other digits", "²." + mac
    yield "of a lone surrogate", "\ud800" + true


@pytest.mark.parametrize("action", ACTIONS, ids=repr)
async def test_a_fingerprint_that_was_forged_or_carried_over_changes_nothing(ledger, store, action):  # threat 53
    before = await everything(store)
    seen = 0
    async for how, token in forgeries(ledger, store, action):
        answer = await applied(ledger, action, token)
        assert isinstance(answer, Stale), how
        assert await everything(store) == before, how
        seen += 1
    assert seen == 11
    assert isinstance(await applied(ledger, action, (await shown(ledger, action)).fingerprint), Done)


@pytest.mark.parametrize("action", [Cancel(), Move("price_2"), Move(quantity=4)], ids=repr)
async def test_a_page_of_an_older_moment_gets_no_numbers_of_then(ledger, store, action):  # threat 53
    old = (await shown(ledger, action)).fingerprint
    before = await everything(store)
    answer = await applied(ledger, action, old, now=LATER)
    assert isinstance(answer, Stale)
    assert await everything(store) == before
    assert answer.preview != await shown(ledger, action)


async def test_a_cancellation_credits_what_its_page_showed_and_not_what_a_minute_more_would(ledger):
    page = await shown(ledger, Cancel())
    done = await applied(ledger, Cancel(), page.fingerprint, now=NOW + timedelta(minutes=20))
    assert isinstance(done, Done)
    assert done.account.balance == -page.credit
    assert page.credit.amount > 0


async def test_after_a_change_of_secrets_an_open_page_still_counts(store, ledger):
    page = await shown(ledger, Cancel())
    rotated = ledger_of(store, "plain", CREDITING, keys=(b"the newer one, 0123456789abcdefghij", *ledger.keys))
    assert isinstance(await applied(rotated, Cancel(), page.fingerprint), Done)


async def test_an_offer_is_taken_as_it_was_shown_or_not_at_all(store, ledger):
    page = await shown(ledger, Retain())
    before = await everything(store)
    assert isinstance(await applied(ledger, Retain(), ""), Stale)
    assert await everything(store) == before
    assert isinstance(await applied(ledger, Retain(), page.fingerprint), Done)


async def test_what_looks_the_same_to_two_customers_is_still_each_ones_own(store, ledger):  # threats 53, 75
    for number in (1, 2):
        await ledger.apply(ledger.by(f"cus_{number}", key="p", now=NOW), f"sub_{number}", Pause(1))
    theirs = (await shown(ledger, Unpause(), "cus_2", "sub_2")).fingerprint
    before = await everything(store)
    assert isinstance(await applied(ledger, Unpause(), theirs), Stale)
    assert await everything(store) == before
    assert isinstance(await applied(ledger, Unpause(), (await shown(ledger, Unpause())).fingerprint), Done)
