"""Two PostgreSQL servers of our own: a primary, and a standby that has every commit before it is acknowledged.

By the same binaries as `postgres.py`. `kill` is SIGKILL for all of a server's processes, as when its host loses power.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.support.postgres import programs
from tests.support.served import free_port


class Server:
    def __init__(self, folder: Path, name: str, programs: Path, user: str | None) -> None:
        self._programs, self._user = programs, user
        self.data, self.port, self.log = folder / name, free_port(), folder / f"{name}.log"
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", self.data)

    def copy(self, primary: Server) -> None:
        """Be its standby."""
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
        self._run("pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")

    def start(self) -> None:
        given = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
                 "wal_receiver_status_interval": "1s", "max_connections": 60, "shared_buffers": "16MB"}  # fmt: skip
        options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            command = [self._programs / "postgres", "-D", self.data, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd="/")
        until = time.monotonic() + 60
        while True:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url):
                return
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def _run(self, command: str, *given: Any) -> None:
        done = subprocess.run(
            [self._programs / command, *given], user=self._user, cwd="/", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def set(self, name: str, value: str) -> None:
        self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.run("SELECT pg_reload_conf()")

    def promote(self) -> None:
        assert self.run("SELECT pg_promote(true, 30)") == [(True,)]

    def signal(self, number: int) -> None:
        """To all of its processes."""
        assert self._process
        server = psutil.Process(self._process.pid)
        for each in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                each.send_signal(number)

    def kill(self) -> None:
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            # Its own first: it would tell the others to end in order, or start some again.
            processes = [*(server := psutil.Process(self._process.pid)).children(recursive=True)]
            for each in (server, *processes):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            while any(_lives(each) for each in processes):
                time.sleep(0.01)
        self._process.wait()
        self._process = None


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def pair() -> Iterator[tuple[Server, Server]]:
    """The primary, and its synchronous standby."""
    folder = Path(tempfile.mkdtemp(prefix="postern-replicated-"))
    mine = programs(folder)
    primary, standby = Server(folder, "primary", *mine), Server(folder, "standby", *mine)
    try:
        primary.begin()
        primary.start()
        standby.copy(primary)
        standby.start()
        primary.set("synchronous_standby_names", "standby")
        until = time.monotonic() + 30
        while primary.run("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < until, primary.run("SELECT * FROM pg_stat_replication")
            time.sleep(0.05)
        yield primary, standby
    finally:
        primary.kill()
        standby.kill()
        shutil.rmtree(folder, ignore_errors=True)


def both(primary: Server, standby: Server) -> str:
    """The URL that names the two."""
    return f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres"
