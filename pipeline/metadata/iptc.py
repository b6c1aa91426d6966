"""IPTC-IIM: the older words of news photography, inside JPEG, TIFF and Photoshop files.

Also walks Photoshop's image resources, in which IIM lies. Everything is bounded by the block.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.metadata import dates
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Findings

_MOST_RECORDS = 2000
_IIM, _XMP, _EXIF = 0x0404, 0x0424, 0x0422


def resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Photoshop's image resources as (id, bytes)."""
    at = 0
    for _ in range(_MOST_RECORDS):
        if data[at : at + 4] not in (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa"):
            return
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = data[at + 6] if at + 6 < len(data) else 0
        size_at = at + 6 + (name + 2) // 2 * 2
        size = int.from_bytes(data[size_at : size_at + 4], "big")
        yield number, data[size_at + 4 : size_at + 4 + size]
        at = size_at + 4 + (size + 1) // 2 * 2


def read_resources(data: bytes, found: Findings) -> None:
    """Add what IIM among Photoshop's resources says."""
    for number, value in resources(data):
        if number == _IIM:
            read(value, found)


def texts(data: bytes) -> dict[int, list[str]]:
    """What the records for people (record 2) say, by data set."""
    values, is_utf8 = _values(data)
    return {dataset: [_decoded(v, is_utf8) for v in every] for dataset, every in values.items()}


def read(data: bytes, found: Findings) -> None:
    """Add what the IIM records say."""
    values, is_utf8 = _values(data)
    found.text("title", _text(values, 5, is_utf8))
    found.text("description", _text(values, 120, is_utf8))
    found.keyword(*(_decoded(word, is_utf8) for word in values.get(25, ())))
    for day, clock, confidence in ((55, 60, 0.7), (62, 63, 0.6)):
        if day in values:
            raw = f"{_text(values, day, True)} {_text(values, clock, True)}".strip()
            found.date(TakenFrom.XMP, dates.parse(raw), confidence, raw)


def _values(data: bytes) -> tuple[dict[int, list[bytes]], bool]:
    """Record 2 by data set, and whether record 1 promises UTF-8."""
    values: dict[int, list[bytes]] = {}
    is_utf8 = False
    for record, dataset, value in records(data):
        if record == 1 and dataset == 90:
            is_utf8 = value.startswith(b"\x1b%G")
        elif record == 2:
            values.setdefault(dataset, []).append(value)
    return values, is_utf8


def records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The records as (record, data set, value)."""
    at = 0
    for _ in range(_MOST_RECORDS):
        if data[at : at + 1] != b"\x1c" or at + 5 > len(data):
            return
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size & 0x8000:  # an extended length: nobody writes it where we look
            return
        yield data[at + 1], data[at + 2], data[at + 5 : at + 5 + size]
        at += 5 + size


def _text(values: dict[int, list[bytes]], dataset: int, is_utf8: bool) -> str:
    first = values.get(dataset)
    return _decoded(first[0], is_utf8) if first else ""


def _decoded(value: bytes, is_utf8: bool) -> str:
    """IIM seldom says its character set; UTF-8 that reads as such is believed anyway."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8" if is_utf8 else "latin-1", "replace")
