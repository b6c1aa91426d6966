"""Which streams a film of any container has, and what it says about itself, as FFmpeg reads it.

For rewriting a film and for comparing it with its copy. Nothing is decoded; words that only
describe the container are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import av

from pipeline.codecs import video
from pipeline.codecs.border import decoding
from pipeline.metadata.window import Window

Kind = Literal["picture", "cover", "sound", "subtitle", "attachment", "data"]
Chapter = tuple[int, int, str]  # start and end in thousandths of a second, title

_KINDS: Mapping[str, Kind] = {
    "video": "picture", "audio": "sound", "subtitle": "subtitle", "attachment": "attachment",
}  # fmt: skip
# What a container says about its own making; dates are compared as facts.
_OWN = frozenset(
    (
        *("encoder", "major_brand", "minor_version", "compatible_brands", "creation_time"),
        *("duration", "filesize"),
    )
)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream; `codec` is FFmpeg's name, empty for one it does not know."""

    number: int
    kind: Kind
    codec: str
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class Census:
    """All streams in order, chapters, and words by name in lower case."""

    streams: tuple[Stream, ...]
    chapters: tuple[Chapter, ...]
    words: Mapping[str, str]

    def of(self, *kinds: Kind) -> tuple[Stream, ...]:
        """The streams of these kinds, in order."""
        return tuple(stream for stream in self.streams if stream.kind in kinds)


@contextmanager
def opened(file: BinaryIO, demuxer: str) -> Iterator[Any]:
    """The container behind an open file. Raises `BadMedia` inside for what cannot be read."""
    window = Window(file.fileno())
    with (
        decoding("video"),
        av.open(
            window, format=demuxer, options=video.OPTIONS, metadata_errors="replace"
        ) as container,
    ):
        yield container


def taken(file: BinaryIO, demuxer: str) -> Census:
    """The census of an open film. Raises `BadMedia`."""
    with opened(file, demuxer) as container:
        streams = [_stream(one) for one in container.streams]
        chapters = tuple(_chapter(one) for one in container.chapters())
        words = {name.lower(): text for name, text in container.metadata.items() if text.strip()}
    told = {name: text for name, text in words.items() if name not in _OWN}
    return Census(tuple(streams), chapters, told)


def _stream(one: Any) -> Stream:
    kind = _KINDS.get(one.type, "data")
    if kind == "picture" and video.is_cover(one):
        kind = "cover"
    context = one.codec_context
    language = one.metadata.get("language", "")
    return Stream(
        one.index,
        kind,
        context.codec.canonical_name if context else "",
        "" if language == "und" else language,
        one.metadata.get("title") or _handler(one.metadata.get("handler_name", "")),
    )


def _handler(name: str) -> str:
    """MP4 calls a track by its handler; the names that programs give say nothing."""
    return "" if name.endswith("Handler") else name.strip()


def _chapter(one: Mapping[str, Any]) -> Chapter:
    start, end = (round(float(one[name] * one["time_base"]) * 1000) for name in ("start", "end"))
    return start, end, one["metadata"].get("title", "")


def bytes_of(file: BinaryIO, demuxer: str, number: int) -> int:
    """What the packets of one stream take together. Raises `BadMedia`."""
    with opened(file, demuxer) as container:
        return sum(packet.size for packet in container.demux(container.streams[number]))
