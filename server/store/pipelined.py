"""One connection to PostgreSQL on which several statements make one round trip, by libpq's pipeline.

A round trip costs both processes more than most statements do: a system call or two, and that each goes to sleep and is
woken. psycopg's own pipeline does not help with that: it sends each statement by itself.

Whoever asks is a plain function within `writing.in_greenlet`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, errors
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

from server.store.port import Parameters, Row, T
from server.store.writing import here

PREPARED = 200
"""At most this many statements are prepared on a connection; others are sent as they are, such as those whose text depends
on how many values they have."""
_TOKEN = re.compile(
    r"(?P<keep>'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::)"  # literals, quoted names, comments and casts stay
    r"|:(?P<name>[a-z_][a-z0-9_]*)",
)


class Statement(NamedTuple):
    sql: str
    parameters: Parameters


class _Dumped(NamedTuple):
    """A statement as libpq takes it."""

    query: bytes
    types: tuple[int, ...]
    formats: Sequence[Format]
    values: Sequence[Any]


class PipelinedConnection(AsyncConnection[Row]):
    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.cursor_factory = AsyncRawCursor
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._numbers = count()

    def answers(self, statements: Sequence[Statement]) -> list[PGresult]:
        """Send them in one go; the answer of each. Raises what is wrong with the first that fails: none after it is run. To be
        called within `in_greenlet`."""
        dumped = [self._dumped(each) for each in statements]
        self.pgconn.enter_pipeline_mode()
        new: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        # What each answer is to: a statement, or that one was prepared.
        sent = [each for statement in dumped for each in self._send(statement, new)]
        self.pgconn.pipeline_sync()
        try:
            found = _waited(self.pgconn.socket, _exchanged(self.pgconn))
        except BaseException:
            self.pgconn.finish()  # in the middle of an exchange it is of no use to anybody
            raise
        if self.pgconn.status == ConnStatus.OK:
            self.pgconn.exit_pipeline_mode()
        answers = []
        for (statement, name), answer in zip(sent, found, strict=False):
            if answer.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(answer)
            if name:
                self._names[statement.query, statement.types] = name
            else:
                answers.append(answer)
        if len(answers) < len(statements):
            raise psycopg.OperationalError("the connection is lost")
        return answers

    def _dumped(self, statement: Statement) -> _Dumped:
        query, names = numbered(statement.sql)
        dumping = Transformer(self)
        values = dumping.dump_sequence([statement.parameters[each] for each in names], [PyFormat.AUTO] * len(names))
        return _Dumped(query, dumping.types or (), dumping.formats or (), values)

    def _send(self, it: _Dumped, new: dict[tuple[bytes, tuple[int, ...]], bytes]) -> list[tuple[_Dumped, bytes]]:
        key = it.query, it.types
        name, sent = self._names.get(key) or new.get(key), []
        if self.prepare_threshold is None or (name is None and len(self._names) >= PREPARED):
            self.pgconn.send_query_params(it.query, it.values, it.types, it.formats, Format.BINARY)
            return [(it, b"")]
        if name is None:
            name = new[key] = b"postern_%d" % next(self._numbers)
            self.pgconn.send_prepare(name, it.query, it.types)
            sent.append((it, name))
        self.pgconn.send_query_prepared(name, it.values, it.formats, Format.BINARY)
        return [*sent, (it, b"")]

    def rows(self, answer: PGresult) -> list[Row]:
        if answer.status != ExecStatus.TUPLES_OK:
            return []
        reading = Transformer(self)
        reading.set_pgresult(answer)
        return reading.load_rows(0, answer.ntuples, tuple)


def _waited(socket: int, exchange: PQGen[T]) -> T:
    """What psycopg's own loops do for a coroutine or a thread, for a greenlet: each time that the exchange would wait, the
    event loop goes on, and comes back once the socket is ready."""
    (this, loops), loop = here(), asyncio.get_running_loop()
    loop.add_reader(socket, this.switch, Ready.R)
    try:
        wait = next(exchange)
        while True:
            if wait & Wait.W:
                loop.add_writer(socket, this.switch, Ready.W)
            ready = loops.switch()
            if wait & Wait.W:
                loop.remove_writer(socket)
            wait = exchange.send(ready)
    except StopIteration as ended:
        found: T = ended.value
        return found
    finally:
        loop.remove_reader(socket)
        loop.remove_writer(socket)


def _exchanged(pgconn: PGconn) -> PQGen[list[PGresult]]:
    """Send what libpq holds; the answers until the end of the pipeline, or of the connection."""
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    found: list[PGresult] = []
    while pgconn.status == ConnStatus.OK:
        found += yield from fetch_many(pgconn)
        if found and found[-1].status == ExecStatus.PIPELINE_SYNC:
            return found[:-1]
    return found


@lru_cache(maxsize=1024)
def numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Our ``:name`` parameters as PostgreSQL's ``$1``, with the clause that only PostgreSQL knows; and the names of the
    numbers."""
    places: dict[str, str] = {}

    def replaced(found: re.Match[str]) -> str:
        return places.setdefault(found["name"], f"${len(places) + 1}") if found["name"] else found[0]

    query = _TOKEN.sub(replaced, sql.replace("/* FOR UPDATE SKIP LOCKED */", "FOR UPDATE SKIP LOCKED"))
    return query.encode(), tuple(places)


def placed(sql: str, parameters: Parameters) -> tuple[bytes, list[Any]]:
    """The statement and its values, as psycopg's raw cursors take them."""
    query, names = numbered(sql)
    return query, [parameters[each] for each in names]
