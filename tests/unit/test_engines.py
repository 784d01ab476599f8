"""What the other engines run and leave out is there."""

import re

import pytest

from tests.support.engines import BROWSER, JOURNEYS, LEFT_OUT


@pytest.mark.parametrize("engine", JOURNEYS)
def test_an_engine_runs_files_and_leaves_out_tests_that_are_there(engine):
    assert all((BROWSER / each).exists() for each in JOURNEYS[engine])
    for each, reason in LEFT_OUT[engine].items():
        file, _, test = each.partition("::")
        assert file in JOURNEYS[engine]
        assert re.search(rf"^def {test.partition('[')[0]}\(", (BROWSER / file).read_text("utf-8"), re.MULTILINE)
        assert reason


def test_the_suite_collects_no_journey_of_another_engine():
    assert not [each for each in JOURNEYS["webkit"] if each.startswith("test_")]
