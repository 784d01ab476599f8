"""A process with many brands keeps the templates of few ready."""

from dataclasses import replace

from server.paths import Paths
from server.rendering.renderer import MOST_WARM, Renderer
from tests.support.rendered import renderer


def test_the_brand_that_was_asked_for_longest_ago_is_dropped() -> None:
    known = renderer()
    made = [Renderer(known.brand, known.assets, Paths(f"/brand-{number}")) for number in range(MOST_WARM + 1)]
    first, second, *others = made
    kept = {each: each.environment() for each in (first, second)}
    for each in others[:-1]:
        each.environment()
    assert first.environment() is kept[first]  # asked for again: the second is now the oldest
    others[-1].environment()
    assert first.environment() is kept[first]
    assert second.environment() is not kept[second]


def test_a_dropped_brand_shows_the_same_again() -> None:
    its = renderer()
    before = its.static_page("help", link="")
    its.drop()
    assert its.static_page("help", link="") == before


def test_the_files_of_a_brand_are_read_when_they_are_first_asked_for() -> None:
    known, asked = renderer(), []

    def assets():
        asked.append(1)
        return known.assets

    its = Renderer(known.brand, assets, replace(known.paths))
    assert not asked
    assert (its.assets, its.assets) == (known.assets, known.assets)
    assert len(asked) == 1
