"""JPEG: the segments in front of the picture, and what hides behind it.

Reads EXIF, XMP (also the extended kind), IPTC and the size; tells gain maps (Ultra HDR, Apple, ISO
21496-1) and embedded videos. Never looks at the coded picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipeline.errors import BadMedia
from pipeline.metadata import exif, iptc, motion, xmp
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.tiff import Tiff

_MOST_SEGMENTS = 2000
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_EXTENDED_LIMIT = 8 << 20
_MARKS = (b"hdrgainmap", b"hdr-gain-map", b"HDRGainMap", _ISO_GAIN_MAP)


@dataclass(slots=True)
class _Gathered:
    """What spans several segments, or needs all of them before it can be followed."""

    hints: xmp.Hints = xmp.NO_HINTS
    photoshop: list[bytes] = field(default_factory=list)
    extended: list[bytes] = field(default_factory=list)
    multi_picture: int = 0  # where its index begins


def read(data: Data, found: Findings, at: int = 0) -> None:
    """Add what the JPEG that begins at `at` says."""
    gathered = _Gathered()
    for marker, start, end in segments(data, at):
        if marker in _FRAMES:
            head = data[start : start + 5]
            found.size(int.from_bytes(head[3:5], "big"), int.from_bytes(head[1:3], "big"))
        elif marker == 0xE1:
            _app1(data, start, end, found, gathered)
        elif marker == 0xE2:
            _app2(data, start, found, gathered)
        elif marker == 0xED and data[start : start + len(_PHOTOSHOP)] == _PHOTOSHOP:
            gathered.photoshop.append(data[start + len(_PHOTOSHOP) : end])
    hints = gathered.hints
    if gathered.photoshop:
        iptc.read_resources(b"".join(gathered.photoshop), found)
    if hints.extension_id and gathered.extended:
        _extended(gathered.extended, hints.extension_id, found)
    if hints.has_gain_map or _has_gain_map(data, gathered.multi_picture):
        found.set("hdr", "gainmap")
    motion.find(data, found, hints)


def _app1(data: Data, start: int, end: int, found: Findings, gathered: _Gathered) -> None:
    head = data[start : start + len(_EXTENDED)]
    if head.startswith(b"Exif\0"):
        _exif(data, start + 6, end, found)
    elif head.startswith(_XMP):
        gathered.hints = xmp.read(data[start + len(_XMP) : end], found)
    elif head == _EXTENDED:
        gathered.extended.append(data[start + len(_EXTENDED) : end])


def _app2(data: Data, start: int, found: Findings, gathered: _Gathered) -> None:
    head = data[start : start + len(_ISO_GAIN_MAP)]
    if head.startswith(b"MPF\0"):
        gathered.multi_picture = start + 4
    elif head == _ISO_GAIN_MAP:
        found.set("hdr", "gainmap")


def segments(data: Data, at: int) -> Iterator[tuple[int, int, int]]:
    """(marker, payload start, end) up to the coded picture; rubbish between segments is skipped."""
    at += 2
    size = len(data)
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            at = data.find(b"\xff", at, at + 4096)
            if at < 0:
                return
        marker = int.from_bytes(data[at + 1 : at + 2], "big")
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xDA, 0xD9) or at + 4 > size:
            return
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at + 4, min(at + 2 + max(length, 2), size)
        at += 2 + max(length, 2)


def _exif(data: Data, start: int, end: int, found: Findings) -> None:
    """EXIF values must lie inside their segment; a copy also makes them cheap to reach."""
    try:
        exif.read(data[start:end], found)
    except BadMedia as error:
        found.note(error.message)


def _extended(parts: list[bytes], digest: str, found: Findings) -> None:
    """The rest of a long packet: pieces of (digest, full length, offset), XMP part 3, 1.1.3.1."""
    whole = bytearray()
    for part in parts:
        total, offset = int.from_bytes(part[32:36], "big"), int.from_bytes(part[36:40], "big")
        if part[:32].decode("ascii", "replace").upper() != digest.upper():
            continue
        if total > _EXTENDED_LIMIT or offset + len(part) - 40 > total:
            return
        if len(whole) < offset + len(part) - 40:
            whole.extend(bytes(offset + len(part) - 40 - len(whole)))
        whole[offset : offset + len(part) - 40] = part[40:]
    if whole:
        xmp.read(bytes(whole), found)


def _has_gain_map(data: Data, base: int) -> bool:
    """Does the head of another picture in the file (CIPA DC-007) call itself a gain map?"""
    if not base:
        return False
    try:
        index = Tiff(data, base)
    except BadMedia:
        return False
    entries, _ = index.ifd(index.first)
    pictures = index.raw(entries.get(0xB002))
    order: Literal["little", "big"] = "little" if index.order == "<" else "big"
    for n in range(16, min(len(pictures), 16 * 16), 16):
        offset = int.from_bytes(pictures[n + 8 : n + 12], order)
        head = data[base + offset : base + offset + 4096]
        if any(mark in head for mark in _MARKS):
            return True
    return False
