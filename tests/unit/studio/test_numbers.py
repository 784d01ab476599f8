"""What customers do, as an operator sees it: figures and files, and what none of them gives away."""

import csv
import io
import re
from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.merchant.studio.numbers import days, plots, sums
from server.store import activities
from tests.support.spreadsheets import FORMULAS, PARTINGS, cells, is_formula

pytestmark = pytest.mark.anyio
URL = "/_studio/b/harbour/numbers"


async def note(studio, kind, customer="cus_jenny", *, ago=0, brand="harbour", **data):
    at = studio.clock() - timedelta(days=ago)
    await studio.store.write(
        lambda transaction: activities.note(transaction, brand, customer, kind, now=at, browser="", data=data)
    )


async def tell(studio, reason, words="", customer="cus_jenny", *, ago=0):
    await note(studio, sums.WHY, customer, ago=ago, reason=reason, comment=words)


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_before_anything_happened_the_page_says_what_will_be_there(studio):
    await note(studio, "login", brand="orbit")
    client = await studio.operator()
    page = (await client.get(URL)).text
    assert "Nothing was done in this time" in page
    assert "<svg" not in page


async def test_a_figure_is_drawn_said_and_listed(studio):
    for ago, times in ((0, 1), (3, 4), (29, 2), (30, 5)):
        for number in range(times):
            await note(studio, "login", f"cus_{number}", ago=ago)
    client = await studio.operator()
    page = (await client.get(f"{URL}?period=30")).text
    assert "7 log-ins from Sat 31 January to Sun 1 March; the most in one day: 4, Thu 26 February." in page
    assert "5 in the 30 days before" in page
    assert "by 4 customers" in page
    table = re.findall(r'<th scope="row">(\w+ \d+ \w+)</th><td class="amount">(\d+)</td>', page)
    assert table == [("Sat 31 January", "2"), ("Thu 26 February", "4"), ("Sun 1 March", "1")]
    [path] = re.findall(r'class="plot-bars" d="([^"]*)"', page)
    assert re.findall(r"M([\d.]+) 100v-([\d.]+)h", path) == [("1.5", "50"), ("261.5", "100"), ("291.5", "25")]
    assert not re.search(r"<(svg|path)[^>]* style=", page)


async def test_the_days_of_a_file_are_those_of_the_period_and_each_has_its_numbers(studio):
    await note(studio, "subscription.canceled", ago=6)
    await note(studio, "subscription.resumed", ago=6)
    await note(studio, "invoice.charge_failed", ago=7)
    client = await studio.operator()
    answer = await client.get(f"{URL}/days.csv?period=7")
    assert answer.headers["content-disposition"] == 'attachment; filename="harbour-days-2026-02-23-2026-03-01.csv"'
    rows = rows_of(answer)
    assert [each["date"] for each in rows] == [f"2026-02-{day}" for day in range(23, 29)] + ["2026-03-01"]
    assert rows[0] == {"date": "2026-02-23", **dict.fromkeys(sums.FIGURES, "0"), "cancellations": "1", "resumed": "1"}
    assert {value for row in rows[1:] for name, value in row.items() if name != "date"} == {"0"}
    assert len(rows_of(await client.get(f"{URL}/days.csv?period=odd"))) == 30


async def test_a_year_is_drawn_by_months_and_compared_with_the_same_days_a_year_ago(studio):
    for ago in (0, 1, 200, 365, 366, 380):
        await note(studio, "login", ago=ago)
    client = await studio.operator()
    page = (await client.get(f"{URL}?period=12m")).text
    assert "3 log-ins from April 2025 to March 2026" in page
    assert re.findall(r'<th scope="row">(\w+ \d+)</th>', page) == ["August 2025", "February 2026", "March 2026"]
    assert "3 a year before" in page


@pytest.mark.parametrize(
    ("today", "first", "first_before", "last_before"),
    [
        (date(2026, 3, 1), date(2025, 4, 1), date(2024, 4, 1), date(2025, 3, 1)),
        (date(2024, 2, 29), date(2023, 3, 1), date(2022, 3, 1), date(2023, 2, 28)),
        (date(2025, 12, 31), date(2025, 1, 1), date(2024, 1, 1), date(2024, 12, 31)),
        (date(2026, 1, 31), date(2025, 2, 1), date(2024, 2, 1), date(2025, 1, 31)),
    ],
)
def test_a_year_is_this_month_and_the_eleven_before(today, first, first_before, last_before):
    found = days.period("12m", today)
    assert (found.first, found.last, found.first_before, found.last_before) == (first, today, first_before, last_before)


def test_bars_are_as_high_as_their_numbers_and_one_of_thousands_is_seen():
    drawn = plots.bars([0, 1, 4100])
    assert (drawn.top, drawn.width) == (5000, 30)
    assert drawn.path == "M11.5 100v-1.5h7V100zM21.5 100v-82h7V100z"
    assert [plots.bars([most]).top for most in (0, 1, 3, 7, 11, 22, 41, 100, 101, 501)] == [
        *(2, 2, 4, 8, 12, 24, 50, 100, 120, 600)
    ]


