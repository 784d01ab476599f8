"""What others wrote stands here as they published it."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOTES = sorted([*ROOT.glob("site/static/vendor/*.json"), *ROOT.glob("tests/vendor/*.json")])


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_a_vendored_file_has_the_bytes_that_its_note_says(note):
    said = json.loads(note.read_text("utf-8"))
    content = note.with_name(said["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == said["sha256"]


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_a_note_says_where_a_file_comes_from_and_on_what_terms(note):
    said = json.loads(note.read_text("utf-8"))
    assert all(said[key] for key in ("name", "version", "source", "license"))
    assert note.with_suffix(".LICENSE").is_file()


def test_every_vendored_script_has_a_note():
    scripts = {*ROOT.glob("site/static/vendor/*.js"), *ROOT.glob("tests/vendor/*.js")}
    assert scripts == {note.with_name(json.loads(note.read_text("utf-8"))["file"]) for note in NOTES}
