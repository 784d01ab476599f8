"""The e-mail address changes in a session of the API, after a code to the new one."""

import asyncio
import re
from typing import Any

import pytest

from server.access import passcodes
from server.access.email_changes import Proved, prove
from server.access.limits import Limits
from server.access.passcodes import open_mail
from server.mail.delivery import Delivery
from server.mail.outbox import claim
from server.mail.smtp import KeepingMailer
from server.store import Transaction
from tests.conftest import Clock
from tests.support.accounts import account, keep, subscription
from tests.support.api import back_end
from tests.support.client import Client
from tests.support.together import together
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
OLD, NEW, OTHER = "jenny@example.com", "jenny@example.net", "jenny@example.org"
EMAIL, CODE = f"/{BRAND}/my/details/email", f"/{BRAND}/my/details/email/code"


async def inside(world: World, *, allowed: tuple[str, ...] = ("email",), **flow: Any) -> Client:
    """A browser in a session of the API whose configuration lets it change these."""
    portal = (await back_end(world)).v1.billing_portal
    features: Any = {"customer_update": {"enabled": bool(allowed), "allowed_updates": list(allowed) or ""}}
    if not allowed:
        features = {"invoice_history": {"enabled": True}}
    made = await portal.configurations.create_async({"features": features})
    session = await portal.sessions.create_async({"customer": "cus_jenny", "configuration": made.id, **flow})
    browser = world.client()
    assert (await browser.get(session.url)).status_code == 303
    return browser


async def ask(browser: Client, address: str = NEW) -> Any:
    """The form for the code."""
    page = await browser.fill(await browser.get(EMAIL), email=address, follow=True)
    assert page.url.path == CODE, page.text
    return page


async def codes(world: World) -> dict[str, str]:
    """The newest code that waits for each new address."""
    sql = "SELECT id, data FROM outbox WHERE kind = 'email_code' AND data IS NOT NULL ORDER BY created_at"
    opened = [open_mail(world.settings, id_, bytes(data)) for id_, data in await world.store.read(sql)]
    return {each.to: each.code for each in opened if each}


async def emails(world: World) -> tuple[str, str]:
    """In the directory and in the account."""
    ((email,),) = await world.store.read("SELECT email FROM customer WHERE id = 'cus_jenny'")
    kept = await world.portal().billing.account("cus_jenny", world.clock())
    return email, kept.customer.email


async def wrong(world: World) -> str:
    right = (await codes(world)).values()
    return "000001" if "000001" not in right else "000002"


async def test_a_code_to_the_new_address_changes_it(any_world: World, clock: Clock) -> None:  # F8
    await keep(any_world, account(subscription()))
    elsewhere, other = any_world.client(), await inside(any_world)
    await any_world.log_in(elsewhere)
    assert await any_world.count("known_browser") == 1
    browser = await inside(any_world)
    assert "Change" in (await browser.get(f"/{BRAND}/my/details")).text
    page = await ask(browser)
    assert NEW in page.text
    assert await emails(any_world) == (OLD, OLD)  # nothing yet
    done = await browser.fill(page, code=(await codes(any_world))[NEW], follow=True)
    assert "Your email address is changed." in done.text
    assert NEW in done.text
    assert await emails(any_world) == (NEW, NEW)
    # What the old address had opened ends, this session goes on, and no browser is a known one.
    assert (await elsewhere.get(f"/{BRAND}/my/overview")).status_code == 401
    assert (await other.get(f"/{BRAND}/my/overview")).status_code == 401
    assert (await browser.get(f"/{BRAND}/my/overview")).status_code == 200
    assert await any_world.store.read("SELECT address FROM session") == [(NEW,)]
    assert await any_world.count("known_browser") == 0
    clock.forward(hours=2)
    again = any_world.client("198.51.100.4")
    await any_world.log_in(again, NEW)  # and the new one logs in
    await any_world.ask(any_world.client("198.51.100.5"), OLD)
    history = (await again.get(f"/{BRAND}/my/history")).text
    assert "Changed the email address" in history


