"""Scripts, styles and icons: served by ourselves, named by their content, cached for ever.

Every file below `web/static/` is offered as `/static/NAME.HASH.EXT`; imports between scripts are
rewritten to those names, so that a new version is never mixed with an old one.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

from quart import Request, Response

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static/"
FOR_EVER = "public, max-age=31536000, immutable"
_IMPORT = re.compile(rb'((?:from|import)\s*\(?\s*")\./([\w.-]+)(")')
_PLAIN = ("text/", "application/javascript", "application/json", "image/svg")


@dataclass(frozen=True)
class Static:
    """One file, ready to be sent."""

    data: bytes
    mime: str

    @cached_property
    def packed(self) -> bytes | None:
        """Its gzip, made at the first request; None where that saves nothing."""
        return gzip.compress(self.data, 9, mtime=0) if self.mime.startswith(_PLAIN) else None


class Statics:
    """All files by the address they are served at, and the addresses by plain name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.address: dict[str, str] = {}
        self._files: dict[str, Static] = {}
        for name, data in _in_order_of_imports(folder):
            self._add(name, data)

    def url(self, name: str) -> str:
        """Where `name` is served. Raises `KeyError` for a file that is not there."""
        return self.address[name]

    def respond(self, request: Request) -> Response:
        """The file at this address; 404 where there is none, or not any more."""
        found = self._files.get(request.path)
        if found is None:
            return Response("There is no such file.", 404, content_type="text/plain")
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        data = found.data
        if found.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            data, headers["Content-Encoding"] = found.packed, "gzip"
        return Response(data, 200, headers, content_type=found.mime)

    def _add(self, name: str, data: bytes) -> None:
        if name.endswith(".js"):
            data = _IMPORT.sub(self._imported, data)
        mark = hashlib.blake2b(data, digest_size=6).hexdigest()
        path = PurePosixPath(name)
        self.address[name] = f"{PREFIX}{path.with_suffix('')}.{mark}{path.suffix}"
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        mime += "; charset=utf-8" if mime.startswith(_PLAIN) else ""
        self._files[self.address[name]] = Static(data, mime)

    def _imported(self, match: re.Match[bytes]) -> bytes:
        return match[1] + self.address[match[2].decode()].encode() + match[3]


@cache
def statics() -> Statics:
    """The files that came with the program, read once."""
    return Statics()


def _in_order_of_imports(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, each behind those it imports."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    done: set[str] = set()
    for name in files:
        yield from _with_imports(name, files, done)


def _with_imports(
    name: str, files: Mapping[str, bytes], done: set[str]
) -> Iterator[tuple[str, bytes]]:
    if name in done:
        return
    done.add(name)
    if name.endswith(".js"):
        for match in _IMPORT.finditer(files[name]):
            yield from _with_imports(match[2].decode(), files, done)
    yield name, files[name]
