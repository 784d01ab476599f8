"""Events for a merchant's endpoints: written with what they tell of, signed, in order, at least once, to public addresses only."""

import argparse
import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import stripe
from msgspec.structs import replace

from server.billing import By, Cancel, Resume
from server.billing.ledger.ledger import Ledger
from server.brands import Brand, Features
from server.brands.features import PaymentMethodUpdate
from server.events import outbox
from server.events.posting import NotPosted, Poster, is_public, secret_of, signature
from server.merchant import events
from server.portal import listeners_of
from tests.conftest import Clock
from tests.stripe.shapes import checked
from tests.support.accounts import END, card, invoice, keep, subscription
from tests.support.api import back_end
from tests.support.certificates import certificate
from tests.support.listening import KEYS, Receiver, by, cancel, ledger, states, teller, telling
from tests.support.selling import buyer
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as it:
        yield it


async def test_a_change_is_told_signed_and_as_stripe_tells_it(any_world: World, receiver: Receiver) -> None:  # F10
    await keep(any_world, buyer(subscription()))
    brand = telling(receiver.url)
    await cancel(any_world, brand)
    assert receiver.got == []  # only the worker speaks to anybody
    sender = teller(any_world, brand)
    assert await sender.round() == 1
    await sender.close()
    ((headers, body),) = receiver.got
    secret = secret_of(SETTINGS.secrets, BRAND, receiver.url)[0]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], secret, tolerance=10**9)
    assert (event.type, event.livemode) == ("customer.subscription.updated", False)
    told = json.loads(body)["data"]
    checked(told["object"], stripe.Subscription, stripe.Subscription.__module__)
    assert told["object"]["cancel_at_period_end"] is True
    assert told["previous_attributes"]["cancel_at_period_end"] is False
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", headers["stripe-signature"], secret, tolerance=10**9)
    assert await states(any_world) == [("sent", 1)]


async def told(world: World) -> list[dict[str, Any]]:
    """What waits, in order; each object is one of the SDK's."""
    found = [json.loads(body) for (body,) in await world.store.read("SELECT document FROM event ORDER BY position")]
    kinds = {"invoice": stripe.Invoice, "payment_method": stripe.PaymentMethod, "customer": stripe.Customer}
    for each in found:
        it = each["data"]["object"]
        kind: Any = kinds.get(it["object"], stripe.Subscription)
        checked(it, kind, kind.__module__)
    return found


async def test_a_renewal_and_a_failed_charge_are_told(any_world: World, clock: Clock) -> None:  # F10
    declined = card(behavior="insufficient_funds")
    whole = buyer(subscription(), payment_methods=(card(),), default_payment_method="pm_1")
    await keep(any_world, whole)
    sam = replace(whole.customer, id="cus_sam", email="sam@example.com")
    bought = replace(whole.subscriptions[0], id="sub_2", latest_invoice="in_2")
    paid = replace(whole.invoices[0], id="in_2", subscription="sub_2")
    await keep(
        any_world,
        replace(whole, customer=sam, subscriptions=(bought,), invoices=(paid,), payment_methods=(declined,)),
    )
    billing = ledger(any_world, telling("https://shop.example/hooks"))
    await any_world.store.write(lambda it: it.count("UPDATE account SET due_at = 0"))
    clock.forward(seconds=int((END - clock()).total_seconds()) + 7200)
    for each in ("cus_jenny", "cus_sam"):
        account = await billing.account(each, clock())
        said = [it for it in await told(any_world) if it["data"]["object"].get("customer") == each]
        types = [it["type"] for it in said if it["type"].startswith("invoice")]
        (new,) = [it for it in account.invoices if it.created_at >= END]
        last = "invoice.paid" if each == "cus_jenny" else "invoice.payment_failed"
        assert types == ["invoice.created", "invoice.finalized", last]
        shape = next(it["data"]["object"] for it in said if it["type"] == last)
        assert (shape["id"], shape["total"], shape["amount_remaining"]) == (
            new.id,
            new.total.amount,
            new.amount_due.amount,
        )
        assert sum(line["amount"] for line in shape["lines"]["data"]) == shape["subtotal"]
        await billing.account(each, clock())
    assert len(await told(any_world)) == await any_world.count("event")  # reading again tells nothing