async def test_both_addresses_get_their_mail_and_neither_learns_what_was_typed(any_world: World, clock: Clock) -> None:
    await keep(any_world, account(subscription()))
    browser = await inside(any_world)
    page = await ask(browser)
    code, mailer = (await codes(any_world))[NEW], KeepingMailer()
    delivery = Delivery({BRAND: any_world.portal()}, any_world.store, mailer, clock)

    async def deliver() -> Any:
        for job in await claim(any_world.store, clock(), 10):
            await delivery.deliver(job)
        return mailer.messages[-1]

    proof = await deliver()
    assert str(proof["To"]) == NEW
    assert code in proof.get_body(("plain",)).get_content()
    assert code not in str(proof["Subject"])
    await browser.fill(page, code=code)
    told = await deliver()
    assert str(told["To"]) == OLD
    assert "was changed" in str(told["Subject"])
    assert NEW not in told.as_string()  # threat 38
    assert len(mailer.messages) == 2


@pytest.mark.parametrize("allowed", [("name",), ()])
async def test_where_the_configuration_does_not_allow_it_there_is_no_such_page(
    world: World, allowed: tuple[str, ...]
) -> None:
    await keep(world, account(subscription()))
    browser = await inside(world, allowed=allowed)
    for path in (EMAIL, CODE):
        assert (await browser.get(path)).status_code == 404
        form = {"customer": "cus_jenny", "key": "k" * 22, "email": NEW, "code": "123456"}
        assert (await browser.post(path, data=form)).status_code == 404
    assert await world.count("challenge") == 0


async def test_a_session_of_the_log_in_link_never_changes_it(world: World) -> None:  # L8
    await keep(world, account(subscription()))
    browser = world.client()
    await world.log_in(browser)
    assert "cannot be changed here" in (await browser.get(f"/{BRAND}/my/details")).text
    form = {"customer": "cus_jenny", "key": "k" * 22, "email": NEW, "code": "123456"}
    for path in (EMAIL, CODE):
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(path, data=form)).status_code == 404
    # Nor one that goes on from a session of the API after a log-in: it has the terms, and the old address was its proof.
    recovered = await inside(world)
    await world.store.write(lambda it: it.count("UPDATE session SET kind = 'link'"))
    assert (await recovered.get(f"/{BRAND}/my/details")).status_code == 200
    assert (await recovered.get(EMAIL)).status_code == 404
    assert await emails(world) == (OLD, OLD)


