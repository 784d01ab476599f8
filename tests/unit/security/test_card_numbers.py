"""The net for card numbers (`tests.support.leak_net`) catches what it should, and nothing else."""

import logging
import sqlite3
from contextlib import closing

import pytest

from tests.support import leak_net, leaks
from tests.support.leaks import CANARIES, card_numbers


@pytest.mark.parametrize("number", CANARIES)
def test_a_canary_is_found_however_it_is_written(number):
    for written in leaks.spellings(number):
        assert list(card_numbers(f"x{written}y".encode())) == [number]


@pytest.mark.parametrize(
    "text", ["card 4012888888881881.", '"378734493671000"', "4012 8888 8888 1881", "=5454545454545454\n"]
)
def test_a_number_that_stands_alone_is_found(text):
    assert list(card_numbers(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242 and 4000002760003184",  # public
        "1772366400000000",  # a moment
        "in_4012888888881881",  # an id
        "4012888888881882",  # the last digit is wrong
        "0.4012888888881881",
        "4012888888881881-a3f",
        "DE89370400440532013000",
    ],
)
def test_a_test_number_a_moment_and_an_id_are_none(text):
    assert not list(card_numbers(text.encode()))


def test_a_row_of_a_database_and_a_text_are_looked_into(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leak")
    database, text = folder / "store.sqlite", folder / "server.log"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE account (document BLOB)")
        connection.execute("INSERT INTO account VALUES (?)", [b"\x81\xa44539578763621486\xc0"])
    text.write_text("typed 5425 2334 3010 9903\n")
    for path, where in ((database, "account"), (text, "server.log")):
        with pytest.raises(AssertionError, match=f"{where}.*a card number was kept"):
            leaks.look_into_file(path)
        path.unlink()  # or the net would find it at the end, as it should


def test_a_log_line_an_extra_and_a_traceback_are_looked_into():
    log = logging.getLogger("server.test")
    for say in (
        lambda: log.warning("typed %s", CANARIES[0]),
        lambda: log.warning("typed", extra={"field": CANARIES[1]}),
        lambda: log.warning("typed", exc_info=ValueError(CANARIES[2])),
    ):
        say()
        said = leak_net._said(leak_net._records.pop())
        with pytest.raises(AssertionError, match="a card number was kept"):
            leaks.refuse("here", [said])
