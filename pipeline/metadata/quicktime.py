"""QuickTime and MP4: what the movie box says about when, where, how long and with what.

Container times are UTC by the standard; Apple's own key also knows the offset. Boxes are walked
with bounds, samples never touched. ISO/IEC 14496-12 and Apple's QuickTime File Format.
"""

from __future__ import annotations

import struct

from pipeline.metadata import boxes, dates, fragments, places, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings

_Span = tuple[int, int]

_CODECS = {
    b"avc1": "h264", b"avc3": "h264", b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc",
    b"dvhe": "hevc", b"av01": "av1", b"dav1": "av1", b"vp08": "vp8", b"vp09": "vp9",
    b"mp4v": "mpeg4", b"s263": "h263", b"jpeg": "mjpeg", b"mjpa": "mjpeg", b"SVQ3": "svq3",
    b"apch": "prores", b"apcn": "prores", b"apcs": "prores", b"apco": "prores", b"ap4h": "prores",
    b"mp4a": "aac", b"samr": "amr_nb", b"sawb": "amr_wb", b".mp3": "mp3", b"alac": "alac",
    b"Opus": "opus", b"fLaC": "flac", b"ac-3": "ac3", b"ec-3": "eac3", b"sowt": "pcm_s16le",
    b"twos": "pcm_s16be", b"lpcm": "pcm_s16le", b"ulaw": "pcm_mulaw", b"QDM2": "qdm2",
}  # fmt: skip
_TRANSFERS = {16: "pq", 18: "hlg"}
_DOLBY = frozenset({b"dvcC", b"dvvC", b"dvwC"})
# The four numbers of a track's matrix that turn it, as an EXIF orientation.
_TURNS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_LONGEST_TEXT = 1 << 16
_QUICKTIME_DATE = 0.88
_CONTAINER_DATE = 0.7
_LONGEST_S = 7 * 86_400  # longer than any card holds: a damaged header
_KEYS = {
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
    "com.apple.quicktime.content.identifier": "content_id",
    "com.apple.quicktime.title": "title",
    "com.apple.quicktime.displayname": "title",
    "com.apple.quicktime.description": "description",
    "com.apple.quicktime.camera.lens_model": "lens",
    "com.android.manufacturer": "make",
    "com.android.model": "model",
}


def read(data: Data, found: Findings) -> None:
    """Add what the first movie of the file says; what is damaged says nothing."""
    moov: _Span | None = None
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind == b"moov" and moov is None:
            moov = (start, end)
        elif kind == b"uuid" and data[start : start + 16] == _XMP_UUID and end - start < 1 << 22:
            xmp.read(data[start + 16 : end], found)
    if moov is None:
        found.note("This recording has no header; it may have been cut off before it was finished.")
        return
    parts = boxes.children(data, *moov)
    for kind, start, end in boxes.walk(data, *moov):
        if kind == b"trak":
            _track(data, (start, end), found)
        elif kind in (b"udta", b"meta"):
            _told(data, kind, (start, end), found)
    if b"mvhd" in parts:
        _movie(data, parts[b"mvhd"][0], found)
    if "duration_s" not in found.fields:
        _length(fragments.duration_s(data, moov) or 0.0, found)


def _movie(data: Data, start: int, found: Findings) -> None:
    created, timescale, duration = _times(data, start)
    found.date(
        TakenFrom.CONTAINER,
        dates.from_quicktime(created),
        _CONTAINER_DATE,
        str(created) if created not in (0, 2_082_844_800) else "",
    )
    if duration > 0 and timescale > 0:
        _length(duration / timescale, found)


def _times(data: Data, start: int) -> tuple[int, int, int]:
    """Creation time, units a second and duration of an `mvhd` or `mdhd` box; -1 for no duration."""
    is_wide = boxes.number(data, start, 1) == 1
    head = data[start + 4 : start + 32]
    if len(head) < 28:
        return 0, 0, -1
    if is_wide:
        created, _, timescale, duration = struct.unpack_from(">QQIQ", head)
        return created, timescale, -1 if duration == (1 << 64) - 1 else duration
    created, _, timescale, duration = struct.unpack_from(">IIII", head)
    return created, timescale, -1 if duration == (1 << 32) - 1 else duration


def _length(seconds: float, found: Findings) -> None:
    if seconds > _LONGEST_S:
        found.note("The length of the recording is impossible and not used.")
    elif seconds > 0:
        found.set("duration_s", round(seconds, 3))


def _track(data: Data, trak: _Span, found: Findings) -> None:
    mdia = boxes.find(data, trak, b"mdia")
    hdlr = boxes.find(data, mdia, b"hdlr")
    handler = data[hdlr[0] + 8 : hdlr[0] + 12] if hdlr else b""
    stsd = boxes.find(data, mdia, b"minf", b"stbl", b"stsd")
    if handler in (b"vide", b"pict"):
        _picture_track(data, trak, stsd, found)
    elif handler == b"soun" and stsd:
        found.set("audio_codec", _CODECS.get(data[stsd[0] + 12 : stsd[0] + 16]))


def _picture_track(data: Data, trak: _Span, stsd: _Span | None, found: Findings) -> None:
    tkhd = boxes.find(data, trak, b"tkhd")
    entry = stsd[0] + 8 if stsd else 0
    if stsd and stsd[1] - entry >= 86:
        length = boxes.number(data, entry, 4)
        found.set("video_codec", _CODECS.get(data[entry + 4 : entry + 8]))
        found.size(boxes.number(data, entry + 32, 2), boxes.number(data, entry + 34, 2))
        _colours(data, (entry + 86, min(entry + length, stsd[1])), found)
    if tkhd and "turned" not in found.extra:
        _turn(data, tkhd[0], found)


