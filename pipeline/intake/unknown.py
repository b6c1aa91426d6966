"""Why a file is nothing we keep, in words a person understands."""

from __future__ import annotations

from pipeline.intake.source import Source
from pipeline.intake.texts import OBEYED, decoded

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\3\4", "it is a ZIP archive: unpack it and give us what is inside"),
    (b"PK\5\6", "it is an empty ZIP archive"),
    (b"Rar!", "it is a RAR archive: unpack it and give us what is inside"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive: unpack it and give us what is inside"),
    (b"\x1f\x8b", "it is a compressed file (gzip): unpack it and give us what is inside"),
    (b"BZh", "it is a compressed file (bzip2): unpack it and give us what is inside"),
    (b"\xfd7zXZ", "it is a compressed file (xz): unpack it and give us what is inside"),
    (b"MZ", "it is a Windows program"),
    (b"\x7fELF", "it is a Linux program"),
    (b"\xca\xfe\xba\xbe", "it is a program"),
    (b"\xcf\xfa\xed\xfe", "it is a macOS program"),
    (b"SQLite format 3\0", "it is a database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a Windows system or mail file, not a document"),
    (b"bplist00", "it holds settings of an Apple program"),
    (b"RIFF", "it is a RIFF file of a kind we do not know"),
    (b"OggS", "it is an Ogg file of a kind we do not know"),
    (b"%!PS", "it is a PostScript program, which we do not run"),
    (b"\xc5\xd0\xd3\xc6", "it is a PostScript program, which we do not run"),
)
_TEXT: tuple[tuple[str, str], ...] = (
    ("<!doctype html", "it is a web page; the download may have failed"),
    ("<html", "it is a web page; the download may have failed"),
    ("#extm3u", "it is a playlist that points to other files"),
    ("ffconcat", "it is a playlist that points to other files"),
    ("[playlist]", "it is a playlist that points to other files"),
    ("v=0", "it describes a network stream"),
    ("%!", "it is a PostScript program, which we do not run"),
    ("push graphic-context", "it is a drawing script, which we do not run"),
    ("viewbox ", "it is a drawing script, which we do not run"),
    ("<?php", "it is program code"),
    ("<script", "it is program code"),
    ("#!", "it is program code"),
    ("<", "it is XML of a kind we do not keep"),
    ("{", "it is data (JSON), not a photo, video, sound or document"),
    ("[", "it is data (JSON), not a photo, video, sound or document"),
)


def explain_unknown(head: bytes, name: str = "", size: int | None = None) -> str:
    """One sentence about a file that `sniff` does not know; it follows the file's name."""
    if not head:
        return "The file is empty."
    reason = (
        next((why for magic, why in _MAGIC if head.startswith(magic)), None)
        or _about_text(Source(head, name))
        or _about_bytes(head)
    )
    return f"We do not know this kind of file: {reason}."


def _about_text(source: Source) -> str | None:
    content = decoded(source.head)
    if content is None:
        return None
    start = content.lstrip().lower()
    if not start:
        return "it holds only white space"
    for beginning, why in _TEXT:
        if start.startswith(beginning) and (beginning in "<{[" or OBEYED.match(start)):
            return why
    if source.extension:
        return f"it is plain text, though its name ends in {source.extension}"
    return "it is plain text"


def _about_bytes(head: bytes) -> str:
    if not head.strip(b"\0"):
        return "it begins with nothing but zeros, as after an interrupted copy"
    if head[:2] == b"\xff\xd8":
        return "it begins like a JPEG but is damaged from the third byte on"
    if head[4:8] == b"ftyp":
        return "it begins like a video but holds none"
    return "its content is not one of the kinds of photo, video, sound or document we know"
