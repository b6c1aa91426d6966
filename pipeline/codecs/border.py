"""Where decoders' own exceptions end: what comes out is `BadMedia` with a sentence for a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import DarkroomError, DecodeFailed

_MOST_WORDS = 160
_NUMBERED = re.compile(r"\[Errno -?\d+\]")
_SPEAKING = (OSError, ValueError, SyntaxError, RuntimeError)
_DAMAGED = "the file is damaged, or coded in a way that is not known here"
_HEADER = "its header is damaged"
_CUT = "the file is damaged or cut short"


@contextmanager
def decoding(what: str = "picture") -> Iterator[None]:
    """Turn whatever a decoder raises into `DecodeFailed`; lack of memory stays what it is."""
    try:
        yield
    except (DarkroomError, MemoryError):
        raise
    except Exception as error:  # border: decoders of strangers' files raise anything at all
        raise DecodeFailed(f"The {what} cannot be shown: {_plainly(error)}.") from error


def said(error: BaseException) -> str:
    """The decoder's own words where they were meant for people: one line, bounded."""
    if not isinstance(error, _SPEAKING) or isinstance(error, UnicodeError):
        return _DAMAGED
    words = " ".join(_NUMBERED.sub("", str(error)).split())
    if not any(letter.isalpha() for letter in words) or "cannot identify" in words:
        return _HEADER
    if words.startswith("Invalid data found"):  # FFmpeg's way to say nothing
        return _CUT
    return words[:_MOST_WORDS].rstrip(" .:")


def _plainly(error: BaseException) -> str:
    """Plain words first; what only an expert understands follows in brackets."""
    words = said(error)
    return words if words in (_DAMAGED, _HEADER, _CUT) else f"{_DAMAGED} ({words})"
