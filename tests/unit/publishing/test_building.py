"""A build is whole or not there, and the same whoever makes it where."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.brands import Brand, load
from server.publishing import atomic_files, publishing
from server.publishing.publishing import BuildError
from server.rendering.assets import style_hash
from tests.support.brands import PORTAL, THEME, write_brand

LINK = "test_0123456789abcdefghijkl"
ACTIVE = PORTAL + f'[login_page]\nenabled = true\nlink = "{LINK}"\n'


def a_brand(folder: Path, name: str = "harbour", portal: str = ACTIVE) -> Brand:
    return load(write_brand(folder, name, portal=portal))


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def broken(brand: Brand) -> Brand:
    override = brand.folder / "templates" / "pages" / "help.html"
    override.parent.mkdir(parents=True)
    override.write_text("{% extends 'site:pages/help.html' %}{% block panel %}{{ nobody_knows_this }}{% endblock %}")
    return brand


def test_a_build_has_every_page_and_what_the_cdn_needs(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    written = {path for path in tree(tmp_path / "dist" / "harbour") if not path.startswith("static/")}
    assert written == {
        *("index.html", "account/index.html", "help/index.html", "link-not-active/index.html", "404.html", "500.html"),
        *(f"p/login/{LINK}/index.html", "_headers", "_redirects", "robots.txt"),
    }


def test_the_log_in_page_is_gone_when_the_link_is_switched_off(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    off = a_brand(tmp_path, portal=ACTIVE.replace("true", "false"))
    publishing.build([off], tmp_path / "dist")
    assert not (tmp_path / "dist" / "harbour" / "p").exists()
    assert LINK not in (tmp_path / "dist" / "harbour" / "index.html").read_text()


def test_the_start_goes_to_the_log_in_page(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    start = (tmp_path / "dist" / "harbour" / "index.html").read_text()
    assert f'content="0; url=/harbour/p/login/{LINK}/"' in start


def test_building_twice_gives_the_same_bytes(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    first = tree(tmp_path / "dist")
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    assert tree(tmp_path / "dist") == first


def test_building_elsewhere_gives_the_same_bytes(tmp_path):
    publishing.build([a_brand(tmp_path / "one")], tmp_path / "one" / "dist")
    publishing.build([a_brand(tmp_path / "other")], tmp_path / "other" / "dist")
    assert tree(tmp_path / "one" / "dist") == tree(tmp_path / "other" / "dist")


def test_many_brands_built_in_parallel_are_the_same_as_one_after_the_other(tmp_path):
    brands = [a_brand(tmp_path, f"brand-{number}") for number in range(publishing.FEW + 2)]
    told: list[str] = []
    built = publishing.build(brands, tmp_path / "all", on_brand=lambda each: told.append(each.name))
    for brand in brands:
        publishing.build([brand], tmp_path / "single")
    assert [each.name for each in built] == sorted(told) == [brand.name for brand in brands]
    assert tree(tmp_path / "all") == tree(tmp_path / "single")


def test_what_is_told_of_a_build_is_what_was_written(tmp_path):
    [built] = publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    written = tree(tmp_path / "dist" / "harbour")
    assert built.pages == sum(path.endswith(".html") for path in written)
    assert built.bytes == sum(map(len, written.values()))


def test_a_failed_build_leaves_the_old_one_and_no_litter(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    before = tree(tmp_path / "dist")
    with pytest.raises(BuildError, match=r"help\.html:1: 'nobody_knows_this' is undefined"):
        publishing.build([broken(a_brand(tmp_path))], tmp_path / "dist")
    assert tree(tmp_path / "dist") == before
    assert {each.name for each in (tmp_path / "dist").iterdir()} == {"harbour", "_headers", "_redirects", "robots.txt"}


def test_one_brand_that_fails_does_not_keep_the_others(tmp_path):
    brands = [broken(a_brand(tmp_path)), a_brand(tmp_path, "orbit")]
    with pytest.raises(BuildError, match="harbour: not built"):
        publishing.build(brands, tmp_path / "dist")
    assert (tmp_path / "dist" / "orbit" / "index.html").is_file()
    assert not (tmp_path / "dist" / "harbour").exists()


def test_a_full_disk_leaves_the_old_build(tmp_path):
    folder = tmp_path / "dist" / "harbour"
    atomic_files.write_folder(folder, {"_headers": b"old"})
    with pytest.raises(OSError, match="File name too long"):
        atomic_files.write_folder(folder, {"_headers": b"new", "x" * 300: b""})
    assert tree(tmp_path / "dist") == {"harbour/_headers": b"old"}


def test_a_swap_that_fails_half_way_puts_the_old_build_back(tmp_path):
    folder = tmp_path / "dist" / "harbour"
    atomic_files.write_folder(folder, {"_headers": b"old"})
    with pytest.raises(FileNotFoundError):
        atomic_files.write_folder(folder, {})  # nothing was written aside, so there is nothing to rename into place
    assert tree(tmp_path / "dist") == {"harbour/_headers": b"old"}


def test_what_a_killed_build_moved_aside_is_put_back(tmp_path):
    folder = tmp_path / "harbour"
    atomic_files.write_folder(folder, {"_headers": b"old"})
    folder.rename(tmp_path / ".harbour.old.1234")
    (tmp_path / ".harbour.new.1234").mkdir()
    with pytest.raises(OSError, match="File name too long"):
        atomic_files.write_folder(folder, {"x" * 300: b""})
    assert tree(tmp_path) == {"harbour/_headers": b"old"}


def test_a_folder_that_no_build_wrote_is_never_replaced(tmp_path):
    (tmp_path / "dist" / "harbour").mkdir(parents=True)
    (tmp_path / "dist" / "harbour" / "thesis.txt").write_text("years of work")
    with pytest.raises(BuildError, match="was not written by a build"):
        publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    assert (tmp_path / "dist" / "harbour" / "thesis.txt").read_text() == "years of work"


def test_two_sources_for_one_file_are_refused_by_name():
    outputs = publishing._Outputs()
    outputs.add("help/index.html", b"", "pages/help.html")
    with pytest.raises(BuildError, match=r"Help/index\.html: written by pages/help\.html and by another"):
        outputs.add("Help/index.html", b"", "another")


def test_an_override_that_replaces_nothing_is_refused_with_the_nearest_name(tmp_path):
    brand = a_brand(tmp_path)
    override = brand.folder / "templates" / "pages" / "logn.html"
    override.parent.mkdir(parents=True)
    override.write_text("")
    with pytest.raises(BuildError, match=r"pages/logn\.html: replaces nothing.*did you mean pages/login\.html\?"):
        publishing.build([brand], tmp_path / "dist")


def test_an_override_stands_in_the_build(tmp_path):
    brand = a_brand(tmp_path)
    override = brand.folder / "templates" / "pages" / "help.html"
    override.parent.mkdir(parents=True)
    override.write_text("{% extends 'site:pages/help.html' %}{% block panel %}{{ super() }}<p>Ahoy</p>{% endblock %}")
    publishing.build([brand], tmp_path / "dist")
    assert "<p>Ahoy</p>" in (tmp_path / "dist" / "harbour" / "help" / "index.html").read_text()


@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ("<p style='color: red'>x</p>", "nothing-inline"),
        ("<script>alert(1)</script>", "only-our-files"),
        ('<script src="https://cdn.example/x.js" integrity="sha384-x"></script>', "only-our-files"),
        ('<a href="/harbour/acount/">x</a>', "links-resolve"),
    ],
)
def test_a_page_that_breaks_a_house_rule_is_not_built(tmp_path, markup, rule):  # threat 71
    brand = a_brand(tmp_path)
    override = brand.folder / "templates" / "pages" / "help.html"
    override.parent.mkdir(parents=True)
    override.write_text(
        f"{{% extends 'site:pages/help.html' %}}{{% block panel %}}{{{{ super() }}}}{markup}{{% endblock %}}"
    )
    with pytest.raises(BuildError, match=rule):
        publishing.build([brand], tmp_path / "dist")


def test_brands_without_a_domain_share_the_rules_of_one(tmp_path):
    own = ACTIVE + '[site]\nurl = "https://billing.orbit.example"\n'
    brands = [a_brand(tmp_path), a_brand(tmp_path, "plain"), a_brand(tmp_path, "orbit", own)]
    publishing.build(brands, tmp_path / "dist", server="https://server.example")
    paths = [line for line in (tmp_path / "dist" / "_headers").read_text().splitlines() if line.startswith("/")]
    assert {"/harbour/*", "/plain/static/*"} <= set(paths)
    assert not any(line.startswith("/orbit") for line in paths)
    redirects = (tmp_path / "dist" / "_redirects").read_text()
    assert "\n/harbour/login https://server.example/harbour/login 200\n" in redirects
    assert "\n/harbour/* /harbour/404.html 404\n" in redirects


def test_what_is_no_origin_of_a_server_is_refused_before_anything_is_written(tmp_path):
    for server in (
        "server.example",
        "ftp://server.example",
        "https://server.example/x",
        "https://a b",
        "https://x\n/*",
    ):
        with pytest.raises(BuildError, match=r"--server .* must be https://"):
            publishing.build([a_brand(tmp_path)], tmp_path / "dist", server=server)
    assert not (tmp_path / "dist").exists()
    publishing.build([a_brand(tmp_path)], tmp_path / "dist", server="http://127.0.0.1:8000/")
    assert "/login http://127.0.0.1:8000/harbour/login 200" in (tmp_path / "dist" / "_redirects").read_text()


def test_building_one_brand_keeps_the_shared_rules_of_the_others(tmp_path):
    publishing.build([a_brand(tmp_path), a_brand(tmp_path, "plain")], tmp_path / "dist")
    before = (tmp_path / "dist" / "_headers").read_text()
    publishing.build([a_brand(tmp_path)], tmp_path / "dist")
    assert (tmp_path / "dist" / "_headers").read_text() == before


def test_a_demo_on_plain_http_does_not_send_browsers_to_https(tmp_path):
    publishing.build([a_brand(tmp_path)], tmp_path / "dist", secure=False)
    headers = (tmp_path / "dist" / "harbour" / "_headers").read_text()
    assert "upgrade-insecure-requests" not in headers
    assert "Strict-Transport-Security" not in headers


def test_markup_in_a_brands_name_is_text(tmp_path):  # threat 64
    portal = ACTIVE.replace('"Harbour"', "'<img src=x onerror=alert(1)>'")
    publishing.build([a_brand(tmp_path, portal=portal)], tmp_path / "dist")
    page = (tmp_path / "dist" / "harbour" / "help" / "index.html").read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_the_style_of_every_page_has_the_hash_that_the_policy_lists(tmp_path):
    brand = load(write_brand(tmp_path, theme=THEME, portal=ACTIVE))
    publishing.build([brand], tmp_path / "dist")
    files = tree(tmp_path / "dist" / "harbour")
    assets = publishing.Assets.of(brand)
    for path, content in files.items():
        if path.endswith(".html"):
            (style,) = re.findall("<style>(.*?)</style>", content.decode(), re.DOTALL)
            assert style_hash(style) in assets.style_hashes, path
            assert style == assets.styles("account" if path == "account/index.html" else "visitor"), path


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BuildError) as refused:
        publishing.build([a_brand(tmp_path)], tmp_path / "file" / "dist")
    assert str(refused.value).splitlines()[1] == f"{tmp_path}/file/dist: Not a directory"


def test_what_a_build_cannot_write_is_one_line_without_a_traceback():
    command = [sys.executable, "build.py", "gallery", "plain", "--out", f"{__file__}/gallery"]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"{__file__}/gallery: Not a directory\n")


def test_pages_of_a_brand_that_is_gone_are_told(tmp_path):
    stays, goes = a_brand(tmp_path), a_brand(tmp_path, "orbit")
    publishing.build([stays, goes], tmp_path / "dist")
    (tmp_path / "dist" / "of-somebody-else").mkdir()
    assert publishing.left_over(tmp_path / "dist", [stays]) == [tmp_path / "dist" / "orbit"]
