"""No statement reads a table of customers' things from its beginning to its end, nor all that a brand has in it.

The statements are those that stand in the modules of `server`. SQLite plans by the indexes that there are, which both
stores have; PostgreSQL plans by what it last counted in its tables, and says of empty ones now this, now that.
"""

import ast
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import server

SMALL = frozenset(
    {
        "catalog",
        "kept_secret",
        "migration",
        "release",
        "release_bucket",
        "release_live",
        "release_object",
        "worker_round",
    }
    | {"api_configuration", "api_key", "stripe_budget", "stripe_dirty", "stripe_sync"}
    | {"studio_act", "studio_ceremony", "studio_head", "studio_operator", "studio_passkey", "studio_session"}
    | {"studio_word", "studio_write"}
)
"""These have a row for each brand, operator or process, not for each customer."""
WHOLE = frozenset(
    {"server.access.passcodes._END_EVERY", "server.access.sessions._END_EVERY", "server.billing.stripe.copies._FOREIGN"}
)
"""What ends all of them, once, after a backup was put back or a brand went to Stripe."""
IN_ORDER = frozenset({"operation_open", "event_by_age", "customer_to_index"})
"""Of a brand's rows in these indexes, a statement reads the first up to its limit."""
NO_TABLE = ("store.postgres", ".database_findings", ".importing.charges")
"""These ask PostgreSQL for its settings, or the import's own file."""
_VERB = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\s+\S")
_PART = re.compile(r"%s|\{(?!kinds\}|\})|\bstaged\b|^UPDATE SET")
"""Of a statement that is put together when it is needed, or one over the import's own file."""
_OF_BRAND = re.compile(r"SEARCH (\w+) USING (?:COVERING )?INDEX (\w+) \(brand=\?(?: AND kind=\?(?: AND at[<>]\?)?)?\)")
"""Also all of one kind, up to some moment: who asks for a span has two."""
NAME = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@cache
def statements() -> dict[str, str]:
    """By where each stands."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if not module.name.endswith(("__main__", *NO_TABLE)):
            for where, text in _texts(import_module(module.name)):
                if _VERB.match(text) and not _PART.search(text):
                    filled = text.replace("{kinds}", ":kind").replace("IN ({})", "IN (:one)")
                    found.setdefault(filled.replace("({})", "catalog.id = :id"), where)
    return {where: text for text, where in found.items()}


def _texts(module: Any) -> Iterator[tuple[str, str]]:
    for name, value in vars(module).items():
        values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        for number, each in enumerate(values):
            if isinstance(each, str):
                yield f"{module.__name__}.{name}{f'[{number}]' if len(values) > 1 else ''}", each
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Call):
            for each in node.args:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield f"{module.__name__}, line {each.lineno}", each.value


def read_whole_by_sqlite(connection: sqlite3.Connection, sql: str) -> set[str]:
    called = dict(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+)(?:\s+AS)?\s+([a-z]+)\b", sql))
    tables = {alias: table for table, alias in called.items()}
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(NAME.findall(sql))).fetchall()
    steps = [each[3] for each in plan]
    scanned = (re.match(r"SCAN (\w+)|SEARCH (\w+) USING AUTOMATIC", each) for each in steps)
    named = {each[1] or each[2] for each in scanned if each} - {"CONSTANT", *re.findall(r"\)\s+AS\s+([a-z_]+)", sql)}
    of_brand = (_OF_BRAND.fullmatch(each) for each in steps)
    named |= {each[1] for each in of_brand if each and each[2] not in IN_ORDER}
    return {tables.get(each, each) for each in named}


def test_no_statement_reads_all_that_customers_have(sqlite_url: str) -> None:
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:"))
    whole = {where: read_whole_by_sqlite(connection, sql) for where, sql in statements().items()}
    connection.close()
    assert len(whole) > 150
    assert {where: found - SMALL for where, found in whole.items() if found - SMALL and where not in WHOLE} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customer c WHERE c.name = :name",
        "UPDATE session SET kind = ''",
        "SELECT MAX(created_at) FROM customer WHERE brand = :brand AND name = :name",
        "SELECT 1 FROM activity WHERE brand = :brand AND customer_id = :customer AND kind = 'login' LIMIT 1",
    ],
)
def test_a_statement_that_does_is_found(sqlite_url: str, sql: str) -> None:
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:"))
    assert read_whole_by_sqlite(connection, sql) <= {"activity", "customer", "session"}
    assert read_whole_by_sqlite(connection, sql)
    connection.close()
