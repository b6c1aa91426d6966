"""A family's pictures for the search of look-alikes: signed rows in a state, and their shots."""

from __future__ import annotations

import sqlite3
import uuid
from typing import Any

from pipeline.codecs.phash import Signature
from pipeline.events import FileStudied
from pipeline.state import events, studies
from pipeline.state.signatures import Shot
from tests.kit.state import AT, OWNER, add_file


def an_id(number: int) -> str:
    """A file id; a smaller number is an older file."""
    return str(uuid.UUID(int=number))


def shot(number: int, signature: Signature, **more: Any) -> Shot:
    """A picture nothing else is known of; `more` are fields."""
    values: dict[str, Any] = {
        "file_id": an_id(number),
        "owner_id": OWNER,
        "phash": signature.phash,
        "detail": signature.detail,
        "bundle_id": None,
        "taken_at": None,
        "taken_from": None,
        "camera": None,
        "burst_id": None,
        "exposure_bias": None,
        **more,
    }
    return Shot(**values)


def add_signed(
    con: sqlite3.Connection, number: int, signature: Signature, owner: str = OWNER, **more: Any
) -> str:
    """A studied photo in the state, as recording leaves it; its id."""
    file_id = an_id(number)
    add_file(con, file_id, owner, **more)
    studies.sign(con, file_id, signature.phash, signature.detail)
    events.append(con, FileStudied(file_id, file_id, "jpeg"), actor="flow", at=AT)
    return file_id
