"""Many brands are built on every core; what comes out is the same as on one."""

import sys

import pytest

from server.publishing import publishing
from server.publishing.publishing import BuildError
from tests.unit.publishing.test_building import a_brand, broken, tree

MANY = 14


def build(brands, out, processes):
    """Whether it was refused, and how."""
    try:
        publishing.build(brands, out, processes=processes)
    except BuildError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_two_processes_write_what_one_writes_and_say_the_same(tmp_path, monkeypatch, start):
    if start == "spawn":
        monkeypatch.setattr(publishing.threading, "active_count", lambda: 2)
    elif publishing.threading.active_count() > 1 or sys.platform != "linux":
        pytest.skip("this process has threads, or its system does not fork well")
    brands = [a_brand(tmp_path, f"brand-{number:02}") for number in range(MANY)]
    for number in (3, 11):
        broken(brands[number])
    said = [build(brands, tmp_path / f"{processes}", processes) for processes in (1, 2)]
    assert said[0] == said[1]
    assert [line for line in said[0].splitlines() if line.endswith("not built")] == [
        "brand-03: not built",
        "brand-11: not built",
    ]
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
    assert len([each for each in (tmp_path / "2").iterdir() if each.is_dir()]) == MANY - 2
