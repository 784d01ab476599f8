"""A page's numbers move money only with the page's own fingerprint: not one that was made up, carried over or is old."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Cancel, Done, Move, Pause, Refusal, Retain, Stale, Unpause
from server.brands.features import Retention, SubscriptionCancel
from tests.contract.billing.test_plans import FEATURES, records
from tests.support.ledger_accounts import NOW, day

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
async def billing(backend):
    return await backend.begun(records(), CREDITING)


def keyed(billing, *keys):
    """The same backend with other secrets."""
    other = copy.copy(billing)
    other.keys = keys
    return other


async def everything(billing):
    """What both customers have, and what was written of it; a fetch in between makes the copy a newer one."""
    found = [await billing.account(each, NOW) for each in ("cus_1", "cus_2")]
    return [(replace(each, as_of=NOW), await billing.history(each.customer.id)) for each in found]


async def shown(billing, action, customer="cus_1", subscription="sub_1", now=NOW):
    page = await billing.preview(billing.by(customer, now=now), subscription, action)
    assert not isinstance(page, Refusal)
    return page


async def applied(billing, action, token, key="k", now=NOW):
    return await billing.apply(billing.by(key=key, now=now), "sub_1", action, shown=token)


ACTIONS = [Cancel(), Move("price_2"), Move(quantity=4), Move(code="half")]


async def forgeries(billing, action):
    """Fingerprints that look right, each by another way in which a customer could come by one."""
    true = (await shown(billing, action)).fingerprint
    moment, _, mac = true.partition(".")
    other_secret = keyed(billing, b"a key that is not the server's, 0123")
    yield "of another secret", (await shown(other_secret, action)).fingerprint
    yield "of another customer", (await shown(billing, action, "cus_2", "sub_2")).fingerprint
    yield "of another action", (await shown(billing, Move("price_0") if action == Cancel() else Cancel())).fingerprint
    yield "of another moment", f"{int(moment) - 1}.{mac}"
    yield "of an earlier moment", f"{int(moment) - 60_000_000}.{mac}"
    yield "with another mac", f"{moment}.{'0' * len(mac)}"
    yield "without a mac", f"{moment}."
    yield "with more behind it", f"{true}0"
    yield "empty", ""
    yield "in other digits", "²." + mac
    yield "of a lone surrogate", "\ud800" + true


@pytest.mark.parametrize("action", ACTIONS, ids=repr)
async def test_a_fingerprint_that_was_forged_or_carried_over_changes_nothing(billing, action):  # threat 53
    before = await everything(billing)
    seen = 0
    async for how, token in forgeries(billing, action):
        answer = await applied(billing, action, token)
        assert isinstance(answer, Stale), how
        assert await everything(billing) == before, how
        seen += 1
    assert seen == 11
    assert isinstance(await applied(billing, action, (await shown(billing, action)).fingerprint), Done)


@pytest.mark.parametrize("action", [Cancel(), Move("price_2"), Move(quantity=4)], ids=repr)
async def test_a_page_of_an_older_moment_gets_no_numbers_of_then(billing, action):  # threat 53, case money 5
    old = (await shown(billing, action)).fingerprint
    before = await everything(billing)
    answer = await applied(billing, action, old, now=LATER)
    assert isinstance(answer, Stale)
    assert await everything(billing) == before
    assert answer.preview != await shown(billing, action)


async def test_a_cancellation_credits_what_its_page_showed_and_not_what_a_minute_more_would(billing):
    page = await shown(billing, Cancel())
    done = await applied(billing, Cancel(), page.fingerprint, now=NOW + timedelta(minutes=20))
    assert isinstance(done, Done)
    assert done.account.balance == -page.credit
    assert page.credit.amount > 0


async def test_after_a_change_of_secrets_an_open_page_still_counts(billing):
    page = await shown(billing, Cancel())
    rotated = keyed(billing, b"the newer one, 0123456789abcdefghij", *billing.keys)
    assert isinstance(await applied(rotated, Cancel(), page.fingerprint), Done)


async def test_an_offer_is_taken_as_it_was_shown_or_not_at_all(billing):
    page = await shown(billing, Retain())
    before = await everything(billing)
    assert isinstance(await applied(billing, Retain(), ""), Stale)
    assert await everything(billing) == before
    assert isinstance(await applied(billing, Retain(), page.fingerprint), Done)


async def test_what_looks_the_same_to_two_customers_is_still_each_ones_own(billing):  # threats 53, 75
    for number in (1, 2):
        await billing.apply(billing.by(f"cus_{number}", key="p", now=NOW), f"sub_{number}", Pause(1))
    theirs = (await shown(billing, Unpause(), "cus_2", "sub_2")).fingerprint
    before = await everything(billing)
    assert isinstance(await applied(billing, Unpause(), theirs), Stale)
    assert await everything(billing) == before
    assert isinstance(await applied(billing, Unpause(), (await shown(billing, Unpause())).fingerprint), Done)
