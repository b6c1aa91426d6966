"""AVI, ASF (WMV, WMA), FLV and MPEG transport streams (AVCHD): length, size and date.

What these headers do not say is left to `probe.py`.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator

from pipeline.metadata import dates, h264
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.raster import riff_chunks

_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_ASF_CONTENT = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_LONGEST_HEADER = 1 << 20
_MOST_OBJECTS = 500
_LONGEST_S = 7 * 86_400
_AVCHD_SEARCHED = 2 << 20
_CLOCK_SEARCHED = 1 << 18
_PCR_HZ = 90_000
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CTIME = re.compile(r"(?:\w{3} )?(\w{3}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})")


def avi(data: Data, found: Findings) -> None:
    """AVI: the main header, and the date as cameras write it."""
    for kind, start, end in riff_chunks(data, 12, len(data)):
        if kind == b"LIST" and data[start : start + 4] == b"hdrl":
            for name, at, after in riff_chunks(data, start + 4, end):
                if name == b"avih":
                    _avi_header(data[at : at + 40], found)
                elif name == b"IDIT":
                    _camera_date(data[at : min(after, at + 64)], found)
                elif name == b"LIST" and data[at : at + 4] == b"strl":
                    _avi_stream(data, at + 4, after, found)
        elif kind == b"LIST" and data[start : start + 4] == b"INFO":
            _riff_words(data, start + 4, end, found)
        elif kind == b"IDIT":
            _camera_date(data[start : min(end, start + 64)], found)


def _avi_header(head: bytes, found: Findings) -> None:
    if len(head) < 40:
        return
    frame_us, frames = struct.unpack_from("<I12xI", head)
    found.size(*struct.unpack_from("<II", head, 32))
    if 0 < frame_us * frames / 1e6 < _LONGEST_S:
        found.set("duration_s", round(frame_us * frames / 1e6, 3))


def _avi_stream(data: Data, start: int, end: int, found: Findings) -> None:
    for kind, at, _ in riff_chunks(data, start, end):
        head = data[at : at + 8]
        if kind == b"strh" and head[:4] == b"vids":
            found.set("video_codec", _AVI_CODECS.get(head[4:8].upper()))


_AVI_CODECS = {
    b"MJPG": "mjpeg", b"H264": "h264", b"X264": "h264", b"XVID": "mpeg4", b"DIVX": "mpeg4",
    b"DX50": "mpeg4", b"DVSD": "dvvideo", b"MP42": "msmpeg4v2", b"DIV3": "msmpeg4v3",
}  # fmt: skip


def _riff_words(data: Data, start: int, end: int, found: Findings) -> None:
    for kind, at, after in riff_chunks(data, start, end):
        value = data[at : min(after, at + 1024)].partition(b"\0")[0].decode("utf-8", "replace")
        if kind == b"ICRD" and len(value) >= 10:
            found.date(TakenFrom.CONTAINER, dates.parse(value), 0.5, value)
        elif kind == b"INAM":
            found.text("title", value)


def _camera_date(raw: bytes, found: Findings) -> None:
    """ "Mon Mar 10 15:04:43 2003" or a date with figures, in the camera's local time."""
    text = raw.partition(b"\0")[0].decode("latin-1").strip()
    found_words = _CTIME.match(text)
    if found_words is None:
        found.date(TakenFrom.EXIF, dates.parse(text.replace("/", ":")), 0.75, text)
        return
    month, day, hour, minute, second, year = found_words.groups()
    number = _MONTHS.index(month.lower()) + 1 if month.lower() in _MONTHS else 0
    moment = dates.moment(int(year), number, int(day), int(hour), int(minute), int(second))
    found.date(TakenFrom.EXIF, moment, 0.75, text)


