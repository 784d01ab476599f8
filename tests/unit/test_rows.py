"""Each row of the portal's features that a customer sees has its tests: in the units or on both stores, and in a browser
both with scripts and without. A test names its rows at the end of its def line, `# P2, P3`, before the threats
(`# L13, threat 45`), or begins with one: `test_s6_…`.

A feature that comes is one line in `WALKED`.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"^\s*(?:async )?def test_(?:([a-z]\d+)_|.*# ([A-Z]\d+(?:, [A-Z]\d+)*)(?:, threats? .*)?$)")


def numbered(letter, last):
    return {f"{letter}{number}" for number in range(1, last + 1)}


WALKED = {
    "test_detail_rows.py": numbered("D", 4),
    "test_login_rows.py": {"L3", "L4", "L5", "L6", "L7", "L8", "L10", "L12", "L14"},
    "test_door_rows.py": numbered("E", 3),
    "test_mail_rows.py": numbered("M", 4),
    "test_session_rows.py": {"L13", "L15"},
    "test_subscription_rows.py": numbered("S", 15),
    "test_method_rows.py": numbered("P", 7),
    "test_invoice_rows.py": numbered("I", 7),
}
MODES = 'params=["in place", "without scripts"]'
GIVEN = {"enter", "later", "stage", "tmp_path"}
"""What a walk may ask for: nothing by which it would have scripts where it should have none."""


def rows_in(*files):
    lines = (line for each in files for line in each.read_text("utf-8").splitlines())
    found = (match for line in lines if (match := NAMED.search(line)))
    return {row for match in found for row in (match[1] or match[2]).upper().split(", ")}


def test_each_row_has_a_test_below_the_browser():
    below = (file for folder in ("unit", "contract") for file in (TESTS / folder).rglob("test_*.py"))
    assert set().union(*WALKED.values()) - rows_in(*below) == set()


@pytest.mark.parametrize(("name", "rows"), WALKED.items(), ids=WALKED)
def test_each_row_is_walked_in_a_browser_in_both_modes(name, rows):
    file = TESTS / "browser" / name
    assert rows_in(file) == rows
    tests = [each for each in ast.parse(file.read_text("utf-8")).body if getattr(each, "name", "").startswith("test_")]
    asked = [{argument.arg for argument in each.args.args} for each in tests]
    assert all("enter" in each and each <= GIVEN for each in asked)


def test_every_walk_is_made_with_scripts_and_without():
    conftest = (TESTS / "browser" / "conftest.py").read_text("utf-8")
    assert re.search(rf"@pytest\.fixture\({re.escape(MODES)}\)\ndef enter\(", conftest)
