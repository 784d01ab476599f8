from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.merchant.importing.files import import_records
from server.publishing import samples
from server.store import Store
from tests.support.studio import StudioWorld


@pytest.fixture
async def studio(sqlite_store: Store, clock: Any, tmp_path: Path) -> AsyncIterator[StudioWorld]:
    """A studio in memory over SQLite."""
    made = StudioWorld(sqlite_store, clock, tmp_path)
    yield made
    await made.previews.close()


@pytest.fixture
async def filled(studio: StudioWorld, clock: Any) -> StudioWorld:
    """The studio, with the sample customers of two brands."""
    for brand in ("harbour", "plain"):
        await import_records(studio.store, brand, samples.records(brand, clock()), now=clock(), source="samples")
    return studio
