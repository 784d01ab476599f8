"""The log-in link in `portal.toml`: written, taken out, and shown, with everything else in the file kept."""

import re
import shutil
import stat
from pathlib import Path

import pytest

from server import brands
from server.brands import ThemeError
from server.brands.link_file import LinkFile
from server.merchant import link

THEMES = Path(__file__).resolve().parents[3] / "themes"


@pytest.fixture
def folder(tmp_path):
    for name in ("plain", "harbour"):
        shutil.copytree(THEMES / name, tmp_path / name)
    return tmp_path / "harbour"


def text(folder):
    return (folder / "portal.toml").read_text()


def write(folder, words):
    (folder / "portal.toml").write_text(words)


def test_activating_writes_a_new_token_each_time(folder):
    tokens = {link.activate(folder, test=False) for _ in range(3)}
    assert len(tokens) == 3
    page = brands.load(folder).config.login_page
    assert page.enabled
    assert page.link in tokens
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{24}", token) for token in tokens)


def test_the_link_of_a_test_ledger_begins_with_test(folder):
    assert link.activate(folder, test=True).startswith("test_")


def test_comments_order_and_everything_else_stay(folder):
    before = text(folder)
    write(folder, before.replace("[login_page]", "# who may log in\n[login_page] # by this link"))
    before = text(folder)
    token = link.activate(folder, test=True)
    old = re.search(r'link = "([^"]+)"', before)[1]
    assert text(folder) == before.replace(old, token)


def test_a_file_without_the_table_gets_one(folder):
    write(folder, '# mine\n[business]\nname = "Shop"\n')
    token = link.activate(folder, test=False)
    assert text(folder).startswith('# mine\n[business]\nname = "Shop"\n')
    assert brands.load(folder).config.login_page.link == token


def test_a_file_that_is_enabled_but_has_no_link_can_be_activated(folder):
    write(folder, '[business]\nname = "Shop"\n[login_page]\nenabled = true\n')
    link.activate(folder, test=False)
    assert brands.load(folder).config.login_page.enabled


def test_deactivating_takes_the_link_out(folder):
    link.deactivate(folder)
    page = brands.load(folder).config.login_page
    assert not page.enabled
    assert page.link == ""
    link.deactivate(folder)


@pytest.mark.parametrize(
    "broken",
    [
        '[business]\nname = "Shop"\nunknown = 1\n',
        "[business\n",
        "login_page = 3\n",
        '[business]\nname = "Shop"\n[login_page]\nlinks = 1\n',
        "\udcff",
    ],
)
def test_a_file_with_mistakes_is_left_as_it_is(folder, broken):
    (folder / "portal.toml").write_bytes(broken.encode(errors="surrogateescape"))
    with pytest.raises(ThemeError, match=r"portal\.toml"):
        link.activate(folder, test=False)
    assert (folder / "portal.toml").read_bytes() == broken.encode(errors="surrogateescape")
    assert not list(folder.glob(".portal*"))


def test_the_files_mode_and_a_link_to_it_stay(folder, tmp_path):
    real = tmp_path / "elsewhere.toml"
    (folder / "portal.toml").rename(real)
    real.chmod(0o640)
    (folder / "portal.toml").symlink_to(real)
    token = link.activate(folder, test=False)
    assert (folder / "portal.toml").is_symlink()
    assert token in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_an_unknown_brand_is_told_with_those_that_there_are(tmp_path, folder):
    with pytest.raises(ThemeError, match="allowed: one of harbour, plain"):
        link.brand_in(folder.parent, "habour")


@pytest.mark.parametrize("name", ["../plain", "/etc", "", ".", "harbour/../plain"])
def test_a_brand_is_a_name_and_not_a_path(folder, name):
    with pytest.raises(ThemeError):
        link.brand_in(folder.parent, name)


def test_the_whole_link_is_shown(folder):
    token = link.activate(folder, test=False)
    assert link.url(brands.load(folder), "https://portal.example") == f"https://portal.example/harbour/p/login/{token}/"
    link.deactivate(folder)
    assert link.url(brands.load(folder), "https://portal.example") == ""


def test_a_running_server_follows_the_file(folder):
    reads = LinkFile(brands.load(folder))
    token = link.activate(folder, test=False)
    assert reads().link == token
    link.deactivate(folder)
    assert not reads().enabled


def test_a_running_server_keeps_the_link_while_the_file_cannot_be_read(folder):
    token = link.activate(folder, test=False)
    reads = LinkFile(brands.load(folder))
    write(folder, "[business")
    assert reads().link == token
    (folder / "portal.toml").unlink()
    assert reads().link == token
