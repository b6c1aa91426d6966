"""The cover picture inside an audio file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av

from pipeline.codecs import decode, video
from pipeline.codecs.border import decoding
from pipeline.intake import kind

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Picture

_MOST_BYTES = 32 << 20


def read(content: Content, demuxer: str, at_least: int) -> Picture | None:
    """The attached picture, or None where there is none. Raises `BadMedia` for a damaged file."""
    found = _attached(content, demuxer)
    told = kind.sniff(found[: kind.HEAD_BYTES], size=len(found)) if found else None
    if found is None or told is None or told.name not in decode.DECODED:
        return None
    return decode.decode(found, told.name, at_least)


def _attached(content: Content, demuxer: str) -> bytes | None:
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    with (
        decoding("sound"),
        av.open(
            source, "r", format=demuxer, options=video.OPTIONS, metadata_errors="replace"
        ) as file,
    ):
        stream = next((s for s in file.streams.video if video.is_cover(s)), None)
        if stream is None:
            return None
        packet = next(iter(file.demux(stream)))
        return bytes(packet) if 0 < packet.size <= _MOST_BYTES else None