async def test_payments_and_payment_methods_are_told(any_world: World) -> None:  # F10
    due, older = invoice("in_due", "open"), invoice("in_older", "open")
    two = (card(), card("pm_2"))
    await keep(any_world, buyer(payment_methods=two, default_payment_method="pm_1", invoices=(due,)), older)
    billing = ledger(any_world, telling("https://shop.example/hooks"))
    for number, each in enumerate((due, older)):
        await billing.pay(by(any_world, f"pay{number}"), each.id, "pm_1")
    removing = msgspec.structs.replace(
        by(any_world, "remove"), features=Features(payment_method_update=PaymentMethodUpdate())
    )
    await billing.remove_payment_method(removing, "pm_2")
    said = [(each["type"], each["data"]["object"]["id"]) for each in await told(any_world)]
    assert [each for each in said if not each[0].startswith("customer")] == [
        ("invoice.paid", "in_due"),
        ("invoice.paid", "in_older"),  # it was there before, though the account does not hold it
        ("payment_method.detached", "pm_2"),
    ]


async def test_an_address_that_changed_is_told(any_world: World) -> None:  # F8, F10
    await keep(any_world, buyer())
    changing = By("cus_jenny", Features(), any_world.clock(), key="k" * 16)
    await ledger(any_world, telling("https://shop.example/hooks")).change_email(changing, "new@example.net")
    (said,) = await told(any_world)
    assert (said["type"], said["data"]["previous_attributes"]) == ("customer.updated", {"email": "jenny@example.com"})


async def test_what_did_not_happen_is_not_told(any_world: World) -> None:
    await keep(any_world, buyer(subscription()))
    brand = telling("https://shop.example/hooks")
    await cancel(any_world, brand, "one")
    await cancel_again(any_world, brand)
    assert await any_world.count("event") == 1
    quiet = Ledger(any_world.store, BRAND, keys=KEYS)
    await quiet.apply(by(any_world, "two"), "sub_1", Resume())
    assert await any_world.count("event") == 1  # nobody listens there


async def cancel_again(world: World, brand: Brand) -> None:
    """The same form, sent twice."""
    billing, asked = ledger(world, brand), by(world, "one")
    await billing.apply(asked, "sub_1", Cancel(), shown="x")


async def test_events_of_a_customer_come_in_their_order(any_world: World, receiver: Receiver, clock: Clock) -> None:
    await keep(any_world, buyer(subscription()))
    brand = telling(receiver.url)
    await cancel(any_world, brand)
    clock.forward(seconds=1)
    await ledger(any_world, brand).apply(by(any_world, "two"), "sub_1", Resume())
    await any_world.store.write(lambda it: it.count("UPDATE event SET customer_id = customer_id"))
    first = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    fine = receiver.answer
    receiver.answer = lambda number: first if number == 1 else fine(number)
    sender = teller(any_world, brand)
    assert [await sender.round() for _ in range(2)] == [1, 0]  # the second waits for the first
    clock.forward(seconds=11)
    assert [await sender.round() for _ in range(3)] == [1, 1, 0]
    await sender.close()
    cancels = [json.loads(body)["data"]["object"]["cancel_at_period_end"] for _, body in receiver.got]
    assert cancels == [True, True, False]


async def test_a_receiver_that_is_down_for_a_day_gets_everything_and_one_gone_for_good_is_given_up(
    any_world: World, receiver: Receiver, clock: Clock
) -> None:
    await keep(any_world, buyer(subscription()))
    brand = telling(receiver.url)
    await cancel(any_world, brand)
    fine, down = receiver.answer, b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    receiver.answer = lambda _: down
    sender, began, tries = teller(any_world, brand), clock(), []
    while clock() - began < timedelta(days=1):
        if await sender.round():
            tries.append(clock() - began)
        clock.forward(minutes=5)
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 8 < len(tries) < 25
    receiver.answer = fine
    clock.forward(hours=6)
    assert await sender.round() == 1
    assert await states(any_world) == [("sent", len(tries) + 1)]
    await any_world.store.write(lambda it: outbox.again(it, BRAND, json.loads(receiver.got[0][1])["id"], clock()))
    receiver.answer = lambda _: down
    for _ in range(20):
        clock.forward(hours=7)
        await sender.round()
    await sender.close()
    ((state, _),) = await states(any_world)
    assert state == "failed"


async def test_two_workers_send_an_event_once(any_world: World, receiver: Receiver) -> None:
    await keep(any_world, buyer(subscription()))
    brand = telling(receiver.url)
    await cancel(any_world, brand)
    senders = [teller(any_world, brand) for _ in range(8)]
    assert sum(await asyncio.gather(*(each.round() for each in senders))) == 1
    for each in senders:
        await each.close()
    assert len(receiver.got) == 1


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    there = receiver.url.encode()
    receiver.answer = lambda _: (
        b"HTTP/1.1 307 There\r\nLocation: " + there + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    poster = Poster(allow_private=True)
    with pytest.raises(NotPosted, match="307, and redirects are not followed"):
        await poster.post(receiver.url, b"{}", "t=1")
    await poster.close()
    assert len(receiver.got) == 1


async def test_a_private_address_is_not_connected_to(  # threat 79
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    poster, loop = Poster(allow_private=False), asyncio.get_running_loop()
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])
    with pytest.raises(NotPosted, match="not public"):
        await poster.post(receiver.url, b"{}", "t=1")

    async def looked_up(*_: object, **__: object) -> Any:
        """A name that leads to a public address and to a private one."""
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", looked_up)
    with pytest.raises(NotPosted, match="not public"):
        await poster.post(f"http://shop.example:{port}/hooks", b"{}", "t=1")
    await poster.close()
    assert receiver.got == []


