"""Stripe's key and webhook secret as an operator gives them in the studio: checked, kept sealed, never shown again."""

from __future__ import annotations

import asyncio
import base64
import sqlite3

import pytest

from server.access import kept_secrets
from server.app import worker_of
from server.brands import load
from server.mail.smtp import KeepingMailer
from server.making import making, renderer_of
from server.merchant.studio import drafts, history
from server.settings import StripeSecrets
from tests.stripe.keys import EVERYTHING, Key
from tests.support.studio import OWNER, StudioWorld

pytestmark = pytest.mark.anyio
PAGE = "/_studio/b/harbour/settings/stripe"
KEY, LIVE = "rk_test_canary0123456789abcd", "rk_live_canary9876543210wxyz"
SECRET = "whsec_canary0123456789+/efgh"


@pytest.fixture
async def studio(sqlite_store, clock, tmp_path, served):
    standin, url = served
    standin.keys[KEY] = Key(KEY)
    world = StudioWorld(sqlite_store, clock, tmp_path, stripe_api_base=url)
    yield world
    await world.previews.close()


@pytest.fixture
async def client(studio):
    made = await studio.operator()
    made.shown = await studio.with_passkey(made)
    return made


async def give(client, secret, what="key"):
    return await client.post(PAGE, data={"do": what, f"secret-{what}": secret})


async def kept(studio):
    return (await kept_secrets.joined(studio.settings, studio.store)).stripe_of("harbour")


async def test_a_key_is_checked_and_kept_and_its_last_four_are_shown(studio, client, served):
    answer = await give(client, f" {KEY} ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=key_kept")
    assert all(each.verb == "get" or each.status == 404 for each in served[0].log)
    page = (await client.get(f"{PAGE}?done=key_kept")).text
    assert "Stripe takes the key" in page
    assert "rk_test_…abcd" in page
    assert kept_secrets.fingerprint_of(KEY) in page
    assert f"Given by {OWNER}" in page
    assert "Test data" in page
    assert (await kept(studio)).key == KEY
    assert (await give(client, SECRET, "webhook")).status_code == 303
    assert "whsec_…efgh" in (await client.get(PAGE)).text
    forgotten = await client.post(PAGE, data={"do": "forget_key"})
    assert forgotten.headers["location"] == f"{PAGE}?done=key_forgotten"
    assert await kept(studio) == StripeSecrets("", SECRET)
    told = (await client.get("/_studio/b/harbour/settings/history")).text
    for each in ("Gave Stripe’s key rk_test_…abcd", "Gave the secret of", "Had Stripe’s key forgotten"):
        assert each in told


async def test_what_the_key_lacks_is_said_by_name_and_nothing_is_kept(studio, client, served):
    standin = served[0]
    standin.keys[KEY] = Key(KEY, EVERYTHING - {"coupon_read", "coupon_write", "invoice_write"})
    answer = await give(client, KEY)
    assert answer.status_code == 422
    assert "lacks the permission to read Coupons and to write Invoices" in answer.text
    standin.keys.clear()
    assert "Stripe does not know this key" in (await give(client, KEY)).text
    for odd in ("", "rk_test_short", "sk_test_0123456789abcdefgh", "pk_test_0123456789abcdefgh", f"{KEY}\n{KEY}"):
        assert "does not look like a restricted key" in (await give(client, odd)).text, odd
    assert "does not look like a signing secret" in (await give(client, KEY, "webhook")).text
    assert await studio.rows("kept_secret") == []


async def test_stripe_away_keeps_nothing(sqlite_store, clock, tmp_path):
    world = StudioWorld(sqlite_store, clock, tmp_path, stripe_api_base="http://127.0.0.1:1")
    client = await world.operator()
    await world.with_passkey(client)
    answer = await give(client, KEY)
    assert (answer.status_code, "Stripe does not answer" in answer.text) == (422, True)
    assert await world.rows("kept_secret") == []
    await world.previews.close()


