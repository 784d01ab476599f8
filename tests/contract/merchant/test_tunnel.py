"""Where a copy may connect to: the endpoint that was entered, at an address that was checked for that very connection."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from server.merchant.releases import copying
from server.merchant.releases.buckets import Bucket, mistakes
from server.merchant.releases.copying import NotCopied
from server.merchant.releases.tunnel import Tunnel
from tests.support.world import SETTINGS

pytestmark = pytest.mark.anyio
OPEN = replace(SETTINGS, studio_private_targets=True)


class Listener:
    """A host on loopback that keeps what it was sent, and answers the same each time."""

    def __init__(self, answer):
        self.heads, self.connections, self._answer, self.open = [], 0, answer, []

    async def lead(self, reader, writer):
        self.connections += 1
        self.open.append(writer)
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(answer=b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n'):
    listener = Listener(answer)
    server = await asyncio.start_server(listener.lead, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    yield listener
    server.close()
    for each in listener.open:
        each.close()
        await each.wait_closed()
    await server.wait_closed()


def bucket(endpoint):
    return Bucket(endpoint, "eu-central-1", "pages", "", "AKIAEXAMPLE")


def leading(*answers):
    """A resolver that answers these, one after the other; the last one from then on."""
    left = list(answers)

    async def resolve(*_):
        return [left.pop(0) if len(left) > 1 else left[0]]

    return resolve


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "169.254.169.254", "192.168.1.1", "::1", "fd00:ec2::254", "::ffff:127.0.0.1", "0.0.0.0"],  # noqa: S104
)
async def test_a_name_that_leads_inside_is_refused_at_each_connection(address):  # threat 108
    async with listening() as inside:
        endpoint = f"https://bucket.example:{inside.port}"
        for resolve in (leading(address), leading("203.0.113.1", address)):
            with pytest.raises(NotCopied, match=r"PORTAL_STUDIO_PRIVATE_TARGETS|no connection"):
                await copying.check(SETTINGS, bucket(endpoint), "secret", resolve=resolve)
        assert not inside.connections


async def test_no_redirect_leads_to_another_host():  # threat 108
    async with listening() as second:
        to = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:{second.port}/pages/x\r\nContent-Length: 0\r\n\r\n"
        async with listening(to.encode()) as first:
            with pytest.raises(NotCopied):
                await copying.check(OPEN, bucket(f"http://127.0.0.1:{first.port}"), "secret")
        assert first.connections
        assert not second.connections


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_way_out_leads_to_the_endpoint_alone(scheme):  # threat 108
    async with listening() as target, listening() as second:
        endpoint = f"{scheme}://127.0.0.1:{target.port}"
        async with Tunnel(endpoint, allow_private=True) as tunnel:
            for ask in (
                f"CONNECT 127.0.0.1:{second.port} HTTP/1.1",
                f"GET http://127.0.0.1:{second.port}/ HTTP/1.1",
                f"GET http://bucket.example:{target.port}/ HTTP/1.1",
                f"CONNECT bucket.example:{target.port} HTTP/1.1",
                "GET / HTTP/1.1",
                f"{'CONNECT' if scheme == 'http' else 'GET'} 127.0.0.1:{target.port} HTTP/1.1",
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", int(tunnel.url.rpartition(":")[2]))
                writer.write(f"{ask}\r\nHost: 127.0.0.1\r\n\r\n".encode())
                async with asyncio.timeout(5):
                    assert (await reader.read()).startswith(b"HTTP/1.1 403 "), ask
                writer.close()
                await writer.wait_closed()
        assert not target.connections
        assert not second.connections


async def test_the_environment_changes_nothing(monkeypatch):  # threat 108
    async with listening() as elsewhere, listening() as target:
        away = f"http://127.0.0.1:{elsewhere.port}"
        for name, value in {
            "AWS_SKIP_SIGNATURE": "true", "AWS_SESSION_TOKEN": "a-token", "AWS_ACCESS_KEY_ID": "AKIAOTHER",
            "AWS_SECRET_ACCESS_KEY": "other", "AWS_ENDPOINT_URL": away, "AWS_ENDPOINT_URL_S3": away,
            "AWS_METADATA_ENDPOINT": away, "AWS_CONTAINER_CREDENTIALS_FULL_URI": away, "AWS_PROXY_URL": away,
            "AWS_REGION": "us-west-1", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true", "AWS_ALLOW_HTTP": "true",
            "HTTP_PROXY": away, "HTTPS_PROXY": away, "ALL_PROXY": away, "NO_PROXY": "*",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        await copying.check(OPEN, bucket(f"http://127.0.0.1:{target.port}"), "secret")
        assert not elsewhere.connections
        assert [head.split()[0] for head in target.heads] == ["PUT", "DELETE"]
        for head in map(str.lower, target.heads):
            assert "authorization: aws4-hmac-sha256 credential=akiaexample/" in head
            assert "/eu-central-1/s3/" in head
            assert "token" not in head
        with pytest.raises(NotCopied):  # whatever the environment allows
            await copying.check(
                SETTINGS, bucket(f"http://127.0.0.1:{target.port}"), "secret", resolve=leading("203.0.113.1")
            )


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://s3.eu-central-1.amazonaws.com", "always"),
        ("https://minio.example:9000", "always"),
        ("http://minio.example:9000", "private"),
        ("ftp://minio.example", "never"),
        ("https://minio.example/path", "never"),
        ("https://me:secret@minio.example", "never"),
        ("https://minio.example?x=1", "never"),
        ("https://minio.example:99999", "never"),
        ("https://", "never"),
        ("minio.example", "never"),
    ],
)
def test_an_endpoint_is_an_origin_by_https(endpoint, allowed):  # threat 108
    wrong = ["endpoint" in mistakes(bucket(endpoint), allow_private=each) for each in (False, True)]
    assert wrong == {"always": [False, False], "private": [True, False], "never": [True, True]}[allowed]
