"""Canceling and withdrawing without logging in: what the form takes, what is written down, who is told, and what is done."""

import hashlib
import html
import json
import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from server.access import declarations
from server.access.declarations import PAGE, PROOF, Case, Content, Declaration
from server.access.limits import CLIENT_TRIES, CONFIRMATIONS, DECLARATIONS
from server.features.doors import routes
from server.features.doors.views import Typed
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from server.publishing import pages
from server.rendering.assets import Assets
from server.store import cleaning
from tests.support.accounts import END, ending, subscription
from tests.support.world import brands

pytestmark = pytest.mark.anyio
BRAND = "plain"
"""Which has both doors."""
CANCEL, WITHDRAW = f"/{BRAND}/doors/cancel", f"/{BRAND}/doors/withdraw"
FORM = {
    "language": "en", "how": "ordinary", "name": "Jenny Rosen", "contract": "Standard plan", "when": "earliest",
    "email": "jenny@example.com",
}  # fmt: skip
BOTH = {"language": "en", "name": "Jenny Rosen", "contract": "Standard plan", "email": "jenny@example.com"}


async def mails(world, minutes=0):
    """What leaves by then."""
    world.clock.forward(minutes=minutes)
    mailer = KeepingMailer()
    delivery = Delivery(world.state.portals, world.store, mailer, world.clock)
    for job in await outbox.claim(world.store, world.clock(), 50):
        await delivery.deliver(job)
    return mailer.messages


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def link_in(mail):
    return urlsplit(re.search(r"http\S+/doors/proof/\S+", text_of(mail))[0]).path


async def cases(world, brand=BRAND):
    waiting, decided = await declarations.of_brand(world.store, brand)
    return waiting + decided


async def proved(world, client):
    """The answer to whoever has the newest confirmation."""
    *_, mail = [each for each in await mails(world) if "proof" in text_of(each)]
    page = await client.get(link_in(mail))
    return await client.fill(page)


async def test_a_cancellation_is_written_down_confirmed_and_done_once_the_address_is_proved(world):  # E1, E3
    await world.customer(brand=BRAND, active=True, subscriptions=[subscription()])
    client = world.client()
    received = await client.post(CANCEL, data=FORM, follow=True)
    assert "We have your cancellation" in received.text
    assert "Mar 1, 2026" in received.text
    (case,) = await cases(world)
    assert (case.state, case.said.contract, case.said.on) == ("open", "Standard plan", None)
    portal = world.portal(BRAND)
    assert not (await portal.billing.account("cus_jenny", world.clock())).subscriptions[0].cancel_at, "nobody proved it"
    (mail,) = await mails(world)
    assert (mail["To"], mail["Subject"]) == ("jenny@example.com", "Plain has your cancellation")
    assert all(word in text_of(mail) for word in ("Standard plan", "Jenny Rosen", case.id, case.hash, "Mar 1, 2026"))
    before = await client.get(link_in(mail))
    assert "Is this cancellation from you?" in before.text
    assert (await cases(world))[0].proved_at is None, "a scanner of mails follows links"
    done = await client.fill(before)
    assert "House blend ends on March 15, 2026." in html.unescape(done.text)
    (case,) = await cases(world)
    assert (case.state, case.subscription, case.ends_at, case.proved_at) == ("applied", "sub_1", END, world.clock())
    ended = await portal.billing.account("cus_jenny", world.clock())
    assert ended.subscriptions[0].cancel_at == END
    again = await client.post(link_in(mail))
    assert "House blend ends on" in again.text
    assert len(await portal.billing.history("cus_jenny")) == 1
    sent = await mails(world, minutes=60)
    assert [each["Subject"] for each in sent if "waits" in each["Subject"]] == [], "nothing is left to decide"


@pytest.mark.parametrize(
    ("form", "customers"),
    [
        ({"how": "cause", "reason": "Twice too late"}, {}),
        ({"when": "date", "date": "2026-12-24"}, {}),
        ({}, None),
        ({}, {"disabled": True}),
        ({}, {"subscriptions": [subscription(), subscription("sub_2")]}),
        ({}, {"subscriptions": []}),
    ],
    ids=["for cause", "on a day", "nobody's", "disabled", "two subscriptions", "none"],
)
async def test_what_is_not_plain_waits_for_the_merchant(world, form, customers):  # E3
    if customers is not None:
        await world.customer(brand=BRAND, **{"subscriptions": [subscription()], **customers})
    client = world.client()
    await client.post(CANCEL, data={**FORM, **form})
    answer = await proved(world, client)
    assert "Plain decides by March 8, 2026, and writes to you." in answer.text
    (case,) = await cases(world)
    assert (case.state, case.subscription) == ("open", "")
    if customers:
        account = await world.portal(BRAND).billing.account("cus_jenny", world.clock())
        assert not any(each.cancel_at for each in account.subscriptions)
    (told,) = await mails(world, minutes=31)
    assert (told["To"], told["Subject"]) == ("help@example.com", "A cancellation waits for you")
    assert "Standard plan" in text_of(told)


