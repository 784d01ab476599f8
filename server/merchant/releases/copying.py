"""The copy of a release into a brand's bucket: a step of the background work.

First what pages need, under names that change with the bytes; then pages; the log-in page last. Each file is written as a whole,
so a page that is there finds what it needs: the old page the old files, which stay for two releases more, and the new page the
new ones. Old and new pages stand side by side for a moment; a copy that was cut short is finished by the next round of any
worker. A bucket has no way to exchange all files at once.

The key, the signature, the endpoint and the proxy are always said, so nothing of the server's environment (`AWS_…`) counts.
"""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from server.merchant.releases import buckets, rows
from server.merchant.releases.buckets import Bucket, Held, Lost
from server.merchant.releases.rows import Live, Whole
from server.merchant.releases.sources import SITE
from server.merchant.releases.tunnel import Resolve, Tunnel, resolved
from server.publishing import sites
from server.settings import Settings
from server.store import Store

KEPT_TURNS = 2
"""So many releases on, a file that changes its name with its bytes is still there."""
NOT_PAGES = ("_headers", "_redirects")
_CHECK = ".postern-check"
_TYPES = {
    ".js": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
}
_log = logging.getLogger(__name__)


class NotCopied(Exception):
    """The bucket did not take it; the message says why, for the merchant, and holds nothing that the endpoint said."""


class Way:
    """Files of one bucket, by way of the tunnel. Every method raises `NotCopied`."""

    def __init__(self, bucket: Bucket, secret: str, tunnel: Tunnel) -> None:
        async def key() -> obstore.store.S3Credential:
            return {"access_key_id": bucket.key_id, "secret_access_key": secret, "token": None, "expires_at": None}

        self._prefix, self._tunnel = bucket.prefix, tunnel
        self._store = S3Store(
            bucket.name,
            config={
                "endpoint": bucket.endpoint,
                "aws_endpoint_url_s3": bucket.endpoint,  # it would go before, from the environment
                "region": bucket.region,
                "skip_signature": False,
                "virtual_hosted_style_request": False,
                "disable_bulk_delete": True,
                "request_payer": False,
            },
            client_options={
                "proxy_url": tunnel.url,
                "proxy_excludes": "",
                "allow_http": bucket.endpoint.startswith("http://"),
                "allow_invalid_certificates": False,
                "connect_timeout": "10s",
                "timeout": "60s",
            },
            retry_config={"max_retries": 2},
            credential_provider=key,
        )

    async def put(self, path: str, content: bytes, headers: Mapping[str, str]) -> None:
        await self._tried(
            lambda: obstore.put_async(self._store, self._prefix + path, content, attributes=dict(headers))
        )

    async def delete(self, path: str) -> None:
        """One that is gone already is no fault."""
        await self._tried(lambda: obstore.delete_async(self._store, self._prefix + path))

    async def _tried(self, does: Callable[[], Awaitable[object]]) -> None:
        try:
            await does()
        except PermissionDeniedError:
            why = self._tunnel.refused or "the bucket refuses this key: it must allow PutObject and DeleteObject"
            raise NotCopied(why) from None
        except UnauthenticatedError:
            raise NotCopied("the endpoint does not know this key") from None
        except (NotFoundError, FileNotFoundError):
            raise NotCopied("there is no bucket of this name at the endpoint") from None
        except (BaseError, OSError):
            raise NotCopied(self._tunnel.refused or "no connection, or no answer of a bucket") from None


async def check(settings: Settings, bucket: Bucket, secret: str, *, resolve: Resolve = resolved) -> None:
    """Write a file and delete it again. Raises `NotCopied`."""
    async with Tunnel(bucket.endpoint, allow_private=settings.studio_private_targets, resolve=resolve) as tunnel:
        way = Way(bucket, secret, tunnel)
        await way.put(_CHECK, b"", {"Content-Type": "text/plain"})
        await way.delete(_CHECK)


