"""FFmpeg as the second reader of videos and sound, for what their headers did not tell us.

Imported only where it is needed: it costs a worker a third of a second once.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pipeline.metadata.findings import Data, Findings
from pipeline.model import Category, Format

if TYPE_CHECKING:
    from av.container import InputContainer

_LONGEST_S = 7 * 86_400
_TRANSFERS = {16: "pq", 18: "hlg"}
_LIMITS = {"probesize": "5000000", "analyzeduration": "5000000"}


def read(data: Data, fmt: Format, found: Findings) -> None:
    """Fill length, size, codecs and HDR kind; what FFmpeg cannot open stays as it is."""
    if fmt.demuxer is None:
        return
    import av

    source = io.BytesIO(data) if isinstance(data, bytes) else data
    source.seek(0)
    try:
        with av.open(
            source, "r", format=fmt.demuxer, options=_LIMITS, metadata_errors="ignore"
        ) as container:
            _told(container, found)
    except (av.FFmpegError, ValueError, EOFError):
        found.note("The recording cannot be measured: what describes it is damaged or cut off.")


def is_wanted(fmt: Format, found: Findings) -> bool:
    """Did the header leave the length, or a video's size, unsaid?

    A movie whose tracks we did not find has no header, and FFmpeg cannot open it either.
    """
    if fmt.demuxer == "mov" and not found.fields.keys() & {"width", "video_codec", "audio_codec"}:
        return False
    if fmt.category is Category.VIDEO:
        return "duration_s" not in found.fields or "width" not in found.fields
    return fmt.category is Category.AUDIO and "duration_s" not in found.fields


def _told(container: InputContainer, found: Findings) -> None:
    import av

    seconds = (container.duration or 0) / av.time_base
    if 0 < seconds < _LONGEST_S:
        found.set("duration_s", round(seconds, 3))
    for stream in container.streams.video[:1]:
        if stream.codec_context is not None:  # None for a codec FFmpeg does not know
            found.size(stream.width, stream.height)
            found.set("video_codec", stream.codec_context.name)
            found.set("hdr", _TRANSFERS.get(int(stream.codec_context.color_trc or 0)))
    for sound in container.streams.audio[:1]:
        if sound.codec_context is not None:
            found.set("audio_codec", sound.codec_context.name)
