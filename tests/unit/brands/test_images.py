"""Logo and icon: known by what they hold, refused where they could do harm. # threat 64, 66"""

import base64
import struct

import pytest

from server import brands
from server.brands import images
from server.merchant.studio import saving
from tests.support.brands import THEME, jpeg, png, the_mistake, write_brand

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">'


def refused(tmp_path, content):
    mistake = the_mistake(write_brand(tmp_path, logo__svg=content))
    assert (mistake.line, mistake.key) == (3, "brand.logo")
    return mistake


def with_logo(tmp_path, name, content):
    text = THEME.replace("logo.svg", name)
    return write_brand(tmp_path, theme=text, **{name.replace(".", "__"): content})


@pytest.mark.parametrize(
    ("name", "content", "image"),
    [
        ("a.png", png(128, 200), images.Image("png", 128, 200)),
        ("a.jpg", jpeg(640, 128), images.Image("jpeg", 640, 128)),
        ("a.JPEG", jpeg(128, 128, segments=b""), images.Image("jpeg", 128, 128)),
        ("a.svg", f"{HEAD}</svg>".encode(), images.Image("svg", 40, 20)),
        ("a.svg", f"\ufeff<?xml version='1.0'?>{HEAD}</svg>".encode(), images.Image("svg", 40, 20)),
        ("a.svg", f"<?xml version='1.0' encoding='UTF-16'?>{HEAD}</svg>".encode("utf-16"), images.Image("svg", 40, 20)),
        (
            "a.svg",
            HEAD.replace("viewBox", "width='90' height='30px' viewBox").encode() + b"</svg>",
            images.Image("svg", 90, 30),
        ),
        ("a.svg", HEAD.replace("viewBox", "width='100%' viewBox").encode() + b"</svg>", images.Image("svg", 40, 20)),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', images.Image("svg")),
    ],
)
def test_a_picture_says_its_kind_and_size_itself(tmp_path, name, content, image):
    assert brands.load(with_logo(tmp_path, name, content)).theme.brand.logo.image == image


@pytest.mark.parametrize("content", [png(127, 400), png(400, 127), jpeg(127, 127), jpeg(0, 0)])
def test_a_bitmap_that_is_too_small_is_refused(tmp_path, content):
    name = "a.png" if content.startswith(b"\x89") else "a.jpg"
    assert "pixels" in the_mistake(with_logo(tmp_path, name, content)).found


@pytest.mark.parametrize("content", [png(128, 4096), jpeg(4096, 4096)], ids=["png", "jpeg"])
def test_the_largest_bitmap_is_taken(tmp_path, content):
    name = "a.png" if content.startswith(b"\x89") else "a.jpg"
    assert brands.load(with_logo(tmp_path, name, content)).theme.brand.logo.image.height == 4096


def inside(kind, content):
    """The same as an SVG would hold it."""
    return f"data:image/{kind};base64,{base64.b64encode(bytes(content)).decode()}"


class Header:
    """The beginning of a picture, for its two sides."""

    def __init__(self, form, *, less=0):
        self.form, self.less = form, less

    def __mod__(self, sides):
        return self.form(*(side - self.less for side in sides)).ljust(40, b"\0")


def _webp(kind, sides):
    return b"RIFF\0\0\0\0WEBP" + kind + sides


GIF = Header(lambda width, height: b"GIF89a" + struct.pack("<HH", width, height))
WEBP = {
    "VP8X": Header(
        lambda width, height: _webp(b"VP8X", bytes(8) + struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]),
        less=1,
    ),
    "VP8L": Header(lambda width, height: _webp(b"VP8L", bytes(5) + struct.pack("<I", width | height << 14)), less=1),
    "VP8 ": Header(lambda width, height: _webp(b"VP8 ", bytes(10) + struct.pack("<HH", width, height))),
}
HUGE = (20_000, 20_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", png(128, 128).replace(struct.pack(">II", 128, 128), struct.pack(">II", *HUGE))),
        ("a.png", png(128, 128).replace(struct.pack(">II", 128, 128), struct.pack(">II", 128, 4097))),
        ("a.jpg", jpeg(*HUGE)),
        *(
            ("a.svg", f"{HEAD}<g><image href='{inside(kind, content)}'/></g></svg>".encode())
            for kind, content in [
                ("png", png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", *HUGE))),
                ("png", jpeg(*HUGE)),  # a browser goes by what it is
                ("jpeg", jpeg(*HUGE)), ("gif", GIF % HUGE), ("webp", WEBP["VP8X"] % HUGE),
                ("webp", WEBP["VP8L"] % (16_000, 16_000)), ("webp", WEBP["VP8 "] % (16_000, 16_000)),
            ]
        ),
    ],
)  # fmt: skip
def test_a_picture_that_is_huge_when_it_is_opened_is_refused(tmp_path, name, content):  # threat 103
    """Both ways in: by hand into the folder, and by an upload of the studio. Its header is read, and nothing decodes it."""
    assert len(content) < 1000
    assert "pixels" in the_mistake(with_logo(tmp_path, name, content)).found
    with pytest.raises(ValueError, match="pixels"):
        saving.picture_name("logo", content)


