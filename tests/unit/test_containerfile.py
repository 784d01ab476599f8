"""The Containerfile names files, commands, settings and addresses that exist; docs/hosting.md says what was tried with it."""

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import build
from server import __main__ as commands
from server import settings

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    each.partition(" ")
    for each in re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text("utf-8")).splitlines()
    if each and not each.startswith("#")
]


def steps(word: str) -> list[str]:
    return [rest for each, _, rest in STEPS if each == word]


def last(word: str) -> str:
    return steps(word)[-1]


def environment() -> dict[str, str]:
    return dict(each.split("=", 1) for each in shlex.split(last("ENV")))


def test_the_image_is_made_by_a_command_of_the_menu():
    (made,) = re.findall(r"python3 build\.py (.+)$", steps("RUN")[0])
    assert build.menu().parse_args(made.split()).command == "build"


def test_it_serves_the_pages_that_were_built_beside_it():
    python, *arguments = json.loads(last("CMD"))
    assert (python, *arguments[:2]) == ("python", "-m", "server")
    options = commands.menu().parse_args(arguments[2:])
    assert options.does is commands.serve
    assert str(options.static) == build.menu().parse_args(["build"]).out
    assert str(options.port) in last("EXPOSE").split()


def test_its_settings_are_read_and_the_database_is_on_the_volume():
    given = environment()
    read = settings.from_environment(given, secrets_needed=False)
    assert set(given) - {"PATH", "PYTHONPYCACHEPREFIX"} == {"PORTAL_DATABASE", "PORTAL_OPERATIONS"}
    assert read.database.removeprefix("sqlite:").startswith(last("VOLUME") + "/")
    assert read.releases.is_relative_to(last("VOLUME"))
    assert str(read.operations[1]) in last("EXPOSE").split()


def test_its_health_is_asked_at_the_operators_address():
    (address,) = re.findall(r"http://127\.0\.0\.1:(\d+)/readyz", last("HEALTHCHECK"))
    assert environment()["PORTAL_OPERATIONS"].endswith(f":{address}")


def test_it_runs_as_a_user_of_its_own_who_owns_the_volume_and_not_the_code():
    words = [each for each, _, _ in STEPS]
    (made,) = [each for each in steps("RUN") if "useradd" in each]
    assert last("USER") in made.split()
    assert last("VOLUME") in made.split()
    assert words.index("USER") > max(at for at, each in enumerate(words) if each in ("RUN", "COPY"))
    assert "--chown" not in " ".join(steps("COPY"))


def test_the_image_is_made_from_what_it_names_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = [each[1:] for each in lines if each.startswith("!")]
    assert "*" in lines
    assert not [each for each in kept if not (ROOT / each).exists()]
    assert {"build.py", "requirements.lock", "server", "site", "themes"} <= set(kept)
    assert not [each for each in kept if fnmatch(each, "*.sqlite*") or each.startswith((".env", ".git"))]


def test_the_unit_of_systemd_starts_the_server_as_it_is_started():
    guide = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    (started,) = re.findall(r"^ +ExecStart=/srv/postern/\.venv/bin/python -m server (.+)$", guide, re.MULTILINE)
    assert commands.menu().parse_args(started.split()).does is commands.serve