async def test_a_live_key_is_refused_where_the_link_is_for_test_data(studio, client, served):
    served[0].keys[LIVE] = Key(LIVE)
    answer = await give(client, LIVE)
    assert answer.status_code == 422
    assert "This key is for live data, and the log-in link of this brand is for test data" in answer.text
    assert served[0].log == []
    assert await studio.rows("kept_secret") == []


async def test_that_stripe_bills_is_a_draft_which_only_who_has_the_keys_writes(studio, client, clock):
    assert "Let Stripe bill" not in (await client.get(PAGE)).text
    refused = await client.post(PAGE, data={"do": "bill"})
    assert (refused.status_code, "PORTAL_STRIPE_KEY_HARBOUR: missing" in refused.text) == (422, True)
    await give(client, KEY)
    assert (await client.post(PAGE, data={"do": "bill"})).headers["location"] == "/_studio/b/harbour/change"
    change = await client.get("/_studio/b/harbour/change")
    assert "billing.backend" in change.text
    assert load(studio.themes / "harbour").config.billing.backend == "ledger"
    editor = await studio.operator("ed@shop.example", "editor", "harbour")
    touched, held = {"billing.backend": "stripe"}, {"billing": {"backend": "ledger"}}
    await drafts.keep(studio.store, "ed@shop.example", "harbour", touched=touched, held=held, now=clock())
    page = await editor.get("/_studio/b/harbour/change")
    assert "Your role does not allow this" in (await editor.fill(page, do="write")).text
    clock.forward(minutes=5, seconds=1)
    asked = await client.fill(change, do="write")
    assert asked.status_code == 403
    assert load(studio.themes / "harbour").config.billing.backend == "ledger"
    await studio.verify(client, client.shown)
    assert (await client.fill(asked)).status_code == 303
    assert load(studio.themes / "harbour").config.billing.backend == "stripe"
    page = (await client.get(PAGE)).text
    assert "Stripe bills the customers" in page
    assert "No worker asks Stripe yet" in page
    needed = await client.post(PAGE, data={"do": "forget_key"})
    assert (needed.status_code, "does not start without a key" in needed.text) == (422, True)
    assert (await client.get("/_studio/b/harbour/preview")).status_code == 200
    undo = (await editor.get("/_studio/b/harbour/writes")).text.partition("/writes/")[2].partition('"')[0]
    page = await editor.get(f"/_studio/b/harbour/writes/{undo}")
    assert "Your role does not allow this" in (await editor.fill(page)).text
    assert load(studio.themes / "harbour").config.billing.backend == "stripe"


