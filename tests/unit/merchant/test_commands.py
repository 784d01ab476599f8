"""`python -m server …`: a mistake of the user is one plain message and an exit code, never a stack trace."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from server import __main__ as commands
from server import brands
from server.publishing import publishing
from tests.support.served import free_port

ROOT = Path(__file__).resolve().parents[3]
CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1700000000, "email": "x@example.com", "livemode": False}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A merchant's folder and environment."""
    shutil.copytree(ROOT / "themes", tmp_path / "themes")
    for key in ("PORTAL_SECRETS", "PORTAL_ORIGIN", "PORTAL_DATABASE", "PORTAL_THEMES"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("PORTAL_SECRETS", "0123456789abcdef0123456789ABCDEF")
    monkeypatch.setenv("PORTAL_ORIGIN", "http://127.0.0.1:8000")
    monkeypatch.setenv("PORTAL_DATABASE", f"sqlite:{tmp_path / 'portal.sqlite'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    code = commands.main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_activating_prints_the_link(shop, capsys):
    run(capsys, "link", "deactivate", "harbour")
    code, out, _ = run(capsys, "link", "activate", "harbour", "--test")
    assert code == 0
    assert out.startswith("http://127.0.0.1:8000/harbour/p/login/test_")


def test_an_active_link_is_replaced_only_when_that_is_asked_for(shop, capsys):
    _, first, _ = run(capsys, "link", "activate", "harbour", "--test", "--new")
    url = first.splitlines()[0]
    code, again, _ = run(capsys, "link", "activate", "harbour", "--test")
    assert (code, again.splitlines()[0]) == (0, url)
    assert "active already" in again
    code, out, err = run(capsys, "link", "activate", "harbour")
    assert (code, out.strip()) == (1, url)
    assert "is one for test data. To replace it: --new" in err
    assert run(capsys, "link", "activate", "harbour", "--test", "--new")[1].splitlines()[0] != url


def test_showing_an_inactive_link_says_what_to_do(shop, capsys):
    run(capsys, "link", "deactivate", "harbour")
    code, _, err = run(capsys, "link", "show", "harbour")
    assert code == 1
    assert "link activate harbour" in err


def test_links_need_no_secrets(shop, capsys, monkeypatch):
    monkeypatch.delenv("PORTAL_SECRETS")
    assert run(capsys, "link", "show", "harbour")[0] == 0


@pytest.mark.parametrize(("key", "value"), [("PORTAL_ORIGIN", "portal.example"), ("PORTAL_ORGIN", "https://x.example")])
def test_a_link_is_not_shown_with_a_wrong_setting(shop, capsys, monkeypatch, key, value):
    monkeypatch.setenv(key, value)
    for verb in ("show", "activate", "deactivate"):
        code, _, err = run(capsys, "link", verb, "harbour")
        assert (code, err.startswith(f"{key}: ")) == (2, True)


def test_an_empty_setting_is_one_that_is_left_out(shop, capsys, monkeypatch):
    monkeypatch.setenv("PORTAL_THEMES", "")
    assert run(capsys, "link", "show", "harbour")[0] == 0


def test_an_unknown_brand_is_refused_with_the_known_ones(shop, capsys):
    code, _, err = run(capsys, "link", "activate", "habour")
    assert code == 1
    assert "harbour, orbit, plain" in err


def test_a_folder_of_themes_that_is_not_there_is_named(shop, capsys, monkeypatch):
    monkeypatch.setenv("PORTAL_THEMES", "nowhere")
    code, _, err = run(capsys, "link", "show", "harbour")
    assert (code, err.startswith("nowhere: found a folder that cannot be read")) == (1, True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORTAL_FOO", "1"),
        ("PORTAL_CODE", "000000"),
        ("PORTAL_TEST_CODE", "123456"),
        ("PORTAL_CODE_MINUTES", "11"),
        ("PORTAL_SECRETS", "short"),
        ("PORTAL_ORIGIN", "http://portal.example"),
        ("PORTAL_MAIL_FROM", "not an address"),
        ("PORTAL_ORIGIN", ""),
    ],
)
def test_serving_with_a_wrong_setting_names_it(shop, capsys, monkeypatch, key, value):  # threat 17
    monkeypatch.setenv(key, value)
    code, _, err = run(capsys, "serve")
    assert code == 2
    assert err.startswith(key)


def test_serving_plain_http_beyond_loopback_is_refused(shop, capsys):
    code, _, err = run(capsys, "serve", "--host", "192.0.2.1")
    assert code == 1
    assert "only loopback" in err


@pytest.mark.usefixtures("stream")  # the logs are set up by then
def test_serving_pages_that_were_not_built_is_refused(shop, capsys):
    code, _, err = run(capsys, "serve", "--static", "dist")
    assert code == 1
    assert "build.py build" in err


def test_a_port_that_is_taken_is_said(shop, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run(capsys, "serve", "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert "cannot be used" in err


@pytest.mark.parametrize(
    "arguments", [["serve", "--port", "0"], ["serve", "--workers", "x"], ["link"], [], ["nonsense"]]
)
def test_wrong_arguments_end_with_2(shop, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 2


def test_importing_twice_changes_nothing(shop, capsys):
    Path("all.json").write_text(json.dumps(CUSTOMER))
    assert run(capsys, "import", "harbour", "all.json")[1].startswith("1 customers are new")
    assert run(capsys, "import", "harbour", "all.json")[1].startswith(
        "0 customers are new, 0 changed, 1 are as they were"
    )


def test_live_data_for_a_test_link_is_refused(shop, capsys):
    Path("all.json").write_text(json.dumps(CUSTOMER | {"livemode": True}))
    code, _, err = run(capsys, "import", "harbour", "all.json")
    assert code == 1
    assert "never mixed" in err
    assert "Nothing was imported." in err


def test_searching_says_which_customer_opens(shop, capsys):
    Path("all.json").write_text(json.dumps(CUSTOMER))
    run(capsys, "import", "harbour", "all.json")
    code, out, _ = run(capsys, "customers", "search", "harbour", "X@example.com")
    assert code == 0
    assert "cus_1" in out
    assert "opens" in out


def test_a_tax_number_is_said_to_be_somebodys(shop, capsys):  # D1
    number = {"id": "txi_1", "object": "tax_id", "customer": "cus_1", "type": "eu_vat", "value": "DE 136695976"}
    Path("all.json").write_text(json.dumps([CUSTOMER, number | {"verification": {"status": "pending"}}]))
    run(capsys, "import", "harbour", "all.json")
    it = ("customers", "tax-id", "harbour")
    for _ in range(2):
        code, out, _ = run(capsys, *it, "cus_1", "de136695976", "verified", "--name", "A GmbH", "--address", "B\nC")
        assert (code, out) == (0, "DE 136695976 (eu_vat) of cus_1 is verified.\n")
    for arguments, why in (
        (("cus_1", "DE999999999", "verified"), "DE 136695976 (eu_vat, verified)"),
        (("cus_2", "DE136695976", "verified"), "has no customer 'cus_2'"),
        (("cus_1", "DE136695976", "unverified", "--name", "A"), "only with verified"),
        (("cus_1", "DE136695976", "verified", "--name", "A\x1b[31m"), "--name: one line"),
    ):
        code, _, err = run(capsys, *it, *arguments)
        assert (code, "Nothing was changed." in err) == (1, True)
        assert why in err
    with pytest.raises(SystemExit, match="2"):
        run(capsys, *it, "cus_1", "DE136695976", "perhaps")


@pytest.mark.parametrize("path", ["/nonexistent/folder/x", "/", "/dev/null"])
def test_a_database_that_cannot_be_opened_is_one_message_that_names_it(shop, capsys, monkeypatch, path):
    monkeypatch.setenv("PORTAL_DATABASE", f"sqlite:{path}")
    code, _, err = run(capsys, "customers", "search", "harbour", "x@example.com")
    assert code == 1
    assert err.startswith(f"PORTAL_DATABASE: {path}: ")
    assert "Traceback" not in err


def test_doctor_ends_with_1_while_something_is_missing(shop, capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 1
    assert "FAIL mail" in out
    assert "  -> " in out


@pytest.mark.parametrize("buffer", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize(
    "command", [["-m", "server", "keys", "create", "harbour"], [str(ROOT / "build.py"), "check", "harbour"]]
)
def test_nobody_has_to_read_all_that_a_command_prints(shop, command, buffer):
    read, written = os.pipe()
    os.close(read)
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment = {**inherited, **buffer, "PYTHONPATH": str(ROOT), "POSTERN_INSIDE_VENV": str(ROOT / ".venv")}
    try:
        done = subprocess.run(
            [sys.executable, *command], cwd=shop, env=environment, stdout=written, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(written)
    assert (done.returncode, done.stderr) == (1, b"")


def test_two_workers_serve_pages_and_server_and_end_on_a_signal(shop):
    port, operations = free_port(), free_port()
    publishing.build(brands.load_all(shop / "themes"), shop / "dist", secure=False)
    command = [sys.executable, "-m", "server", "serve", "--port", str(port), "--workers", "2", "--static", "dist"]
    environment = {
        "PYTHONPATH": str(ROOT),
        "PORTAL_SECRETS": "0123456789abcdef0123456789ABCDEF",
        "PORTAL_ORIGIN": f"http://127.0.0.1:{port}",
        "PORTAL_DATABASE": f"sqlite:{shop / 'portal.sqlite'}",
        "PORTAL_OPERATIONS": f"127.0.0.1:{operations}",
    }
    with subprocess.Popen(
        command, cwd=shop, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as serving:
        try:
            assert answered(operations, "/healthz", serving) == (200, b"ok\n")
            assert answered(port, "/healthz", serving)[0] == 404
            assert answered(port, "/harbour/account/", serving)[0] == 200
            assert answered(port, "/harbour/my/overview", serving)[0] in (200, 401)
        finally:
            serving.send_signal(signal.SIGTERM)
            output = serving.communicate(timeout=60)[0].decode()
    assert serving.returncode == 0, output
    assert "Traceback" not in output
    first, second, *_ = output.splitlines()
    assert first == f"Serving 3 brands at http://127.0.0.1:{port}, with 2 HTTP workers and the background work."
    assert f"http://127.0.0.1:{operations}/readyz" in second
    assert output.count("Serving") == 1, "once, however many workers there are"


def answered(port, path, serving):
    """The answer, once somebody listens: refused connections are tried again while the process lives."""
    while serving.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("the server ended by itself: " + serving.stdout.read().decode())


def test_operators_get_and_lose_roles(shop, capsys):
    assert run(capsys, "operators", "add", "ann@shop.example", "--role", "owner")[0] == 0
    assert run(capsys, "operators", "add", "bob@shop.example", "--role", "editor", "--brand", "harbour")[0] == 0
    code, out, _ = run(capsys, "operators", "list")
    assert (code, out.count(" of "), "History: 2 acts" in out) == (0, 2, True)
    code, _, err = run(capsys, "operators", "add", "bob@shop.example", "--role", "editor", "--brand", "nowhere")
    assert (code, "no brand named 'nowhere'" in err) == (1, True)
    code, _, err = run(capsys, "operators", "remove", "ann@shop.example")
    assert (code, "last owner" in err) == (1, True)
    assert run(capsys, "operators", "remove", "bob@shop.example", "--brand", "harbour")[0] == 0
    code, out, err = run(capsys, "operators", "list", "--head", f"9-{'0' * 64}")
    assert (code, out, "act 9 of the history is missing" in err) == (1, "", True)
