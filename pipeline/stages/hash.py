"""The gate: who is this file? SHA-256 of exactly the bytes that the decoders then see.

What is empty, unknown or changing does not get past it.
"""

from __future__ import annotations

import hashlib

from pipeline.intake import kind
from pipeline.model import Category, Done, Outcome, Reject
from pipeline.stages.contract import Stage
from pipeline.stages.subject import Subject

_CHUNK = 1 << 20


def run(subject: Subject) -> Outcome:
    """Facts: `sha256` as hexadecimal text and `format` by its stable name."""
    if subject.format.category is Category.UNKNOWN:
        return Reject(_why_unknown(subject))
    return Done({"sha256": _digest(subject), "format": subject.format.name})


def _digest(subject: Subject) -> str:
    if subject.is_held:
        return hashlib.sha256(subject.data()).hexdigest()
    digest = hashlib.sha256()
    with subject.stream() as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _why_unknown(subject: Subject) -> str:
    with subject.stream() as file:
        head = file.read(kind.HEAD_BYTES)
    return kind.explain_unknown(head, subject.name, subject.size)


STAGE = Stage("hash", 1, run, frozenset(Category))
