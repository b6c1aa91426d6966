"""Cursors: where a list goes on, opaque to clients, checked when they come back.

A cursor names the last thing seen, not a number of rows, so that a list is stable while things are
added, and the thousandth page costs what the first does.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field
from quart import Request

from web.contract import Taken
from web.problems import Problem

LARGEST_PAGE = 500
T = TypeVar("T")


class Paged(Taken):
    """Query parameters of every list."""

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100
    cursor: Annotated[str, Field(max_length=400)] | None = None


def cursor_of(values: Sequence[str | int | None]) -> str:
    """The cursor that stands for these values."""
    packed = json.dumps(list(values), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def cut(
    found: Sequence[T], limit: int, mark: Callable[[T], Sequence[str | int | None]]
) -> tuple[Sequence[T], str | None]:
    """The page, of rows that were asked for with one too many, and the cursor to go on with."""
    shown = found[:limit]
    return shown, cursor_of(mark(shown[-1])) if len(found) > limit else None


def values_of(cursor: str | None, kinds: Sequence[type]) -> list[str | int] | None:
    """What `cursor_of` was given, each of its kind; None without a cursor.

    Raises a 400 `Problem` for a cursor that was not made here.
    """
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _broken() from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise _broken()
    return values


def links(request: Request, cursor: str | None) -> dict[str, str]:
    """The `Link` header (RFC 8288) to the next page."""
    if cursor is None:
        return {}
    kept = [(k, v) for k, v in request.args.items(multi=True) if k != "cursor"]
    from urllib.parse import urlencode

    query = urlencode([*kept, ("cursor", cursor)])
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def _broken() -> Problem:
    return Problem(400, "This cursor was not given out here; begin without one.", "bad-cursor")
