from pathlib import Path

import pytest

from tests.support import certificates


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with key and certificate, for 127.0.0.1, which signs itself."""
    return certificates.certificate(tmp_path_factory.mktemp("tls"))