def asf(data: Data, found: Findings) -> None:
    """WMV and WMA: objects by GUID inside the header object."""
    header = int.from_bytes(data[16:24], "little")
    for guid, start, end in _asf_objects(data, 30, min(header, _LONGEST_HEADER, len(data))):
        if guid == _ASF_FILE and end - start >= 80:
            created, ticks, preroll_ms = struct.unpack("<24xQ8xQ8xQ", data[start : start + 64])
            raw = str(created) if created else ""
            found.date(TakenFrom.CONTAINER, dates.from_filetime(created), 0.7, raw)
            seconds = ticks / 1e7 - preroll_ms / 1e3
            if 0 < seconds < _LONGEST_S:
                found.set("duration_s", round(seconds, 3))
        elif guid == _ASF_STREAM and data[start : start + 16] == _ASF_VIDEO:
            found.size(*struct.unpack("<II", data[start + 54 : start + 62].ljust(8, b"\0")))
        elif guid == _ASF_CONTENT:
            length = int.from_bytes(data[start : start + 2], "little")
            found.text(
                "title", data[start + 10 : start + 10 + length].decode("utf-16-le", "ignore")
            )


def _asf_objects(data: Data, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MOST_OBJECTS):
        head = data[start : start + 24]
        length = int.from_bytes(head[16:], "little")
        if len(head) < 24 or length < 24 or start + length > end:
            return
        yield head[:16], start + 24, start + length
        start += length


def flv(data: Data, found: Findings) -> None:
    """FLV: numbers of the `onMetaData` script, found by their names (AMF 0: type 0, a double)."""
    head = data[: 1 << 16]
    if b"onMetaData" not in head:
        return
    values = {name: _amf_number(head, name) for name in (b"duration", b"width", b"height")}
    if 0 < values[b"duration"] < _LONGEST_S:
        found.set("duration_s", round(values[b"duration"], 3))
    if all(0 < values[side] < 1e5 for side in (b"width", b"height")):
        found.size(int(values[b"width"]), int(values[b"height"]))


def _amf_number(head: bytes, name: bytes) -> float:
    at = head.find(struct.pack(">H", len(name)) + name + b"\0")
    value = head[at + 3 + len(name) : at + 11 + len(name)] if at >= 0 else b""
    number = float(struct.unpack(">d", value)[0]) if len(value) == 8 else 0.0
    return number if math.isfinite(number) else 0.0


