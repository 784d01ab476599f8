"""Every route x whose thing x which brand x who asks. The routes come from the router itself: one that is not in the
table below fails, so nobody adds a route without saying who may ask for what."""

import hashlib
import itertools
import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from msgspec.structs import replace

from server.access.other_sessions import name_of
from server.billing import Invoice, TaxId
from server.billing.model.invoice import CreditNote
from server.formats.money import Money
from server.mail.stopping import token_for
from server.store import Store, micros
from tests.conftest import Clock
from tests.support.accounts import account, card, ending, invoice, keep, subscription
from tests.support.client import Client
from tests.support.provider import at_the_bank
from tests.support.selling import offering
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio

VISITOR, CUSTOMER, SIGNED = "anybody", "a customer", "Stripe, by its signature"
BACK_END = "a merchant's back end, by its key: tests/contract/api has its matrix"
WHO = {
    "GET /{brand_name}/login": VISITOR,
    "POST /{brand_name}/login": VISITOR,
    "GET /{brand_name}/login/code": VISITOR,
    "POST /{brand_name}/login/code": VISITOR,
    "POST /{brand_name}/login/resend": VISITOR,
    "POST /{brand_name}/logout": VISITOR,
    "GET /{brand_name}/mails/{kind}/{token}": VISITOR,
    "POST /{brand_name}/mails/{kind}/{token}": VISITOR,
    "POST /{brand_name}/mails/{kind}/{token}/again": VISITOR,
    "POST /{brand_name}/doors/{kind}": VISITOR,
    "GET /{brand_name}/doors/received/{token}": VISITOR,
    "GET /{brand_name}/doors/received/{token}/pdf": VISITOR,
    "GET /{brand_name}/doors/proof/{token}": VISITOR,
    "POST /{brand_name}/doors/proof/{token}": VISITOR,
    "POST /{brand_name}/webhooks/stripe": SIGNED,
    "GET /{brand_name}/p/session/{token}": VISITOR,
    "GET /v1/{path}": BACK_END,
    "POST /v1/{path}": BACK_END,
    "DELETE /v1/{path}": BACK_END,
    "GET /{brand_name}/my/flow/done": CUSTOMER,
    "GET /{brand_name}/my/flow/{flow}": CUSTOMER,
    "GET /{brand_name}/my/mails": CUSTOMER,
    "POST /{brand_name}/my/mails": CUSTOMER,
    "POST /{brand_name}/my/language": CUSTOMER,
    "POST /{brand_name}/my/logout-everywhere": CUSTOMER,
    "GET /{brand_name}/my/overview": CUSTOMER,
    "GET /{brand_name}/my/subscriptions": CUSTOMER,
    "GET /{brand_name}/my/history": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/cancel": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/cancel": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/resume": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/retain": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/feedback": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/feedback": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/change": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/change": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/change/confirm": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/change/confirm": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/change/undo": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/pause": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/pause": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/unpause": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/unpause": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/restart": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/restart": CUSTOMER,
    "GET /{brand_name}/my/invoices": CUSTOMER,
    "GET /{brand_name}/my/invoices/csv": CUSTOMER,
    "GET /{brand_name}/my/invoices/zip": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/pay": CUSTOMER,
    "POST /{brand_name}/my/invoices/{invoice_id}/pay": CUSTOMER,
    "POST /{brand_name}/my/invoices/{invoice_id}/pay/add": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/pay/{method_id}/added": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/pay/returned/{session_id}": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/credit-notes/{note_id}": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/credit-notes/{note_id}/pdf": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/pdf": CUSTOMER,
    "GET /{brand_name}/my/invoices/{invoice_id}/receipt": CUSTOMER,
    "GET /{brand_name}/my/payment-methods": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/add": CUSTOMER,
    "POST /{brand_name}/my/payment-methods/add": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/returned/{session_id}": CUSTOMER,
    "GET /{brand_name}/my/leave/{token}": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/{method_id}/replace": CUSTOMER,
    "POST /{brand_name}/my/payment-methods/{method_id}/replace": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/{method_id}/added": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/{method_id}/default": CUSTOMER,
    "POST /{brand_name}/my/payment-methods/{method_id}/default": CUSTOMER,
    "GET /{brand_name}/my/payment-methods/{method_id}/remove": CUSTOMER,
    "POST /{brand_name}/my/payment-methods/{method_id}/remove": CUSTOMER,
    "GET /{brand_name}/my/subscriptions/{subscription_id}/unpin": CUSTOMER,
    "POST /{brand_name}/my/subscriptions/{subscription_id}/unpin": CUSTOMER,
    "GET /{brand_name}/sandbox/{visit_id}": CUSTOMER,
    "POST /{brand_name}/sandbox/{visit_id}": CUSTOMER,
    "GET /{brand_name}/sandbox/{visit_id}/confirm": CUSTOMER,
    "POST /{brand_name}/sandbox/{visit_id}/confirm": CUSTOMER,
    "GET /{brand_name}/my/details": CUSTOMER,
    "GET /{brand_name}/my/details/export": CUSTOMER,
    "GET /{brand_name}/my/details/contact": CUSTOMER,
    "POST /{brand_name}/my/details/contact": CUSTOMER,
    "GET /{brand_name}/my/details/email": CUSTOMER,
    "POST /{brand_name}/my/details/email": CUSTOMER,
    "GET /{brand_name}/my/details/email/code": CUSTOMER,
    "POST /{brand_name}/my/details/email/code": CUSTOMER,
    "GET /{brand_name}/my/details/address": CUSTOMER,
    "POST /{brand_name}/my/details/address": CUSTOMER,
    "GET /{brand_name}/my/details/shipping": CUSTOMER,
    "POST /{brand_name}/my/details/shipping": CUSTOMER,
    "GET /{brand_name}/my/details/tax-ids": CUSTOMER,
    "POST /{brand_name}/my/details/tax-ids": CUSTOMER,
    "GET /{brand_name}/my/details/tax-ids/{tax_id}/remove": CUSTOMER,
    "POST /{brand_name}/my/details/tax-ids/{tax_id}/remove": CUSTOMER,
    "GET /{brand_name}/my/sessions": CUSTOMER,
    "POST /{brand_name}/my/sessions/{session_id}/end": CUSTOMER,
    "POST /{brand_name}/my/sessions/end-others": CUSTOMER,
    "GET /{brand_name}/my/accounts": CUSTOMER,
    "POST /{brand_name}/my/accounts/{account_id}/open": CUSTOMER,
}
# The same thing by another door: ids that come in a query.
IDS_IN_QUERIES = ("GET /{brand_name}/my/invoices?before={invoice_id}",)
LEAD_ON = ("GET /{brand_name}/my/flow/done", "GET /{brand_name}/my/flow/{flow}")
AT_STRIPE = (
    "GET /{brand_name}/my/leave/{token}",
    "GET /{brand_name}/my/payment-methods/returned/{session_id}",
    "GET /{brand_name}/my/invoices/{invoice_id}/pay/returned/{session_id}",
)
"""The ledger leads nowhere else, so it shows nothing there: tests/unit/leaving and tests/contract/stripe_writes do."""
OF_THE_API = tuple(each for each in WHO if "/details/email" in each)
"""Only in a session that the business' server made: tests/contract/api/test_email.py."""
OTHER = "orbit"
MINE = {"subscription_id": "sub_mine", "invoice_id": "in_mine", "method_id": "pm_mine", "visit_id": "visit_mine"}
NOT_MINE = {
    "of another customer": {each: id_.replace("_mine", "_sams") for each, id_ in MINE.items()},
    "of another brand": {each: id_.replace("_mine", "_orbits") for each, id_ in MINE.items()},
    "of my own other kind": dict(zip(MINE, ("in_mine", "sub_mine", "visit_mine", "pm_mine"), strict=True)),
    "of my own with another case": {each: id_.upper() for each, id_ in MINE.items()},
    "of my own with a blank": dict(
        zip(MINE, ("sub_mine%20", "%20in_mine", "pm_mine%20", "%20visit_mine"), strict=True)
    ),
    "of my own as a pattern": dict(zip(MINE, ("sub%25", "in_min_", "pm%25", "visit_min_"), strict=True)),
    "of SQL": dict.fromkeys(MINE, "x'%20OR%20'1'='1"),
    "of no text": dict.fromkeys(MINE, "%ff%fe"),
    "of great length": {each: id_[0] * 4000 for each, id_ in MINE.items()},
}
MADE_UP = {each: id_.replace("_mine", "_nobodys") for each, id_ in MINE.items()}


