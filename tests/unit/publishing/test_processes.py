"""Many brands are built on every core; what comes out is the same as on one."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

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


def forks() -> bool:
    return publishing.start_method() == "fork"


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_two_processes_write_what_one_writes_and_say_the_same(tmp_path, monkeypatch, start):
    brands = [a_brand(tmp_path, f"brand-{number:02}") for number in range(MANY)]
    for number in (3, 11):
        broken(brands[number])
    said = [build(brands, tmp_path / "1", 1)]
    if start == "spawn":
        monkeypatch.setattr(publishing, "start_method", lambda: "spawn")
        said.append(build(brands, tmp_path / "2", 2))
    else:
        # This process may have threads by now; a new one has none.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            assert fresh.submit(forks).result() == (sys.platform == "linux")
            said.append(fresh.submit(build, brands, tmp_path / "2", 2).result())
    assert said[0] == said[1]
    assert [line for line in said[0].splitlines() if line.endswith("not built")] == [
        "brand-03: not built",
        "brand-11: not built",
    ]
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
    assert len([each for each in (tmp_path / "2").iterdir() if each.is_dir()]) == MANY - 2
