"""Cases in the studio: what was declared without logging in, who has the address, the answer, and the document."""

import re

import pytest

from server.access import declarations
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from server.merchant.studio import history
from tests.unit.doors.test_doors import FORM

pytestmark = pytest.mark.anyio
PLAIN = "/_studio/b/plain"
CASES = f"{PLAIN}/cases"


async def declared(studio, **changed):
    await studio.client().post("/plain/doors/cancel", data={**FORM, **changed})
    waiting, _ = await declarations.of_brand(studio.store, "plain")
    return waiting[-1]


async def acts(studio):
    return [act.what for act in (await history.read(studio.store)).acts if act.what == "case_answered"]


async def sent(studio):
    mailer = KeepingMailer()
    delivery = Delivery(studio.state.portals, studio.store, mailer, studio.clock)
    for job in await outbox.claim(studio.store, studio.clock(), 50):
        if job.brand == "plain":
            await delivery.deliver(job)
    return mailer.messages


async def test_a_case_is_read_answered_by_mail_once_and_kept_as_a_document(studio):  # E4
    await studio.customer(brand="plain", name="Jenny Rosen")
    case = await declared(studio, how="cause", reason="Twice <i>too</i> late")
    await sent(studio)
    client = await studio.operator("sue@shop.example", "support", "plain")
    assert "1 case waits for your decision" in (await client.get(PLAIN)).text
    listed = await client.get(CASES)
    assert "Cancellation for cause" in listed.text
    assert "decide by 2026-03-08" in listed.text
    page = await client.get(f"{CASES}/{case.id}")
    assert "Twice &lt;i&gt;too&lt;/i&gt; late" in page.text
    assert 'href="/_studio/b/plain/customers/cus_jenny"' in page.text
    assert case.hash in page.text
    empty = await client.fill(page)
    assert (empty.status_code, "Write your answer" in empty.text) == (422, True)
    long = await client.fill(page, words="x" * 4001)
    assert (long.status_code, "x" * 4001 in long.text) == (422, True)
    answered = await client.fill(page, words="It ends today.\r\n\r\nYour money is on its way.", follow=True)
    assert "Your answer is on its way to jenny@example.com" in answered.text
    late = await client.fill(page, words="Once more.", follow=True)
    assert "It was decided before" in late.text
    (mail,) = await sent(studio)
    assert (mail["To"], mail["Subject"]) == ("jenny@example.com", "About your cancellation")
    assert "It ends today.\n\nYour money is on its way." in mail.get_body(("plain",)).get_content()
    assert await acts(studio) == ["case_answered"]
    assert (await client.get(f"{CASES}/{case.id}/pdf")).content.startswith(b"%PDF")
    (kept,) = (await declarations.of_brand(studio.store, "plain"))[1]
    assert (kept.state, kept.operator, kept.answer) == (
        "answered",
        "sue@shop.example",
        "It ends today.\n\nYour money is on its way.",
    )
    assert kept.document == case.document


async def test_another_brands_case_is_not_there_and_who_may_not_see_customers_sees_none(studio):  # threat 113
    case = await declared(studio)
    other = await studio.operator("sue@shop.example", "support", "harbour")
    for path in ("", "/pdf"):
        assert (await other.get(f"/_studio/b/harbour/cases/{case.id}{path}")).status_code == 404
    assert (await other.post(f"/_studio/b/harbour/cases/{case.id}", data={"words": "Mine."})).status_code == 404
    editor = await studio.operator("ed@shop.example", "publisher", "plain")
    assert (await editor.get(CASES)).status_code == 403
    assert [each.state for each in (await declarations.of_brand(studio.store, "plain"))[0]] == ["open"]


async def test_a_row_that_somebody_changed_is_told(studio):  # E4
    case = await declared(studio)
    sql = "UPDATE declaration SET document = :document"
    changed = case.document.replace(b"Standard plan", b"Another plan ")
    await studio.store.write(lambda it: it.count(sql, {"document": changed}))
    client = await studio.operator("sue@shop.example", "support", "plain")
    assert "This is not what was declared" in (await client.get(f"{CASES}/{case.id}")).text


async def test_the_doors_are_switched_on_by_a_page(studio):
    client = await studio.operator()
    assert "Switch on the pages for it" in (await client.get("/_studio/b/orbit/cases")).text
    page = await client.get("/_studio/b/orbit/portal/doors")
    assert re.search('name="doors.cancel"', page.text)