SESSION = """
INSERT INTO session (id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at)
VALUES (:id_hash, :brand, :customer, :address, 'link', 'Safari on iPhone', :now, :now, :expires_at)"""


def session_row(customer: str) -> bytes:
    return hashlib.sha256(customer.encode()).digest()


def session_name(customer: str, brand: str = BRAND) -> str:
    """What forms of the customer call the session that `fill` gives them."""
    portal: Any = SimpleNamespace(name=brand, settings=SETTINGS)
    return name_of(portal, customer, session_row(customer))


MINE |= {"session_id": session_name("cus_mine"), "account_id": "cus_mine"}
MADE_UP |= {"session_id": "q7Jk2bT0aVf8YxR1Lm3NwPz5cDe6GhS9uIo4Kt", "account_id": "cus_nobody"}
for whose, its in {
    "of another customer": (session_name("cus_sams"), "cus_sams"),
    "of another brand": (session_name("cus_orbits", OTHER), "cus_orbits"),
    "of my own other kind": ("sub_mine", "sub_mine"),
    "of my own with another case": (MINE["session_id"].swapcase(), "CUS_MINE"),
    "of my own with a blank": (MINE["session_id"] + "%20", "%20cus_mine"),
    "of my own as a pattern": (MINE["session_id"][:-1] + "%25", "cus%25"),
    "of SQL": ("x'%20OR%20'1'='1", "x'%20OR%20'1'='1"),
    "of no text": ("%ff%fe", "%ff%fe"),
    "of great length": ("s" * 4000, "c" * 4000),
}.items():
    NOT_MINE[whose] |= dict(zip(("session_id", "account_id"), its, strict=True))


