"""What TOML holds, kept for the next who asks for the same text."""

import tomllib

import pytest

from server.brands.reading.parsing import loads

TEXT = """a = [1, [2, {b = "x"}]]
[c.d]
when = 2026-11-29T10:00:00Z
[[e]]
f = {}
"""


def test_what_one_caller_changes_no_other_sees():
    first = loads(TEXT)
    first["a"][1][1]["b"] = "changed"
    first["a"].append(3)
    first["c"]["d"]["more"] = 1
    first["e"][0]["f"]["more"] = 1
    assert loads(TEXT) == tomllib.loads(TEXT)


def test_what_is_no_toml_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(tomllib.TOMLDecodeError):
            loads("a = ")
        with pytest.raises(RecursionError):
            loads(f"a = {'[' * 2000}{']' * 2000}")
