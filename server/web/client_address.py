"""Who asks, as the key of limits: an IPv4 address, or the /64 network of an IPv6 one. And with which browser.

| settings | who it is |
|---|---|
| none | the peer of the connection; headers are not believed |
| `PORTAL_TRUSTED_PROXIES` = n | the n-th address from the right of `X-Forwarded-For`, or of `Forwarded` (RFC 7239); where both arrive, they must say the same |
| `PORTAL_CLIENT_ADDRESS_HEADER` and `PORTAL_PROXY_PEERS` | that header, from those peers only; anybody else is the peer |

Nothing that a visitor can write is believed. A trusted header that cannot be read (`unknown`, `_hidden`, garbage, fewer
addresses than proxies, two that differ) makes the visitor `UNREADABLE`: all of those share one budget, which is never the
proxy's or another visitor's. Without the header it is the proxy itself that asks, such as its health check.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from litestar import Request

from server.formats.user_agents import family
from server.settings import Settings

_log = logging.getLogger(__name__)

Headers = Iterable[tuple[bytes, bytes]]

UNREADABLE = "unreadable"
FORWARDING = frozenset({b"x-forwarded-for", b"forwarded"})

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = rf'(?:{_QUOTED}|[^\s",;]*)'
_PAIR = rf"[ \t]*{_NAME}={_VALUE}[ \t]*"
_ELEMENT = rf"(?:{_PAIR}(?:;{_PAIR})*;?|[ \t]*)"
_FORWARDED = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*")
_ELEMENTS = re.compile(rf'(?:{_QUOTED}|[^",])+')
_PAIRS = re.compile(rf"({_NAME})=({_VALUE})")
# Proxies write a port behind the address, also without the quotes and brackets that RFC 7239 asks for.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::[0-9A-Za-z._-]+)?|([0-9.]+)(?::[0-9A-Za-z._-]+)?")


def browser_of(request: Request[Any, Any, Any]) -> str:
    """As mails and the history call it, such as ``Firefox on Linux``; empty where nothing is known of it."""
    return family(request.headers.get("user-agent", ""))


def client_of(request: Request[Any, Any, Any], settings: Settings) -> str:
    """The key of limits for this request."""
    found = client_address(request.scope["headers"], request.client.host if request.client else "", settings)
    if found == UNREADABLE:
        _say_unreadable()
    return found


@cache
def _say_unreadable() -> None:
    """Once in each process: where it is the settings that do not fit, it is all visitors who share one budget."""
    _log.warning(
        "a trusted proxy names a visitor in a way that cannot be read: all of those share the limits of one client address. "
        "See that PORTAL_TRUSTED_PROXIES is the number of proxies in front of this server, and what each of them sends"
    )


def client_address(headers: Headers, peer: str, settings: Settings) -> str:
    """The key of limits for a request with these headers (names in small letters) from this peer."""
    if settings.proxy_peers and not _is_in(peer, settings):
        said = []
    elif settings.client_address_header and settings.proxy_peers:
        said = _lines(headers, settings.client_address_header.encode())
        said = said if len(said) <= 1 else [""]
    elif settings.trusted_proxies:
        lines = _lines(headers, b"x-forwarded-for"), _lines(headers, b"forwarded")
        chains = _listed(lines[0]), _forwarded(lines[1])
        position = settings.trusted_proxies
        said = [
            chain[-position] if len(chain) >= position else ""
            for line, chain in zip(lines, chains, strict=True)
            if line
        ]
    else:
        said = []
    keys = {_key(each) for each in said}
    if not keys:
        return _key(peer) or "unknown"
    return keys.pop() if len(keys) == 1 and "" not in keys else UNREADABLE


def is_trusting(settings: Settings) -> bool:
    """Whether the settings say how a proxy names its visitors."""
    return bool(settings.trusted_proxies or (settings.client_address_header and settings.proxy_peers))


def _lines(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in headers if key.lower() == name]


def _listed(lines: list[str]) -> list[str]:
    return [each.strip() for each in ",".join(lines).split(",")]


def _forwarded(lines: list[str]) -> list[str]:
    """What each proxy wrote after `for=`; nothing at all where a quote or a comma could have moved what others wrote."""
    text = ",".join(lines)
    if not _FORWARDED.fullmatch(text):
        return []
    return [_for(each) for each in _ELEMENTS.findall(text) if each.strip()]


def _for(element: str) -> str:
    said = [value for name, value in _PAIRS.findall(element) if name.lower() == "for"]
    return re.sub(r"\\(.)", r"\1", said[0].strip('"')) if len(said) == 1 else ""


def _key(text: str) -> str:
    """Empty: it is no address."""
    found = _WITH_PORT.fullmatch(text.strip().strip('"'))
    plain = (found[1] or found[2]) if found else text.strip().strip('"')
    try:
        address = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def _is_in(peer: str, settings: Settings) -> bool:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in settings.proxy_peers)
