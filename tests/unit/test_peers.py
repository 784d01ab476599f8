"""A page that a benchmark compares with ours shows the same, or the benchmark refuses to measure."""

import pytest

from tests.bench.peers import both, path_by_hand
from tests.bench.requests import BRAND, FRAGMENTS, plain


@pytest.mark.anyio
async def test_the_pages_by_hand_show_what_the_portal_shows(tmp_path):
    store, ours, hand = await both(tmp_path)
    for path in FRAGMENTS.values():
        assert plain(await hand(path_by_hand(path))) == plain(await ours(f"/{BRAND}{path}")), path
    await store.close()