class Copying:
    """`copy_releases` is done again and again, by any number of processes."""

    def __init__(
        self, settings: Settings, store: Store, clock: Callable[[], datetime], *, resolve: Resolve = resolved
    ) -> None:
        self._settings, self._store, self._clock, self._resolve = settings, store, clock, resolve
        self.way = Way

    async def copy_releases(self) -> str:
        """Copy what is due; what is wrong, for `/metrics`."""
        troubles = []
        for brand in await buckets.due(self._store, self._clock()):
            if held := await buckets.take(self._store, brand, self._clock()):
                try:
                    await self._copy(held)
                except Lost:
                    await buckets.give_back(self._store, held)
                except NotCopied as error:
                    _log.warning("a release was not copied", extra={"brand": brand, "why": str(error)})
                    await buckets.failed(self._store, held, str(error), self._clock())
                    troubles.append(f"{brand}: {error}")
        return "; ".join(troubles)

    async def _copy(self, held: Held) -> None:
        """Raises `NotCopied` and `Lost`."""
        live = await rows.live_of(self._store, held.brand)
        secret = buckets.secret_of(self._settings, held.brand, held.kept)
        if live is None:
            raise Lost
        if secret is None:
            raise NotCopied("no secret of this server opens its key: enter the key again")
        whole = await rows.find(self._store, held.brand, live.n)
        site, hashes = site_of(whole), _hashes(whole)
        bucket = held.kept.bucket
        async with Tunnel(
            bucket.endpoint, allow_private=self._settings.studio_private_targets, resolve=self._resolve
        ) as tunnel:
            way = self.way(bucket, secret, tunnel)
            known = await buckets.objects(self._store, held.brand)
            there = [path for path in site if path in known and known[path].hash == hashes[path]]
            await buckets.note(self._store, held, [(path, hashes[path]) for path in there], live.turn, self._clock())
            for path in sorted(set(site) - set(there), key=_rank):
                await self._still_live(live)
                await buckets.note(self._store, held, [(path, "")], live.turn, self._clock())
                await way.put(path, site[path], headers_of(whole, path))
                await buckets.note(self._store, held, [(path, hashes[path])], live.turn, self._clock())
            for path, each in known.items():
                if path not in site and not (path.startswith("static/") and each.turn >= live.turn - KEPT_TURNS):
                    await way.delete(path)
                    await buckets.forget(self._store, held, path, self._clock())
        await self._still_live(live)
        await buckets.done(self._store, held, live.turn)

    async def _still_live(self, live: Live) -> None:
        """Raises `Lost` where another release is served by now: the next round copies that one."""
        if await rows.live_of(self._store, live.brand) != live:
            raise Lost


def site_of(whole: Whole) -> dict[str, bytes]:
    """The pages of a release, and what they need, by their paths."""
    found = {path.removeprefix(SITE): content for path, content in whole.files.items() if path.startswith(SITE)}
    return {path: content for path, content in found.items() if path not in NOT_PAGES}


def headers_of(whole: Whole, path: str) -> dict[str, str]:
    """What a bucket can say about a file. The other headers of the build come from the CDN before it."""
    texts = (whole.files.get(f"{SITE}{name}", b"").decode() for name in NOT_PAGES)
    headers = sites.read("", "", Path(), *texts).headers_of("/" + path.removesuffix("index.html"))
    kind = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    kept = next((value for key, value in headers.items() if key.lower() == "cache-control"), "no-cache")
    return {"Content-Type": kind, "Cache-Control": kept}


def _hashes(whole: Whole) -> dict[str, str]:
    manifest = msgspec.json.decode(whole.manifest, type=rows.Manifest)
    return {path.removeprefix(SITE): each for path, each in manifest.files.items() if path.startswith(SITE)}


def _rank(path: str) -> tuple[int, str]:
    """Files that pages need, then pages, the log-in page last."""
    is_login = "p/login/" in path
    return (0 if path.startswith("static/") else 2 if is_login else 1), path
