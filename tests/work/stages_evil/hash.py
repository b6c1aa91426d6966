"""A gate as small as can be: SHA-256 of the file."""

from __future__ import annotations

import hashlib

from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """The digest of the bytes."""
    return Done({"sha256": hashlib.sha256(subject.path.read_bytes()).hexdigest()})


STAGE = Stage("hash", 1, run, frozenset(Category))
