"""`python -m server serve` as a process of its own, with a real SMTP peer that reads the passcodes out of the mails."""

from __future__ import annotations

import email
import email.policy
import http.client
import os
import queue
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from contextlib import suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import psutil

from tests.support.mail_server import MailServer
from tests.support.served import ROOT, free_port


class Mailbox(MailServer):
    """Keeps the newest passcode of each address."""

    def __init__(self) -> None:
        self._codes: dict[str, queue.Queue[str]] = {}
        super().__init__()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(("plain",))
        found = re.search(r"^@\S+ #(\S+)\s*$", text.get_content() if text else "", re.MULTILINE)
        if found:
            self._of(envelope.rcpt_tos[0]).put(found[1])
        return "250 kept"

    def _of(self, address: str) -> queue.Queue[str]:
        return self._codes.setdefault(address, queue.Queue())

    def forget(self, address: str) -> None:
        while not self._of(address).empty():
            self._of(address).get()

    def passcode(self, address: str, seconds: float) -> str | None:
        try:
            return self._of(address).get(timeout=seconds)
        except queue.Empty:
            return None


class Production:
    """One server over a folder's SQLite file; killed and started again at will. `is_apart`: in a session of its own, which
    has its share of the cores on Linux (`sched_autogroup`), while priorities count within a session only."""

    def __init__(
        self, folder: Path, mailbox: Mailbox, *, database: str = "", workers: int = 1, is_apart: bool = True
    ) -> None:
        self.port, self.operations, self._is_apart = free_port(), free_port(), is_apart
        self.workers, self.root = workers, ROOT
        self.log = folder / "log.txt"
        self.environment = {
            "PORTAL_SECRETS": secrets.token_urlsafe(48),
            "PORTAL_ORIGIN": f"http://127.0.0.1:{self.port}",
            "PORTAL_DATABASE": database or f"sqlite:{folder / 'portal.sqlite'}",
            "PORTAL_THEMES": str(ROOT / "themes"),
            "PORTAL_SMTP_URL": mailbox.url,
            "PORTAL_MAIL_FROM": "billing@example.com",
            "PORTAL_OPERATIONS": f"127.0.0.1:{self.operations}",
            # The load comes from one machine; each visitor names an address of their own, as behind a proxy.
            "PORTAL_TRUSTED_PROXIES": "1",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 180, arguments: tuple[str, ...] = ()) -> None:
        """Until it answers, and a worker did its round."""
        command = [sys.executable, "-m", "server", "serve", "--port", str(self.port), "--workers", str(self.workers)]
        command += arguments
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.root,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=self._is_apart,
                process_group=None if self._is_apart else 0,
            )
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if Visitor(self.port).get("/")[0] == 404 and Visitor(self.operations).get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("the server did not start:\n" + self.log.read_text()[-4000:])

    def children(self) -> dict[int, str]:
        """The processes below the server's own, by id; each with its command line."""
        assert self.process
        found = {}
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess):  # it ended just now
                    found[each.pid] = " ".join(each.cmdline())
        return found

    def kill(self) -> None:
        """SIGKILL for the server and its workers at once: nobody gets to tidy up."""
        assert self.process
        children = self.children()
        os.killpg(self.process.pid, signal.SIGKILL)
        for each in children:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)  # the background work is a session of its own
        self.process.wait()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                return
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()


class Forked(Production):
    """The same over a few brands, without the operator's address, started in a moment: for tests that kill it many times.

    What it runs are processes that `tests.support.forking` forks. `start` waits until HTTP is answered; `work` starts the
    background work alone, which `end_work` kills.
    """

    def __init__(self, folder: Path, mailbox: Mailbox, *brands: str, **environment: str) -> None:
        super().__init__(folder, mailbox)
        self.environment |= environment
        (folder / "themes").mkdir()
        for brand in brands:
            (folder / "themes" / brand).symlink_to(ROOT / "themes" / brand)
        self.environment["PORTAL_THEMES"] = str(folder / "themes")
        self._life = self._work = 0
        command = [sys.executable, "-m", "tests.support.forking", str(self.port)]
        with self.log.open("ab") as log:
            self._forking = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )

    def start(self, seconds: float = 60, arguments: tuple[str, ...] = ()) -> None:
        self._life = self._fork(*(arguments or ("serve",)))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(OSError):
                if Visitor(self.port).get("/")[0] == 404:
                    return
            time.sleep(0.01)
        raise AssertionError("the server did not start:\n" + self.log.read_text()[-4000:])

    def work(self) -> None:
        self._work = self._fork("work")

    def end_work(self) -> None:
        os.killpg(self._work, signal.SIGKILL)
        self._work = 0

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._life, signal.SIGKILL)
        self._life = 0
        with suppress(OSError):
            while True:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                time.sleep(0.01)

    def stop(self) -> None:
        if self._work:
            self.end_work()
        if self._life:
            self.kill()
        self._forking.kill()
        self._forking.wait()
        for pipe in (self._forking.stdin, self._forking.stdout):
            if pipe:
                pipe.close()

    def _fork(self, what: str) -> int:
        assert self._forking.stdin
        assert self._forking.stdout
        self._forking.stdin.write(f"{what}\n")
        return int(self._forking.stdout.readline())


class Working:
    """`python -m server work` with a server's environment, running."""

    def __init__(self, production: Production) -> None:
        environment = {**os.environ, **production.environment}
        self.process = subprocess.Popen([sys.executable, "-m", "server", "work"], cwd=ROOT, env=environment)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Visitor:
    """A browser without JavaScript: cookies, forms and nothing else."""

    def __init__(self, port: int, client: str = "203.0.113.1") -> None:
        self.port, self.client = port, client
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        return self._ask("POST", path, urllib.parse.urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        """The status and the body. Raises `OSError` when the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"X-Forwarded-For": self.client, "Origin": f"http://127.0.0.1:{self.port}"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            for line in answer.msg.get_all("set-cookie") or []:
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return answer.status, text
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
