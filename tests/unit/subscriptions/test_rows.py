"""Each row of the features' list of subscriptions has its tests: in the units, and in a browser both with scripts and
without."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
ROWS = [f"S{number}" for number in range(1, 16)]
NAMED = re.compile(r"def test_s(\d+)_|^\s*(?:async )?def test_.*# (S\d+(?:, S\d+)*)\s*$")


def rows_in(*files):
    found = set()
    for line in (line for each in files for line in each.read_text().splitlines()):
        if match := NAMED.search(line):
            found |= {f"S{match[1]}"} if match[1] else set(match[2].split(", "))
    return found


def test_each_row_has_a_unit_test():
    assert set(ROWS) <= rows_in(*(TESTS / "unit").rglob("*.py"))


def test_each_row_has_a_browser_test_that_runs_in_both_modes():
    file = TESTS / "browser" / "test_subscription_rows.py"
    assert rows_in(file) == set(ROWS)
    tests = [each for each in ast.parse(file.read_text()).body if getattr(each, "name", "").startswith("test_")]
    assert all([argument.arg for argument in each.args.args] == ["enter"] for each in tests)
    assert 'params=["in place", "without scripts"]' in file.read_text()
