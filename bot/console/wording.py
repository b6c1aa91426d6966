"""How numbers, times and paths are said on the terminal."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` and `pathlib` would show in the start of a scan
if TYPE_CHECKING:
    from pathlib import Path

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """`1234567` as "1.2 MB" (decimal units, as disks are sold)."""
    unit = 0
    while abs(count) >= 999.5 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return (
        f"{count:.0f} {_UNITS[unit]}"
        if unit == 0 or count >= 100
        else f"{count:.1f} {_UNITS[unit]}"
    )


def duration(seconds: float) -> str:
    """`3725` as "1 h 2 min"; short times keep a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`2, "photo"` as "2 photos"; thousands are grouped."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def path(value: str | Path) -> str:
    """A path as it can be printed: undecodable bytes and control characters made visible."""
    text = os.fsencode(value).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def moment(text: str | None) -> str:
    """A stored time, in the reader's own time zone, to the minute."""
    from datetime import datetime

    if not text:
        return "-"
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