@pytest.mark.parametrize(
    ("found", "shown", "rest"),
    [
        ({}, [], 0),
        ({"unused": 2}, [], 2),
        ({"unused": 1, "other": 1}, [], 2),
        ({"unused": 3}, [("unused", 3)], 0),
        ({"unused": 9, "other": 2, "low_quality": 1}, [("unused", 9)], 3),
        ({"unused": 9, "other": 4, "low_quality": 2}, [("unused", 9)], 6),  # not 2: then the rest were known
        ({"unused": 9, "low_quality": 1}, [], 10),
        ({"unused": 3, "other": 3}, [("other", 3), ("unused", 3)], 0),
    ],
)
def test_a_reason_that_few_gave_is_neither_shown_nor_left_over(found, shown, rest):  # threat 118
    split = sums.split(Counter(found))
    assert (list(split.shown), split.rest) == (shown, rest)
    assert split.rest == 0 or split.rest >= sums.SMALLEST or not split.shown


async def test_one_customer_who_says_it_three_times_is_one(studio):  # threat 118
    for ago in range(3):
        await tell(studio, "unused", ago=ago)
    client = await studio.operator("vic@shop.example", "viewer", "harbour")
    page = (await client.get(URL)).text
    assert "1 customer. Details are shown where" in page
    assert "I do not use it enough" not in page
    assert rows_of(await client.get(f"{URL}/reasons.csv")) == [{"reason": "not_shown", "customers": "1"}]


async def test_changes_are_split_by_plan_where_enough_customers_made_them(studio):  # threat 118
    up = {"before": "Small", "after": "Big", "price_before": "p1", "price_after": "p2"}
    for number in range(4):
        await note(studio, "subscription.changed", f"cus_{number}", **up)
        await note(studio, "subscription.change_applied", f"cus_{number}", **up)
        await note(
            studio, "subscription.changed", f"cus_{number}", before="Big", after="Big", quantity_after=str(number)
        )
    for number in range(3):
        before, after = ("Big", "Small") if number else ("Big", "Club")
        await note(studio, "subscription.changed", f"cus_{number}", before=before, after=after)
    client = await studio.operator("vic@shop.example", "viewer", "harbour")
    rows = rows_of(await client.get(f"{URL}/plans.csv"))
    assert [tuple(each.values()) for each in rows] == [
        *(("Big, another quantity", "4"), ("Small → Big", "4"), ("not_shown", "3"))
    ]
    assert "Big → Club" not in (await client.get(URL)).text


async def test_words_and_who_wrote_them_are_read_with_the_right_for_customers_alone(studio, monkeypatch):  # threat 118
    await studio.customer("cus_quinn", "quinn@example.com", name="Quinn Rosen")
    for number in range(3):
        await tell(studio, "other", "Call me: quinn@example.com", f"cus_{number}")
    await tell(studio, "other", "<b>Too</b> slow", "cus_quinn")
    viewer = await studio.operator("vic@shop.example", "viewer", "harbour")
    pages = [await viewer.get(URL + rest) for rest in ("", "/days.csv", "/reasons.csv", "/plans.csv")]
    assert "Another reason" in pages[0].text
    for page in pages:
        assert page.status_code == 200
        assert not re.search("quinn|cus_|Call me|slow", page.text, re.IGNORECASE)
    assert (await viewer.get(f"{URL}/words.csv")).status_code == 403
    support = await studio.operator("sue@shop.example", "support", "harbour")
    read, said = studio.store.read, []
    monkeypatch.setattr(studio.store, "read", lambda sql, values=None: said.append(sql) or read(sql, values))
    page = (await support.get(URL)).text
    assert sum("FROM customer" in sql for sql in said) == 1
    assert "&lt;b&gt;Too&lt;/b&gt; slow" in page
    assert "<bdi>Quinn Rosen</bdi>" in page
    rows = rows_of(await support.get(f"{URL}/words.csv"))
    assert {(each["customer"], each["words"]) for each in rows} >= {("cus_quinn", "<b>Too</b> slow")}
    assert len(rows) == 4


async def test_no_cell_of_a_file_is_a_formula(studio):  # threat 117
    for number, text in enumerate(FORMULAS):
        for nth in range(3):
            await tell(studio, text, text, f"{text}{number}")
            await note(studio, "subscription.changed", f"{nth}", before=text, after=f"{text}{number}")
        for customer in ("one", "two"):
            await tell(studio, text, text, customer)
    client = await studio.operator()
    for name in ("words", "reasons", "plans", "days"):
        raw = (await client.get(f"{URL}/{name}.csv")).content.decode("utf-8-sig")
        for between, quotes in PARTINGS:
            found = [each for each in cells(raw, between, quotes=quotes) if is_formula(each)]
            assert [each for each in found if not re.fullmatch(r"\d{4}-\d\d-\d\d.*", each)] == [], (name, between)
    words = rows_of(await client.get(f"{URL}/words.csv"))
    assert len(words) == 5 * len(FORMULAS)
    assert len(rows_of(await client.get(f"{URL}/reasons.csv"))) == len(FORMULAS)


class Explaining:
    """A store that keeps how SQLite means to answer each question."""

    def __init__(self, store):
        self.store, self.plans = store, []

    async def read(self, sql, parameters=None):
        self.plans += [row[-1] for row in await self.store.read(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        return await self.store.read(sql, parameters)


async def test_numbers_are_counted_in_the_index_alone(studio):
    store, period = Explaining(studio.store), days.period("12m", studio.clock().date())
    zone = ZoneInfo("Europe/Berlin")
    await sums.count(store, "harbour", period, zone)
    await sums.how_many_customers(store, "harbour", "log_ins", period, zone)
    searched = [each for each in store.plans if "activity" in each]
    assert len(searched) == 5  # two times eleven months, each with one change of clocks, and the customers
    assert all("USING COVERING INDEX activity_by_kind" in each for each in searched), searched