MINE["note_id"], MADE_UP["note_id"] = "cn_in_mine", "cn_nobodys"
for whose, ids in NOT_MINE.items():
    ids["note_id"] = {"of another customer": "cn_in_sams", "of another brand": "cn_in_orbits"}.get(
        whose, ids["method_id"]
    )


MINE["tax_id"], MADE_UP["tax_id"] = "txi_mine", "txi_nobodys"
for whose, its in {
    "of another customer": "txi_sams",
    "of another brand": "txi_orbits",
    "of my own other kind": "in_mine",
    "of my own with another case": "TXI_MINE",
    "of my own with a blank": "txi_mine%20",
    "of my own as a pattern": "txi_min_",
    "of SQL": "x'%20OR%20'1'='1",
    "of no text": "%ff%fe",
    "of great length": "t" * 4000,
}.items():
    NOT_MINE[whose]["tax_id"] = its


def stops(customer: str, brand: str = BRAND) -> dict[str, str]:
    """The link of the customer's renewal reminders."""
    portal: Any = SimpleNamespace(name=brand, settings=SETTINGS)
    return {"kind": "renewal_reminder", "token": token_for(portal, customer, "renewal_reminder")}


for ids in (MINE, MADE_UP, *NOT_MINE.values()):
    ids.update(stops("cus_mine"), path="billing_portal/configurations", flow="customer_update")


@pytest.fixture
def world(sqlite_store: Store, clock: Clock) -> World:
    """Every brand offers everything, so that no route hides behind a switch."""
    return World(sqlite_store, clock, features=offering())


@pytest.fixture
def any_world(store: Store, store_url: str, clock: Clock) -> World:
    return World(store, clock, url=store_url, features=offering())


def routes(world: World) -> Iterator[str]:
    litestar: Litestar = world.routed
    for route in litestar.routes:
        for method in sorted(route.methods - {"OPTIONS"}):
            yield f"{method} {route.path_format}"


def of(who: str, method: str = "") -> list[str]:
    return [each for each, whose in WHO.items() if whose == who and each.startswith(method)]


