"""Both files of a brand are written in one way: compared, checked, and replaced at once."""

import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server import brands
from server.brands import ThemeError
from server.brands.reading.declared import fields
from server.brands.words import Words
from server.publishing import atomic_files, brand_files
from server.publishing.brand_files import ChangedMeanwhile, Edit
from tests.support.brands import SVG, png, write_brand

THEMES = Path(__file__).resolve().parents[3] / "themes"
GIT = shutil.which("git") or "git"
WORDS = [each.name for each in fields(Words)]
BOTH = {"features.subscription_cancel.mode": "immediately", "words.footer_note": "Roasted today."}


@pytest.fixture
def folder(tmp_path):
    for name in ("plain", "harbour"):
        shutil.copytree(THEMES / name, tmp_path / name)
    return tmp_path / "harbour"


def texts(folder):
    return [(folder / name).read_bytes() for name in ("theme.toml", "portal.toml")]


def edits_of(folder, changes):
    return brand_files.proposed(folder, brand_files.read(folder), changes)


def test_a_change_of_both_files_is_worked_out_shown_and_written(folder):
    edits = edits_of(folder, BOTH)
    patch = brand_files.differences("harbour", edits)
    assert [line for line in patch.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        '-footer_note = "Roasted by the water since 2011."', '+footer_note = "Roasted today."',
        '-mode = "at_period_end"', '+mode = "immediately"',
    ]  # fmt: skip
    brand_files.write(folder, edits)
    brand = brands.load(folder)
    assert brand.config.features.subscription_cancel.mode == "immediately"
    assert brand.theme.words["footer_note"] == "Roasted today."


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_the_patch_is_one_that_git_takes(folder, newline, end):
    for name in ("theme.toml", "portal.toml"):
        text = (folder / name).read_text("utf-8").rstrip() + end
        (folder / name).write_bytes(text.replace("\n", newline).encode())
    edits = edits_of(folder, BOTH | {"words.de.footer_note": None, "features.subscription_pause.max_cycles": 3})
    (folder.parent / "change.patch").write_bytes(brand_files.differences("harbour", edits).encode())
    subprocess.run([GIT, "apply", "change.patch"], cwd=folder.parent, check=True, capture_output=True)
    assert texts(folder) == [edits[name].after for name in ("theme.toml", "portal.toml")]


def test_the_mark_at_the_beginning_of_a_file_stays(folder):
    file = folder / "portal.toml"
    file.write_bytes("\ufeff".encode() + file.read_bytes())
    brand_files.write(folder, edits_of(folder, BOTH))
    assert file.read_bytes().startswith("\ufeff# What".encode())


def test_a_file_that_changed_meanwhile_is_not_written(folder):  # threat 107
    edits = edits_of(folder, BOTH)
    with (folder / "portal.toml").open("a") as file:
        file.write("# by hand\n")
    before = texts(folder)
    with pytest.raises(ChangedMeanwhile, match=r"portal\.toml"):
        brand_files.write(folder, edits, {"logo.1.svg": SVG})
    assert texts(folder) == before
    assert not (folder / "logo.1.svg").exists()


def test_of_32_writers_at_once_none_loses_what_another_wrote(folder):  # threat 107
    keys = [f"{tag}.{key}" for tag in ("fr", "es", "ar") for key in WORDS][:32]

    def write(key):
        for _ in range(200):
            try:
                brand_files.write(folder, edits_of(folder, {f"words.{key}": f"of {key}"}))
            except ChangedMeanwhile:
                continue
            return True
        return False

    with ThreadPoolExecutor(len(keys)) as pool:
        assert all(pool.map(write, keys))
    held = brand_files.held(brand_files.read(folder))["words"]
    assert {f"{tag}.{key}" for tag in ("fr", "es", "ar") for key in held[tag]} == set(keys)


@pytest.mark.parametrize("step", range(7))
def test_a_writer_that_is_killed_leaves_each_file_old_or_new(folder, step):  # threat 107
    edits, before = edits_of(folder, BOTH), texts(folder)
    after = [edits[name].after for name in ("theme.toml", "portal.toml")]
    child = os.fork()
    if not child:
        try:
            _kill_at(step)
            brand_files.write(folder, edits)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (step < 6)
    now = texts(folder)
    assert [each in pair for each, *pair in zip(now, before, after, strict=True)] == [True, True]
    assert now == ([before] * 3 + [[after[0], before[1]]] * 3 + [after])[step]
    brands.load(folder)
    brand_files.write(folder, edits_of(folder, BOTH))  # the same change finishes it
    assert texts(folder) == after
    assert not [each.name for each in folder.iterdir() if ".new." in each.name and now != after]


def _kill_at(step):
    """Die at the n-th of: a file is opened beside, is on the disk, takes the other's place."""
    left = [step]

    def dying(work, counts=lambda *_: True):
        def call(*arguments):
            if counts(*arguments) and not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= counts(*arguments)
            return work(*arguments)

        return call

    Path.open = dying(Path.open, lambda *arguments: "xb" in arguments)
    os.fsync, Path.replace = dying(os.fsync), dying(Path.replace)


