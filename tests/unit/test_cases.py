"""Each case that once went wrong has tests that hold what is right by value: they say its row, `# case import 7`, on
their def line or below it. The rows of imports are the files of `corpora/exports`; those of money are these:

1  a customer who is exempt, or for whom the tax is reversed     6  an end within a later period
2  rates of an item, the next phase of a schedule, a pending     7  a beginning that expires with a part of the balance
   item that gives back                                          8  weeks that become months at a period's end
3  a credit in the balance, and a pause                          9  a card that fails
4  an upgrade after a refund
5  many changes at one moment, and a page of an older one
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROWS = {f"import {int(file.name[:2])}" for file in (TESTS / "corpora" / "exports").iterdir()} | {
    f"money {number}" for number in range(1, 10)
}
SAYS = re.compile(r"# .*?\bcases? ([a-z\d, ]+)$", re.MULTILINE)


def rows_of(test: str) -> set[str]:
    """The rows that a test says it holds: `# cases import 13, 14, money 2`."""
    found, table = set(), ""
    for each in re.findall(r"import|money|\d+", ", ".join(SAYS.findall(test))):
        table = table if each.isdigit() else each
        found |= {f"{table} {each}"} if each.isdigit() else set()
    return found


def test_each_case_has_a_test_that_says_so():
    said = set()
    for file in (file for folder in ("unit", "contract") for file in (TESTS / folder).rglob("test_*.py")):
        source = file.read_text("utf-8")
        if not SAYS.search(source):
            continue
        for each in ast.walk(ast.parse(source)):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                said |= rows_of("\n".join(source.splitlines()[each.lineno - 1 : each.end_lineno]))
    assert said == ROWS