@pytest.mark.parametrize("text", ["", "iVBORw0KGgo=", "AAAA", "R0lGODlh", "UklGRgAAAABXRUJQ", "A"])
def test_a_bitmap_in_an_svg_that_does_not_say_its_size_is_refused(tmp_path, text):  # threat 103
    refused(tmp_path, f"{HEAD}<image href='data:image/png;base64,{text}'/></svg>".encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", jpeg(200, 200)),
        ("a.svg", png(200, 200)),
        ("a.jpg", f"{HEAD}</svg>".encode()),
        ("a.exe", png(200, 200)),
    ],
)
def test_a_picture_is_named_after_what_it_is(tmp_path, name, content):
    assert "inside; name it a." in the_mistake(with_logo(tmp_path, name, content)).found


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"GIF89a",
            b"\x89PNG\r\n\x1a\n",
            png(200, 200)[:20],
            b"\xff\xd8\xff",
            jpeg(200, 200)[:12],
            b"<html></html>",
        ),
        *(
            b"\xff\xd8\xff\xe0\x00\x00" * 3,
            b"\xff\xd8" + b"\xff" * 400,
            b"not xml",
            b"<svg",
            b"<svg></svg>",
            b"\0" * 100,
        ),
        *(b'<svg xmlns="http://www.w3.org/1999/xhtml"/>', b"<?xml version='1.0' encoding='utf-7'?><svg/>"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, content):
    assert "a PNG or a JPEG" in refused(tmp_path, content).allowed


def test_a_picture_that_is_too_large_is_refused(tmp_path):
    assert "bytes" in refused(tmp_path, f"{HEAD}<!--{'x' * 513 * 1024}--></svg>".encode()).found


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<SCRIPT href='#a'/>",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'/>",
        "<script xmlns='urn:other'/>",
        "<foreignObject><b/></foreignObject>",
        "<b xmlns='http://www.w3.org/1999/xhtml'/>",
        "<iframe src='#a'/>",
        "<g onload='alert(1)'/>",
        "<g ONCLICK='alert(1)'/>",
        "<g x:onload='alert(1)' xmlns:x='urn:x'/>",
        "<a href='javascript:alert(1)'/>",
        "<a xlink:href=' java&#10;script:alert(1)'/>",
        "<a href='https://evil.example'/>",
        "<use href='//evil.example/a.svg#b'/>",
        "<use xlink:href='other.svg#b'/>",
        "<image href='data:image/svg+xml;base64,PHN2Zz4='/>",
        "<image href='data:text/html,x'/>",
        "<g xml:base='https://evil.example'/>",
        "<set attributeName='onclick' to='alert(1)'/>",
        "<animate attributeName='href' values='javascript:alert(1)'/>",
        "<animate attributeName='xlink:href' to='#a'/>",
        "<style>@import 'https://evil.example/a.css';</style>",
        "<style>path { fill: url(https://evil.example/a) }</style>",
        "<style>path { fill: URL( 'https://evil.example/a') }</style>",
        "<style><![CDATA[path { fill: url(//evil.example) }]]></style>",
        "<style>path { fill: u\\72l(https://evil.example) }</style>",
        "<g style='fill: url(https://evil.example)'/>",
        "<g fill='url(\"https://evil.example\")'/>",
        "<g filter='url(other.svg#a)'/>",
        "<?xml-stylesheet href='https://evil.example/a.css'?>",
        "<?php echo 1 ?>",
        "<style>path { fill: <!-- x -->url(//evil.example) }</style>",
        "<style>path { fill: u<!-- x -->rl(//evil.example) }</style>",
        "<style>path { fill: u<g/>rl(//evil.example) }</style>",
        "<style>path { fill: u<![CDATA[rl(//evil.example) }]]></style>",
    ],
)
def test_an_svg_that_could_run_or_load_something_is_refused(tmp_path, inside):  # threat 102
    """Both ways in: by hand into the folder, and by an upload of the studio."""
    content = f"{HEAD}{inside}</svg>".encode()
    assert refused(tmp_path, content).found.startswith("logo.svg: an SVG")
    with pytest.raises(ValueError, match="SVG"):
        saving.picture_name("logo", content)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        '<!DOCTYPE svg SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>',
        "<!doctype svg>",
    ],
)
def test_an_svg_with_a_doctype_is_refused(tmp_path, doctype):
    refused(tmp_path, f"{doctype}{HEAD}</svg>".encode())


