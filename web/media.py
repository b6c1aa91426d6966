"""Media as HTTP answers: ranges, versions, and headers under which nothing a stranger sent can run.

Only pictures, films and sound are shown in place; everything else is a download. Bytes are read in
pieces off the loop, so that a film costs no more memory than a thumbnail.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from quart import Response
from quart.wrappers.response import DataBody, IterableBody

from pipeline.service import media
from pipeline.service.media import Media
from web import edge
from web.contract import Asked
from web.headers import MEDIA_POLICY
from web.problems import Problem

PIECE = 256 << 10
IMMUTABLE = "private, max-age=31536000, immutable"
REVALIDATED = "private, no-cache"
_SHOWN = re.compile(r"(image/(?!svg)|video/|audio/)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def respond(
    asked: Asked, one: Media, *, download: bool = False, is_fixed: bool = False
) -> Response:
    """The whole of `one`, or the part that `Range` asks for (RFC 9110, 14).

    `is_fixed` says that the address names the content, so that browsers need never ask again.
    """
    headers = _headers(one, download=download)
    headers["Cache-Control"] = IMMUTABLE if is_fixed else REVALIDATED
    if asked.admission is not None:
        headers |= edge.cached(asked.admission, asked.core.clock.now().timestamp())
    if headers["ETag"] in asked.request.headers.get("If-None-Match", ""):
        return Response(b"", 304, headers)
    start, end = _part(asked, one, headers["ETag"])
    first = await media.read(one, start, min(PIECE, end - start))
    is_part = (start, end) != (0, one.size)
    response = Response(None, 206 if is_part else 200, headers, content_type=one.mime)
    response.headers["Content-Length"] = str(end - start)
    if is_part:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{one.size}"
    whole = len(first) == end - start or asked.request.method == "HEAD"
    response.response = DataBody(first) if whole else IterableBody(_pieces(one, first, start, end))
    return response


def _headers(one: Media, *, download: bool) -> dict[str, str]:
    how = "attachment" if download or not _SHOWN.match(one.mime) else "inline"
    return {
        "ETag": f'"{one.version}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition(how, one.name),
        "Content-Security-Policy": MEDIA_POLICY,
    }


def disposition(how: str, name: str) -> str:
    """RFC 6266: a plain name for all, and the true one for who reads RFC 8187."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    true = quote(name.encode("utf-8", "replace"), safe="")
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{true}"


def _part(asked: Asked, one: Media, etag: str) -> tuple[int, int]:
    """From where up to where, exclusive. More than one range, or a strange unit: all of it."""
    told = asked.request.headers.get("Range")
    current = asked.request.headers.get("If-Range")
    match = _RANGE.fullmatch(told or "")
    if match is None or match[0] == "bytes=-" or (current is not None and current != etag):
        return 0, one.size
    if not match[1]:
        start, end = max(0, one.size - int(match[2])), one.size
    else:
        start = int(match[1])
        end = min(int(match[2]) + 1, one.size) if match[2] else one.size
    if start >= end:
        raise Problem(416, headers={"Content-Range": f"bytes */{one.size}"})
    return start, end


async def _pieces(one: Media, first: bytes, start: int, end: int) -> AsyncIterator[bytes]:
    yield first
    at = start + len(first)
    while at < end:
        piece = await media.read(one, at, min(PIECE, end - at))
        if not piece:  # cut short meanwhile: the connection ends before the promised length
            raise ConnectionAbortedError(f"{one.name} ended at {at}, {end} were promised")
        at += len(piece)
        yield piece
