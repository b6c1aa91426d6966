"""ISO base media: MP4, QuickTime, HEIF, AVIF, CR3 and relatives, told apart by brands and tracks.

Walks a bounded number of boxes by their lengths and never trusts them further than that. Names are
keys of `formats.FORMATS`. Brands: ISO/IEC 14496-12, 23008-12, mp4ra.org.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.intake.source import Source

_MAX_BOXES = 4096  # in one look, however deep: a hostile file nests without end
_Span = tuple[int, int]  # start and end of a payload
_HEVC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF = frozenset({b"avif", b"avis", b"avio"})
_HEIF = frozenset({b"mif1", b"msf1", b"mif2", b"mif3", b"j2ki", b"jpeg", b"jpgs", b"vvic", b"unif"})
_MP4 = (
    frozenset(
        b"isom avc1 hvc1 hev1 av01 mp41 mp42 mp71 mmp4 MSNV dash dby1 XAVC piff NDSC NDSH NDSM "
        b" NDSP NDSS NDXC NDXH NDXM NDXP NDXS niko pana CAEP cmfc cmff cmf2 iphd vp09 caqv "
        b"isml msdh msix".split()
    )
    | {b"iso%d" % n for n in range(1, 10)}
    | {b"F4V ", b"f4v "}
)
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def isobmff(source: Source) -> str | None:
    """The format of a file whose first box is `ftyp` or an old QuickTime box."""
    kind = source.head[4:8]
    if kind == b"ftyp":
        return _by_brands(source)
    if kind in _OLD_QUICKTIME and _has_movie(source):
        return _by_tracks(source, "mov")
    return None


def _by_brands(source: Source) -> str | None:
    length = int.from_bytes(source.head[:4], "big")
    brands = source.at(8, max(8, min(length, 512)) - 8)
    major, compatible = brands[:4], {brands[i : i + 4] for i in range(8, len(brands) - 3, 4)}
    if major == b"crx ":
        return "cr3"
    still = _still(major) or (None if _moving(major) else _still_among(compatible))
    if still:
        return still
    moving = _moving(major) or next((m for m in map(_moving, sorted(compatible)) if m), None)
    if moving is None and not _has_movie(source):
        return None
    return _by_tracks(source, moving or "mp4")


def _still(brand: bytes) -> str | None:
    if brand in _AVIF:
        return "avif"
    return "heic" if brand in _HEVC else None


def _still_among(brands: set[bytes]) -> str | None:
    """A generic HEIF brand in front: what it is coded with stands among the compatible ones."""
    if brands & _AVIF:
        return "avif"
    if brands & _HEVC:
        return "heic"
    return "heif" if brands & _HEIF else None


def _moving(brand: bytes) -> str | None:
    if brand == b"qt  ":
        return "mov"
    if brand[:3] in (b"M4V", b"M4A", b"M4B", b"M4P"):
        return "m4v" if brand[2:3] == b"V" else "m4a"
    if brand[:3] in (b"3gp", b"3g2", b"3ge", b"3gg", b"3gs"):
        return "3gp"
    return "mp4" if brand in _MP4 else None


def _by_tracks(source: Source, name: str) -> str:
    """MP4 with sound and no picture is music, whatever its brand; and the other way round."""
    handlers = set(_handlers(source))
    if b"vide" in handlers:
        return "mp4" if name == "m4a" else name
    return "m4a" if b"soun" in handlers and name != "mov" else name


def _handlers(source: Source) -> Iterator[bytes]:
    """The handler type of each track: `vide`, `soun`, `meta` ..."""
    budget = iter(range(_MAX_BOXES))
    whole = [(0, max(source.size, len(source.head)))]
    spans: Iterable[_Span] = whole
    for kind in (b"moov", b"trak", b"mdia", b"hdlr"):
        spans = _inside(source, spans, kind, budget)
    for start, _ in spans:
        yield source.at(start + 8, 4)


def _has_movie(source: Source) -> bool:
    whole = [(0, max(source.size, len(source.head)))]
    return any(True for _ in _inside(source, whole, b"moov", iter(range(_MAX_BOXES))))


def _inside(
    source: Source, parents: Iterable[_Span], kind: bytes, budget: Iterator[int]
) -> Iterator[_Span]:
    """The payloads of the boxes of one kind directly inside `parents`."""
    for start, end in parents:
        yield from (span for box, span in _boxes(source, start, end, budget) if box == kind)


def _boxes(
    source: Source, start: int, stop: int, budget: Iterator[int]
) -> Iterator[tuple[bytes, _Span]]:
    """Boxes in a row; stops at the first impossible one, and when the budget is spent."""
    while start + 8 <= stop and next(budget, None) is not None:
        header = source.at(start, 16)
        if len(header) < 8:
            return
        length, payload = int.from_bytes(header[:4], "big"), start + 8
        if length == 1 and len(header) == 16:
            length, payload = int.from_bytes(header[8:], "big"), start + 16
        after = stop if length == 0 else start + length
        if after < payload:
            return
        yield header[4:8], (payload, min(after, stop))
        start = after
