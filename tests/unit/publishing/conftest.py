"""What the tests of words share."""

import pytest

from server.publishing import catalogs as translating


@pytest.fixture(scope="session")
def said():
    """Every text of the templates and themes, read once."""
    return translating.extracted()
