from pathlib import Path
from typing import Any

import pytest

from server.store import Store
from tests.support.studio import StudioWorld


@pytest.fixture
def studio(sqlite_store: Store, clock: Any, tmp_path: Path) -> StudioWorld:
    """A studio in memory over SQLite."""
    return StudioWorld(sqlite_store, clock, tmp_path)
