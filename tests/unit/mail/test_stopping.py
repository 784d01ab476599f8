"""The link that stops a reminder: what it changes, and what it is to whoever should not have it.

The threat: whoever finds a way to post to the one place that any site may post to (a mail provider does) switches off
what warns a customer of a charge, does something else in their name, or learns who is a customer.
"""

from __future__ import annotations

from dataclasses import replace as changed
from io import StringIO
from typing import Any

import pytest
from msgspec.structs import replace

from server.brands.mail_switches import OPTIONAL
from server.mail import reminder_choices, stopping
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio
FROM_ANYWHERE: dict[str, Any] = {"sec-fetch-site": None, "sec-fetch-mode": None, "sec-fetch-dest": None, "origin": None}
ONE_CLICK = "List-Unsubscribe=One-Click"
RENEWAL, CARD = OPTIONAL
NEW = (b"a new secret of the tests, fedcba9876543210",)


@pytest.fixture
async def world(world: World) -> World:
    for id_, brand in (("cus_jenny", BRAND), ("cus_sam", BRAND), ("cus_jenny", "orbit")):
        await world.customer(id_, f"{id_[4:]}@example.com", brand=brand)
    return world


def url(world: World, kind: str = RENEWAL, customer: str = "cus_jenny", brand: str = BRAND) -> str:
    return stopping.link(world.portal(brand), customer, kind).removeprefix(SETTINGS.origin)


async def off(world: World) -> set[tuple[str, str, str]]:
    return {row[:3] for row in await world.rows("mail_choice")}


async def test_a_link_that_is_followed_changes_nothing(world: World) -> None:  # threat 62
    answer = await world.client().get(url(world), headers=FROM_ANYWHERE)
    assert (answer.status_code, await off(world)) == (200, set())
    assert "Stop these reminders?" in answer.text


