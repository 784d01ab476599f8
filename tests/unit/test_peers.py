"""A page that a benchmark compares with ours shows the same, or the benchmark refuses to measure."""

import pytest

from tests.bench import by_hand
from tests.bench.peers import by_hand_of, ours_of, path_by_hand
from tests.bench.requests import BRAND, FRAGMENTS, plain


@pytest.mark.anyio
async def test_the_pages_by_hand_show_what_the_portal_shows(tmp_path):
    store, ours = await ours_of(tmp_path)
    for path in FRAGMENTS.values():
        shown = plain(await ours(f"/{BRAND}{path}"))
        for filters in (by_hand.OURS, by_hand.BABELS):
            assert plain(await by_hand_of(store, filters)(path_by_hand(path))) == shown, path
    await store.close()
