"""What people write into fields: titles, names, comments. Kept as meant, or refused.

Markup is not looked for: it is shown as it was typed, everywhere.
"""

from __future__ import annotations

import unicodedata

from pipeline.errors import Invalid

TITLE = 200
COMMENT = 2_000


def line(text: str, what: str, *, most: int = TITLE) -> str:
    """One line without space around it. Raises `Invalid` for nothing, and for too much."""
    told = " ".join(unicodedata.normalize("NFC", text).split())
    if not told:
        raise Invalid(f"The {what} is empty.")
    return _checked(told, what, most)


def lines(text: str, what: str, *, most: int = COMMENT) -> str:
    """Any number of lines, also none. Raises `Invalid` for too much."""
    told = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    return _checked(told, what, most)


def _checked(text: str, what: str, most: int) -> str:
    if len(text) > most:
        raise Invalid(f"The {what} is too long: {most:,} characters are the most.")
    if any(_is_unprintable(character) for character in text):
        raise Invalid(f"The {what} holds characters that nobody can see.")
    return text


def _is_unprintable(character: str) -> bool:
    """Control characters, halves of characters, and what turns the reading direction around."""
    if character == "\n":
        return False
    return (
        unicodedata.category(character) in ("Cc", "Cs") or character in "\u202a\u202b\u202d\u202e"
    )
