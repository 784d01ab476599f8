"""Only some of the invoices: by year, by status, page by page."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.features.invoices import views
from tests.support.accounts import account, invoice, keep

pytestmark = pytest.mark.anyio
IDS = re.compile(r'href="/harbour/my/invoices/(in_\w+)"')
URL = "/harbour/my/invoices"
UTC_ZONE = ZoneInfo("UTC")


def many():
    """Two a month from December 2025 back to January 2024, newest first; every fourth is open."""
    newest = datetime(2025, 12, 20, tzinfo=UTC)
    return tuple(
        invoice(f"in_{n:02}", "open" if n % 4 == 0 else "paid", created_at=newest - timedelta(days=15 * n))
        for n in range(48)
    )


@pytest.fixture
async def browser(world):
    everything = many()
    it = account(invoices=everything[:12], has_older_invoices=True, created_at=datetime(2023, 5, 1, tzinfo=UTC))
    await keep(world, it, *everything[12:])
    found = world.client()
    await world.log_in(found)
    return found


async def every_page(browser, query):
    """The ids on all pages of a choice."""
    url, seen = f"{URL}?{query}", []
    while url:
        answer = await browser.get(url, fragment=bool(seen))
        assert answer.status_code == 200
        seen += IDS.findall(answer.text)
        older = re.search(r'href="([^"]*before=[^"]*)"', answer.text)
        url = older[1].replace("&amp;", "&") if older else ""
    return seen


@pytest.mark.parametrize("year", [2025, 2024])
async def test_a_years_invoices_are_shown_and_no_others(browser, year):
    assert await every_page(browser, f"year={year}") == [each.id for each in many() if each.created_at.year == year]


@pytest.mark.parametrize("status", ["open", "paid"])
async def test_a_status_is_shown_and_no_other(browser, status):
    assert await every_page(browser, f"status={status}") == [each.id for each in many() if each.status == status]


async def test_year_and_status_go_together(browser):  # I6
    expected = [each.id for each in many() if each.created_at.year == 2024 and each.status == "open"]
    assert await every_page(browser, "year=2024&status=open") == expected


async def test_what_there_is_none_of_is_said_with_a_way_back(browser):
    answer = await browser.get(f"{URL}?year=2023&status=void")
    assert answer.status_code == 200
    assert "No invoices match." in answer.text
    assert f'<a href="{URL}">' in answer.text


async def test_the_form_shows_what_was_chosen(browser):
    page = (await browser.get(f"{URL}?year=2024&status=open")).text
    assert re.findall(r'<option value="([^"]*)" selected>', page) == ["2024", "open"]
    assert re.findall(r'<option value="(\d+)"', page) == ["2025", "2024", "2023"]


@pytest.mark.parametrize(
    "query",
    [
        *("year=1999", "year=20255", "year=-1", "year=abc", "year=٢٠٢٥", "year=2025.0", "year=+2025"),
        *("status=draft", "status=PAID", "status=x' OR 1=1", "year=&status="),
    ],
)
async def test_what_cannot_be_chosen_is_as_if_it_were_not_given(browser, query):
    answer = await browser.get(f"{URL}?{query}")
    assert IDS.findall(answer.text) == [each.id for each in many()[:12]]
    assert "selected" not in answer.text or 'value="" selected' in answer.text


@pytest.mark.parametrize(
    "query", ["year=2025&year=2024", "status=open&status=paid", "year[]=2025", "year=%00", "status=%00"]
)
async def test_an_odd_query_is_no_mistake_of_ours(browser, query):
    assert (await browser.get(f"{URL}?{query}")).status_code in {200, 400}


async def test_a_cursor_of_somebody_else_tells_nothing(world, browser):  # threat 75
    await world.customer("cus_else", "else@example.com")
    stranger = world.client()
    await world.log_in(stranger, "else@example.com")
    theirs = await stranger.get(f"{URL}?before=in_05&year=2025")
    nobodys = await stranger.get(f"{URL}?before=in_xx&year=2025")
    assert theirs.status_code == nobodys.status_code
    assert IDS.findall(theirs.text) == []


async def test_a_choice_is_made_in_place_and_without_scripts(browser):
    page = (await browser.get(URL)).text
    form = re.search(r"<form[^>]*>", page[page.index("<main") :])[0]
    assert f'method="get" action="{URL}"' in form
    assert f'hx-get="{URL}"' in form
    fragment = await browser.get(f"{URL}?year=2024", fragment=True)
    assert fragment.text.lstrip().startswith('<section id="invoices-list"')
    assert "data-announce" in fragment.text
    assert "data-focus" in fragment.text


def test_years_are_those_of_the_brands_calendar():
    new_year = datetime(2026, 1, 1, 3, tzinfo=UTC)
    it = account(invoices=(invoice(created_at=new_year),))
    assert views.years(it, UTC_ZONE) == (2026,)
    assert views.years(it, ZoneInfo("America/New_York")) == (2025,)
    since = views.Choice(2026).only(ZoneInfo("America/New_York")).since_at
    assert since == datetime(2026, 1, 1, 5, tzinfo=UTC)


def test_a_customer_without_invoices_chooses_nothing():
    assert views.years(account(), UTC_ZONE) == ()


def test_no_more_years_are_offered_than_anybody_reads():
    ancient = invoice(created_at=datetime(1901, 1, 1, tzinfo=UTC))
    it = account(invoices=(invoice(created_at=datetime(2026, 1, 1, tzinfo=UTC)), ancient))
    assert len(views.years(it, UTC_ZONE)) == views.MOST_YEARS + 1