async def test_a_code_for_one_purpose_address_session_or_customer_is_none_for_another(  # threats 22, 23
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(any_world, account(subscription()))
    await any_world.customer("cus_sam", "sam@example.com")
    monkeypatch.setattr(passcodes, "new_code", lambda _: "424242")  # the same digits everywhere
    browser, other = await inside(any_world), await inside(any_world)
    await ask(browser)
    # Of a log-in, in the same browser and for the same address: nothing to a change, and the reverse.
    stranger = any_world.client("198.51.100.9")
    await any_world.ask(stranger, NEW)
    assert (await any_world.try_code(stranger, "424242")).status_code == 422
    # The session that did not ask has nothing to confirm.
    form = {"customer": "cus_jenny", "key": "k" * 22, "code": "424242"}
    assert (await other.post(CODE, data=form)).status_code == 422
    assert await emails(any_world) == (OLD, OLD)
    rows = await any_world.store.read("SELECT id_hash, code_mac, address FROM challenge WHERE session IS NOT NULL")
    ((id_hash, mac, address),) = rows
    settings = any_world.settings
    assert address == NEW
    own = passcodes.Change("cus_jenny", b"").purpose
    assert bytes(mac) == passcodes.macs(settings, bytes(id_hash), NEW, "424242", own)[0]
    for purpose, to in (
        (passcodes.PURPOSE, NEW),
        (passcodes.Change("cus_sam", b"").purpose, NEW),
        (own, OTHER),
    ):
        assert bytes(mac) not in passcodes.macs(settings, bytes(id_hash), to, "424242", purpose)


async def test_a_challenge_of_a_log_in_put_into_the_session_confirms_nothing(any_world: World) -> None:  # threat 22
    """And the reverse: the MAC says what it is for, wherever the row is."""
    await keep(any_world, account(subscription()))
    browser, login = await inside(any_world), any_world.client("198.51.100.9")
    await any_world.ask(login, OLD)
    code = await any_world.code(OLD)
    page = await ask(browser)
    sql = (
        "UPDATE challenge SET session = (SELECT session FROM challenge WHERE session IS NOT NULL) WHERE session IS NULL"
    )
    await any_world.store.write(lambda it: it.count(sql))
    await any_world.store.write(lambda it: it.count("DELETE FROM challenge WHERE address <> :old", {"old": OLD}))
    assert (await browser.fill(page, code=code)).status_code == 422
    assert await emails(any_world) == (OLD, OLD)


async def test_only_the_code_of_the_newest_address_counts(any_world: World, clock: Clock) -> None:
    await keep(any_world, account(subscription()))
    browser = await inside(any_world)
    await ask(browser)
    first = (await codes(any_world))[NEW]
    clock.forward(seconds=1)
    page = await ask(browser, OTHER)
    both = await codes(any_world)
    assert first != both[OTHER]
    assert (await browser.fill(page, code=first)).status_code == 422
    await browser.fill(page, code=both[OTHER])
    assert await emails(any_world) == (OTHER, OTHER)


async def test_five_tries_and_ten_minutes(any_world: World, clock: Clock) -> None:  # threats 1, 3
    await keep(any_world, account(subscription()))
    browser = await inside(any_world)
    page = await ask(browser)
    right, no = (await codes(any_world))[NEW], await wrong(any_world)
    for _ in range(5):
        assert (await browser.fill(page, code=no)).status_code == 422
    assert "no longer valid" in (await browser.fill(page, code=right)).text
    clock.forward(seconds=61)
    page = await ask(browser)
    right = (await codes(any_world))[NEW]
    clock.forward(minutes=10, seconds=1)
    assert "no longer valid" in (await browser.fill(page, code=right)).text
    assert await emails(any_world) == (OLD, OLD)
    used = await any_world.store.read("SELECT used FROM budget WHERE kind = 'wrong' AND subject = :a", {"a": NEW})
    assert used == [(5,)]  # of the same budget as log-ins: whoever guesses here has fewer guesses there


async def test_it_is_no_way_to_mail_somebody_often(any_world: World, clock: Clock) -> None:  # threat 21
    await keep(any_world, account(subscription()))
    browser = await inside(any_world)
    await ask(browser)
    page = await browser.get(CODE)
    assert (await browser.fill(page, code="", step="resend")).status_code == 429  # within a minute
    for _ in range(4):
        clock.forward(seconds=61)
        await browser.fill(await browser.get(EMAIL), email=NEW)
    clock.forward(seconds=61)
    refused = await browser.fill(await browser.get(EMAIL), email=NEW)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 60
    sent = await any_world.store.read("SELECT COUNT(*) FROM outbox WHERE kind = 'email_code'")
    assert sent == [(2,)]
    # Nor to mail many people: a customer gets as many as a client address.
    used = {"brand": BRAND, "ends": int(clock().timestamp() + 99) * 1_000_000}
    sql = "UPDATE budget SET used = 20, expires_at = :ends WHERE brand = :brand AND subject = 'customer cus_jenny'"
    assert await any_world.store.write(lambda it: it.count(sql, used)) == 1
    assert (await browser.fill(await browser.get(EMAIL), email=OTHER)).status_code == 429


async def test_an_address_that_another_customer_has_is_like_any_other(any_world: World) -> None:  # threat 26
    await keep(any_world, account(subscription()))
    await any_world.customer("cus_sam", "sam@example.com", active=True)

    async def conversation(address: str) -> list[tuple[int, str]]:
        browser = await inside(any_world)
        asked = await browser.fill(await browser.get(EMAIL), email=address)
        page = await browser.get(CODE)
        no = await browser.fill(page, code="000000")
        fresh = re.compile(r'name="key" value="[^"]*"')
        return [(each.status_code, fresh.sub("", each.text).replace(address, "…")) for each in (asked, page, no)]

    assert await conversation("sam@example.com") == await conversation("tom@example.com")
    browser = await inside(any_world)
    page = await browser.fill(await browser.get(EMAIL), email="sam@example.com", follow=True)
    page = page if page.url.path == CODE else await browser.get(CODE)
    await browser.fill(page, code=(await codes(any_world))["sam@example.com"])
    assert await emails(any_world) == ("sam@example.com", "sam@example.com")
    ((sams,),) = await any_world.store.read("SELECT email FROM customer WHERE id = 'cus_sam'")
    assert sams == "sam@example.com"


async def test_of_many_confirmations_at_once_one_changes_it(any_world: World) -> None:  # threat 5
    await keep(any_world, account(subscription()))
    browser = await inside(any_world)
    page = await ask(browser)
    code = (await codes(any_world))[NEW]
    answers = await asyncio.gather(*(browser.fill(page, code=code) for _ in range(16)))
    assert {each.status_code for each in answers} <= {303}
    assert await emails(any_world) == (NEW, NEW)
    lines = "SELECT COUNT(*) FROM activity WHERE kind = 'customer.email_changed'"
    mails = "SELECT COUNT(*) FROM outbox WHERE kind = 'email_changed'"
    assert [await any_world.store.read(sql) for sql in (lines, mails)] == [[(1,)], [(1,)]]


@pytest.mark.parametrize("right", [True, False])
async def test_of_64_codes_at_once_one_is_used_and_five_are_looked_at(any_world: World, right: bool) -> None:
    # threats 4, 5
    await keep(any_world, account(subscription()))
    await ask(await inside(any_world))
    code = (await codes(any_world))[NEW] if right else await wrong(any_world)
    ((session,),) = await any_world.store.read("SELECT id_hash FROM session")
    change, portal, now = passcodes.Change("cus_jenny", bytes(session)), any_world.portal(), any_world.clock()

    def confirm(transaction: Transaction) -> Any:
        off = Limits(on=False)
        return prove(transaction, portal, off, change, code=code, client="203.0.113.7", now=now)

    results = await together(any_world, [confirm] * 64)
    proved = {each for each in results if isinstance(each, Proved)}
    ((attempts, consumed),) = await any_world.store.read("SELECT attempts, consumed_at FROM challenge")
    if right:
        assert (len(proved), [each for each in results if each not in proved]) == (1, [])
        assert attempts <= 5
        assert consumed is not None
    else:
        assert (proved, attempts, consumed) == (set(), 5, None)
        assert await any_world.store.read("SELECT used FROM budget WHERE kind = 'wrong'") == [(5,)]


async def test_changing_it_ends_the_flow(world: World) -> None:
    await keep(world, account(subscription()))
    browser = await inside(world, flow_data={"type": "customer_update"})
    page = await ask(browser)
    done = await browser.fill(page, code=(await codes(world))[NEW], follow=True)
    assert done.url.path == f"/{BRAND}/my/flow/done"


async def test_what_is_no_new_address_is_said(world: World) -> None:
    await keep(world, account(subscription()))
    browser = await inside(world)
    for typed, said in (
        ("", "Enter your email address"),
        ("jenny@", "such as name@example.com"),
        ("JENNY@example.com ", "already your email address"),
        ("e@evil.example,jenny@example.com", "such as name@example.com"),
    ):
        answer = await browser.fill(await browser.get(EMAIL), email=typed)
        assert (answer.status_code, said in answer.text) == (422, True), typed
    assert await world.count("challenge") == 0
