"""One component of a path, safe on every disk, screen and sync program a family may use.

Pure. What comes out is never empty, never ".", "..", hidden, an option or a reserved name, has no
character that FAT, NTFS or APFS refuse or that a screen misrenders, and is at most `LIMIT` bytes.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 255  # bytes of one name on nearly every file system
UNNAMED = "unnamed"
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)
_JOINERS = "\u200c\u200d"  # Persian words and family emoji need them
_HARMFUL_FIRST = "-.@~"  # options, hidden files, response files, home folders


def safe(text: str) -> str:
    """`text` as a component. Idempotent; bytes that were no UTF-8 become readable letters."""
    text = unicodedata.normalize("NFC", readable(text))
    text = _FORBIDDEN.sub("_", "".join(map(_visible, text)))
    text = cut(text.strip(" "), LIMIT).rstrip(". ")
    if text and text[0] in _HARMFUL_FIRST:
        text = f"_{text[1:]}"
    if _RESERVED.fullmatch(text.partition(".")[0].rstrip(" ")):
        text = cut(f"_{text}", LIMIT).rstrip(". ")
    return text or UNNAMED


def readable(text: str) -> str:
    """Text from `os.fsdecode`, with bytes that are no UTF-8 read as the old Windows letters."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_letter(character) for character in text)
    return text


def cut(text: str, limit: int) -> str:
    """The longest beginning of `text` of at most `limit` bytes that ends between characters."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    kept = encoded[: max(limit, 0)].decode(errors="ignore")
    rest = text[len(kept) :]
    while kept and rest and _continues(kept[-1], rest[0]):
        kept, rest = kept[:-1], kept[-1] + rest
    return kept


def key(path: str) -> str:
    """Two paths with one key are one file to some disk: case and composition do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _letter(character: str) -> str:
    """A lone surrogate of `os.fsdecode` as the letter it was in Windows-1252, else unchanged."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return bytes([code - 0xDC00]).decode("cp1252", "replace")
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else character


def _continues(last: str, following: str) -> bool:
    """Would a cut between these two tear what a person sees as one character?"""
    return (
        unicodedata.combining(following) > 0
        or following == "\u200d"
        or last == "\u200d"
        or "\ufe00" <= following <= "\ufe0f"
        or "\U0001f3fb" <= following <= "\U0001f3ff"
    )


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r":
        return " "
    if category in ("Cc", "Cs", "Cn") or (category == "Cf" and character not in _JOINERS):
        return ""
    return character
