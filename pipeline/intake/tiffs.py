"""TIFF and the camera RAW formats built on it, told apart by magic, maker and sensor tags.

Reads at most three levels of directories with at most 512 entries each. A scan saved as TIFF by a
camera maker's software stays a TIFF: RAW needs the tags of sensor data. TIFF 6.0, DNG 1.7.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pipeline.intake.formats import FORMATS
from pipeline.intake.source import Source

_MAKERS = (  # beginning of the Make tag, format
    (b"NIKON", "nef"),
    (b"SONY", "arw"),
    (b"PENTAX", "pef"),
    (b"RICOH", "pef"),
    (b"ASAHI", "pef"),
    (b"SAMSUNG", "srw"),
    (b"EASTMAN", "kdc"),
    (b"KODAK", "kdc"),
    (b"SEIKO EPSON", "erf"),
    (b"HASSELBLAD", "3fr"),
    (b"PHASE ONE", "iiq"),
    (b"LEAF", "iiq"),
    (b"OLYMPUS", "orf"),
)
_MAKE, _COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 0x010F, 0x0103, 0x0106, 0x014A, 0xC612
_SENSOR_COMPRESSION = frozenset({32767, 32769, 32770, 32772, 34713, 65000, 65535})
_SENSOR_PHOTOMETRIC = frozenset({32803, 34892})  # colour filter array, linear raw
_PANASONIC_VERSION = 0x0001


def tiff(source: Source) -> str | None:
    """The format of a file that begins like a TIFF; None if its first directory is impossible."""
    head = source.head
    order = "<" if head[:2] == b"II" else ">"
    if head[8:11] == b"CR\x02":
        return "cr2"
    if head[2:4] in (b"RO", b"RS", b"OR"):
        return "orf"
    if head[2:4] in (b"+\0", b"\0+"):
        return "tiff"  # BigTIFF
    if len(head) < 8 or (offset := struct.unpack_from(f"{order}I", head, 4)[0]) < 8:
        return None
    directory = _Directory.read(source, offset, order)
    if head[2:4] == b"U\0":
        return "rw2" if _PANASONIC_VERSION in directory.values else "tiff"
    return _by_tags(source, directory, order)


def _by_tags(source: Source, first: _Directory, order: str) -> str:
    if _DNG_VERSION in first.values:
        return "dng"
    maker = _maker(source, first)
    if maker is None:
        return "tiff"
    directories = [first, *(_Directory.read(source, at, order) for at in first.sub_ifds)]
    row = FORMATS[maker]
    named = source.extension in (row.extension, *row.aliases)
    return maker if named or any(d.is_sensor_data for d in directories) else "tiff"


def _maker(source: Source, directory: _Directory) -> str | None:
    make = source.at(directory.values.get(_MAKE, 0), 16).upper()
    return next((name for prefix, name in _MAKERS if make.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class _Directory:
    """The values (or, where they are long, their offsets) of one image file directory."""

    values: dict[int, int]
    sub_ifds: tuple[int, ...]

    @property
    def is_sensor_data(self) -> bool:
        return (
            self.values.get(_COMPRESSION) in _SENSOR_COMPRESSION
            or self.values.get(_PHOTOMETRIC) in _SENSOR_PHOTOMETRIC
        )

    @classmethod
    def read(cls, source: Source, offset: int, order: str) -> _Directory:
        size = source.at(offset, 2)
        count = min(struct.unpack(f"{order}H", size)[0], 512) if len(size) == 2 else 0
        table = source.at(offset + 2, count * 12)
        values: dict[int, int] = {}
        sub_ifds: tuple[int, ...] = ()
        for at in range(0, len(table) - 11, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", table, at)
            is_short = kind == 3 and length == 1
            (values[tag],) = struct.unpack_from(f"{order}{'H' if is_short else 'I'}", table, at + 8)
            if tag == _SUB_IFDS:
                sub_ifds = _offsets(source, values[tag], min(length, 8), order)
        return cls(values, sub_ifds)


def _offsets(source: Source, value: int, count: int, order: str) -> tuple[int, ...]:
    if count <= 1:
        return (value,)
    raw = source.at(value, count * 4)
    return struct.unpack_from(f"{order}{len(raw) // 4}I", raw)
