"""What `doctor` says, as a page: about one brand, by this server and by other machines, which hold nobody up."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.merchant import finding
from server.store import rounds

pytestmark = pytest.mark.anyio
START = "/_studio/b/harbour"
HEALTH = f"{START}/settings/health"


async def test_what_is_wrong_is_said_with_its_remedy_and_summed_up_on_the_first_page(studio, clock):
    clock.at = datetime.now(UTC)  # the database's is compared with it
    client = await studio.operator("vic@shop.example", "viewer", "harbour")
    changes = studio.store._writer.total_changes
    assert [(await client.get(each)).status_code for each in (START, HEALTH)] == [200, 200]
    assert studio.store._writer.total_changes == changes, "who looks writes nothing"
    page = (await client.get(HEALTH)).text
    assert "no worker has worked on this database yet" in page
    assert "python -m server serve" in page
    assert "PORTAL_TRUSTED_PROXIES" in page
    assert "orbit" not in page
    assert "2 not fine" in (await client.get(START)).text
    await rounds.note(studio.store, "mail", clock() - timedelta(seconds=5))
    page = (await client.get(HEALTH)).text
    assert "did its last round 5 s ago" in page
    assert "1 mail waits, the oldest for 0 s" in page
    assert "1 not fine" in (await client.get(START)).text
    clock.forward(minutes=10)
    page = (await client.get(HEALTH)).text
    assert "none has done its round for 10 minutes" in page
    assert "1 mail waits for longer than a minute" in page
    await rounds.note(studio.store, "check_mail_server", clock(), "smtp.example refuses the password")
    await rounds.note(studio.store, "mail", clock())
    assert "check_mail_server: smtp.example refuses the password" in (await client.get(HEALTH)).text


async def test_other_machines_are_asked_apart_and_once_for_all_who_ask(studio, monkeypatch):
    client = await studio.operator()
    page = await client.get(HEALTH)
    assert f'hx-get="{HEALTH}/far"' in page.text
    assert "Pages of harbour" not in page.text
    asked, begun, go_on = [], asyncio.Event(), asyncio.Event()

    async def fetch(url):
        asked.append(url)
        begun.set()
        await go_on.wait()
        return 404, {}

    studio.fetch = fetch
    answers = [asyncio.create_task(client.get(f"{HEALTH}/far")) for _ in range(3)]
    await begun.wait()
    assert "need to be looked at" in (await client.get(HEALTH)).text
    answers[0].cancel()  # whoever leaves takes the answer from nobody else
    go_on.set()
    pages = [each.text for each in await asyncio.gather(*answers[1:])]
    assert len(asked) == len(set(asked)) == 3  # the studio, the log-in page, and a page behind it
    for page in pages:
        assert "the log-in page of this link is not there" in page
        assert "no mail server is set" in page
    fragment = await client.get(f"{HEALTH}/far", fragment=True)
    assert "<h1" not in fragment.text


async def test_a_machine_that_does_not_answer_is_said_and_waited_for_no_longer(studio, monkeypatch):
    client = await studio.operator()

    async def silent(_):
        await asyncio.Event().wait()

    studio.fetch = silent
    monkeypatch.setattr(finding.in_time, "__defaults__", (0.05,))
    page = (await client.get(f"{HEALTH}/far")).text
    assert page.count("no answer within 0.05 seconds") == 2
    assert "no mail server is set" in page


async def test_files_that_cannot_be_read_are_said_and_the_rest_is_looked_at(studio):
    client = await studio.operator()
    (studio.themes / "harbour" / "portal.toml").write_text("[business]\nnam = 1\n")
    page = (await client.get(HEALTH)).text
    assert "Files of harbour" in page
    assert "portal.toml:2" in page
    assert "can be read and takes writes" in page
    assert (await client.get(f"{HEALTH}/far")).status_code == 200
