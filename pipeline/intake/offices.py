"""Office documents: which program's, told from the table of contents of a ZIP or OLE file.

Nothing is unpacked; at most 1 MiB of directory is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.intake.source import Source

_DIRECTORY_LIMIT = 1 << 20
_MIMETYPES = {  # stored first and uncompressed: OpenDocument 1.2 part 3, EPUB OCF 3.2
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/vnd.oasis.opendocument.graphics": "odg",
    b"application/epub+zip": "epub",
}
_FOLDERS = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_IWORK = {".pages": "pages", ".numbers": "numbers", ".key": "key"}
_STREAMS = (
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)


def zipped(source: Source) -> str | None:
    """The document kept in a ZIP, or None for any other ZIP."""
    if source.head[30:38] == b"mimetype":
        start = 38 + int.from_bytes(source.head[28:30], "little")
        content = source.head[start : start + 80]
        return next((n for m, n in _MIMETYPES.items() if content.startswith(m)), None)
    names = set(_zip_names(source))
    if b"[Content_Types].xml" in names:
        return next((n for f, n in _FOLDERS if any(x.startswith(f) for x in names)), None)
    if b"Index/Document.iwa" in names or b"Index.zip" in names:
        return _IWORK.get(source.extension, "pages")
    return None


def _zip_names(source: Source) -> Iterator[bytes]:
    """Names in the central directory (APPNOTE 4.3.12); from the head where one cannot look."""
    end = source.at(max(source.size - 65557, 0), 65557)
    mark = end.rfind(b"PK\5\6")
    if mark < 0 or len(end) < mark + 22:
        yield from _names(source.head, b"PK\3\4", 26, 30)
        return
    size, offset = struct.unpack_from("<II", end, mark + 12)
    yield from _names(source.at(offset, min(size, _DIRECTORY_LIMIT)), b"PK\1\2", 28, 46)


def _names(directory: bytes, mark: bytes, length_at: int, name_at: int) -> Iterator[bytes]:
    at = directory.find(mark)
    while 0 <= at <= len(directory) - name_at:
        length = int.from_bytes(directory[at + length_at : at + length_at + 2], "little")
        yield directory[at + name_at : at + name_at + length]
        at = directory.find(mark, at + name_at + length)


def compound(source: Source) -> str | None:
    """The old Office document in an OLE file ([MS-CFB] 2.6), or None for any other."""
    if len(source.head) < 52:
        return None
    shift = int.from_bytes(source.head[30:32], "little")
    sector = int.from_bytes(source.head[48:52], "little")
    if shift not in (9, 12):
        return None
    entries = source.at((sector + 1) << shift, 4096)
    names = {_ole_name(entries[at : at + 128]) for at in range(0, len(entries), 128)}
    return next((name for stream, name in _STREAMS if stream in names), None)


def _ole_name(entry: bytes) -> str:
    length = int.from_bytes(entry[64:66], "little")
    return entry[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