@pytest.mark.parametrize(
    "sent",
    [
        {"content": ONE_CLICK, "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {},
        {"content": b"\x00\xff" * 40_000, "headers": {"content-type": "application/json"}},
        {"headers": {"sec-fetch-site": "cross-site", "origin": "https://mail.example"}},
    ],
    ids=["a form", "as RFC 8058 would rather have it", "nothing", "rubbish", "a web mail"],
)
async def test_a_mail_provider_stops_this_kind_and_nothing_else(world: World, sent: Any) -> None:  # M2, threat 54
    headers = FROM_ANYWHERE | sent.pop("headers", {})
    answer = await world.client().post(url(world), headers=headers, **sent)
    assert (answer.status_code, answer.has_redirect_location) == (200, False)
    assert "set-cookie" not in answer.headers
    assert await off(world) == {(BRAND, "cus_jenny", RENEWAL)}
    [line] = await world.store.read("SELECT kind, customer_id, browser FROM activity")
    assert line == ("reminder.off", "cus_jenny", "")


async def test_a_session_makes_no_difference_to_it(world: World) -> None:
    browser, stranger = world.client(), world.client()
    await world.log_in(browser)
    before = await world.rows("session")
    theirs = url(world, customer="cus_sam")
    with_cookies, without = [await each.post(theirs, headers=FROM_ANYWHERE) for each in (browser, stranger)]
    assert (with_cookies.content, with_cookies.headers) == (without.content, without.headers)
    assert await off(world) == {(BRAND, "cus_sam", RENEWAL)}
    assert await world.rows("session") == before


def others(world: World) -> dict[str, str]:
    """Links that are none of jenny's for renewals, each made as long as hers."""
    own = url(world)
    kind, token = own.rsplit("/", 2)[1:]
    assert kind == RENEWAL
    other = url(world, brand="orbit").rsplit("/", 1)[1]
    of_card, nobody = (url(world, *of).rsplit("/", 1)[1] for of in ((CARD,), (RENEWAL, "cus_nobod")))
    older = changed(world.portal(), settings=replace(SETTINGS, secrets=NEW))
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    cut = token[:21] + "A" + token[22:]
    return {
        "of another brand": other,
        "of another kind": of_card,
        "of nobody": nobody,
        "of a secret that is gone": stopping.token_for(older, "cus_jenny", RENEWAL),
        "one bit off": flipped,
        "another customer under the same mark": cut,
        "no mark at all": "x" * len(token),
        "too short": token[:5],
        "of an odd length": token + "A" * (1 if len(token) % 4 == 0 else 5 - len(token) % 4),
        "no text": stopping.token_for(older, "\x80\x81", RENEWAL)[:-3] + "___",
    }


async def test_a_link_that_is_not_ours_does_nothing_and_is_answered_the_same(world: World) -> None:
    """Nobody learns whether there is such a customer, nor whether a link once was good."""
    client, own = world.client(), url(world)
    for method, path in (("GET", own), ("POST", own), ("POST", f"{own}/again")):
        headers = {} if path.endswith("/again") else FROM_ANYWHERE
        right = await client.request(method, path, headers=headers)
        await client.post(f"{own}/again")
        for why, token in others(world).items():
            shown = await client.request(
                method, path.replace(own, f"/{BRAND}/mails/{RENEWAL}/{token}"), headers=headers
            )
            assert shown.status_code == right.status_code == 200, why
            same = shown.text.replace(token, "token"), right.text.replace(own.rsplit("/", 1)[1], "token")
            assert same[0] == same[1], why
            told, known = ({k: v for k, v in each.headers.items() if k != "content-length"} for each in (shown, right))
            assert told == known, why
            assert await off(world) == set(), why


async def test_a_kind_that_cannot_be_stopped_has_no_such_page(world: World) -> None:
    token = url(world).rsplit("/", 1)[1]
    for kind in ("receipt", "trial_ending", "passcode", "nothing", "x" * 40):
        portal = world.portal()
        for each in (token, stopping.token_for(portal, "cus_jenny", kind)):
            for method in ("GET", "POST"):
                answer = await world.client().request(method, f"/{BRAND}/mails/{kind}/{each}", headers=FROM_ANYWHERE)
                assert answer.status_code == 404, kind
    assert await off(world) == set()


async def test_a_link_outlives_the_change_of_secrets_until_the_old_one_is_dropped(world: World) -> None:
    portal, kind = world.portal(), RENEWAL
    made = stopping.token_for(portal, "cus_jenny", kind)
    for secrets, found in ((NEW + SETTINGS.secrets, "cus_jenny"), (NEW, "")):
        later = changed(portal, settings=replace(SETTINGS, secrets=secrets))
        assert stopping.customer_of(later, kind, made) == found
        assert stopping.customer_of(later, kind, stopping.token_for(later, "cus_jenny", kind)) == "cus_jenny"


async def test_it_is_taken_back_by_our_own_page_alone(world: World) -> None:
    client = world.client()
    stopped = await client.fill(await client.get(url(world)))
    assert "You will not get these reminders" in stopped.text
    refused = await client.post(f"{url(world)}/again", headers=FROM_ANYWHERE)
    assert (refused.status_code, len(await off(world))) == (403, 1)
    again = await client.fill(stopped)
    assert "You will get these reminders again" in again.text
    assert await off(world) == set()
    await client.fill(again)
    assert len(await off(world)) == 1


async def test_no_log_holds_what_stops_a_mail(world: World, stream: StringIO) -> None:  # threat 16
    path = url(world)
    world.store._writer.execute("ALTER TABLE mail_choice RENAME TO gone")  # type: ignore[attr-defined]
    assert (await world.client().post(path, headers=FROM_ANYWHERE)).status_code == 500
    written = "".join(line for line in stream.getvalue().splitlines() if '"logger": "httpx"' not in line)
    assert "/mails/renewal_reminder/" in written
    assert path.rsplit("/", 1)[1] not in written


async def test_twice_is_the_same_as_once(world: World) -> None:
    for _ in range(3):
        await world.client().post(url(world), headers=FROM_ANYWHERE)
    assert (await world.count("mail_choice"), await world.count("activity")) == (1, 1)
    assert set(await reminder_choices.switched_off(world.store, BRAND, "cus_jenny")) == {RENEWAL}