async def test_two_customers_with_one_address_are_the_merchants_to_tell_apart(world):  # E3
    for id_ in ("cus_one", "cus_two"):
        await world.customer(id_, brand=BRAND, subscriptions=[subscription()])
    client = world.client()
    await client.post(CANCEL, data=FORM)
    assert "Plain decides by" in (await proved(world, client)).text


async def test_a_subscription_that_ends_already_is_named_with_its_end(world):  # E3
    await world.customer(brand=BRAND, subscriptions=[ending()])
    client = world.client()
    await client.post(CANCEL, data=FORM)
    assert "House blend ends on March 15, 2026." in (await proved(world, client)).text
    assert await world.portal(BRAND).billing.history("cus_jenny") == []


async def test_a_withdrawal_takes_two_steps_and_always_waits_for_the_merchant(world):  # E2
    await world.customer(brand=BRAND, subscriptions=[subscription()])
    client = world.client()
    review = await client.post(WITHDRAW, data=BOTH)
    assert "Nothing is sent yet" in review.text
    assert "Confirm withdrawal" in review.text
    assert await cases(world) == []
    edited = await client.post(WITHDRAW, data={**BOTH, "do": "edit"})
    assert 'value="Standard plan"' in edited.text
    received = await client.post(WITHDRAW, data={**BOTH, "do": "send"}, follow=True)
    assert "We have your withdrawal" in received.text
    assert "Plain decides by" in (await proved(world, client)).text
    (case,) = await cases(world)
    assert (case.said.kind, case.state) == ("withdraw", "open")


async def test_french_law_has_a_cancellation_shown_once_more(world):  # E1
    client = world.client()
    review = await client.post(CANCEL, data={**FORM, "language": "fr"})
    assert "Notification de la résiliation" in review.text
    assert await cases(world) == []
    await client.fill(review, do="send")
    assert [each.said.locale for each in await cases(world)] == ["fr"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Verträge hier kündigen", "Jetzt kündigen", "Vertrag widerrufen", "Widerruf bestätigen")),
        ("fr", ("Résilier votre contrat", "Notification de la résiliation", "Se rétracter du contrat ici", "Confirmer la rétractation")),
        ("en", ("Cancel contracts here", "Cancel now", "Withdraw from contract here", "Confirm withdrawal")),
    ],
)  # fmt: skip
async def test_links_and_buttons_say_what_the_law_says(world, language, words):  # E1, E2
    """§ 312k and § 356a BGB, Code de la consommation art. D. 215-1 and D. 215-3, directive 2011/83/EU art. 11a."""
    client = world.client(**{"Accept-Language": language})
    shown = (await client.get(f"/{BRAND}/login")).text
    shown += (await client.post(CANCEL, data={**FORM, "language": language, "do": "edit"})).text
    for url in (CANCEL, WITHDRAW):
        shown += (await client.post(url, data={**FORM, "language": language, "name": "Jenny"})).text
    assert [each for each in words if f">{each}<" not in html.unescape(shown)] == []


