"""A build knows from those before which pages keep the rules. It finds every fault all the same."""

from __future__ import annotations

import pytest

from server.publishing import pages
from tests.unit.publishing.rules.test_alike import BREAK, made


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(pages.disk_cache, "PLACE", tmp_path)
    monkeypatch.setattr(pages.disk_cache, "_BEGAN", 1 << 63)  # whoever edits the rules runs this too
    another_process()
    yield tmp_path
    another_process()


def another_process():
    pages._known.cache_clear()
    pages._folder.cache_clear()


def faults(rendered):
    brand, assets, _ = made()
    return pages.page_problems(brand, assets, rendered)


def broken():
    """The pages with one thing wrong, for each of many things."""
    _, _, rendered = made()
    for old, new in BREAK:
        yield (old, new), {path: (name, html.replace(old, new)) for path, (name, html) in rendered.items()}


def test_what_was_found_right_is_right_in_the_next_process_and_every_fault_is_found():
    _, _, rendered = made()
    for change, with_it in broken():
        assert faults(with_it), change
    assert not faults(rendered)
    pages.remember()
    another_process()
    known = set(pages._known())
    assert not faults(rendered)
    assert pages._known() == known, "every page is known"
    for change, with_it in broken():
        assert faults(with_it), change


def test_another_rule_forgets_all_of_it(place, monkeypatch):
    assert not faults(made()[2])
    pages.remember()
    another_process()
    assert pages._known()
    another_process()
    changed = place / "html_rules.py"
    changed.write_text("another rule")
    monkeypatch.setattr(pages, "_DECIDING", (*(each for each in pages._DECIDING if each.name != changed.name), changed))
    assert not pages._known()


def test_two_builds_at_once_keep_what_both_found(place):
    _, _, rendered = made()
    half = len(rendered) // 2
    one, other = dict(list(rendered.items())[:half]), dict(list(rendered.items())[half:])
    assert not faults(one)
    in_one = set(pages._known())
    another_process()
    assert not faults(other)
    in_other = set(pages._known())
    pages.remember()
    pages._known.cache_clear()
    pages._known().clear()
    pages._known().update(in_one)
    pages.remember()
    another_process()
    assert pages._known() == in_one | in_other
