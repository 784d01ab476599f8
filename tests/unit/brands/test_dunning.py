"""`[dunning]` of `portal.toml`: on which days a failed charge is tried again, and what the last failure does."""

import pytest

from server import brands
from server.brands.dunning import Dunning
from tests.support.brands import PORTAL, the_mistake, write_brand


def written(tmp_path, text):
    return write_brand(tmp_path, portal=f"{PORTAL}[dunning]\n{text}\n")


def test_eight_tries_in_two_weeks_are_standard(tmp_path):
    found = brands.load(written(tmp_path, "")).config.dunning
    assert (found, len(found.retry_days), found.retry_days[-1], found.after_last) == (Dunning(), 8, 14, "cancel")


@pytest.mark.parametrize("days", [(), (3,), (1, 30, 60)])
def test_the_days_and_what_follows_are_the_merchants(tmp_path, days):
    text = f'retry_days = {list(days)}\nafter_last = "unpaid"'
    assert brands.load(written(tmp_path, text)).config.dunning == Dunning(days, "unpaid")


@pytest.mark.parametrize(
    "days", ["[0]", "[61]", "[3, 3]", "[5, 2]", '["1"]', "[1.5]", "[true]", "3", str([*range(1, 17)])]
)
def test_days_that_are_no_schedule_are_refused_with_what_is_allowed(tmp_path, days):
    mistake = the_mistake(written(tmp_path, f"retry_days = {days}"))
    assert mistake.key == "dunning.retry_days"
    assert mistake.found == days.replace('"', "'")
    assert "each larger than the one before" in str(mistake)


def test_another_word_for_the_end_is_refused(tmp_path):
    assert the_mistake(written(tmp_path, 'after_last = "delete"')).key == "dunning.after_last"