async def test_each_language_has_its_static_pages_and_a_brand_without_doors_has_none(world):  # E1, E2
    brand = next(each for each in brands() if each.name == BRAND)
    found = pages.page_templates(brand)
    assert {
        f"{tag}{kind}/index.html" for tag in ("", "de/", "fr/", "es/", "ar/") for kind in ("cancel", "withdraw")
    } <= set(found)
    made = dict(pages.render_pages(brand, Assets.of(brand)))
    assert 'action="/plain/doors/cancel"' in made["de/cancel/index.html"][1]
    assert 'href="/plain/de/withdraw/"' in made["de/help/index.html"][1]
    other = next(each for each in brands() if each.name == "orbit")
    assert not [path for path in pages.page_templates(other) if "cancel" in path or "withdraw" in path]
    client = world.client()
    assert (await client.post("/orbit/doors/cancel", data=FORM)).status_code == 404
    assert (await client.post(f"/{BRAND}/doors/steal", data=FORM)).status_code == 404


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"how": ""}, [("how", "missing")]),
        ({"how": "anyhow"}, [("how", "missing")]),
        ({"how": "cause"}, [("reason", "missing")]),
        ({"how": "cause", "reason": " \n"}, [("reason", "missing")]),
        ({"how": "cause", "reason": "x" * 1001}, [("reason", "long")]),
        ({"name": " "}, [("name", "missing")]),
        ({"name": "x" * 101}, [("name", "long")]),
        ({"contract": ""}, [("contract", "missing")]),
        ({"contract": "x" * 201}, [("contract", "long")]),
        ({"when": ""}, [("when", "missing")]),
        ({"when": "date"}, [("date", "no_date")]),
        ({"when": "date", "date": "24.12.2026"}, [("date", "no_date")]),
        ({"when": "date", "date": "2026-02-28"}, [("date", "past")]),
        ({"when": "date", "date": "2031-01-01"}, [("date", "far")]),
        ({"email": ""}, [("email", "missing")]),
        ({"email": "jenny"}, [("email", "not_an_address")]),
        ({"when": "date", "date": "2026-03-01"}, []),
        ({"when": "earliest", "date": "nonsense"}, []),
        ({"how": "ordinary", "reason": "is not asked for, and kept"}, []),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(world, changed, wrong):
    client, form = world.client(), {**FORM, **changed}
    answer = await client.post(CANCEL, data=form)
    typed = Typed(**{key: value for key, value in form.items() if key != "language"})
    said, mistakes = routes.read("cancel", typed, "en", world.clock())
    assert [(each.field, each.why) for each in mistakes] == wrong
    if not wrong:
        assert answer.status_code == 303
        assert said.reason == form.get("reason", "")
        return
    assert answer.status_code == 422
    assert f'href="#field-{wrong[0][0]}"' in answer.text
    for name in ("name", "contract", "email"):
        assert html.escape(form[name]) in answer.text
    assert await cases(world) == []


