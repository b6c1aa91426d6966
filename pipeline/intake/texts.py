"""Kinds of text: XMP, Apple adjustments, Takeout JSON, SVG, and plain text that a person wrote.

Text is where disguises live: playlists (HLS, ffconcat, SDP), drawing scripts (MVG, PostScript) and
web pages under a photo's name. None of those is ever media here, whatever it is called, and plain
text is a document only under a name that says so.
"""

from __future__ import annotations

import re

from pipeline.intake.source import Source

_LIMIT = 65536
_PLAIN = {
    "": "txt",
    ".txt": "txt",
    ".text": "txt",
    ".log": "txt",
    ".csv": "csv",
    ".tsv": "csv",
    ".md": "md",
    ".markdown": "md",
}
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Beginnings of text that programs obey: never a document, never media.
OBEYED = re.compile(
    r"ffconcat\b|#EXTM3U|\[playlist\]|v=0\r?\n|%!|push graphic-context|viewbox \d|"
    r"#!|<\?php|<!doctype html|<html|<script|;?FFMETADATA|encoding [\"']",
    re.IGNORECASE,
)
_XML_PROLOG = re.compile(
    r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*", re.DOTALL
)
_ROOT = re.compile(r"<(?:[\w.-]+:)?(\w+)")
_XML_KINDS = {"svg": "svg", "xmpmeta": "xmp", "xapmeta": "xmp", "RDF": "xmp"}


def decoded(head: bytes) -> str | None:
    """`head` as text, if it is UTF-8 or UTF-16 (by its mark or its look) and nothing but text."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return _readable(head[len(bom) :], encoding)
    if head[:1] == b"<" and head[1:2] == b"\0":
        return _readable(head, "utf-16-le")
    if head[:2] == b"\0<":
        return _readable(head, "utf-16-be")
    return _readable(head, "utf-8")


def text(source: Source) -> str | None:
    """The kind of a file that is text all the way as far as we look; None if it is not."""
    content = decoded(source.at(0, _LIMIT))
    if content is None:
        return None
    content = content.lstrip()
    if content.startswith("<"):
        return _xml(content)
    if content.startswith("{"):
        return _takeout(content)
    if not content or OBEYED.match(content):
        return None
    return _PLAIN.get(source.extension)


def binary_plist(source: Source) -> str | None:
    """Apple's adjustments are property lists, at times binary; any other list is not kept."""
    return "aae" if b"adjustment" in source.at(0, _LIMIT) else None


def _readable(raw: bytes, encoding: str) -> str | None:
    """Decode, forgiving only a character cut in half at the very end."""
    if encoding.startswith("utf-16"):
        raw = raw[: len(raw) & ~1]
    try:
        content = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or error.start < len(raw) - 3:
            return None
        content = raw[: error.start].decode(encoding)
    is_clean = not any(c < " " and c not in "\t\n\r\f\x1b" for c in content)
    return content if is_clean else None


def _xml(content: str) -> str | None:
    prolog = _XML_PROLOG.match(content)
    root = _ROOT.match(content, prolog.end() if prolog else 0)
    if root is None:
        return None
    if root[1] == "plist":
        return "aae" if "<key>adjustment" in content else None
    return _XML_KINDS.get(root[1])


def _takeout(content: str) -> str | None:
    """Google's JSON: one kind tells of a picture, the other of the album it lies in."""
    if '"photoTakenTime"' in content and '"title"' in content:
        return "takeout-json"
    is_album = '"albumData"' in content or (
        '"title"' in content and '"date"' in content and '"access"' in content
    )
    return "takeout-album" if is_album else None
