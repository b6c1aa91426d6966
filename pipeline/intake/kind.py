"""What a file is, from its bytes.

`sniff` never believes an extension: a name decides only between readings that the bytes allow alike
(a plain text called .csv, a JPEG called .thm). Reads are bounded and only ever below the file's own
size; nothing is decoded, unpacked or rendered. Pure and standard library only: workers use it too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from pipeline.intake import boxes, offices, streams, texts, tiffs
from pipeline.intake.formats import EXTENSIONS, FORMATS, RAW
from pipeline.intake.source import ReadAt, Source
from pipeline.intake.unknown import explain_unknown
from pipeline.model import Format

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "RAW",
    "corrected_name",
    "explain_unknown",
    "sniff",
    "sniff_file",
    "sniff_open",
]

HEAD_BYTES = 4096

_Look = Callable[[Source], str | None]


def sniff(
    head: bytes, *, name: str = "", size: int = 0, read_at: ReadAt | None = None
) -> Format | None:
    """The format of a file that begins with `head`, or None if it is nothing we keep.

    `head` should be `HEAD_BYTES` long where the file is; `read_at(offset, length)` lets containers
    be looked into, and without it the answer is the best one the head allows.
    """
    if not head:
        return None
    source = Source(head, name, size or len(head), read_at)
    for magic, look in _SIGNATURES:
        if head.startswith(magic):
            told = look if isinstance(look, str) else look(source)
            if told is not None:
                return FORMATS[told]
    for look in _LOOKS:
        if (told := look(source)) is not None:
            return FORMATS[told]
    return None


def sniff_file(path: Path | str) -> Format | None:
    """`sniff` the file at `path`; None for anything but a regular file.

    Never follows a link at `path` and never blocks on a pipe. Raises OSError if it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags)
    try:
        return sniff_open(fd, name=Path(path).name)
    finally:
        os.close(fd)


def sniff_open(fd: int, *, name: str = "") -> Format | None:
    """`sniff` an open descriptor without moving its position."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return None

    def read_at(offset: int, length: int) -> bytes:
        return os.pread(fd, length, offset) if offset < status.st_size else b""

    head = os.pread(fd, HEAD_BYTES, 0)
    return sniff(head, name=name, size=status.st_size, read_at=read_at)


def corrected_name(name: str, told: Format) -> str:
    """`name` with the extension that `told` deserves; right ones, aliases and case stay.

    A wrong extension we know is replaced; anything else after a dot ("Rome 12.05") is kept and the
    extension added.
    """
    stem, dot, extension = name.rpartition(".")
    current = f".{extension.lower()}" if dot and stem else ""
    if current in (told.extension, *told.aliases):
        return name
    if current not in EXTENSIONS:
        return name + told.extension
    is_upper = extension.isupper()
    return stem + (told.extension.upper() if is_upper else told.extension)


# --- Looks at one family each -------------------------------------------------------------------


def _jpeg(source: Source) -> str:
    return "thm" if source.extension == ".thm" else "jpeg"


def _broken_jpeg(source: Source) -> str | None:
    """A spoilt first segment does not keep decoders from the picture, so it stays a JPEG."""
    has_tables = any(mark in source.head for mark in (b"\xff\xdb", b"\xff\xc0", b"\xff\xc2"))
    return _jpeg(source) if has_tables else None


def _png(source: Source) -> str:
    """APNG announces its animation before the first image data."""
    at = 8
    for _ in range(64):
        chunk = source.at(at, 8)
        if chunk[4:] in (b"acTL", b"IDAT", b"IEND") or len(chunk) < 8:
            return "apng" if chunk[4:] == b"acTL" else "png"
        at += 12 + int.from_bytes(chunk[:4], "big")
    return "png"


def _bmp(source: Source) -> str | None:
    header = int.from_bytes(source.head[14:18], "little")
    return "bmp" if header in (12, 16, 40, 52, 56, 64, 108, 124) else None


def _icon(source: Source) -> str | None:
    """A directory of pictures: its first entry must point behind the directory."""
    count, first = int.from_bytes(source.head[4:6], "little"), source.head[6:22]
    offset = int.from_bytes(first[12:16], "little")
    is_icon = 0 < count <= 256 and first[3:4] == b"\0" and offset >= 6 + 16 * count
    return "ico" if is_icon and offset < max(source.size, len(source.head)) else None


def _psd(source: Source) -> str | None:
    return "psd" if source.head[4:6] in (b"\0\1", b"\0\2") else None


def _crw(source: Source) -> str | None:
    return "crw" if source.head[6:14] == b"HEAPCCDR" else None


def _jp2(source: Source) -> str | None:
    return "jp2" if source.head[20:24] != b"mjp2" else None  # Motion JPEG 2000 is not kept


def _jxl(source: Source) -> str | None:
    """Two bytes are weak magic, so text and tiny files do not count."""
    is_text = texts.decoded(source.head) is not None
    return "jxl" if len(source.head) >= 12 and not is_text else None


def _pdf(source: Source) -> str | None:
    """Readers forgive white space and a byte order mark in front, and so do we; nothing more."""
    return "pdf" if source.head[:64].lstrip(b"\xef\xbb\xbf\0\t\n\r ").startswith(b"%PDF-") else None


_SIGNATURES: tuple[tuple[bytes, str | _Look], ...] = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\xff\xd8", _broken_jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"RIFF", streams.riff),
    (b"RF64", streams.riff),
    (b"RIFX", streams.riff),
    (b"II\xbc\0", "jxr"),
    (b"II\xbc\1", "jxr"),
    (b"II\x1a\0", _crw),
    (b"II*\0", tiffs.tiff),
    (b"MM\0*", tiffs.tiff),
    (b"II+\0", tiffs.tiff),
    (b"MM\0+", tiffs.tiff),
    (b"IIU\0", tiffs.tiff),
    (b"IIRO", tiffs.tiff),
    (b"IIRS", tiffs.tiff),
    (b"MMOR", tiffs.tiff),
    (b"FUJIFILMCCD-RAW ", "raf"),
    (b"FOVb", "x3f"),
    (b"\0MRM", "mrw"),
    (b"BM", _bmp),
    (b"8BPS", _psd),
    (b"\0\0\1\0", _icon),
    (b"\0\0\2\0", _icon),
    (b"\xff\x0a", _jxl),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _jp2),
    (b"\xff\x4f\xff\x51", "j2k"),
    (b"\x1aE\xdf\xa3", streams.matroska),
    (b"FLV\1", "flv"),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), streams.asf),
    (b"\0\0\1\xba", "mpg"),
    (b"\0\0\1\xb3", "m2v"),
    (b"OggS", streams.ogg),
    (b"fLaC", "flac"),
    (b"ID3", streams.tagged),
    (b"#!AMR", "amr"),
    (b"FORM", streams.aiff),
    (b"caff\0\1", "caf"),
    (b"ADIF", "aac"),
    (b"PK\3\4", offices.zipped),
    (bytes.fromhex("d0cf11e0a1b11ae1"), offices.compound),
    (b"{\\rtf", "rtf"),
    (b"bplist00", texts.binary_plist),
)
# Tried in this order when no signature at the very beginning spoke.
_LOOKS: tuple[_Look, ...] = (
    boxes.isobmff,
    streams.transport,
    streams.synced,
    _pdf,
    texts.text,
)
