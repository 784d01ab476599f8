"""Secrets that were given in the studio: sealed in the store, used where the environment has none."""

import pytest
from msgspec.structs import replace

from server.access import kept_secrets
from server.access.kept_secrets import STRIPE_KEY, STRIPE_WEBHOOK_SECRET
from server.settings import StripeSecrets
from tests.support.world import SETTINGS

pytestmark = pytest.mark.anyio
KEY, OTHER = "rk_test_canary0123456789abcd", "rk_live_canary9876543210wxyz"
SECRET = "whsec_canary0123456789efgh"
NEW, OLD = b"a newer secret, 0123456789abcdefgh", SETTINGS.secrets[0]


@pytest.fixture
def keep(store, clock):
    async def keep(name, secret, brand="harbour", settings=SETTINGS):
        who = {"operator": "ann@shop.example", "now": clock()}
        return await store.write(lambda it: kept_secrets.keep(it, settings, brand, name, secret, **who))

    return keep


async def test_what_is_kept_is_used_where_the_environment_has_none(store, keep):
    await keep(STRIPE_KEY, OTHER)
    await keep(STRIPE_KEY, KEY)
    await keep(STRIPE_WEBHOOK_SECRET, SECRET, "a-b")
    own = replace(SETTINGS, stripe={"A_B": StripeSecrets("sk_test_0123456789")})
    read = await kept_secrets.joined(own, store)
    assert (read.stripe_of("harbour").key, read.stripe_of("harbour").webhook_secret) == (KEY, "")
    assert (read.stripe_of("a-b").key, read.stripe_of("a-b").webhook_secret) == ("sk_test_0123456789", SECRET)
    assert "canary" not in repr(read) + str(read.stripe_of("harbour")) + repr(read.kept)
    assert await store.write(lambda it: kept_secrets.forget(it, "harbour", STRIPE_KEY))
    assert not await store.write(lambda it: kept_secrets.forget(it, "harbour", STRIPE_KEY))
    assert (await kept_secrets.joined(own, store)).stripe_of("harbour").key == ""


async def test_of_a_secret_its_kind_its_last_four_and_a_fingerprint_are_shown(store, keep, clock):  # threat 109
    await keep(STRIPE_KEY, KEY)
    await keep(STRIPE_WEBHOOK_SECRET, SECRET)
    shown = await kept_secrets.of_brand(store, "harbour")
    assert {name: each.hint for name, each in shown.items()} == {
        STRIPE_KEY: "rk_test_…abcd",
        STRIPE_WEBHOOK_SECRET: "whsec_…efgh",
    }
    assert (shown[STRIPE_KEY].operator, shown[STRIPE_KEY].kept_at) == ("ann@shop.example", clock())
    assert len(shown[STRIPE_KEY].fingerprint) == 12
    for short in ("rk_test_0123456789", "whsec_0123456789", "pk_test_0123456789abcdef", f"{KEY} ", ""):
        assert kept_secrets.about(STRIPE_KEY, short) is None
        with pytest.raises(ValueError, match="stripe_key"):
            await keep(STRIPE_KEY, short)


async def test_a_row_of_one_brand_or_name_opens_for_no_other(store, keep):  # threat 109
    await keep(STRIPE_KEY, KEY)
    for column, value in (("brand", "orbit"), ("name", STRIPE_WEBHOOK_SECRET)):
        await store.write(
            lambda it, to=(column, value): it.count(f"UPDATE kept_secret SET {to[0]} = :to", {"to": to[1]})
        )
        assert (await kept_secrets.joined(SETTINGS, store)).kept == {}
    await store.write(lambda it: it.count("UPDATE kept_secret SET brand = 'harbour', name = 'stripe_key'"))
    assert (await kept_secrets.joined(SETTINGS, store)).stripe_of("harbour").key == KEY


async def test_an_old_secret_may_go_once_what_it_sealed_is_sealed_again(store, keep):
    await keep(STRIPE_KEY, KEY)
    both, new = replace(SETTINGS, secrets=(NEW, OLD)), replace(SETTINGS, secrets=(NEW,))
    assert (await kept_secrets.joined(new, store)).kept == {}
    assert [await kept_secrets.seal_again(store, both) for _ in range(2)] == [1, 0]
    assert (await kept_secrets.joined(new, store)).stripe_of("harbour").key == KEY


async def test_a_process_reads_them_at_its_start(store_url, store, keep):
    await keep(STRIPE_KEY, KEY)
    await store.close()  # SQLite: nobody of this process may have it open then
    assert kept_secrets.at_start(replace(SETTINGS, database=store_url)).stripe_of("harbour").key == KEY
