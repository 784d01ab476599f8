"""A process that is kept running: started again when it dies, ended when it is told to."""

import os
import signal
import sys
import threading

import pytest

from server.merchant import supervision
from server.merchant.supervision import Supervised


@pytest.fixture
def started(monkeypatch):
    """Counts the starts; `at(n)` waits for the nth."""
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.05)

    class Starts:
        def __init__(self):
            self.count, self._changed = 0, threading.Condition()

        def __call__(self):
            with self._changed:
                self.count += 1
                self._changed.notify_all()

        def at(self, count):
            with self._changed:
                assert self._changed.wait_for(lambda: self.count >= count, 30)

    return Starts()


def kept(code, started):
    made = Supervised([sys.executable, "-c", code], on_start=started)
    made.start()
    return made


def test_one_that_dies_is_started_again_and_again(started):
    one = kept("raise SystemExit(3)", started)
    started.at(3)
    one.stop(5)
    assert one._process.poll() is not None


def test_one_that_is_killed_is_started_again(started):
    one = kept("import time; time.sleep(60)", started)
    started.at(1)
    first = one._process
    os.kill(first.pid, signal.SIGKILL)
    started.at(2)
    assert one._process.pid != first.pid
    one.stop(5)
    assert one._process.returncode == -signal.SIGTERM


def test_one_that_does_not_end_is_killed(started):
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    one = kept(code, started)
    started.at(1)
    threading.Event().wait(1)  # until it ignores the signal
    one.stop(0.2)
    assert one._process.returncode == -signal.SIGKILL


def test_stopping_between_two_lives_starts_no_other(started, monkeypatch):
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 60)
    one = kept("pass", started)
    started.at(1)
    one._process.wait()
    one.stop(5)
    assert started.count == 1
