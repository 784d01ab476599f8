"""What the tests of words share."""

import pytest

from server.publishing import catalogs


@pytest.fixture(scope="session")
def said():
    """Every text of the templates and themes, read once."""
    return catalogs.extracted()
