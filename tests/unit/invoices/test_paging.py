"""Older invoices, page by page."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.support.accounts import END, account, invoice, keep, subscription

pytestmark = pytest.mark.anyio
NUMBERS = re.compile(r'href="/harbour/my/invoices/(in_\d+)"')


async def test_every_invoice_is_reached_once_newest_first(world):
    everything = tuple(invoice(f"in_{n:02}", created_at=END - timedelta(days=n)) for n in range(30))
    await keep(world, account(invoices=everything[:12], has_older_invoices=True), *everything[12:])
    browser = world.client()
    await world.log_in(browser)
    url, seen, pages = "/harbour/my/invoices", [], 0
    while url:
        answer = await browser.get(url, fragment=pages > 0)
        seen += NUMBERS.findall(answer.text)
        older = re.search(r'href="([^"]*\?before=[^"]*)"', answer.text)
        url, pages = older[1] if older else "", pages + 1
    assert seen == [each.id for each in everything]
    assert pages == 3


async def test_the_last_page_says_that_it_is(world):
    everything = tuple(invoice(f"in_{n:02}", created_at=END - timedelta(days=n)) for n in range(13))
    await keep(world, account(invoices=everything[:12], has_older_invoices=True), everything[12])
    browser = world.client()
    await world.log_in(browser)
    answer = await browser.get("/harbour/my/invoices?before=in_11", fragment=True)
    assert "You have seen all your invoices." in answer.text


async def test_a_customer_without_invoices_is_told_so(world):
    await keep(world, account())
    browser = world.client()
    await world.log_in(browser)
    assert 'class="empty"' in (await browser.get("/harbour/my/invoices")).text


@pytest.mark.parametrize("query", ["before=in_1&before=in_2", "before=%00", "before=" + "x" * 5000, "before[]=1"])
async def test_an_odd_cursor_is_no_mistake_of_ours(world, query):
    await keep(world, account(invoices=(invoice(),)))
    browser = world.client()
    await world.log_in(browser)
    assert (await browser.get(f"/harbour/my/invoices?{query}")).status_code in {200, 400, 404}


async def test_what_is_owed_stands_on_the_first_pages_however_old_it_is(world):  # I4, S12
    everything = tuple(invoice(f"in_{n:02}", created_at=END - timedelta(days=n)) for n in range(30))
    debt = replace(invoice("in_28", "open"), created_at=everything[28].created_at)
    everything = (*everything[:28], debt, everything[29])
    behind = subscription(status="past_due")
    older = (*everything[12:28], everything[29])
    await keep(world, account(behind, invoices=(*everything[:12], debt), has_older_invoices=True), *older)
    browser = world.client()
    await world.log_in(browser)
    pay = 'href="/harbour/my/invoices/in_28/pay"'
    for page in ("overview", "invoices", "subscriptions/sub_1"):
        assert pay in (await browser.get(f"/harbour/my/{page}")).text, page
    first = (await browser.get("/harbour/my/invoices")).text
    assert NUMBERS.findall(first) == ["in_28", *(f"in_{n:02}" for n in range(12))]
    assert "before=in_11" in first
    assert "Older invoices that are" not in (await browser.get("/harbour/my/invoices?status=open")).text
