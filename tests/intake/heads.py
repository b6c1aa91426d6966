"""Beginnings of files of every format, as small as a reader may demand; made here, byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence


def box(kind: bytes, payload: bytes = b"") -> bytes:
    """One ISO base media box."""
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """The box that names the brands."""
    return box(b"ftyp", major + b"\0\0\0\0" + b"".join(compatible))


def moov(*handlers: bytes) -> bytes:
    """A movie with one track per handler."""
    hdlrs = [box(b"hdlr", b"\0" * 8 + handler + b"\0" * 12) for handler in handlers]
    return box(b"moov", b"".join(box(b"trak", box(b"mdia", hdlr)) for hdlr in hdlrs))


def tiff(entries: Sequence[tuple[int, int, int, int]], make: bytes = b"", magic: int = 42) -> bytes:
    """A TIFF of one directory; `make` becomes its Make tag."""
    rows = sorted([*entries, *([(0x010F, 2, len(make) + 1, 200)] if make else [])])
    table = b"".join(struct.pack("<HHII", *row) for row in rows)
    head = b"II" + struct.pack("<HIH", magic, 8, len(rows)) + table + b"\0" * 4
    return head.ljust(200, b"\0") + make + b"\0" * 16


CFA = (0x0106, 3, 1, 32803)


def zipped(**files: bytes) -> bytes:
    """A ZIP of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def ole(stream: str) -> bytes:
    """An OLE file whose directory names one stream."""
    name = stream.encode("utf-16-le") + b"\0\0"
    entry = name.ljust(64, b"\0") + struct.pack("<H", len(name)) + b"\0" * 62
    head = bytes.fromhex("d0cf11e0a1b11ae1").ljust(30, b"\0") + struct.pack("<H", 9)
    return (head.ljust(48, b"\0") + struct.pack("<I", 0)).ljust(512, b"\0") + entry