def test_a_value_that_no_longer_passes_is_in_the_way_of_no_other(folder):
    file = folder / "portal.toml"
    file.write_text(file.read_text("utf-8").replace("max_cycles = 2", "max_cycles = 99"), "utf-8")
    edits = edits_of(folder, {"business.headline": "Good coffee"})
    found = brand_files.checked(folder, edits)
    assert (found.new, [each.key for each in found.standing]) == ((), ["features.subscription_pause.max_cycles"])
    brand_files.write(folder, edits)
    assert 'headline = "Good coffee"' in file.read_text("utf-8")
    with pytest.raises(ThemeError, match="max_cycles"):
        brand_files.change(folder, {"business.headline": "as a command writes it"})


def test_a_change_that_the_reader_refuses_is_not_written(folder):
    before = texts(folder)
    with pytest.raises(ThemeError, match="create_prorations"):
        brand_files.write(
            folder, edits_of(folder, {"features.subscription_cancel.proration_behavior": "create_prorations"})
        )
    assert texts(folder) == before


def test_pictures_are_checked_before_they_are_there_and_written_with_the_file(folder):
    edits = edits_of(folder, {"brand.logo": "logo.1.png"})
    with pytest.raises(ThemeError, match="64 by 64"):
        brand_files.write(folder, edits, {"logo.1.png": png(64, 64)})
    assert not (folder / "logo.1.png").exists()
    overlay = brand_files.overlay(folder, edits, {"logo.1.png": png(200, 200)})
    assert brands.load(folder, overlay).theme.brand.logo.image.width == 200
    brand_files.write(folder, edits, {"logo.1.png": png(200, 200)})
    assert brands.load(folder).theme.brand.logo.file.name == "logo.1.png"


def test_a_link_in_the_folder_is_not_written_through(folder, tmp_path):  # threats 104, 105
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    (folder / "logo.1.svg").symlink_to(outside)
    brand_files.write(folder, edits_of(folder, {"brand.logo": "logo.1.svg"}), {"logo.1.svg": SVG})
    assert (outside.read_bytes(), (folder / "logo.1.svg").is_symlink()) == (b"theirs", False)


@pytest.mark.parametrize(
    "name", ["../evil.svg", "/evil.svg", "a/b.svg", "..", ".hidden.svg", "theme.toml", "portal.toml", ""]
)
def test_a_picture_has_a_name_in_the_folder_and_is_no_file_of_the_brand(folder, name):  # threat 104
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(ThemeError, match="a file named"):
        brand_files.write(folder, edits_of(folder, BOTH), {name: SVG})
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("what", ["theme.toml", "portal.toml", "."])
def test_a_file_that_is_a_link_is_neither_read_nor_written(folder, tmp_path, what):  # threat 105
    edits, link = edits_of(folder, BOTH), folder / what
    real = tmp_path / "elsewhere"
    shutil.move(link, real)
    link.symlink_to(real)
    before = texts(folder)
    with pytest.raises(ThemeError, match="a link"):
        brand_files.read(folder)
    with pytest.raises(ThemeError, match="a link"):
        brand_files.write(folder, edits)
    assert texts(folder) == before


def test_what_hangs_or_is_too_large_is_no_file_of_a_brand(folder):
    (folder / "portal.toml").unlink()
    os.mkfifo(folder / "portal.toml")
    assert brand_files.read(folder)["portal.toml"] == b""
    (folder / "portal.toml").unlink()
    (folder / "portal.toml").write_bytes(b"#" * 200_000)
    with pytest.raises(ThemeError, match="more than 131072 bytes"):
        brand_files.read(folder)


def test_a_disk_that_refuses_leaves_everything_as_it_was(folder, monkeypatch):
    before = texts(folder)

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(brand_files, "write_file", refuse)
    with pytest.raises(ThemeError, match="Read-only file system"):
        brand_files.write(folder, edits_of(folder, BOTH))
    assert texts(folder) == before
    assert brand_files.is_writable(folder)
    assert not brand_files.is_writable(Path("/proc/self"))


def test_a_file_that_takes_anothers_place_has_its_mode_and_is_whole_or_not_there(tmp_path):
    file = tmp_path / "a.toml"
    file.write_bytes(b"old")
    file.chmod(0o640)
    atomic_files.write_file(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o640)
    assert [each.name for each in tmp_path.iterdir()] == ["a.toml"]


def test_a_change_that_changes_nothing_is_none(folder):
    assert edits_of(folder, {"features.subscription_cancel.mode": "at_period_end", "site.url": None}) == {}
    assert brand_files.differences("harbour", {}) == ""
    assert Edit(b"", b"") == Edit(b"", b"")


def test_keys_that_differ_are_changes_that_can_be_proposed(tmp_path):
    one, other = (brand_files.held(brand_files.read(THEMES / name)) for name in ("plain", "orbit"))
    folder = write_brand(tmp_path, "plain", portal=(THEMES / "plain" / "portal.toml").read_text("utf-8"),
                         theme=(THEMES / "plain" / "theme.toml").read_text("utf-8"))  # fmt: skip
    edits = edits_of(folder, brand_files.changes_between(one, other))
    assert (
        brand_files.changes_between(brand_files.held({name: each.after for name, each in edits.items()}), other) == {}
    )
