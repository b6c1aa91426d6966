"""Matroska and WebM: the segment's information and its tracks (RFC 9559).

Clusters are skipped by their length and never read. Everything is bounded.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from pipeline.metadata import dates
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings

Element = tuple[int, int, int]  # id, payload start, end

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_MOST_ELEMENTS = 5000
_LONGEST_TEXT = 4096
_CODECS = {
    "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", "V_AV1": "av1", "V_VP8": "vp8",
    "V_VP9": "vp9", "V_MPEG4/ISO/ASP": "mpeg4", "V_MPEG2": "mpeg2video", "V_THEORA": "theora",
    "V_MJPEG": "mjpeg", "A_AAC": "aac", "A_OPUS": "opus", "A_VORBIS": "vorbis", "A_FLAC": "flac",
    "A_MPEG/L3": "mp3", "A_AC3": "ac3", "A_EAC3": "eac3", "A_PCM/INT/LIT": "pcm_s16le",
}  # fmt: skip
_TRANSFERS = {16: "pq", 18: "hlg"}


def read(data: Data, found: Findings) -> None:
    """Add what the first segment says; what is damaged says nothing."""
    for identity, start, end in _elements(data, 0, len(data)):
        if identity != _SEGMENT:
            continue
        for part, at, after in _elements(data, start, end):
            if part == _INFO:
                _info(data, at, after, found)
            elif part == _TRACKS:
                for track, track_at, track_end in _elements(data, at, after):
                    if track == 0xAE:
                        _track(data, track_at, track_end, found)
        return


def _info(data: Data, start: int, end: int, found: Findings) -> None:
    scale, duration = 1_000_000, 0.0
    for identity, at, after in _elements(data, start, end):
        value = data[at : min(after, at + _LONGEST_TEXT)]
        if identity == 0x2AD7B1:
            scale = int.from_bytes(value, "big") or scale
        elif identity == 0x4489:
            duration = _float(value)
        elif identity == 0x4461 and len(value) == 8:
            nanoseconds = int.from_bytes(value, "big", signed=True)
            raw = str(nanoseconds) if nanoseconds else ""
            found.date(TakenFrom.CONTAINER, dates.from_matroska(nanoseconds), 0.7, raw)
        elif identity == 0x7BA9:
            found.text("title", value.decode("utf-8", "replace"))
    seconds = duration * scale / 1e9
    if 0 < seconds < 7 * 86_400:
        found.set("duration_s", round(seconds, 3))


def _track(data: Data, start: int, end: int, found: Findings) -> None:
    parts = {identity: (at, after) for identity, at, after in _elements(data, start, end)}
    codec_at, codec_end = parts.get(0x86, (0, 0))
    codec = data[codec_at : min(codec_end, codec_at + 64)].decode("ascii", "replace").rstrip("\0")
    is_video = codec.startswith("V_")
    known = _CODECS.get(codec) or next((v for k, v in _CODECS.items() if codec.startswith(k)), None)
    found.set("video_codec" if is_video else "audio_codec", known)
    if 0xE0 not in parts:
        return
    width = height = 0
    for identity, at, after in _elements(data, *parts[0xE0]):
        number = int.from_bytes(data[at : min(after, at + 8)], "big")
        if identity == 0xB0:
            width = number
        elif identity == 0xBA:
            height = number
        elif identity == 0x55B0:
            for colour, colour_at, _ in _elements(data, at, after):
                if colour == 0x55BA:
                    found.set("hdr", _TRANSFERS.get(data[colour_at]))
    found.size(width, height)


def _elements(data: Data, start: int, end: int) -> Iterator[Element]:
    """The elements that follow each other; one of unknown length reaches to the end."""
    end = min(end, len(data))
    for _ in range(_MOST_ELEMENTS):
        head = data[start : start + 12]
        if len(head) < 2 or start >= end:
            return
        identity, id_size = vint(head, 0, keeps_marker=True)
        length, length_size = vint(head, id_size, keeps_marker=False)
        if not id_size or not length_size or (identity == _CLUSTER and length < 0):
            return
        payload = start + id_size + length_size
        after = end if length < 0 else payload + length
        yield identity, payload, min(after, end)
        start = after


def vint(head: bytes, at: int, *, keeps_marker: bool) -> tuple[int, int]:
    """EBML's number and its size in bytes; (0, 0) if it is none, -1 for the unknown length."""
    first = head[at] if at < len(head) else 0
    size = 9 - first.bit_length()
    if not first or at + size > len(head):
        return 0, 0
    value = int.from_bytes(head[at : at + size], "big")
    if keeps_marker:
        return value, size
    value &= (1 << 7 * size) - 1
    return (-1 if value == (1 << 7 * size) - 1 else value), size


def _float(value: bytes) -> float:
    code = {4: ">f", 8: ">d"}.get(len(value))
    number = float(struct.unpack(code, value)[0]) if code else 0.0
    return number if math.isfinite(number) else 0.0