async def test_the_same_twice_is_one_declaration(world):
    client = world.client()
    first, second = [await client.post(CANCEL, data=FORM) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    await client.post(CANCEL, data={**FORM, "contract": "Another plan"})
    world.clock.forward(minutes=11)
    await client.post(CANCEL, data=FORM)
    assert len(await cases(world)) == 3
    assert len(await mails(world)) == 3


async def test_the_page_of_the_declarant_and_its_pdf_open_by_their_own_token_alone(world):
    client = world.client()
    received = (await client.post(CANCEL, data=FORM)).headers["location"]
    (case,) = await cases(world)
    pdf = await client.get(f"{received}/pdf")
    assert pdf.content.startswith(b"%PDF")
    portal = world.portal(BRAND)
    page, proof = (declarations.token(portal.settings, BRAND, case.id, purpose) for purpose in (PAGE, PROOF))
    assert received.endswith(page)
    theirs = declarations.token(portal.settings, "orbit", case.id, PROOF)
    for path in (
        f"received/{proof}",
        f"proof/{page}",
        f"proof/{theirs}",
        "received/x",
        f"received/{page[1:]}",
        "proof/%00",
    ):
        answer = await client.get(f"/{BRAND}/doors/{path}")
        assert answer.status_code in (400, 404), path
    assert (await client.post(f"/{BRAND}/doors/proof/{page}")).status_code == 404
    assert (await cases(world))[0].proved_at is None
    assert (await client.get(f"/orbit/doors/received/{page}")).status_code == 404


async def test_documents_are_made_for_a_client_thirty_times_in_ten_minutes(world, monkeypatch):
    async def printed(*_):
        return b"%PDF"

    monkeypatch.setattr(routes, "printed", printed)
    client = world.client()
    received = (await client.post(CANCEL, data=FORM)).headers["location"]
    for _ in range(CLIENT_TRIES[0]):
        assert (await client.get(f"{received}/pdf")).status_code == 200
    assert (await client.get(f"{received}/pdf")).status_code == 429
    assert (await client.get(received)).status_code == 200


async def test_known_and_unknown_addresses_are_answered_alike(world):  # threats 26 to 29
    await world.customer(brand=BRAND, active=True, subscriptions=[subscription()])
    answers, sent = [], []
    for address in ("jenny@example.com", "nobody@example.com"):
        received = await world.client().post(CANCEL, data={**FORM, "email": address}, follow=True)
        answers.append(re.sub(r"dec_\w+|received/[\w-]+", "", received.text.replace(address, "")))
        (mail,) = await mails(world)
        sent.append(re.sub(r"dec_\w+|proof/\S+|[0-9a-f]{64}", "", text_of(mail).replace(address, "")))
    assert answers[0] == answers[1]
    assert sent[0] == sent[1]


async def test_what_strangers_type_is_no_link_and_no_markup_in_a_mail(world):
    hostile = {"name": "<b>x</b> https://evil.example/x", "contract": "www.evil.example", "email": "victim@example.com"}
    await world.client().post(CANCEL, data={**FORM, **hostile})
    (mail,) = await mails(world)
    whole = mail.get_body(("html",)).get_content()
    assert "<b>x</b>" not in whole
    for text in (whole, text_of(mail)):
        assert "evil.example" not in text
        assert "evil.\u2060example" in text
    assert "evil" not in mail["Subject"]


async def test_a_client_may_declare_ten_times_an_hour_and_others_go_on(world):
    client = world.client()
    for number in range(DECLARATIONS[0]):
        assert (await client.post(CANCEL, data={**FORM, "contract": f"{number}"})).status_code == 303
    refused = await client.post(CANCEL, data={**FORM, "contract": "one more"})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert len(await cases(world)) == DECLARATIONS[0]
    other = world.client("203.0.113.99")
    assert (await other.post(CANCEL, data={**FORM, "contract": "one more"})).status_code == 303


async def test_an_address_gets_five_confirmations_a_day_and_its_declarations_still_count(world):
    for number in range(CONFIRMATIONS[0] + 1):
        client = world.client(f"203.0.113.{number + 10}")
        page = await client.post(CANCEL, data={**FORM, "contract": f"{number}"}, follow=True)
    assert "keep the PDF" in page.text
    assert len(await mails(world)) == CONFIRMATIONS[0]
    assert len(await cases(world)) == CONFIRMATIONS[0] + 1
    assert len(await mails(world, minutes=31)) == CONFIRMATIONS[0] + 1, "the merchant is told of each"


async def test_what_was_declared_is_kept_byte_by_byte_and_a_change_is_noticed(world):  # E3
    await world.client().post(CANCEL, data=FORM)
    (case,) = await cases(world)
    kept = json.loads(case.document)
    assert (kept["id"], kept["brand"], kept["at"]) == (case.id, BRAND, "2026-03-01T12:00:00Z")
    assert case.is_whole
    changed = case.document.replace(b"Standard plan", b"Standart plan")
    sql = "UPDATE declaration SET document = :document"
    await world.store.write(lambda it: it.count(sql, {"document": changed}))
    assert not (await cases(world))[0].is_whole


async def test_what_was_declared_is_in_everything_that_a_customer_takes_along(world):  # D4
    await world.customer(brand=BRAND, active=True, subscriptions=[subscription()])
    await world.client().post(
        CANCEL, data={**FORM, "how": "cause", "reason": "Too late", "when": "date", "date": "2026-12-24"}
    )
    await world.client().post(CANCEL, data={**FORM, "email": "other@example.com"})
    client = world.client()
    await world.log_in(client, brand=BRAND)
    (found,) = (await client.get(f"/{BRAND}/my/details/export")).json()["declarations"]
    assert (found["contract"], found["reason"], found["on"], found["state"]) == (
        "Standard plan",
        "Too late",
        "2026-12-24",
        "open",
    )


async def test_a_decided_declaration_goes_after_four_years_and_one_that_waits_stays(world):
    await world.client().post(CANCEL, data=FORM)
    await world.client().post(CANCEL, data={**FORM, "contract": "Another plan"})
    (first, _) = await cases(world)
    decide = {"brand": BRAND, "id_": first.id, "operator": "ann@shop.example", "words": "Done.", "now": world.clock()}
    assert await world.store.write(lambda it: declarations.answer(it, **decide))
    assert not await world.store.write(lambda it: declarations.answer(it, **decide))
    await cleaning.clean(world.store, world.clock() + timedelta(days=4 * 365), timedelta(hours=1))
    assert len(await cases(world)) == 2
    await cleaning.clean(world.store, world.clock() + timedelta(days=4 * 365 + 2), timedelta(hours=1))
    assert [each.state for each in await cases(world)] == ["open"]


def test_a_day_is_read_as_browsers_send_it():
    it = Declaration("dec_1", BRAND, END, Content("cancel", "J", "j@example.com", "C", "ordinary", on=date(2026, 4, 1)))
    case = Case(it, hashlib.sha256(b"").hexdigest(), END, "open")
    assert case.is_whole
    assert replace(case, document=b"x").is_whole is False
