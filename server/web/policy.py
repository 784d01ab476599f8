"""The security headers of every answer, from one place: the build writes them into `_headers`, the server sends them.

    what                                  headers                  because
    a static page, an asset               static(), cache_control  the CDN answers
    a whole page from the server          page()                   the same policy, and never stored
    a page of the studio                  studio()                 its own scripts and style, and a preview in a frame
    a page in a preview's frame           preview()                a sandbox with its own style and pictures
    a bare fragment, an error, any other  bare()                   opened as a page, it may do nothing at all
    dynamic answer

`secure` says whether browsers reach the origin by https. Only then may the browser be told to insist on it: on the
demo's plain http, HSTS means nothing and `upgrade-insecure-requests` would send every request where nobody listens.

No `'self'`, `'unsafe-inline'`, `'strict-dynamic'` or nonce among the scripts: each of them was seen to let a script of
a swapped fragment run, or would need a page made for each visitor. Scripts and the inline styles, one a layout, are known by hash.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.rendering.assets import Assets

VARY = "Cookie, Accept, Accept-Language, HX-Request, Sec-Fetch-Site, Sec-Fetch-Dest, Origin"
"""Every request header that an answer can depend on: no cache keeps such an answer; one that does keeps them apart."""

_BARE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
_DYNAMIC = {"Cache-Control": "no-store", "CDN-Cache-Control": "no-store", "Vary": VARY}


def static(assets: Assets, *, secure: bool) -> dict[str, str]:
    """Of every static page and asset of a brand, but for `Cache-Control`, see `cache_control`."""
    return {"Content-Security-Policy": page_policy(assets, secure=secure)} | _common(secure=secure)


def cache_control(path: str) -> str:
    """Of a static file: one whose name holds the hash of its bytes is kept for ever, any other is asked for again."""
    return "public, max-age=31536000, immutable" if "/static/" in f"/{path}" else "no-cache"


def page(assets: Assets, *, secure: bool) -> dict[str, str]:
    """Of a whole page that the server answers."""
    return static(assets, secure=secure) | _DYNAMIC


def bare(*, secure: bool) -> dict[str, str]:
    """Of every other dynamic answer: fragments, redirects, errors, files."""
    return {"Content-Security-Policy": _BARE} | _common(secure=secure) | _DYNAMIC


def studio(scripts: Sequence[str], style: str, *, secure: bool) -> dict[str, str]:
    """Of a whole page of the studio; the hashes of its scripts and of its inline style."""
    policy_ = _page_policy(scripts, (style,), ("frame-src 'self'",), secure=secure)
    return {"Content-Security-Policy": policy_} | _common(secure=secure) | _DYNAMIC


def preview(origin: str, style: str) -> dict[str, str]:
    """Of what is shown in a sandboxed frame of the studio, whose origin is opaque: `origin` is the studio's, and `style` the
    source of the page's own style, such as `'sha256-…'`."""
    directives = [
        "default-src 'none'",
        f"style-src {style or _quoted('none')}",
        f"img-src {origin}",
        f"font-src {origin}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    ]
    return {
        "Content-Security-Policy": "; ".join(directives),
        # To Firefox the sandboxed frame that asks for it is another site; who may frame it, frame-ancestors says.
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Referrer-Policy": "no-referrer",
    }


def preview_asset() -> dict[str, str]:
    """Of a picture or font of such a page: to it, the studio is another site. Opened by itself, it may do nothing."""
    return {
        "Content-Security-Policy": _BARE,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-store",
    }


def page_policy(assets: Assets, *, secure: bool) -> str:
    """The Content-Security-Policy of a page."""
    return _page_policy(assets.script_hashes, assets.style_hashes, ("manifest-src 'self'",), secure=secure)


def _page_policy(scripts: Sequence[str], styles: Sequence[str], more: Sequence[str], *, secure: bool) -> str:
    directives = [
        "default-src 'none'",
        f"script-src {' '.join(_quoted(each) for each in scripts)}",
        f"style-src {' '.join(_quoted(each) for each in styles)}",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        *more,
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types htmx",
    ]
    return "; ".join([*directives, "upgrade-insecure-requests"] if secure else directives)


def _common(*, secure: bool) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not no-referrer: with it, plain forms send `Origin: null` and the same-origin check would refuse them.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers


def _quoted(source: str) -> str:
    return f"'{source}'"
