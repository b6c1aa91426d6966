"""MP3, FLAC, Ogg, WAV: how long, and what it is called.

Music carries the year it came out, which is not when it was recorded: only a recorder's own date
(WAV's `bext`) becomes evidence.
"""

from __future__ import annotations

import struct

from pipeline.metadata import dates
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.raster import riff_chunks

_LONGEST_S = 7 * 86_400
_MOST_TAG = 1 << 20
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBIT_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBIT_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)


def mp3(data: Data, found: Findings) -> None:
    """MP3: ID3v2's title, then the first frame; exact with a Xing or Info header, else by rate."""
    start = _id3(data, found) if data[:3] == b"ID3" else 0
    head = data[start : start + 8192]
    for at in range(max(0, len(head) - 64)):
        if head[at] == 0xFF and head[at + 1] & 0xE6 == 0xE2:
            seconds = _mp3_seconds(head[at:], len(data) - start - at)
            if seconds:
                _length(seconds, found)
                found.set("audio_codec", "mp3")
                return


def _mp3_seconds(frame: bytes, remaining: int) -> float | None:
    version, rate_at, kbit_at = frame[1] >> 3 & 3, frame[2] >> 2 & 3, frame[2] >> 4
    if version == 1 or rate_at == 3 or kbit_at in (0, 15):
        return None
    rate = _RATES[version][rate_at]
    samples = 1152 if version == 3 else 576
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 0, 64)
        if at > 0 and frame[at + 7 : at + 8] and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big") * samples / rate
    kbit = (_KBIT_1 if version == 3 else _KBIT_2)[kbit_at]
    return remaining * 8 / (kbit * 1000)


def _id3(data: Data, found: Findings) -> int:
    """Reads ID3v2's title; the size of the whole tag."""
    head = data[:10]
    size = sum((byte & 0x7F) << 7 * (3 - n) for n, byte in enumerate(head[6:10]))
    tag = data[10 : 10 + min(size, _MOST_TAG)]
    at = tag.find(b"TIT2")
    if 0 <= at < len(tag) - 11:
        length = int.from_bytes(tag[at + 4 : at + 8], "big")
        found.text("title", _id3_text(tag[at + 10 : at + 10 + min(length, 1024)]))
    return 10 + size


def _id3_text(raw: bytes) -> str:
    encoding = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(raw[0] if raw else 0)
    return raw[1:].decode(encoding or "latin-1", "replace").strip("\0")


def flac(data: Data, found: Findings) -> None:
    """FLAC: the stream's own count of samples."""
    at = data.find(b"fLaC", 0, _MOST_TAG)
    info = data[at + 8 : at + 42] if at >= 0 else b""
    if len(info) < 18:
        return
    rate = int.from_bytes(info[10:13], "big") >> 4
    samples = int.from_bytes(info[13:18], "big") & 0xF_FFFF_FFFF
    found.set("audio_codec", "flac")
    if rate:
        _length(samples / rate, found)


def ogg(data: Data, found: Findings) -> None:
    """Ogg: the position in the last page over the rate in the first."""
    head = data[:512]
    opus, vorbis = head.find(b"OpusHead"), head.find(b"\1vorbis")
    if opus >= 0:
        rate, skipped = 48_000, int.from_bytes(head[opus + 10 : opus + 12], "little")
    elif vorbis >= 0:
        rate, skipped = int.from_bytes(head[vorbis + 12 : vorbis + 16], "little"), 0
    else:
        return
    found.set("audio_codec", "opus" if opus >= 0 else "vorbis")
    tail = data[max(0, len(data) - (1 << 17)) :]
    last = tail.rfind(b"OggS")
    position = int.from_bytes(tail[last + 6 : last + 14], "little", signed=True) if last >= 0 else 0
    if rate and position > skipped:
        _length((position - skipped) / rate, found)


def wav(data: Data, found: Findings) -> None:
    """WAV: bytes over bytes a second; a field recorder's date."""
    per_second = 0
    for kind, start, end in riff_chunks(data, 12, len(data)):
        if kind == b"fmt ":
            per_second = int.from_bytes(data[start + 8 : start + 12], "little")
        elif kind == b"data" and per_second:
            _length((end - start) / per_second, found)
        elif kind == b"bext" and end - start >= 338:
            raw = data[start + 320 : start + 338].decode("ascii", "replace")
            text = f"{raw[:10]} {raw[10:]}".replace("\0", " ")
            found.date(TakenFrom.EXIF, dates.parse(text), 0.75, text)
    found.set("audio_codec", _wav_codec(data))


def _wav_codec(data: Data) -> str | None:
    at = data.find(b"fmt ", 12, 1 << 16)
    if at < 0:
        return None
    kind, bits = struct.unpack("<H12xH", data[at + 8 : at + 24].ljust(16, b"\0"))
    return {1: f"pcm_s{bits}le", 3: f"pcm_f{bits}le", 6: "pcm_alaw", 7: "pcm_mulaw"}.get(kind)


def _length(seconds: float, found: Findings) -> None:
    if 0 < seconds < _LONGEST_S:
        found.set("duration_s", round(seconds, 3))
