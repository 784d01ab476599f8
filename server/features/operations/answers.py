"""What the operator asks: is the process alive, can it work, and how much did it do?

| path | answers |
|---|---|
| `/healthz` | 200 while the process runs |
| `/readyz` | 200 while the portal takes connections, the database can be written and a worker does its rounds, else 503 with the reason |
| `/metrics` | the counters of all processes, and what waits, in Prometheus's text format |

They are answered on an address of their own (`PORTAL_OPERATIONS`, see `listener.py`), never on the public one. Nothing
here depends on whether an address that a stranger typed is a customer's: a passcode counts as waiting until a worker
took it up, which happens for every address alike, and no longer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric

from server import telemetry
from server.mail import outbox
from server.store import Store, StoreUnavailable, rounds
from server.store.cleaning import write_and_take_back

_log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)
"""A worker notes a round every ten seconds; after this long without one, no worker is running."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Operations:
    """`folder` is where the processes of `serve` count; None: only this process's counters are shown. `public`: host and
    port of the portal that it answers for; None: of none."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        folder: Path | None = None,
        public: tuple[str, int] | None = None,
    ) -> None:
        self.store, self._clock, self._folder, self._public = store, clock, folder, public

    async def answer(self, path: str) -> Answer:
        if path == "/healthz":
            return Answer(200, "ok\n")
        if path == "/readyz":
            return await self._ready()
        if path == "/metrics":
            return await self._metrics()
        return Answer(404, "There are /healthz, /readyz and /metrics.\n")

    async def _ready(self) -> Answer:
        try:
            await self.store.write(write_and_take_back)
            done = {each.step: each.done_at for each in await rounds.find(self.store)}
        except StoreUnavailable as error:
            telemetry.refused(_log, error.kind, "the database cannot be written", why=str(error))
            return Answer(503, "the database cannot be written\n")
        if "mail" not in done or self._clock() - done["mail"] > PATIENCE:
            return Answer(503, "no worker has done its round for a minute: start python -m server work\n")
        if self._public and not await _takes_connections(*self._public):
            return Answer(503, "no HTTP worker takes connections\n")
        return Answer(200, "ok\n")

    async def _metrics(self) -> Answer:
        try:
            also = await self._found()
        except StoreUnavailable as error:
            telemetry.refused(_log, error.kind, "the database cannot be read", why=str(error))
            also = []
        text = telemetry.exposition(self._folder, also)
        return Answer(200, text, "text/plain; version=0.0.4; charset=utf-8")

    async def _found(self) -> list[Metric]:
        """What the database knows; left out where it does not answer."""
        now = self._clock()
        waiting = GaugeMetricFamily(
            "postern_mails_waiting",
            "Passcodes that no worker took up yet, and other mails not decided.",
            labels=["what"],
        )
        oldest = GaugeMetricFamily(
            "postern_mails_oldest_seconds", "How long the oldest of them waits.", labels=["what"]
        )
        for what, backlog in (await outbox.backlog(self.store)).items():
            waiting.add_metric([what], backlog.count)
            oldest.add_metric([what], max(0.0, (now - backlog.since).total_seconds()) if backlog.since else 0)
        age = GaugeMetricFamily(
            "postern_worker_round_age_seconds", "Since a worker last did this step.", labels=["step"]
        )
        up = GaugeMetricFamily("postern_mail_server_up", "1 while the mail server answers the worker, else 0.")
        for each in await rounds.find(self.store):
            age.add_metric([each.step], max(0.0, (now - each.done_at).total_seconds()))
            if each.step == "check_mail_server":
                up.add_metric([], 0 if each.trouble else 1)
        return [waiting, oldest, age, up]


async def _takes_connections(host: str, port: int) -> bool:
    """The HTTP workers listen themselves, so they do not for a moment after a start, nor once all of them are gone."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True
