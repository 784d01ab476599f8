"""Logs: one line a record, and nothing in it by which somebody could log in as a customer."""

import json
import logging
import os
import subprocess
import sys

import pytest

from server import telemetry as logs

TOKEN = "q" * 20 + "-_" + "Z" * 21


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("jenny@example.com asked", "j…@example.com asked"),
        ("/?prefilled_email=jenny%40example.com&x=1", "/?prefilled_email=j…@example.com&x=1"),
        ("'jenny.o'neil+tag@example.com'", "j…@example.com"),
        ("code=042817", "code=…"),
        ("the code is 123 456.", "the code is …."),
        ("BCDFG-HJKLM-NPQRS", "…"),
        ("BCDFGHJKLMNPQRS", "…"),
        (f"token {TOKEN}", "token …"),
        ("__Host-harbour-session=abcdefgh12345678", "__Host-harbour-session=…"),
        ("Cookie: a=b; c=d", "Cookie: …"),
        ("'set-cookie': 'x=y'", "'set-cookie': '…'"),
        ("postgresql://user:pass@db/portal", "postgresql://…"),
        ("smtps://us%40er:p%40ss@mail.example:465", "smtps://…"),
        ("2026-11-22T12:34:56.123456+00:00", "2026-11-22T12:34:56.123456+00:00"),
        ("port 8000, 303 in 12345 µs", "port 8000, 303 in 12345 µs"),
        ("cus_a1431ca47a7b9a11", "cus_a1431ca47a7b9a11"),
    ],
)
def test_what_may_not_be_read_is_taken_out(text, kept):  # threat 16
    assert logs.redacted(text).startswith(kept) or kept in logs.redacted(text)
    for secret in ("jenny", "042817", "123 456", "HJKLM", TOKEN, "abcdefgh12345678", "c=d", "x=y", "pass", "p%40ss"):
        assert secret not in logs.redacted(text)


def test_a_line_break_stays_inside_its_line(stream):  # threat 96
    logging.getLogger("x").info('a\r\n{"level": "error"}\u2028b', extra={"path": "/x\r\nInjected: y"})
    [line] = lines(stream)
    assert line["message"] == 'a\r\n{"level": "error"}\u2028b'
    assert line["path"] == "/x\r\nInjected: y"


def test_a_traceback_is_one_line_without_secrets(stream):  # threat 16
    try:
        int("jenny@example.com with code 042817")
    except ValueError:
        logging.getLogger("x").exception("failed")
    [line] = lines(stream)
    assert "j…@example.com with code …" in line["error"]
    assert "jenny" not in stream.getvalue()


def test_what_is_passed_as_extra_is_redacted_too(stream):  # threat 16
    logging.getLogger("x").info(
        "asked", extra={"address": "jenny@example.com", "headers": {"cookie": "a=b"}, "status": 303}
    )
    [line] = lines(stream)
    assert line["address"] == "j…@example.com"
    assert "a=b" not in stream.getvalue()
    assert line["status"] == 303


def test_a_library_that_logs_addresses_is_redacted_too(stream):
    logging.getLogger("aiosmtplib").warning("RCPT TO:<%s>", "jenny@example.com")
    assert "jenny" not in stream.getvalue()


def test_each_line_says_when_how_bad_and_who(stream):
    logging.getLogger("server.worker").warning("away")
    [line] = lines(stream)
    assert (line["level"], line["logger"], line["message"]) == ("warning", "server.worker", "away")
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize("library", ["aiosmtplib", "httpcore.connection", "httpx", "stripe"])
def test_a_library_tells_nothing_below_a_warning(library, stream):  # threat 80
    for say in (logging.DEBUG, logging.INFO):
        logging.getLogger(library).log(say, "GET /v1/customers/search?query=email:jenny@example.com")
    logging.getLogger(library).setLevel(logging.DEBUG)  # by the library itself, or somebody who looks for a fault
    logging.getLogger(library).debug("GET /v1/customers/search?query=email:jenny@example.com")
    logging.getLogger(library).setLevel(logging.WARNING)
    assert stream.getvalue() == ""
    logging.getLogger(library).warning("it is away")
    assert "it is away" in stream.getvalue()


def test_the_sdk_of_stripe_prints_nothing_whatever_the_environment_says():  # threat 80
    """It would print whole answers to stderr, past every log."""
    says = "import server.billing.stripe.client; from stripe import _util; _util.log_debug('an answer')"
    done = subprocess.run(
        [sys.executable, "-c", says], env={**os.environ, "STRIPE_LOG": "debug"}, capture_output=True, check=True
    )
    assert done.stderr == b""
