"""`python -m tests.support.forking`: a server's processes that start in a moment, for tests that kill them again and again.

What takes the time of a start is Python that imports and reads catalogs. This process has done both, holds no store and
no thread, and forks once for each line of its standard input: `work` for the background work, `http` for an HTTP worker of
Granian's, `serve` for both. It answers with the id of the process, which leads a group of its own, so that all of it can be killed
at once. From there on each is what `python -m server serve` starts, with the same environment, store and signals.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import cast

from server import app, settings
from server.brands import load_all
from server.merchant import serve, work
from server.store import Store

WORKER = "server.app:worker_from_environment"


def _live(what: str, port: int) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if what == "work":
        work.work(WORKER)
    elif what == "http" or os.fork():
        multiprocessing.set_start_method("fork", force=True)
        server = serve.server_of("127.0.0.1", port, 1)
        server.serve(
            target_loader=partial(
                serve.application, static=None, brands=(), domains={}, studio="", releases=Path("releases")
            )
        )
    else:
        work.work(WORKER, parent=os.getppid())


def main(port: int) -> None:
    read = settings.from_environment(os.environ)
    app.create_app(read, load_all(read.themes), cast(Store, None))  # fills the caches; no store is opened
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
        else:
            sys.stdin.close()
            try:
                _live(line.strip(), port)
            finally:
                os._exit(0)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
