"""All facts of one file: its reader by format, then its name, then the file system's own time.

Total: whatever the bytes are, the answer is `Facts`, with notes about what was damaged. Takes a
bounded amount of time and memory, and runs in a worker like everything that parses media.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from pipeline.errors import BadMedia
from pipeline.metadata import (
    dates,
    filename,
    heif,
    jpeg,
    matroska,
    probe,
    quicktime,
    raster,
    raw,
    sidecar,
    sound,
    streams,
)
from pipeline.metadata.facts import Facts, TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.model import Category, Format

_Reader = Callable[[Data, Findings], None]

_FILE_SYSTEM_TIME = 0.1
_LIKE_TIFF = (
    *("dng", "cr2", "nef", "arw", "rw2", "orf"),
    *("pef", "srw", "kdc", "erf", "3fr", "iiq"),
)


def read(data: Data, fmt: Format, *, name: str = "", mtime_ns: int = 0) -> Facts:
    """Everything that the bytes, the file's own name and its modification time tell."""
    found = Findings()
    reader = _READERS.get(fmt.name)
    if reader is not None:
        try:
            reader(data, found)
        except (BadMedia, struct.error, ValueError, IndexError, OverflowError):
            # Damage that no reader foresaw; what was found before it stays.
            found.note("Part of what this file says about itself is damaged.")
    if probe.is_wanted(fmt, found):
        probe.read(data, fmt, found)
    if fmt.category is not Category.SIDECAR:
        _around(found, name, mtime_ns)
    return found.facts()


def _around(found: Findings, name: str, mtime_ns: int) -> None:
    by_name = filename.evidence(name)
    if by_name is not None:
        moment = (by_name.local, by_name.offset_min)
        found.date(by_name.source, moment, by_name.confidence)
    if mtime_ns > 0:
        found.date(TakenFrom.MTIME, dates.from_unix(mtime_ns / 1e9), _FILE_SYSTEM_TIME)


def _pdf(data: Data, found: Findings) -> None:
    from pipeline.metadata import document

    document.pdf(data, found)


def _office(data: Data, found: Findings) -> None:
    from pipeline.metadata import document

    document.office(data, found)


_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys(("jpeg", "thm"), jpeg.read),
    **dict.fromkeys(("png", "apng"), raster.png),
    "gif": raster.gif,
    "webp": raster.webp,
    "bmp": raster.bmp,
    "ico": raster.ico,
    "psd": raster.psd,
    "jp2": raster.jp2,
    "j2k": raster.j2k,
    "jxr": raster.jxr,
    "jxl": raster.jxl,
    **dict.fromkeys(("heic", "heif", "avif"), heif.read),
    "tiff": raw.read_tiff,
    **dict.fromkeys(_LIKE_TIFF, raw.read_raw),
    "cr3": raw.read_cr3,
    "raf": raw.read_raf,
    **dict.fromkeys(("crw", "mrw", "x3f"), raw.read_by_exiv2),
    **dict.fromkeys(("mp4", "mov", "m4v", "3gp", "m4a"), quicktime.read),
    **dict.fromkeys(("mkv", "webm", "mka", "weba"), matroska.read),
    "avi": streams.avi,
    **dict.fromkeys(("wmv", "wma"), streams.asf),
    "flv": streams.flv,
    "mts": streams.transport,
    "mp3": sound.mp3,
    "flac": sound.flac,
    **dict.fromkeys(("ogg", "opus"), sound.ogg),
    "wav": sound.wav,
    "pdf": _pdf,
    **dict.fromkeys(["docx", "xlsx", "pptx", "odt", "ods", "odp", "odg"], _office),
    "xmp": sidecar.read_xmp,
    "aae": sidecar.read_aae,
    "takeout-json": sidecar.read_takeout,
}
