"""Compiled templates on the disk: what is read there is what would be compiled, and nothing depends on it being there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

from server.rendering import compiled, words


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A site with one template, and the folder that its code goes to."""
    site = tmp_path / "site"
    (site / "templates").mkdir(parents=True)
    (site / "templates" / "hello.html").write_text("Hello {{ name }}")
    monkeypatch.setattr(compiled, "SITE", site)
    monkeypatch.setattr(compiled, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    return tmp_path / "kept"


def another_process(folder: Path) -> tuple[jinja2.Environment, list[str]]:
    """An environment that knows only what lies on the disk, and the templates that it compiles."""
    compiled.compiled.cache_clear()
    compiled.folder.cache_clear()
    environment = words.Environment("en", loader=jinja2.FileSystemLoader(folder), autoescape=True)
    done: list[str] = []
    compile_it = environment.compile

    def noted(source: str, name: str, *about: Any) -> Any:
        done.append(name)
        return compile_it(source, name, *about)

    environment.compile = noted  # type: ignore[method-assign,assignment]
    return environment, done


@pytest.fixture(autouse=True)
def begun_anew():
    yield
    compiled.compiled.cache_clear()
    compiled.folder.cache_clear()


def said(folder: Path) -> tuple[str, list[str]]:
    environment, done = another_process(folder)
    return environment.get_template("hello.html").render(name="<you>"), done


def test_a_second_process_reads_what_the_first_one_compiled(kept: Path):
    templates = compiled.SITE / "templates"
    assert said(templates) == ("Hello &lt;you&gt;", ["hello.html"])
    assert said(templates) == ("Hello &lt;you&gt;", [])


def test_a_changed_template_is_compiled_again(kept: Path):
    templates = compiled.SITE / "templates"
    said(templates)
    (templates / "hello.html").write_text("Bye {{ name }}")
    assert said(templates) == ("Bye &lt;you&gt;", ["hello.html"])
    assert said(templates) == ("Bye &lt;you&gt;", [])


@pytest.mark.parametrize("length", [0, 3, 20, 60, -4])
def test_a_file_that_was_cut_off_is_compiled_again(kept: Path, length: int):
    templates = compiled.SITE / "templates"
    said(templates)
    [file] = [each for each in kept.rglob("*") if each.is_file()]
    file.write_bytes(file.read_bytes()[:length])
    assert said(templates) == ("Hello &lt;you&gt;", ["hello.html"])
    assert said(templates) == ("Hello &lt;you&gt;", [])


def test_other_words_are_another_folder_and_the_old_one_goes(kept: Path):
    templates = compiled.SITE / "templates"
    said(templates)
    [before] = kept.iterdir()
    (compiled.SITE / "locales").mkdir()
    (compiled.SITE / "locales" / "portal.po").write_text("other words")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiled, "_DECIDING", (compiled.SITE / "locales",))
        assert said(templates) == ("Hello &lt;you&gt;", ["hello.html"])
    [after] = kept.iterdir()
    assert after.name != before.name


def test_a_brands_own_template_never_goes_to_the_disk(kept: Path, tmp_path: Path):
    own = tmp_path / "brand"
    own.mkdir()
    (own / "hello.html").write_text("Hi {{ name }}")
    assert said(own) == ("Hi &lt;you&gt;", ["hello.html"])
    assert not [each for each in kept.rglob("*") if each.is_file()]


def test_where_nothing_can_be_written_everything_works(kept: Path):
    kept.write_text("a file where the folder would be")
    assert said(compiled.SITE / "templates") == ("Hello &lt;you&gt;", ["hello.html"])
    assert kept.read_text() == "a file where the folder would be"


def test_python_that_keeps_no_modules_keeps_no_templates(kept: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    said(compiled.SITE / "templates")
    assert not kept.exists()
