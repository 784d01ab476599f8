"""The net under the whole suite: no card number but the public test ones is left by any test, in whatever order and in
however many processes it runs.

| what | looked into |
|---|---|
| every answer to the test client, pages about problems too | as it comes: `client.check_answer` |
| every log record, whatever handlers there are, its extras and its traceback | after each test |
| what was printed | after each test |
| every mail that was composed | after each test |
| a PostgreSQL database | before the next test has it: `support/postgres.py` |
| every SQLite database and every text file below the folder of the run, whoever made it | at the end of the process |
| what a demo printed, and its database | when it stops: `served.Demo` |

`conftest.py` takes the two hooks and the fixture from here.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator, Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from tests.support import leaks

_NOT_OURS = frozenset({"httpx", "httpcore", "hypothesis", "faker"})
"""Loggers of the tests' own tools: the browser in memory logs the URLs that a test asks for."""

_records: list[logging.LogRecord] = []
_mails: list[str] = []


def _spread() -> None:
    make, compose, add = logging.getLogRecordFactory(), EmailMessage.set_content, EmailMessage.add_alternative

    def factory(*args: Any, **rest: Any) -> logging.LogRecord:
        record = make(*args, **rest)
        if record.name.partition(".")[0] not in _NOT_OURS:
            _records.append(record)
        return record

    def set_content(self: EmailMessage, *args: Any, **rest: Any) -> None:
        _mails.extend(each for each in (*args, *self.values()) if isinstance(each, str))
        compose(self, *args, **rest)

    def add_alternative(self: EmailMessage, *args: Any, **rest: Any) -> None:
        _mails.extend(each for each in args if isinstance(each, str))
        add(self, *args, **rest)

    logging.setLogRecordFactory(factory)
    EmailMessage.set_content = set_content  # type: ignore[method-assign]
    EmailMessage.add_alternative = add_alternative  # type: ignore[method-assign]


_spread()


def _said(record: logging.LogRecord) -> str:
    """All of a record, whether or not a handler of today would write it."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = f"{record.msg} {record.args}"
    error = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info and record.exc_info[0] else ""
    extras = {key: value for key, value in vars(record).items() if key not in ("msg", "args", "exc_info", "message")}
    return f"{message}\n{extras}\n{error}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """After a test: its logs, its mails, and what it printed. A number in them fails it."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "teardown":
        return
    printed = [text for name, text in report.sections if "log" not in name]
    found = [("a log", [_said(each) for each in _records]), ("a mail", list(_mails)), ("what was printed", printed)]
    _records.clear()
    _mails.clear()
    for where, contents in found:
        try:
            leaks.refuse(f"{item.nodeid}: {where}", contents)
        except AssertionError as leak:
            report.outcome, report.longrepr = "failed", str(leak)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After the last test of this process: every file that the tests left."""
    yield
    leaks.look_into_folder(tmp_path_factory.getbasetemp())
