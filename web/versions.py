"""Versions over HTTP: an ETag that changes with all that is shown, and holds what to edit by.

Counts beside a title change more often than what people edit; whoever changes the title must not be
refused because somebody wrote a comment meanwhile.
"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel

from pipeline.errors import Stale
from web.contract import Answer, Asked


def versioned(body: BaseModel, version: int, **more: str) -> Answer:
    """The answer with its ETag; `more` are headers, with `_` for `-`."""
    digest = hashlib.blake2b(body.model_dump_json().encode(), digest_size=9).hexdigest()
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return Answer(body, etag=f"{version}-{digest}", headers=headers)


def seen(asked: Asked) -> int | None:
    """The version that the caller has seen, from `If-Match`; None: any.

    Raises `Stale` for an ETag that was never given out.
    """
    told = asked.if_match
    if told is None:
        return None
    number = told.partition("-")[0]
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise Stale("This is no version of it; nothing was changed.", hint="Look at it again.")
    return int(number)
