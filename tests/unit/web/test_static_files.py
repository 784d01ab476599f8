"""Static pages as the demo and `serve --static` give them."""

import gzip

import httpx
import pytest

from server.web.static_files import StaticFiles, is_dynamic

pytestmark = pytest.mark.anyio

PAGE = "<!doctype html><title>x</title>" + "<p>words</p>" * 100


async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"application"})


@pytest.fixture
def dist(tmp_path):
    write(tmp_path / "dist" / "shop")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "dist"


def write(folder, page=PAGE):
    (folder / "account").mkdir(parents=True)
    (folder / "static").mkdir()
    (folder / "index.html").write_text("<p>home</p>")
    (folder / "404.html").write_text("<p>not here</p>")
    (folder / "account" / "index.html").write_text(page)
    (folder / "static" / "logo.1234567890.png").write_bytes(b"\x89PNG" * 50)
    (folder / "_headers").write_text(
        "# a comment\n/*\n  X-Frame-Options: DENY\n/account/\n  Cache-Control: no-cache\n/static/*\n"
        "  Cache-Control: public, max-age=31536000, immutable\n"
    )


@pytest.fixture
async def client(dist):
    transport = httpx.ASGITransport(StaticFiles(application, dist, ["shop"]))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def test_a_folder_is_its_index(client):
    answer = await client.get("/shop/account/")
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_folder_without_its_slash_is_sent_there(client):
    assert (await client.get("/shop/account")).headers["location"] == "/shop/account/"
    assert (await client.get("/shop")).headers["location"] == "/shop/"
    for folder in ("/shop", "/shop/account"):
        told = await client.get(f"{folder}?prefilled_email=jenny%2Bx%40example.com&flow=a+b")
        assert told.headers["location"] == f"{folder}/?prefilled_email=jenny%2Bx%40example.com&flow=a+b"


async def test_a_brand_is_at_the_root_of_its_own_domain(dist):
    async def told(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": scope["raw_path"] + b" " + scope["path"].encode()})

    pages = StaticFiles(told, dist, ["shop", "other"], {"billing.shop.example": "shop"})
    own = {"host": "Billing.Shop.example"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://127.0.0.1") as client:
        assert (await client.get("/account/", headers=own)).text == PAGE
        assert (await client.get("/", headers=own)).text == "<p>home</p>"
        assert (await client.get("/account", headers=own)).headers["location"] == "/account/"
        assert (await client.get("/nothing", headers=own)).status_code == 404
        assert (await client.get("/my/a%2Fb", headers=own)).text == "/shop/my/a%2Fb /shop/my/a/b"
        # A proxy that put the brand there already, and another host.
        assert (await client.get("/shop/account/", headers=own)).text == PAGE
        assert (await client.get("/shop/my/x", headers=own)).text == "/shop/my/x /shop/my/x"
        assert (await client.get("/account/")).text == "/account/ /account/"
        assert (await client.get("/other/account/", headers=own)).status_code == 404


async def test_at_the_studios_host_there_is_no_page_of_a_brand(dist):  # threat 98
    pages = StaticFiles(application, dist, ["shop"], {"studio.example": "shop"}, not_at="studio.example")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://127.0.0.1") as client:
        assert (await client.get("/shop/account/")).status_code == 200
        for path in ("/shop/account/", "/account/", "/"):
            assert (await client.get(path, headers={"host": "Studio.example"})).status_code == 299


async def test_files_carry_the_headers_of_the_build(client):
    page, asset = await client.get("/shop/account/"), await client.get("/shop/static/logo.1234567890.png")
    assert page.headers["x-frame-options"] == asset.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-cache"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"] == "image/png"


async def test_a_missing_page_is_the_brands_own(client):
    answer = await client.get("/shop/nothing/here")
    assert answer.status_code == 404
    assert answer.text == "<p>not here</p>"


@pytest.mark.parametrize(
    "path",
    [
        "/shop/../secret.txt",
        "/shop/%2e%2e/secret.txt",
        "/shop/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/shop/..%5c..%5csecret.txt",
        "/shop//etc/passwd",
        "/shop/account/%00",
        "/shop/_headers",
        "/shop/_redirects",
    ],
)
async def test_nothing_outside_the_build_is_served(client, path):
    answer = await client.get(path)
    assert answer.status_code in (404, 299)
    assert "secret" not in answer.text
    assert "X-Frame" not in answer.text


async def test_a_link_out_of_the_build_is_not_followed(client, dist):
    (dist / "shop" / "out.txt").symlink_to(dist.parent / "secret.txt")
    assert (await client.get("/shop/out.txt")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/shop/login", "/shop/login/code", "/shop/logout", "/shop/my/overview", "/healthz", "/x/account/"]
)
async def test_what_is_dynamic_or_of_no_brand_is_the_applications(client, path):
    assert (await client.get(path)).status_code == 299


def test_only_whole_first_parts_are_dynamic():
    assert is_dynamic("/login")
    assert is_dynamic("/login/code")
    assert not is_dynamic("/login-help")
    assert not is_dynamic("/p/login/token/")


async def test_other_methods_are_refused(client):
    assert (await client.post("/shop/account/")).status_code == 405


async def test_what_is_no_file_has_its_headers_too(client, dist):  # threats 61, 81
    (dist / "shop" / "404.html").unlink()
    answers = [await client.post("/shop/account/"), await client.get("/shop"), await client.get("/shop/account")]
    answers.append(await client.get("/shop/nothing"))
    assert [each.status_code for each in answers] == [405, 308, 308, 404]
    for each in answers:
        assert each.headers["cache-control"] == each.headers["cdn-cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in each.headers["content-security-policy"]
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in each.headers
    rules = (dist / "shop" / "_headers").read_text()
    (dist / "shop" / "_headers").write_text(rules.replace("/*\n", "/*\n  Strict-Transport-Security: max-age=1\n"))
    (dist / "shop" / "new.txt").write_text("another build")
    assert "strict-transport-security" in (await client.get("/shop")).headers


async def test_head_has_the_headers_without_the_body(client):
    answer = await client.head("/shop/account/")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


async def test_text_is_compressed_for_those_who_take_it(client):
    async with client.stream("GET", "/shop/account/", headers={"accept-encoding": "br, gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw).decode() == PAGE
    for refusal in ("identity", "gzip;q=0", "br"):
        plain = await client.get("/shop/account/", headers={"accept-encoding": refusal})
        assert "content-encoding" not in plain.headers


async def test_a_known_version_is_not_sent_again(client):
    etag = (await client.get("/shop/account/")).headers["etag"]
    again = await client.get("/shop/account/", headers={"if-none-match": f'"other", {etag}'})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize(
    "name",
    [
        "HX-Request",
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-HTTP-Method-Override",
        "Cookie",
        "Origin",
        "Range",
        "Accept-Language",
    ],
)
async def test_no_other_header_changes_what_anybody_gets(client, name):  # threat 86
    plain, odd = await client.get("/shop/account/"), await client.get("/shop/account/", headers={name: "/shop/evil"})
    assert (plain.status_code, plain.content, plain.headers) == (odd.status_code, odd.content, odd.headers)


async def test_a_new_build_is_served_without_a_restart(client, dist):
    assert (await client.get("/shop/account/")).text == PAGE
    write(dist / ".shop.new", "<p>new</p>")
    (dist / "shop").rename(dist / ".shop.old")
    (dist / ".shop.new").rename(dist / "shop")
    assert (await client.get("/shop/account/")).text == "<p>new</p>"