async def test_a_secret_is_in_no_page_log_history_draft_diff_error_or_dump(
    studio, client, clock, stream, served
):  # threat 109
    served[0].keys[LIVE] = Key(LIVE)
    canaries = (KEY, LIVE, SECRET)
    other = "rk_test_canaryRolled0123456789"
    answers = [await give(client, each) for each in (KEY, LIVE, other, f"{KEY}!")]
    answers += [await give(client, each, "webhook") for each in (SECRET, f"{SECRET}!", KEY)]
    answers.append(await client.post(PAGE, data={"do": "key", "secret-webhook": SECRET, "secret-key": f"{KEY} {KEY}"}))
    answers.append(await client.post(PAGE, data={"do": "bill", "secret-key": KEY}))
    answers.append(
        await client.post(
            PAGE,
            content=f"do=key&secret-key={KEY}&secret-key={KEY}",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    )
    clock.forward(minutes=5, seconds=1)
    answers += [await give(client, KEY), await give(client, SECRET, "webhook")]
    assert answers[-1].status_code == 403
    await studio.verify(client, client.shown)
    answers.append(await client.fill(answers[-1]))
    standin = served[0]
    standin.keys.clear()
    answers.append(await give(client, KEY))
    paths = ("", "/change", "/change.patch", "/writes", "/settings/stripe", "/settings/history", "/settings/health",
             "/settings/health/far", "/link", "/portal", "/preview")  # fmt: skip
    answers += [await client.get(f"/_studio/b/harbour{path}") for path in paths]
    texts = [f"{each.text} {each.headers}" for each in answers]
    texts += [stream.getvalue(), repr(await kept(studio)), repr(studio.settings), dumped(studio.store.path)]
    texts += [str(each) for each in (await history.read(studio.store)).acts]
    texts += [each.read_text("utf-8", "replace") for each in studio.themes.rglob("*") if each.is_file()]
    for secret in (*canaries, other):
        hidden = secret.partition("_canary")[2]
        forms = (hidden, hidden.encode().hex(), base64.b64encode(hidden.encode()).decode().rstrip("=")[:-2])
        assert not [text[:200] for text in texts for form in forms if form.lower() in text.lower()], secret
    assert (await kept(studio)).key == KEY  # they were given, and are used


def dumped(path):
    """The database as a backup has it; a second connection only reads."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


async def test_the_environment_comes_first_and_says_so(sqlite_store, clock, tmp_path, served):
    own = {"HARBOUR": StripeSecrets("rk_test_environment0123456789")}
    world = StudioWorld(sqlite_store, clock, tmp_path, stripe_api_base=served[1], stripe=own)
    served[0].keys[KEY] = Key(KEY)
    client = await world.operator()
    await world.with_passkey(client)
    await give(client, KEY)
    page = (await client.get(PAGE)).text
    assert "rk_test_…6789" in page
    assert "The server’s environment sets it" in page
    assert (await kept(world)).key == own["HARBOUR"].key
    await world.previews.close()


async def test_a_sync_is_asked_for_done_by_a_worker_and_followed_on_the_page(studio, client, served, clock):
    assert (await client.post(PAGE, data={"do": "sync"})).status_code == 400  # the ledger bills: its accounts stay
    await give(client, KEY)
    toml = studio.themes / "harbour" / "portal.toml"
    toml.write_text(toml.read_text().replace('backend = "ledger"', 'backend = "stripe"'))
    page = await client.get(PAGE)
    assert "Nothing was read from Stripe yet" in page.text
    clock.forward(minutes=5, seconds=1)
    asked = await client.post(PAGE, data={"do": "sync"})
    assert asked.status_code == 403
    await studio.verify(client, client.shown)
    assert (await client.fill(asked)).status_code == 303
    assert "A worker begins within a second" in (await client.get(PAGE)).text
    progress = await client.get(f"{PAGE}/sync", fragment=True)
    assert 'hx-trigger="load delay:1s"' in progress.text
    settings = await kept_secrets.joined(studio.settings, studio.store)
    worker = worker_of(settings, [load(studio.themes / "harbour")], studio.store, clock=clock, mailer=KeepingMailer())
    worker.start()
    try:
        async with asyncio.timeout(10):
            while "Done" not in (progress := await client.get(f"{PAGE}/sync", fragment=True)).text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert "A worker asks Stripe what changed" in (await client.get(PAGE)).text
    finally:
        await worker.stop()
    assert "0 customers read" in progress.text
    assert "hx-get" not in progress.text
    assert "Read everything again" in (await client.get(PAGE)).text
    assert "Asked for everything to be read" in (await client.get("/_studio/b/harbour/settings/history")).text


async def test_a_key_given_while_the_server_runs_counts_for_what_is_served_from_then_on(studio, client, clock):
    make = making(studio.settings, studio.store, clock, None, renderer_of)
    await give(client, KEY)
    await give(client, SECRET, "webhook")
    toml = studio.themes / "harbour" / "portal.toml"
    toml.write_text(toml.read_text().replace('backend = "ledger"', 'backend = "stripe"'))
    made = await make([load(studio.themes / "harbour")])
    assert made["harbour"].settings.stripe_of("harbour") == StripeSecrets(KEY, SECRET)
    assert made["harbour"].is_live is False
    await made["harbour"].billing.close()
