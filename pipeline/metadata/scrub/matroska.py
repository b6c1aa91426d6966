"""Matroska and WebM without what is private: elements that go become `Void`, and nothing moves.

What plays is never touched. Tracks of texts may tell positions (drones write them so) and cannot be
taken out in place, so such a film is refused. RFC 9559, RFC 8794.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.matroska import vint
from pipeline.metadata.scrub import names
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, zeroed

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_INFO, _TRACKS, _TAGS, _ATTACHMENTS = 0x1549A966, 0x1654AE6B, 0x1254C367, 0x1941A469
_SEEK, _CLUSTER, _CUES, _CHAPTERS = 0x114D9B74, 0x1F43B675, 0x1C53BB6B, 0x1043A770
_KEPT = frozenset((_SEEK, _CLUSTER, _CUES, _CHAPTERS))
# What a cluster of unknown length holds: its parts then lie among the segment's.
_PLAYED = frozenset((0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854))
_VOID, _CRC = 0xEC, 0xBF
_SEGMENT_ID, _FILE_NAME = 0x73A4, 0x7384
_TRACK, _TRACK_KIND, _PICTURES, _SOUNDS = 0xAE, 0x83, 1, 2
_TAG, _SIMPLE, _NAME, _BINARY, _TARGETS = 0x7373, 0x67C8, 0x45A3, 0x4485, 0x63C0
_ATTACHED, _ATTACHED_KIND = 0x61A7, 0x4660
_FONT = (b"font", b"truetype", b"opentype")
_WOVEN = b"freeGPS "


@dataclass(frozen=True, slots=True)
class _Element:
    """One element: where its id begins, where its payload lies."""

    id: int
    at: int
    start: int
    end: int


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a film. Raises `Invalid` for one that cannot be followed to its end."""
    if data.find(_WOVEN) >= 0:
        raise Invalid("This film's position is woven into its pictures; it is left alone.")
    for top in _elements(data, 0, len(data)):
        if top.id == _SEGMENT:
            for part in _elements(data, top.start, top.end):
                yield from _part(data, part, orders)
        elif top.id != _EBML:
            yield from _voided(data, top)


def _part(data: Data, part: _Element, orders: Orders) -> Iterator[Patch]:
    if part.id in _KEPT or part.id in _PLAYED:
        return
    if part.id not in _PARTS:
        yield from _voided(data, part)
        return
    changes = [*_leftovers(data, part), *_PARTS[part.id](data, part, orders)]
    if any(data[one.start : one.end] != one.data for one in changes):
        yield from _unsigned(data, part)
    yield from changes


def _leftovers(data: Data, part: _Element) -> Iterator[Patch]:
    """What editors left in the room they did not need."""
    for one in _elements(data, part.start, part.end):
        if one.id == _VOID:
            yield from _voided(data, one)


def _unsigned(data: Data, part: _Element) -> Iterator[Patch]:
    """The sum over what is changed would be wrong from now on."""
    for one in _elements(data, part.start, part.end):
        if one.id == _CRC:
            yield from _voided(data, one)


def _info(data: Data, part: _Element, orders: Orders) -> Iterator[Patch]:
    for one in _elements(data, part.start, part.end):
        if orders.owner and one.id in (_SEGMENT_ID, _FILE_NAME):
            yield from _voided(data, one)


def _tracks(data: Data, part: _Element, _: Orders) -> Iterator[Patch]:
    for track in _elements(data, part.start, part.end):
        if track.id != _TRACK:
            continue
        for one in _elements(data, track.start, track.end):
            kind = int.from_bytes(data[one.start : one.end], "big")
            if one.id == _TRACK_KIND and kind not in (_PICTURES, _SOUNDS):
                raise Invalid("The texts inside this film may tell positions; it is left alone.")
    yield from ()


def _tags(data: Data, part: _Element, orders: Orders) -> Iterator[Patch]:
    for tag in _elements(data, part.start, part.end):
        if tag.id != _TAG:
            continue
        for one in _elements(data, tag.start, tag.end):
            if one.id == _SIMPLE:
                yield from _simple(data, one, orders)
            elif one.id != _TARGETS:
                yield from _voided(data, one)


def _simple(data: Data, tag: _Element, orders: Orders) -> Iterator[Patch]:
    """A tag with its own tags below: what is below one that goes, goes too."""
    parts = list(_elements(data, tag.start, tag.end))
    name = next((data[p.start : p.end] for p in parts if p.id == _NAME), b"").decode(
        "utf-8", "replace"
    )
    is_private = names.is_private_key(name, orders) or names.is_private_name(name, orders)
    if is_private or any(p.id == _BINARY for p in parts):
        yield from _voided(data, tag)
        return
    for one in parts:
        if one.id == _SIMPLE:
            yield from _simple(data, one, orders)


def _attachments(data: Data, part: _Element, _: Orders) -> Iterator[Patch]:
    """Fonts stay; pictures and files of any other kind tell what they like."""
    for one in _elements(data, part.start, part.end):
        if one.id == _ATTACHED:
            inside = _elements(data, one.start, one.end)
            kind = next((data[p.start : p.end] for p in inside if p.id == _ATTACHED_KIND), b"")
            if not any(word in kind.lower() for word in _FONT):
                yield from _voided(data, one)


_PARTS = {_INFO: _info, _TRACKS: _tracks, _TAGS: _tags, _ATTACHMENTS: _attachments}


def _voided(data: Data, one: _Element) -> Iterator[Patch]:
    """The element as a `Void` of zeros that is just as long."""
    size = one.end - one.at
    head = bytes([_VOID, 0x80 | size - 2]) if size < 128 else b"\xec\x01"
    if size >= 128:
        head += (size - 9).to_bytes(7, "big")
    yield Patch(one.at, one.at + len(head), head)
    yield from zeroed(data, one.at + len(head), one.end)


def _elements(data: Data, start: int, end: int) -> Iterator[_Element]:
    """All elements from `start` to `end`. Raises `Invalid` where one reaches over the end.

    A segment of unknown length reaches to the end; of such a cluster only the head is an element,
    its parts follow.
    """
    while start < end:
        head = data[start : min(start + 12, end)]
        identity, id_size = vint(head, 0, keeps_marker=True)
        length, length_size = vint(head, id_size, keeps_marker=False)
        if not id_size or not length_size or (length < 0 and identity not in (_SEGMENT, _CLUSTER)):
            raise Invalid("The parts of this film do not add up; it is left alone.")
        payload = start + id_size + length_size
        after = payload + length
        if length < 0:
            after = end if identity == _SEGMENT else payload
        if after > end:
            raise Invalid("The parts of this film do not add up; it is left alone.")
        yield _Element(identity, start, payload, after)
        start = after
