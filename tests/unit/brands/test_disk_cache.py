"""What is kept on disk is whole, of the same inputs and of this very code, or as good as not there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from server.brands import disk_cache


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that decides what comes out, written before this process began."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    return written(tmp_path / "code.py", "rule one")


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    long_ago = time.time() - 100_000
    os.utime(file, (long_ago, long_ago))
    return file


def folder(code: Path) -> Path:
    return disk_cache.folder(code.parent / "kept", [code])


def test_the_next_process_reads_what_was_kept_and_no_other_key(code: Path):
    disk_cache.write(folder(code), "red", b"#ff0000")
    assert disk_cache.read(folder(code), "red") == b"#ff0000"
    assert disk_cache.read(folder(code), "blue") is None


def test_a_file_that_was_cut_off_or_belongs_to_another_key_is_none(code: Path):
    disk_cache.write(folder(code), "red", b"#ff0000")
    [file] = folder(code).iterdir()
    whole = file.read_bytes()
    disk_cache.write(folder(code), "blue", b"#0000ff")
    for damaged in (*(whole[:length] for length in range(len(whole))), whole[:-1] + b"1", whole + b"0"):
        file.write_bytes(damaged)
        assert disk_cache.read(folder(code), "red") is None, damaged
    [other] = [each for each in folder(code).iterdir() if each != file]
    file.write_bytes(other.read_bytes())
    assert disk_cache.read(folder(code), "red") is None


def test_other_code_is_another_folder_and_the_old_one_goes(code: Path):
    before = folder(code)
    disk_cache.write(before, "red", b"#ff0000")
    written(code, "rule two")
    assert disk_cache.read(folder(code), "red") is None
    assert [each.name for each in before.parent.iterdir()] == [folder(code).name] != [before.name]


def test_another_version_of_a_package_is_another_folder(code: Path, monkeypatch: pytest.MonkeyPatch):
    installed = code.parent / "packages"
    (installed / "coloraide-4.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(installed)
    before = folder(code)
    (installed / "coloraide-4.0.dist-info").rename(installed / "coloraide-4.1.dist-info")
    assert folder(code) != before


def test_code_that_was_changed_since_this_process_began_is_not_what_runs_in_it(code: Path):
    before = folder(code)
    code.write_text("rule two")
    disk_cache.write(folder(code), "red", b"by one rule")
    written(code, "rule two")
    assert disk_cache.read(folder(code), "red") is None
    assert not before.exists()


def test_there_are_never_more_files_than_may_be(code: Path):
    for each in range(25):
        disk_cache.write(folder(code), str(each), b"", 10)
        assert len(list(folder(code).iterdir())) <= 10
    assert disk_cache.read(folder(code), "24") == b""


def test_python_that_keeps_no_modules_keeps_nothing(code: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    disk_cache.write(folder(code), "red", b"#ff0000")
    assert not (code.parent / "kept").exists()


def test_where_nothing_can_be_written_everything_works(code: Path):
    (code.parent / "kept").write_text("a file where the folder would be")
    disk_cache.write(folder(code), "red", b"#ff0000")
    assert disk_cache.read(folder(code), "red") is None