def _colours(data: Data, span: _Span, found: Findings) -> None:
    """Dolby Vision is also PQ or HLG, so it is asked for first."""
    every = tuple(boxes.walk(data, *span))
    if any(kind in _DOLBY for kind, _, _ in every):
        found.set("hdr", "dolby-vision")
    for kind, start, _ in every:
        if kind == b"colr" and data[start : start + 4] in (b"nclx", b"nclc"):
            found.set("hdr", _TRANSFERS.get(boxes.number(data, start + 6, 2)))


def _turn(data: Data, start: int, found: Findings) -> None:
    is_wide = boxes.number(data, start, 1) == 1
    at = start + (52 if is_wide else 40)
    block = data[at : at + 44]
    if len(block) < 44:
        return
    a, b, _, c, d = struct.unpack_from(">iiiii", block)
    signs = (_sign(a), _sign(b), _sign(c), _sign(d))
    found.set("orientation", _TURNS.get(signs))
    width, height = struct.unpack_from(">II", block, 36)
    found.size(width >> 16, height >> 16)


def _sign(fixed: int) -> int:
    return (fixed > 0x8000) - (fixed < -0x8000)


def _told(data: Data, kind: bytes, span: _Span, found: Findings) -> None:
    """User data: Apple's keys, the older © atoms, 3GPP's place."""
    if kind == b"meta":
        _keys(data, span, found)
        return
    for name, start, end in boxes.walk(data, *span):
        if name == b"meta":
            _keys(data, (start, end), found)
        elif name == b"XMP_":
            xmp.read(data[start : min(end, start + (1 << 22))], found)
        elif name == b"loci":
            _loci(data, start, end, found)
        elif name == b"date":
            _day(_text(data[start : min(end, start + 64)]), found)
        elif name[:1] == b"\xa9":
            _atom(name, data[start + 4 : min(end, start + _LONGEST_TEXT)], found)


def _atom(name: bytes, raw: bytes, found: Findings) -> None:
    value = _text(raw)
    if name == b"\xa9xyz":
        _place(value, found)
    elif name == b"\xa9mak":
        found.text("make", value)
    elif name == b"\xa9mod":
        found.text("model", value)
    elif name == b"\xa9nam":
        found.text("title", value)
    elif name == b"\xa9day":
        _day(value, found)


def _keys(data: Data, span: _Span, found: Findings) -> None:
    """`meta` with `keys` and `ilst` (Apple), or with an `ilst` of © atoms (iTunes)."""
    # A full box in MP4, a plain one in QuickTime: what follows tells.
    start = span[0] if data[span[0] + 4 : span[0] + 8] == b"hdlr" else span[0] + 4
    parts = boxes.children(data, start, span[1])
    names: list[str] = []
    if b"keys" in parts:
        for _, at, end in boxes.walk(data, parts[b"keys"][0] + 8, parts[b"keys"][1]):
            names.append(data[at : min(end, at + 256)].decode("utf-8", "replace"))
    if b"ilst" not in parts:
        return
    for kind, at, end in boxes.walk(data, *parts[b"ilst"]):
        value = boxes.find(data, (at, end), b"data")
        number = int.from_bytes(kind, "big")
        if value is None or value[1] - value[0] < 8:
            continue
        raw = data[value[0] + 8 : min(value[1], value[0] + _LONGEST_TEXT)]
        if 0 < number <= len(names):
            _key(names[number - 1], raw.decode("utf-8", "replace"), found)
        elif kind in (b"\xa9nam", b"\xa9day", b"\xa9xyz"):
            _atom(kind, b"\0\0\0\0" + raw, found)


def _key(name: str, value: str, found: Findings) -> None:
    if name in _KEYS:
        found.text(_KEYS[name], value)
    elif name == "com.apple.quicktime.creationdate":
        _day(value, found)
    elif name == "com.apple.quicktime.location.ISO6709":
        _place(value, found)
    elif name == "com.apple.quicktime.keywords":
        found.keyword(*value.split(","))


def _day(value: str, found: Findings) -> None:
    """A full date; a bare year is when a song came out, not when something was recorded."""
    moment = dates.parse(value)
    if len(value.strip()) < 10:
        return
    known = moment is not None and moment[1] is not None
    confidence = _QUICKTIME_DATE if known else _CONTAINER_DATE - 0.05
    found.date(TakenFrom.QUICKTIME, moment, confidence, value)


def _place(value: str, found: Findings) -> None:
    place = places.from_iso6709(value)
    if place is not None:
        found.place(TakenFrom.QUICKTIME, *place)


def _loci(data: Data, start: int, end: int, found: Findings) -> None:
    """3GPP TS 26.244, 8.10: language, name, role, then longitude, latitude and altitude 16.16."""
    block = data[start + 6 : min(end, start + 1024)]
    _, _, rest = block.partition(b"\0")
    if len(rest) >= 13:
        lon, lat, alt = (n / 65536 for n in struct.unpack_from(">iii", rest, 1))
        found.place(TakenFrom.QUICKTIME, lat, lon, alt)


def _text(raw: bytes) -> str:
    """An atom's text: UTF-8 or UTF-16 by its mark, else the Mac's Roman, as old cameras wrote."""
    raw = raw.rstrip(b"\0")
    if raw[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("mac-roman", "replace")