def png(*chunks: bytes) -> bytes:
    """A PNG of these empty chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", 0) + c + b"\0" * 4 for c in chunks)


def frames(header: bytes, length: int) -> bytes:
    """Two frames of sound in a row."""
    return header.ljust(length, b"\0") * 2


def packets(step: int, lead: int) -> bytes:
    """Six packets of a transport stream."""
    return (b"\0" * lead + b"G").ljust(step, b"\0") * 6


def office(folder: str) -> bytes:
    """A document of Word, Excel or PowerPoint."""
    return zipped(**{"[Content_Types].xml": b"<Types/>", f"{folder}/document.xml": b"<x/>"})


def opendocument(kind: str) -> bytes:
    """An OpenDocument or EPUB file."""
    return zipped(mimetype=kind.encode(), **{"content.xml": b"<x/>"})


def ebml(doctype: bytes, *codecs: bytes) -> bytes:
    """Matroska with these codecs."""
    head = b"\x1aE\xdf\xa3\x9f\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return head + b"".join(b"\x86" + bytes([0x80 | len(c)]) + c for c in codecs) + b"\0" * 32


def asf(*streams: str) -> bytes:
    """Windows Media with these stream types."""
    types = b"".join(bytes.fromhex(s) + b"\0" * 16 for s in streams)
    return bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\0" * 14 + types


_VIDEO, _AUDIO = "c0ef19bc4d5bcf11a8fd00805f5c442b", "409e69f84d5bcf11a8fd00805f5c442b"
_ODF = "application/vnd.oasis.opendocument."
_TAKEOUT = b'{"title": "a.jpg", "photoTakenTime": {"timestamp": "1"}}'
_ALBUM = b'{"title": "Rome", "access": "protected", "date": {"timestamp": "1"}}'
_AAE = b'<?xml version="1.0"?><plist><dict><key>adjustmentData</key></dict></plist>'

# format -> (name, content)
HEADS: dict[str, tuple[str, bytes]] = {
    "jpeg": ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    "png": ("a.png", png(b"IHDR", b"IDAT")),
    "apng": ("a.png", png(b"IHDR", b"acTL", b"IDAT")),
    "gif": ("a.gif", b"GIF89a\1\0\1\0"),
    "webp": ("a.webp", b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x02"),
    "tiff": ("a.tif", tiff([(0x0100, 3, 1, 10)], b"Canon")),
    "bmp": ("a.bmp", b"BM" + b"\0" * 12 + struct.pack("<I", 40) + b"\0" * 36),
    "heic": ("a.heic", ftyp(b"mif1", b"mif1", b"heic")),
    "heif": ("a.heif", ftyp(b"mif1", b"mif1", b"unif")),
    "avif": ("a.avif", ftyp(b"avis", b"avif", b"msf1")),
    "jxl": ("a.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + ftyp(b"jxl ")),
    "jp2": ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + ftyp(b"jp2 ")),
    "j2k": ("a.j2k", b"\xff\x4f\xff\x51\0\x2f"),
    "jxr": ("a.jxr", b"II\xbc\1\x20\0\0\0"),
    "psd": ("a.psd", b"8BPS\0\1" + b"\0" * 20),
    "ico": ("a.ico", b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\4\0\0\0\x16\0\0\0abcd"),
    "svg": ("a.svg", b'<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>'),
    "dng": ("a.dng", tiff([(0xC612, 1, 4, 0x401)], b"Apple")),
    "cr2": ("a.cr2", b"II*\0\x10\0\0\0CR\2\0"),
    "cr3": ("a.cr3", ftyp(b"crx ", b"crx ", b"isom")),
    "crw": ("a.crw", b"II\x1a\0\0\0HEAPCCDR\2\0"),
    "nef": ("a.nef", tiff([CFA], b"NIKON CORPORATION")),
    "arw": ("a.arw", tiff([CFA], b"SONY")),
    "raf": ("a.raf", b"FUJIFILMCCD-RAW 0201"),
    "rw2": ("a.rw2", tiff([(0x0001, 7, 4, 0x30333030)], magic=0x55)),
    "orf": ("a.orf", b"IIRO\x08\0\0\0"),
    "pef": ("a.pef", tiff([CFA], b"PENTAX")),
    "srw": ("a.srw", tiff([(0x0103, 3, 1, 32770)], b"SAMSUNG")),
    "x3f": ("a.x3f", b"FOVb\0\0\2\0"),
    "mrw": ("a.mrw", b"\0MRM\0\0\0\0"),
    "kdc": ("a.kdc", tiff([CFA], b"EASTMAN KODAK")),
    "erf": ("a.erf", tiff([CFA], b"SEIKO EPSON")),
    "3fr": ("a.3fr", tiff([CFA], b"Hasselblad")),
    "iiq": ("a.iiq", tiff([CFA], b"Phase One")),
    "mp4": ("a.mp4", ftyp(b"isom", b"isom") + moov(b"vide", b"soun")),
    "mov": ("a.mov", ftyp(b"qt  ", b"qt  ") + box(b"wide") + moov(b"vide")),
    "m4v": ("a.m4v", ftyp(b"M4V ", b"M4V ") + moov(b"vide")),
    "3gp": ("a.3gp", ftyp(b"3gp4", b"3gp4") + moov(b"vide")),
    "mkv": ("a.mkv", ebml(b"matroska", b"V_MPEG4", b"A_AAC")),
    "webm": ("a.webm", ebml(b"webm", b"V_VP9")),
    "avi": ("a.avi", b"RIFF\0\0\0\0AVI LIST"),
    "mts": ("a.mts", packets(192, 4)),
    "flv": ("a.flv", b"FLV\1\5\0\0\0\x09"),
    "wmv": ("a.wmv", asf(_VIDEO, _AUDIO)),
    "mpg": ("a.mpg", b"\0\0\1\xba\x44\0"),
    "m2v": ("a.m2v", b"\0\0\1\xb3\x14\0"),
    "ogv": ("a.ogv", b"OggS\0\2" + b"\0" * 22 + b"\x80theora"),
    "mp3": ("a.mp3", frames(b"\xff\xfb\x90\x00", 417)),
    "m4a": ("a.m4a", ftyp(b"M4A ", b"M4A ") + moov(b"soun")),
    "flac": ("a.flac", b"fLaC\0\0\0\x22"),
    "wav": ("a.wav", b"RIFF\0\0\0\0WAVEfmt "),
    "ogg": ("a.ogg", b"OggS\0\2" + b"\0" * 22 + b"\1vorbis"),
    "opus": ("a.opus", b"OggS\0\2" + b"\0" * 22 + b"OpusHead"),
    "aac": ("a.aac", frames(b"\xff\xf1\x50\x80\x03\x1f\xfc", 24)),
    "amr": ("a.amr", b"#!AMR\n\x3c"),
    "aiff": ("a.aiff", b"FORM\0\0\0\0AIFFCOMM"),
    "caf": ("a.caf", b"caff\0\1\0\0desc"),
    "wma": ("a.wma", asf(_AUDIO)),
    "mka": ("a.mka", ebml(b"matroska", b"A_FLAC")),
    "weba": ("a.weba", ebml(b"webm", b"A_OPUS")),
    "pdf": ("a.pdf", b"%PDF-1.7\n"),
    "docx": ("a.docx", office("word")),
    "xlsx": ("a.xlsx", office("xl")),
    "pptx": ("a.pptx", office("ppt")),
    "odt": ("a.odt", opendocument(f"{_ODF}text")),
    "ods": ("a.ods", opendocument(f"{_ODF}spreadsheet")),
    "odp": ("a.odp", opendocument(f"{_ODF}presentation")),
    "odg": ("a.odg", opendocument(f"{_ODF}graphics")),
    "epub": ("a.epub", opendocument("application/epub+zip")),
    "doc": ("a.doc", ole("WordDocument")),
    "xls": ("a.xls", ole("Workbook")),
    "ppt": ("a.ppt", ole("PowerPoint Document")),
    "pages": ("a.pages", zipped(**{"Index/Document.iwa": b"x"})),
    "numbers": ("a.numbers", zipped(**{"Index/Document.iwa": b"x"})),
    "key": ("a.key", zipped(**{"Index/Document.iwa": b"x"})),
    "rtf": ("a.rtf", b"{\\rtf1\\ansi hello}"),
    "txt": ("a.txt", "Grüße aus Rom, 12 °C\n".encode()),
    "csv": ("a.csv", b"name;year\nRome;2023\n"),
    "md": ("a.md", b"# Rome\n\nA week.\n"),
    "xmp": ("a.xmp", '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'.encode("utf-16")),
    "aae": ("a.aae", _AAE),
    "thm": ("a.thm", b"\xff\xd8\xff\xdb\0\x84"),
    "takeout-json": ("a.jpg.json", _TAKEOUT),
    "takeout-album": ("metadata.json", _ALBUM),
}
