"""Calling an address that a person typed: judged first, and reached by what was judged.

The name is resolved once, every address found is judged, and the connection goes to one of those,
so that no second answer of a name server leads elsewhere. No redirects, ten seconds, 64 KiB.
Nothing in the house is called unless it is allowed by the setting that holds the address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

import httptools

from pipeline.errors import NotAllowed, RemoteDown

PATIENCE_S = 10.0
MOST_BYTES = 64 << 10
_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side said; `retry_after_s` where it asked for patience in seconds."""

    status: int
    retry_after_s: float | None = None


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool = False
) -> Reply:
    """Send a body. Raises `NotAllowed` where none may be sent, `RemoteDown` without answer."""
    parts = urlsplit(url)
    _require_plain(parts, allows_private=allows_private)
    try:
        async with asyncio.timeout(PATIENCE_S):
            address = await _judged(parts, allows_private=allows_private)
            return await _exchange(parts, address, _request(parts, body, headers))
    except (OSError, TimeoutError, httptools.HttpParserError) as error:
        why = str(error) or "no answer in time"
        raise RemoteDown(f"{parts.hostname} does not answer: {why}.") from error


def is_public(told: str) -> bool:
    """Whether an address belongs to the open internet, also where it stands for another one."""
    return all(one.is_global and not one.is_multicast for one in _meant(told))


def is_in_the_house(told: str) -> bool:
    """Whether an address is public, private or this machine: not one that only machines use."""
    return all(
        is_public(str(one)) or ((one.is_private or one.is_loopback) and not _is_special(one))
        for one in _meant(told)
    )


def _is_special(one: Address) -> bool:
    return one.is_link_local or one.is_multicast or one.is_unspecified or one.is_reserved


def _meant(told: str) -> list[Address]:
    """The address, and those it stands for: mapped, compatible, NAT64, 6to4, Teredo."""
    one = ipaddress.ip_address(told.partition("%")[0])
    if isinstance(one, IPv4Address):
        return [one]
    if one.ipv4_mapped is not None:
        return [one.ipv4_mapped]
    if one in _NAT64 or (one in _COMPATIBLE and int(one) > 1):
        return [IPv4Address(int(one) & 0xFFFFFFFF)]
    if one.sixtofour is not None:
        return [one.sixtofour]
    return list(one.teredo) if one.teredo is not None else [one]


# --- how it is done ----------------------------------------------------------------------------


def _require_plain(parts: SplitResult, *, allows_private: bool) -> None:
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise NotAllowed("An address to be called looks like https://name/path.")
    if not allows_private and _port(parts) not in _PORTS.values():
        raise NotAllowed("Only the ports 443 and 80 are called outside the house.")


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


async def _judged(parts: SplitResult, *, allows_private: bool) -> str:
    """The address to connect to. Raises `NotAllowed` if any that the name has is out of bounds."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    known = [str(one[4][0]) for one in found]
    may = is_in_the_house if allows_private else is_public
    if not known or not all(may(one) for one in known):
        raise NotAllowed(
            f"{parts.hostname} does not lie where Darkroom calls.",
            hint="Places in the house must be allowed by the setting beside the address.",
        )
    return known[0]


def _request(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    told = {"User-Agent": "darkroom", "Content-Length": str(len(body)), **headers}
    lines += [f"{name}: {value}" for name, value in told.items()]
    head = "\r\n".join(lines)
    if any(ord(c) < 32 for c in head.replace("\r\n", "")) or not head.isascii():
        raise NotAllowed("This address cannot be called: it holds signs that none may hold.")
    return head.encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class _Answer:
    """What the parser tells, as it reads."""

    headers: dict[str, str] = field(default_factory=dict)
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_message_complete(self) -> None:
        """All of it is there."""
        self.is_complete = True


async def _exchange(parts: SplitResult, address: str, request: bytes) -> Reply:
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        address, _port(parts), ssl=tls, server_hostname=parts.hostname if tls else None
    )
    try:
        writer.write(request)
        await writer.drain()
        return await _reply(reader)
    finally:
        writer.transport.abort()  # nothing more is wanted, and a slow goodbye holds nothing up


async def _reply(reader: asyncio.StreamReader) -> Reply:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    size = 0
    while not answer.is_complete and size < MOST_BYTES:
        data = await reader.read(4096)
        if not data:
            break
        size += len(data)
        parser.feed_data(data)
    status = parser.get_status_code()
    if not status:
        raise ConnectionError("it hung up without an answer")
    told = answer.headers.get("retry-after", "")
    return Reply(status, float(told) if told.isascii() and told.isdigit() else None)
