"""A package registry of our own on loopback: real HTTP, with the ways networks go wrong.

`Registry.files` maps paths to bytes. A path in `cut` is sent only half, once; `ranges` says whether
the server can go on in the middle. What was asked for is written down in `asked`.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Registry:
    """What the server holds and does."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    ranges: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range

    def add_wheel(self, package: str, archive: str, content: bytes, sha256: str = "") -> None:
        """Offer a wheel on the index, under its own hash or a false one."""
        name = package.lower().replace("_", "-")
        link = f'<a href="/files/{archive}#sha256={sha256 or digest(content)}">{archive}</a>'
        self.files[f"/simple/{name}/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        self.files[f"/files/{archive}"] = content


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def wheel(package: str, version: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel that pip takes, with these files in it."""
    info = f"{package.replace('-', '_')}-{version}.dist-info"
    told = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in {**members, **told}.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def npm_package(members: Mapping[str, bytes]) -> bytes:
    """A package as npm serves it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry that answers until the end of the block."""
    registry = Registry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        registry.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        """Answer with the file, the rest of it, or half of it."""
        asked_range = self.headers.get("Range", "")
        self.registry.asked.append((self.path, asked_range))
        if target := self.registry.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        content = self.registry.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(asked_range[6:-1]) if asked_range and self.registry.ranges else 0
        self._send(content, start)

    def _send(self, content: bytes, start: int) -> None:
        if start and start >= len(content):
            self.send_error(416)
            return
        rest = content[start:]
        self.send_response(206 if start else 200)
        kind = "text/html" if self.path.startswith("/simple/") else "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.path in self.registry.cut:
            self.registry.cut.discard(self.path)
            rest = rest[: len(rest) // 2]
            self.close_connection = True
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""
