"""PgBouncer in transaction mode in front of the tests' PostgreSQL, for runs with `--pooler`; it has to be installed.

Few connections for all, so that two transactions of one client seldom meet the same session.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.support.served import free_port

_SETTINGS = """
[databases]
* = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_lifetime = 2
server_login_retry = 1
server_check_delay = 0
"""


@contextmanager
def pooling(server: str) -> Iterator[Callable[[str], str]]:
    """What makes of a database's URL the one by way of the pooler."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    assert found, "--pooler needs PgBouncer: apt-get install pgbouncer"
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="postern-pooler-"))
    host = parse_qs(urlsplit(server).query)["host"][0]
    (folder / "settings.ini").write_text(_SETTINGS.format(host=host, port=port))
    # It does not run as root; the server's own user reaches the server's socket.
    user = [] if os.geteuid() else ["-u", "pgserver"]
    command = [found, *user, str(folder / "settings.ini")]
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)

    def pooled(url: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{port}{urlsplit(url).path}"

    try:
        until = time.monotonic() + 20
        while True:
            with suppress(psycopg.OperationalError), psycopg.connect(pooled(server), prepare_threshold=None):
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield pooled
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