async def test_an_address_that_cannot_be_reached_is_followed_by_the_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a name has an IPv6 address and this machine no way to it."""
    poster, loop = Poster(allow_private=True), asyncio.get_running_loop()
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])

    async def looked_up(*_: object, **__: object) -> Any:
        return [(2, 1, 6, "", (f"127.0.0.{each}", port)) for each in (9, 1)]  # the receiver is at the second alone

    monkeypatch.setattr(loop, "getaddrinfo", looked_up)
    assert await poster.post(f"http://shop.example:{port}/hooks", b"{}", "t=1") == "it answered 200"
    await poster.close()
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        *((each, False) for each in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.1.2.3")),
        *((each, False) for each in ("100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1%eth0")),
        *((each, False) for each in ("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1")),
    ],
)  # fmt: skip
async def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("name", "days", "trusted", "why"),
    [
        ("127.0.0.1", 1, True, ""),
        ("127.0.0.1", 1, False, "self-signed certificate"),
        ("shop.example", 1, True, "IP address mismatch"),
        ("127.0.0.1", -1, True, "certificate has expired"),
    ],
)
async def test_a_certificate_that_does_not_fit_gets_nothing(
    world: World, clock: Clock, tmp_path: Path, *, name: str, days: int, trusted: bool, why: str
) -> None:
    """A real server on loopback: without that it would prove nothing of the certificate."""
    file = certificate(tmp_path, name, days=days)
    its, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    its.load_cert_chain(file)
    if trusted:
        ours.load_verify_locations(file)
    await keep(world, buyer(subscription()))
    async with Receiver(its) as receiver:
        brand = telling(receiver.url)
        await cancel(world, brand)
        sender = teller(world, brand, ours)
        for _ in range(2):
            assert await sender.round() == 1
            if not why:
                break
            clock.forward(minutes=1)
        await sender.close()
    assert len(receiver.got) == (0 if why else 1)
    assert await states(world) == [("waiting", 2) if why else ("sent", 1)]  # tried again, and it goes on
    listed = await events.show(world.store, brand, argparse.Namespace(), clock())
    assert (why or "it answered 200") in listed, listed


async def test_a_receiver_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step comes in time, and all of them together do not."""
    monkeypatch.setattr("server.events.posting.LONGEST", 0.2)

    ended = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
            if not writer.transport.is_closing():
                writer.write(bytes([each]))
            await asyncio.sleep(0.02)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    poster = Poster(allow_private=True)
    with pytest.raises(NotPosted, match="no answer in time"):
        await poster.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", b"{}", "t=1")
    await poster.close()
    await ended.wait()
    server.close()


async def test_what_the_api_makes_is_told_without_its_url(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.customer()
    brand = telling("https://shop.example/hooks")
    monkeypatch.setattr("server.features.api.call.listeners_of", lambda _: listeners_of(brand))
    portal = (await back_end(world)).v1.billing_portal
    made = await portal.sessions.create_async({"customer": "cus_jenny"}, {"idempotency_key": "one"})
    await portal.sessions.create_async({"customer": "cus_jenny"}, {"idempotency_key": "one"})
    configuration = await portal.configurations.create_async({"features": {"invoice_history": {"enabled": True}}})
    await portal.configurations.update_async(configuration.id, {"name": "x"})
    rows = await world.store.read("SELECT type, document FROM event ORDER BY created_at, customer_id DESC, position")
    assert [each[0] for each in rows] == [
        "billing_portal.session.created",
        "billing_portal.configuration.created",
        "billing_portal.configuration.updated",
    ]
    assert made.url.rpartition("/")[2].encode() not in b"".join(bytes(each[1]) for each in rows)


def test_a_signature_is_made_with_each_secret() -> None:
    at, secrets = Clock()(), secret_of((b"new" * 12, b"old" * 12), BRAND, "https://shop.example/hooks")
    header = signature(secrets, b"{}", at)
    for each in secrets:
        assert stripe.WebhookSignature.verify_header("{}", header, each)
