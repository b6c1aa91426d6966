"""Motion photos: the video behind a picture, to the byte.

Google writes its length into XMP, Samsung marks it with a trailer, older phones only append it. A
claim counts when an MP4 really begins there; its length is what its boxes cover.
"""

from __future__ import annotations

from pipeline.metadata import boxes
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.xmp import Hints

_SAMSUNG = b"MotionPhoto_Data"
_TRAILER = 1 << 16  # how far from the end Samsung's directory may begin
_SEARCHED = 64 << 20
_SMALLEST_VIDEO = 64
_PARTS = frozenset(
    {b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof", b"mfra", b"udta"}
)


def find(data: Data, found: Findings, hints: Hints) -> None:
    """Claim the embedded video if there is one; a promise that is not kept becomes a note."""
    start = _start(data, hints)
    if start is not None:
        found.motion(start, _end(data, start) - start)
    elif hints.is_motion:
        found.note("The picture says that it holds a short video, but the video is not there.")


def _start(data: Data, hints: Hints) -> int | None:
    size = len(data)
    if hints.video_length:
        at = size - hints.video_padding - hints.video_length
        if at > 0 and _is_video(data, at):
            return at
    if not hints.is_motion and not _is_samsung(data):
        return None
    return _appended(data, max(0, size - _SEARCHED))


def _is_samsung(data: Data) -> bool:
    """Samsung's trailer ends in "SEFT"; its directory names what the file holds."""
    if data[-4:] != b"SEFT":
        return False
    return data.find(_SAMSUNG, max(0, len(data) - _SEARCHED)) >= 0


def _appended(data: Data, start: int) -> int | None:
    """The first MP4 behind the picture."""
    at = data.find(b"ftyp", max(start, 16))
    while at >= 0:
        if _is_video(data, at - 4):
            return at - 4
        at = data.find(b"ftyp", at + 4)
    return None


def _is_video(data: Data, at: int) -> bool:
    """An `ftyp` box of a sane length with another box behind it, which is not a picture's."""
    head = data[at : at + 12]
    length = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 16 <= length <= 512 or len(data) - at < _SMALLEST_VIDEO:
        return False
    return data[at + length + 4 : at + length + 8] in _PARTS


def _end(data: Data, start: int) -> int:
    """Where the last box of the video ends; Samsung's own trailer is no box."""
    end = start
    for kind, _, after in boxes.walk(data, start, len(data)):
        if not all(0x20 <= c < 0x7F for c in kind):
            break
        end = after
        if kind not in _PARTS and kind != b"ftyp":
            continue
    return end