def transport(data: Data, found: Findings) -> None:
    """MTS, M2TS and TS: length by the program clock, date from the camera's note (AVCHD)."""
    layout = _packets(data)
    if layout is None:
        return
    first, step = layout
    _programs(data, first, step, found)
    _avchd(data, first, step, found)
    _parameters(data, first, step, found)
    size = len(data)
    head = data[first : first + _CLOCK_SEARCHED]
    tail_at = first + max(0, (size - first - _CLOCK_SEARCHED) // step) * step
    begin = _first_clock(head, step)
    end = _last_clock(data[tail_at:size], step)
    if begin is not None and end is not None and 0 < end - begin < _LONGEST_S * _PCR_HZ:
        found.set("duration_s", round((end - begin) / _PCR_HZ, 3))


def _programs(data: Data, first: int, step: int, found: Findings) -> None:
    """The program map: what each stream is coded with (ISO/IEC 13818-1, 2.4.4.8)."""
    for at in range(first, first + 400 * step, step):
        packet = data[at : at + 188]
        if len(packet) < 188 or packet[0] != 0x47:
            return
        body = packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
        # The unit start is flagged and is a section, its pointer is 0, its table is a program map.
        if packet[1] & 0x40 and body[:2] == b"\0\2" and len(body) > 13:
            end = min((body[2] & 0xF) << 8 | body[3], len(body))
            entry = 13 + ((body[11] & 0xF) << 8 | body[12])
            while entry + 5 <= end:
                name = _STREAM_TYPES.get(body[entry])
                if name:
                    found.set("video_codec" if name in _PICTURES else "audio_codec", name)
                entry += 5 + ((body[entry + 3] & 0xF) << 8 | body[entry + 4])
            return


_STREAM_TYPES = {
    0x01: "mpeg1video", 0x02: "mpeg2video", 0x1B: "h264", 0x24: "hevc", 0x03: "mp2", 0x04: "mp2",
    0x0F: "aac", 0x11: "aac_latm", 0x80: "pcm_bluray", 0x81: "ac3", 0x87: "eac3",
}  # fmt: skip
_PICTURES = frozenset({"mpeg1video", "mpeg2video", "h264", "hevc"})


def _parameters(data: Data, first: int, step: int, found: Findings) -> None:
    """The picture's size from H.264's parameters or MPEG-2's sequence header."""
    codec = found.fields.get("video_codec")
    for mark, wanted in (
        (b"\0\0\1\x67", "h264"),
        (b"\0\0\1\x27", "h264"),
        (b"\0\0\1\xb3", "mpeg2video"),
    ):
        at = data.find(mark, first, first + _AVCHD_SEARCHED) if codec == wanted else -1
        if at < 0:
            continue
        start = first + (at - first) // step * step
        stream = _payload(data[start : start + 8 * step], step)
        stream = stream[stream.find(mark) + 4 :]
        if codec == "h264":
            found.size(*(h264.size(stream) or (0, 0)))
        else:
            found.size(stream[0] << 4 | stream[1] >> 4, (stream[1] & 0xF) << 8 | stream[2])
        return


def _packets(data: Data) -> tuple[int, int] | None:
    """Where the first packet's sync byte stands and how far apart packets are."""
    head = data[: 192 * 4]
    for first, step in ((0, 188), (4, 192)):
        if all(head[first + n * step : first + n * step + 1] == b"\x47" for n in range(3)):
            return first, step
    return None


def _avchd(data: Data, first: int, step: int, found: Findings) -> None:
    """ "MDPM" in an H.264 message: a count, then tags of a byte with four bytes each.

    It stands in every group of pictures, so one that two packets share can be passed over.
    """
    at = data.find(b"MDPM", first, first + _AVCHD_SEARCHED)
    if at < 0:
        return
    start = first + (at - first) // step * step
    stream = _payload(data[start : start + 32 * step], step)
    # H.264 puts a 3 behind two zeros so that data never looks like a start code.
    note = stream[stream.find(b"MDPM") :].replace(b"\0\0\3", b"\0\0")
    tags = {}
    for n in range(note[4] if len(note) > 4 else 0):
        entry = note[5 + 5 * n : 10 + 5 * n]
        if len(entry) == 5:
            tags[entry[0]] = entry[1:]
    if 0x18 in tags and 0x19 in tags:
        _avchd_date(tags[0x18], tags[0x19], found)


def _payload(packets: bytes, step: int) -> bytes:
    """The elementary stream of the first packet, as far as these packets hold it."""
    stream = b""
    for at in range(0, len(packets) - 187, step):
        packet = packets[at : at + 188]
        is_same = (packet[1] ^ packets[1]) & 0x1F == 0 and packet[2] == packets[2]
        if is_same:
            stream += packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
    return stream


def _avchd_date(first: bytes, second: bytes, found: Findings) -> None:
    """Zone, century, year, month; day, hour, minute, second.

    The zone counts half hours, summer time included, with its sign at bit 5.
    """
    digits = (first[1:] + second).hex()
    if not digits.isdecimal():
        return
    numbers = [int(digits[n : n + 2]) for n in range(0, 14, 2)]
    year = numbers[0] * 100 + numbers[1]
    minutes = (first[0] >> 1 & 0xF) * 60 + (first[0] & 1) * 30
    is_known = first[0] & 0x80 == 0
    offset = -minutes if first[0] & 0x20 else minutes
    moment = dates.moment(year, *numbers[2:7], offset=offset if is_known else None)
    source = TakenFrom.EXIF_OFFSET if is_known else TakenFrom.EXIF
    found.date(source, moment, 0.88, digits)


def _first_clock(block: bytes, step: int) -> int | None:
    clocks = (_clock(block[at : at + 12]) for at in range(0, len(block) - 11, step))
    return next((c for c in clocks if c is not None), None)


def _last_clock(block: bytes, step: int) -> int | None:
    last = len(block) // step * step
    clocks = (_clock(block[at : at + 12]) for at in range(last, -1, -step))
    return next((c for c in clocks if c is not None), None)


def _clock(packet: bytes) -> int | None:
    """The program clock reference, in 90 kHz units, if this packet carries one."""
    if len(packet) < 11 or packet[0] != 0x47 or not packet[3] & 0x20:
        return None
    has_clock = packet[4] >= 7 and packet[5] & 0x10
    return int.from_bytes(packet[6:11], "big") >> 7 if has_clock else None
