"""The real demo on a free port, as a process of its own, with what it prints read as it comes."""

from __future__ import annotations

import os
import queue
import re
import secrets
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.support import leaks

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `httpx`'s `verify`, where nothing is asked by TLS: without it each client reads every authority of the system."""


def free_port() -> int:
    """Below those that systems lend: until a server takes it, no other test's connection has it."""
    for _ in range(1_000):
        port = 16_384 + secrets.randbelow(16_384)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port between 16384 and 32767 is free on 127.0.0.1")


class Demo:
    """`python3 build.py demo` as a script would use it: one line a brand, one line a passcode.

    Its throw-away database stands in a folder of this object, so that a test can let time pass for one row (`change`)
    instead of waiting.
    """

    def __init__(self, *arguments: str, command: str = "demo", environment: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.portals: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.studio, self.operator, self.word = "", "", ""
        """Where its studio is, who may do everything there, and the word for that one's first passkey."""
        self.stripe = ""
        """Where its stand-in for Stripe is, if it has one."""
        self.printed: list[str] = []
        self._passcodes: dict[str, queue.Queue[str]] = {}
        self._temporary = tempfile.TemporaryDirectory(prefix="postern-test-")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "build.py"), command, "--port", str(self.port), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": self._temporary.name, **(environment or {})},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed.append(line)
            if found := re.match(r"portal (\S+) (\S+)", line):
                self.portals[found[1]] = found[2]
            elif found := re.match(r"key (\S+) (\S+)", line):
                self.keys[found[1]] = found[2]
            elif found := re.match(r"studio (\S+) (\S+) (\S+)", line):
                self.studio, self.operator, self.word = found.groups()
            elif found := re.match(r"stripe (\S+)", line):
                self.stripe = found[1]
            elif found := re.match(r"passcode (\S+) (\S+)", line):
                self._queue(found[1]).put(found[2])

    def _queue(self, address: str) -> queue.Queue[str]:
        return self._passcodes.setdefault(address, queue.Queue())

    def wait(self, seconds: float = 180) -> None:
        """Until it answers. Fails with what it printed."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                if self.word:  # of the last line but for people: every portal is known
                    return
        raise AssertionError("the demo did not start:\n" + "".join(self.printed))

    def passcode(self, address: str, seconds: float = 60) -> str:
        """The next passcode mailed to this address."""
        try:
            return self._queue(address).get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no passcode for {address}:\n" + "".join(self.printed[-20:])) from None

    def forget(self, address: str) -> None:
        """The codes that came and that no test read."""
        waiting = self._queue(address)
        while not waiting.empty():
            waiting.get_nowait()

    def change(self, sql: str, parameters: dict[str, object] | None = None) -> int:
        """Run one statement on the demo's throw-away database; how many rows it changed."""
        with self.database() as database:
            return database.execute(sql, parameters or {}).rowcount

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """One transaction on it."""
        (path,) = Path(self._temporary.name).glob("postern-demo-*/demo.sqlite")
        with closing(sqlite3.connect(path, timeout=60)) as database, database:
            yield database

    def stop(self) -> None:
        try:
            leaks.refuse("what the demo printed", list(self.printed))
            leaks.look_into_folder(Path(self._temporary.name))  # while it runs: it takes its database with it
        finally:
            self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self._temporary.cleanup()
