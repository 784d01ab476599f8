"""Keeps one command running as a process of its own: it is started again when it ends, after a growing pause."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONG_LIFE = 20.0
"""Seconds: a process that lived this long did not die of its start, and the pauses begin again at the first."""


class Supervised:
    """From `start` to `stop`. `on_start` is called each time that the process was started."""

    def __init__(self, command: Sequence[str], *, on_start: Callable[[], None] = lambda: None) -> None:
        self._command, self._on_start = list(command), on_start
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="supervision", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, grace: float) -> None:
        """End it: SIGTERM, and SIGKILL after `grace` seconds."""
        self._stopping.set()
        with self._changing:
            process = self._process
        if process:
            process.terminate()
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                _log.warning("the background work did not end in time and was killed", extra={"seconds": grace})
                process.kill()
        self._thread.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while process := self._begin():
            began = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - began > LONG_LIFE else pause
            _log.error("the background work ended and is started again", extra={"code": code, "pause": pause})
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _begin(self) -> subprocess.Popen[bytes] | None:
        """None: it is to end."""
        with self._changing:
            if self._stopping.is_set():
                return None
            process = self._process = subprocess.Popen(self._command)  # noqa: S603 (our own command)
        self._on_start()
        return process