def with_ids() -> list[str]:
    return [each for each in (*WHO, *IDS_IN_QUERIES) if "_id}" in each]


async def call(browser: Client, route: str, ids: dict[str, str] = MINE, *, brand: str = BRAND, **rest: Any) -> Response:
    """The route as the page of it would be asked for, with a form that is whole."""
    method, path = route.split(" ")
    url = path.format(brand_name=brand, **ids)
    form = {"key": secrets.token_urlsafe(16), "customer": "cus_mine", "code": "123456"} if method == "POST" else None
    return await browser.request(method, url, data=form, **rest)


def credited(paid: Invoice) -> Invoice:
    """With a credit note over a part of it."""
    back = Money(100, paid.currency)
    note = CreditNote(f"cn_{paid.id}", "CN-1", "issued", paid.created_at, subtotal=back, total=back)
    return replace(paid, credit_notes=(note,), credited=back)


async def fill(world: World) -> World:
    """Two customers of one brand and one of another, each with a subscription, an invoice, a tax ID and a session elsewhere."""
    for id_, address, brand in (
        ("mine", "jenny@example.com", BRAND),
        ("sams", "sam@example.com", BRAND),
        ("orbits", "jenny@example.com", OTHER),
    ):
        own = account(
            subscription(f"sub_{id_}"), ending(f"sub_{id_}_ending"), id=f"cus_{id_}", email=address,
            tax_ids=(TaxId(f"txi_{id_}", "eu_vat", "DE136695976"),),
            payment_methods=(card(f"pm_{id_}"),), default_payment_method=f"pm_{id_}",
            invoices=(invoice(f"in_{id_}_newer"), credited(invoice(f"in_{id_}"))),
        )  # fmt: skip
        await keep(world, own, invoice(f"in_{id_}_old"), brand=brand)
        await at_the_bank(world, brand, f"cus_{id_}", f"visit_{id_}", note="confirm_once", last4="3155")
        row = {"id_hash": session_row(f"cus_{id_}"), "brand": brand, "customer": f"cus_{id_}", "address": address}
        row |= {"now": micros(world.clock()), "expires_at": micros(world.clock() + timedelta(hours=8))}
        await world.store.write(lambda transaction, row=row: transaction.count(SESSION, row))  # type: ignore[misc]
    return world


async def logged_in(world: World) -> Client:
    """As the customer whose things are `MINE`."""
    browser = world.client()
    await world.log_in(browser)
    return browser


@pytest.fixture
async def filled(world: World) -> World:
    return await fill(world)


@pytest.fixture
async def browser(filled: World) -> Client:
    return await logged_in(filled)


