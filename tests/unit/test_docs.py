"""What the documents lead to is there, and the README stays short."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    each
    for folder in (".", "docs", "themes", "tests")
    for each in (ROOT / folder).glob("**/*.md" if folder == "docs" else "*.md")
)
_LINK = re.compile(r"\]\(([^)#\s]+)")
_PATH = re.compile(r"`((?:server|site|themes|tests|docs|\.github)/[\w./-]+)`")

_SOURCES = (".py", ".md", ".html", ".txt", ".typ", ".js", ".css")
_SOURCE = re.compile(r"(?<![\w/.-])(?:server|tests|docs)/[\w/-]+\.(?:py|md|json)\b")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_a_document_leads_to_files_that_are_there(document):
    text = document.read_text("utf-8")
    links = [document.parent / each for each in _LINK.findall(text) if "://" not in each]
    named = [ROOT / each for each in _PATH.findall(text)] if document.name != "CHANGES.md" else []
    assert not [str(each) for each in (*links, *named) if not each.exists()]


@pytest.mark.parametrize("folder", ["server", "site", "themes"])
def test_a_comment_leads_to_files_that_are_there(folder):
    sources = [each for each in (ROOT / folder).rglob("*") if each.suffix in _SOURCES and each.name != "CHANGES.md"]
    named = {(each, path) for each in sources for path in _SOURCE.findall(each.read_text("utf-8"))}
    assert not [f"{each}: {path}" for each, path in named if not (ROOT / path).exists()]


def test_the_readme_is_short_and_says_first_that_no_real_money_is_taken():
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 160
    assert any("no real money" in each for each in lines[:15])


def test_every_decision_has_a_number_of_its_own_and_is_listed():
    folder = ROOT / "docs" / "decisions"
    names = sorted(each.name for each in folder.glob("[0-9]*.md"))
    assert len({each[:4] for each in names}) == len(names)
    listed = _LINK.findall((folder / "README.md").read_text("utf-8"))
    assert listed == names


def test_the_newest_section_of_the_changelog_is_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    sections = re.findall(
        r"^## (\S+)(?: \((\d{4}-\d\d-\d\d)\))?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    released = [(number, on) for number, on in sections if number != "Unreleased"]
    assert released[0][0] == version
    assert all(newer > older for (_, newer), (_, older) in pairwise(released) if older)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "tests/engines.lock"])
def test_a_lock_has_hashes_and_names_no_registry(lock):
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert all(
        "--hash=sha256:" in each for each in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE) if each.strip()
    )


@pytest.mark.parametrize(
    ("lock", "group"), [("requirements.lock", ""), ("requirements-dev.lock", "dev"), ("tests/engines.lock", "engines")]
)
def test_what_pyproject_names_is_locked(lock, group):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["dependency-groups"][group] if group else []
    wanted += project["project"]["dependencies"] if group != "engines" else []
    names = {re.split(r"[\[<>=]", each)[0] for each in wanted}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
    assert not names - locked, "run `python3 build.py lock`"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_no_generator_of_test_data_is_locked(lock):
    """Litestar asks for one, and `build.py` installs what is locked alone: the suite runs without it too."""
    excluded = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]["exclude-dependencies"]
    assert excluded == ["polyfactory"]
    assert not re.findall(r"^(?:polyfactory|faker)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
