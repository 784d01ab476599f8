"""Events in the studio: which servers are told, what became of each event, sending one again, and the secrets."""

import re

import pytest
import stripe

from server.brands import load
from server.events import outbox
from server.events.posting import secret_of, signature
from server.merchant.studio import history
from server.store.telling import Listeners, Told, tell
from tests.support.filling import draft_of, press

pytestmark = pytest.mark.anyio
HARBOUR = "/_studio/b/harbour"
EVENTS, ENDPOINTS = f"{HARBOUR}/settings/events", f"{HARBOUR}/settings/endpoints"
HOOK = "https://shop.example/hooks/portal"
ROW = "events.endpoints[0]"


async def happen(studio, brand="harbour", url=HOOK):
    """One event of a customer, and its id."""
    told = Told("customer.updated", {"object": "customer", "id": "cus_1", "name": "<b>Jenny</b>"}, {"name": "Jen"})
    heard = Listeners(brand, {url: ("customer.updated",)})
    await studio.store.write(lambda it: tell(it, heard, "cus_1", [told], studio.clock()))
    return (await outbox.latest(studio.store, brand, 1))[0][0]


async def acts(studio):
    return [act.what for act in (await history.read(studio.store)).acts if act.what.startswith("event")]


async def added(studio, client, url=HOOK):
    """An endpoint that hears of everything, written into the file."""
    await press(client, await client.get(ENDPOINTS), "add:events.endpoints")
    shown = await client.get(ENDPOINTS)
    saved = await press(client, shown, "save", {f"{ROW}.url": url})
    return await client.get(saved.headers["location"]) if saved.status_code == 303 else saved


async def test_an_endpoint_is_added_without_a_file_and_takes_its_secret_to_the_sdk(studio):  # F10
    client = await studio.operator()
    device = await studio.with_passkey(client)
    assert "No server is told of anything" in (await client.get(EVENTS)).text
    change = await added(studio, client)
    assert HOOK in change.text
    assert (await client.fill(change, follow=True)).status_code == 200
    file = (studio.themes / "harbour" / "portal.toml").read_text()
    assert f'url = "{HOOK}"' in file
    (endpoint,) = load(studio.themes / "harbour").config.events.endpoints
    assert "customer.subscription.updated" in endpoint.types
    page = await client.get(EVENTS)
    assert "Every kind of event" in page.text
    assert "Not live yet" in page.text, "the server serves the brand as it was when it started"
    assert "whsec_" not in page.text
    shown = await client.post(EVENTS, data={"do": "secrets"})
    (secret,) = re.findall("whsec_[0-9a-f]+", shown.text)
    body = b'{"object": "event", "id": "evt_1"}'
    signed = signature(secret_of(studio.settings.secrets, "harbour", HOOK), body, studio.clock())
    assert stripe.WebhookSignature.verify_header(body.decode(), signed, secret, tolerance=None)
    assert await acts(studio) == ["event_secrets_shown"]
    studio.clock.forward(minutes=6)
    asked = await client.post(EVENTS, data={"do": "secrets"})
    assert "whsec_" not in asked.text
    assert "passkey" in asked.text
    await studio.verify(client, device)


@pytest.mark.parametrize("url", ["http://shop.example/hook", "https://u:p@shop.example/", "ftp://x.example", "shop"])
async def test_a_server_that_may_not_be_written_to_is_named_beside_its_field(studio, url):
    client = await studio.operator()
    refused = await added(studio, client, url)
    assert refused.status_code == 422
    assert "an https:// URL without a user" in refused.text
    assert "allow_private" not in (studio.themes / "harbour" / "portal.toml").read_text()


async def test_who_may_not_give_keys_names_no_server(studio):  # threat 113
    editor = await studio.operator("ed@shop.example", "publisher", "harbour")
    before = (studio.themes / "harbour" / "portal.toml").read_bytes()
    form = {"events.endpoints[0]": "0", f"{ROW}.url": HOOK, "was:events.endpoints": "null", "do": "save"}
    assert (await editor.post(ENDPOINTS, data=form)).status_code == 403
    for page in ("business", "look", "mails", "portal/dunning"):
        await editor.post(f"{HARBOUR}/{page}", data=form)
    assert await draft_of(studio, "harbour", "ed@shop.example") == {}
    assert (studio.themes / "harbour" / "portal.toml").read_bytes() == before


async def test_who_has_lost_the_keys_writes_no_draft_of_before(studio):  # threat 113
    await studio.role()
    client = await studio.operator("ed@shop.example", "owner", "harbour")
    await studio.with_passkey(client, "ed@shop.example")
    change = await added(studio, client)
    await studio.role("ed@shop.example", "publisher", "harbour")
    await studio.log_in_to_studio(client, "ed@shop.example")
    fingerprint = re.search('name="fingerprint" value="([^"]+)"', change.text)[1]
    answer = await client.post(f"{HARBOUR}/change", data={"do": "write", "fingerprint": fingerprint})
    assert answer.status_code == 403
    assert HOOK not in (studio.themes / "harbour" / "portal.toml").read_text()


async def test_each_event_is_seen_whole_and_sent_again_by_its_button(studio, clock):  # F10
    client, id_ = await studio.operator(), await happen(studio)
    (taken,) = await outbox.take(studio.store, clock(), 10)
    await outbox.later(studio.store, taken, clock(), "it answered 500")
    page = await client.get(EVENTS)
    assert "it answered 500" in page.text
    assert "Waiting" in page.text
    event = await client.get(f"{EVENTS}/{id_}")
    assert "&lt;b&gt;Jenny&lt;/b&gt;" in event.text
    assert "previous_attributes" in event.text
    clock.forward(seconds=1)
    assert await outbox.take(studio.store, clock(), 10) == []
    answer = await client.fill(event, follow=True)
    assert "The event is sent again" in answer.text
    assert [each.id for each in await outbox.take(studio.store, clock(), 10)] == [id_]
    assert await acts(studio) == ["event_again"]


async def test_another_brands_event_is_not_there(studio):
    client, id_ = await studio.operator("ed@shop.example", "owner", "plain"), await happen(studio)
    mine = EVENTS.replace("harbour", "plain")
    assert (await client.get(f"{mine}/{id_}")).status_code == 404
    answer = await client.post(mine, data={"do": "again", "event": id_}, follow=True)
    assert "There is no such event any more" in answer.text
    assert await acts(studio) == []
    assert (await client.post(mine, data={"do": "anything"})).status_code == 400