@pytest.mark.parametrize(
    "inside",
    [
        "<title>Harbour</title><path d='M0 0h40'/>",
        "<linearGradient id='a'/><path fill='url(#a)' style='stroke:url(\"#a\")'/>",
        "<style>.a { fill: #123; stroke: url('#a') }</style><use href='#b'/><use xlink:href='#b'/>",
        f"<image href='{inside('png', png(16, 16))}'/>",
        f"<image xlink:href='{inside('gif', GIF % (4096, 1))}'/><image href='{inside('webp', WEBP['VP8X'] % (9, 9))}'/>",
        "<animate attributeName='opacity' from='0' to='1'/>",
        "<metadata xmlns:rdf='urn:rdf'><rdf:li/></metadata>",
        "<text>on url( javascript is a word</text>",
    ],
)
def test_a_usual_svg_is_taken(tmp_path, inside):
    assert brands.load(write_brand(tmp_path, logo__svg=f"{HEAD}{inside}</svg>".encode())).theme.brand.logo


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../secret.svg",
            "/etc/passwd",
            "a/../../b.svg",
            "C:logo.svg",
            "\\\\\\\\host\\\\a.svg",
            "gone.svg",
            ".",
            "..",
            "x" * 200,
        ),
        *("logo svg.svg", "lögo.svg", "logo.svg/", "file:///logo.svg", "a<b.svg", "sub"),
    ],
)
def test_a_picture_lies_in_the_folder_of_its_theme(tmp_path, name):
    (tmp_path / "secret.svg").write_text(f"{HEAD}</svg>")
    folder = write_brand(tmp_path, theme=THEME.replace("logo.svg", name))
    (folder / "sub").mkdir()
    assert the_mistake(folder).allowed == "a file in the folder of this theme"


def test_a_picture_may_lie_in_a_subfolder(tmp_path):
    folder = write_brand(tmp_path, theme=THEME.replace("logo.svg", "img/logo.svg"))
    (folder / "img").mkdir()
    (folder / "logo.svg").rename(folder / "img" / "logo.svg")
    assert brands.load(folder).theme.brand.logo.file == folder / "img" / "logo.svg"


@pytest.mark.parametrize("target", ["../secret.svg", "logo.svg"])
def test_a_link_out_of_the_folder_or_in_a_circle_is_refused(tmp_path, target):
    (tmp_path / "secret.svg").write_text(f"{HEAD}</svg>")
    folder = write_brand(tmp_path)
    (folder / "logo.svg").unlink()
    (folder / "logo.svg").symlink_to(target)
    assert the_mistake(folder).key == "brand.logo"


def test_a_subfolder_that_is_a_link_out_of_the_folder_is_refused_and_one_inside_it_is_not(tmp_path):
    folder = write_brand(tmp_path)
    (folder / "theme.toml").write_text((folder / "theme.toml").read_text().replace('"logo.svg"', '"img/logo.svg"'))
    (folder / "real").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "logo.svg").write_bytes((folder / "logo.svg").read_bytes())
    (folder / "logo.svg").rename(folder / "real" / "logo.svg")
    (folder / "img").symlink_to("real")
    assert brands.load(folder).theme.brand.logo.file == folder / "img" / "logo.svg"
    (folder / "img").unlink()
    (folder / "img").symlink_to("../elsewhere")
    assert the_mistake(folder).key == "brand.logo"
