"""Whom a webhook may reach. Whoever may name a URL must not reach through us what only we can reach (SSRF).

What counts is the address that a name stands for at the moment of connecting, and it is that address that is connected
to: a name that is checked here and means something else a moment later gains nothing. All of a name's addresses must be
fit, so that luck does not decide. Only networks that are reachable for everybody are; others must be allowed by name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host; OSError when there are none."""

LONGEST_URL = 2_000
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
# Reachable from everywhere by its number, and yet the machine's own: the host agent of a large cloud.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})


class Refused(Exception):
    """This URL or this address is not one that a webhook may reach; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Target:
    """A webhook's URL, taken apart. `path` holds the query too."""

    host: str
    port: int
    path: str
    encrypted: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Raises Refused: `not_a_url`, `not_http`, `has_user`, `has_fragment`."""
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise Refused("not_a_url")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Refused("not_a_url") from None
        if parts.scheme not in ("http", "https"):
            raise Refused("not_http")
        if "@" in parts.netloc:
            raise Refused("has_user")
        if parts.fragment:
            raise Refused("has_fragment")
        if port == 0 or not _HOST.fullmatch(parts.hostname or ""):
            raise Refused("not_a_url")
        encrypted = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname or "", port or (443 if encrypted else 80), path, encrypted)


class Guard:
    """Says to which addresses of a host a connection may be made; `allowed` are networks beyond the public ones."""

    def __init__(self, allowed: Sequence[Network] = (), resolve: Resolve | None = None) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve or by_system

    async def addresses(self, host: str, port: int, *, encrypted: bool) -> list[str]:
        """Raises Refused: `unknown_host`, `address_refused`, `not_encrypted`."""
        try:
            found = [ipaddress.ip_address(one) for one in await self._resolve(host, port)]
        except (OSError, UnicodeError, ValueError):
            raise Refused("unknown_host") from None
        if not found:
            raise Refused("unknown_host")
        for one in found:
            if self._is_allowed(one):
                continue
            if not is_public(one):
                raise Refused("address_refused")
            if not encrypted:
                raise Refused("not_encrypted")
        return [str(one) for one in found]

    def _is_allowed(self, address: Address) -> bool:
        inner = getattr(address, "ipv4_mapped", None) or address
        return any(inner.version == network.version and inner in network for network in self._allowed)


def is_public(address: Address) -> bool:
    """Whether anybody could reach it: not private, loopback, link-local, shared, reserved, multicast or a cloud's own."""
    if getattr(address, "scope_id", None):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved and _fit_inside(address)


def _fit_inside(address: Address) -> bool:
    """An IPv6 address may carry an IPv4 one, to which a router on the way would lead. (NAT64's are reserved: refused.)"""
    if address in _METADATA:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    return not address.is_site_local and all(is_public(one) for one in _carried(address))


def _carried(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


async def by_system(host: str, port: int) -> Sequence[str]:
    """As the operating system resolves it, numbers in every spelling included."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))
