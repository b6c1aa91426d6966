"""What plays in a film, as one digest: equal digests mean equal pictures and sounds."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from pipeline.codecs import video
from pipeline.codecs.border import decoding
from pipeline.errors import NotMedia

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content

_PLAYS = ("video", "audio")


def digest(content: Content, demuxer: str | None) -> str:
    """Of every packet of picture and sound in its order, with its time; covers are left out.

    Raises `BadMedia`.
    """
    if demuxer is None:
        raise NotMedia("This does not play.")
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    seen = hashlib.sha256()
    with (
        decoding("video"),
        av.open(
            source, "r", format=demuxer, options=video.OPTIONS, metadata_errors="replace"
        ) as film,
    ):
        for packet in film.demux():
            is_cover = packet.stream.disposition & Disposition.attached_pic
            if packet.stream.type in _PLAYS and packet.size and not is_cover:
                seen.update(f"{packet.stream.type} {packet.pts} {packet.dts} ".encode())
                seen.update(packet)
    return seen.hexdigest()