async def everything(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    tables = ("challenge", "budget", "session", "customer", "account", "invoice", "catalog", "operation", "outbox",
              "activity", "imported", "migration", "provider_session", "promotion_code", "redemption", "known_browser", "mail_choice",
              "api_key", "api_request", "api_configuration", "portal_session")  # fmt: skip
    return {table: sorted(await store.read(f"SELECT * FROM {table}"), key=repr) for table in tables}


async def test_the_table_has_every_route_and_no_other(world: World) -> None:
    assert sorted(routes(world)) == sorted(WHO)


async def test_whoever_is_logged_in_is_asked_below_my_and_nowhere_else() -> None:
    """And on the ledger's stand-in for a provider's page, which belongs to one customer as well."""
    for route, who in WHO.items():
        assert ("/my/" in route or "/sandbox/" in route) == (who == CUSTOMER), route


async def test_everything_of_mine_is_shown_to_me(browser: Client) -> None:
    """Without this the refusals below would prove nothing."""
    with_older = {**MINE, "invoice_id": "in_mine_newer"}
    for route in (*of(CUSTOMER, "GET"), *IDS_IN_QUERIES):
        if route in LEAD_ON + AT_STRIPE + OF_THE_API:
            continue  # this session has no flow that ends, and the other leads to another page
        answer = await call(browser, route, with_older if route in IDS_IN_QUERIES else MINE)
        assert answer.status_code == 200, route
    for route in sorted(of(CUSTOMER, "POST"), key=lambda route: "logout" in route):
        answer = await call(browser, route)
        if route in OF_THE_API:
            assert answer.status_code == 404, route
            continue
        # A rule may say no, or the form may want more; but what it is about was found.
        assert answer.status_code in (200, 303, 409, 422), route


async def test_what_is_not_mine_is_not_there_to_the_byte(any_world: World) -> None:  # threat 75
    browser = await logged_in(await fill(any_world))
    before = await everything(any_world.store)
    for route, fragment in itertools.product(with_ids(), (False, True)):
        nothing = await call(browser, route, MADE_UP, fragment=fragment)
        assert nothing.status_code == 404, route
        for whose, ids in NOT_MINE.items():
            theirs = await call(browser, route, ids, fragment=fragment)
            assert theirs.status_code == 404, (route, whose, theirs.status_code)
            assert theirs.content == nothing.content, (route, whose)
            assert theirs.headers.multi_items() == nothing.headers.multi_items(), (route, whose)
    assert await everything(any_world.store) == before


async def test_a_zero_byte_reaches_no_database(any_world: World) -> None:  # threats 18, 75
    """PostgreSQL takes none in a text, and no text of ours has one."""
    browser = await logged_in(await fill(any_world))
    for route in with_ids():
        ids = {each: f"{id_}%00" for each, id_ in MINE.items()}
        assert (await call(browser, route, ids)).status_code == 400, route
    for route in (*of(VISITOR, "GET"), *of(CUSTOMER, "GET")):
        url = route.split(" ")[1].format(brand_name=BRAND, **MINE)
        for query in ("before=%00", "prefilled_email=a%00@example.com", "next=%00", "%00=1"):
            assert (await browser.get(f"{url}?{query}")).status_code == 400, (route, query)


async def test_a_form_may_name_any_customer_and_changes_nobody_else(filled: World, browser: Client) -> None:
    # threats 75, 76, 78
    before = await everything(filled.store)
    for route in of(CUSTOMER, "POST"):
        if "{" not in route.removeprefix("POST /{brand_name}"):
            continue
        url = route.split(" ")[1].format(brand_name=BRAND, **NOT_MINE["of another customer"])
        for claim in ({"customer": "cus_sams"}, {"customer_id": "cus_sams"}, {"email": "sam@example.com"}):
            form = {"key": "k" * 22, "customer": "cus_mine", "amount": "0", "price": "price_1"} | claim
            answer = await browser.post(url, data=form)
            assert answer.status_code in (404, 409), (route, claim)
    assert await everything(filled.store) == before


async def test_an_address_opens_nothing_only_a_session_does(filled: World) -> None:  # threat 76
    stranger = filled.client()
    claims = {"email": "jenny@example.com", "customer": "cus_mine", "customer_id": "cus_mine", "session": "cus_mine"}
    for route in of(CUSTOMER):
        method, path = route.split(" ")
        url = path.format(brand_name=BRAND, **MINE)
        headers = {"x-customer": "cus_mine", "x-user": "jenny@example.com", "authorization": "Bearer cus_mine"}
        given: dict[str, Any] = {"params": claims} if method == "GET" else {"data": claims}
        answer = await stranger.request(method, url, headers=headers, **given)
        assert answer.status_code == 401, route
        assert "sub_mine" not in re.sub(r'(value="|next=)subscription[^"&]*', "", answer.text), route


def other_brands_session(browser: Client, to: Client) -> None:
    """The token of one brand's session under the name of the other brand's cookie: a browser would never, a thief may."""
    token = browser.cookies[f"__Host-{BRAND}-session"]
    to.cookies.set(f"__Host-{OTHER}-session", token, domain="portal.example")


async def refused_everywhere(browser: Client, brand: str = BRAND) -> None:
    for route in of(CUSTOMER):
        for fragment in (False, True):
            answer = await call(browser, route, brand=brand, fragment=fragment)
            assert answer.status_code == 401, (route, answer.status_code)
            for theirs in ("House blend", "4242", "HC-in_mine"):
                assert theirs not in answer.text, route


async def test_nobody_logged_in_gets_nothing(filled: World) -> None:
    before = await everything(filled.store)
    await refused_everywhere(filled.client())
    assert await everything(filled.store) == before


async def test_a_session_of_one_brand_is_nothing_to_another(filled: World, browser: Client) -> None:  # threat 75
    before = await everything(filled.store)
    await refused_everywhere(browser, OTHER)
    other_brands_session(browser, browser)
    await refused_everywhere(browser, OTHER)
    assert await everything(filled.store) == before


async def test_after_logging_out_the_old_cookie_opens_nothing(filled: World, browser: Client) -> None:  # threat 46
    token = browser.cookies[f"__Host-{BRAND}-session"]
    await browser.post(f"/{BRAND}/logout")
    browser.cookies.set(f"__Host-{BRAND}-session", token, domain="portal.example")
    await refused_everywhere(browser)


async def test_a_customer_who_was_switched_off_is_out_at_once(filled: World, browser: Client) -> None:  # threat 24
    off = "UPDATE customer SET disabled = 1 WHERE id = 'cus_mine'"
    await filled.store.write(lambda transaction: transaction.count(off))
    await refused_everywhere(browser)


async def test_reading_changes_no_row(filled: World, browser: Client) -> None:  # threat 62
    before = await everything(filled.store)
    for route in (*of(VISITOR, "GET"), *of(CUSTOMER, "GET"), *IDS_IN_QUERIES):
        for headers in ({}, {"purpose": "prefetch", "sec-purpose": "prefetch"}):
            for fragment in (False, True):
                assert (await call(browser, route, fragment=fragment, headers=headers)).status_code < 500, route
    assert await everything(filled.store) == before


async def test_reading_later_notes_that_somebody_was_here_and_nothing_else(
    filled: World, browser: Client, clock: Clock
) -> None:  # threat 62
    before = await everything(filled.store)
    clock.forward(minutes=5)
    for route in of(CUSTOMER, "GET"):
        await call(browser, route)
    after = await everything(filled.store)
    assert after.pop("session") != before.pop("session")
    assert after == before


ODD = ("PUT", "PATCH", "DELETE", "QUERY", "TRACE", "CONNECT", "PROPFIND", "OPTIONS", "X" * 200)


async def test_odd_methods_change_nothing_and_show_nothing(filled: World, browser: Client) -> None:  # threat 11
    before = await everything(filled.store)
    for route in WHO:
        url = route.split(" ")[1].format(brand_name=BRAND, **MINE)
        for method in ODD:
            answer = await browser.request(method, url, data={"key": "k" * 22, "customer": "cus_mine"})
            assert answer.status_code in (204, 403, 405), (method, url, answer.status_code)
            assert "House blend" not in answer.text, (method, url)
    assert await everything(filled.store) == before


async def test_no_header_makes_one_method_of_another(filled: World, browser: Client) -> None:  # threat 11
    before = await everything(filled.store)
    overrides = {"x-http-method-override": "POST", "x-http-method": "POST", "x-method-override": "POST"}
    for route in of(CUSTOMER, "POST"):
        url = route.split(" ")[1].format(brand_name=BRAND, **MINE)
        answer = await browser.get(f"{url}?_method=POST&key={'k' * 22}&customer=cus_mine", headers=overrides)
        assert answer.status_code in ((404,) if route in OF_THE_API else (200, 405)), url
    assert await everything(filled.store) == before


async def test_head_is_answered_as_get_is_and_without_a_body(filled: World, browser: Client) -> None:
    # threats 11, 32, 62
    before = await everything(filled.store)
    for route in WHO:
        method, path = route.split(" ")
        url = path.format(brand_name=BRAND, **MINE)
        for fragment in (False, True):
            answer = await browser.request("HEAD", url, fragment=fragment)
            assert answer.content == b"", url
            if f"GET {path}" not in WHO:
                assert answer.status_code == 405, url
            elif method == "GET" and not any(each in url for each in ("/zip", "/pdf", "/receipt")):
                got = await browser.get(url, fragment=fragment)
                assert answer.status_code == got.status_code, url
                told, known = (sorted(each.headers) for each in (answer, got))
                assert told == known, url
                own = {"content-length": "", "request-id": ""}
                assert {**answer.headers, **own} == {**got.headers, **own}, url
    assert await everything(filled.store) == before
