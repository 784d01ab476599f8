from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.store import Store
from tests.support.studio import StudioWorld


@pytest.fixture
async def studio(sqlite_store: Store, clock: Any, tmp_path: Path) -> AsyncIterator[StudioWorld]:
    """A studio in memory over SQLite."""
    made = StudioWorld(sqlite_store, clock, tmp_path)
    yield made
    await made.previews.close()
