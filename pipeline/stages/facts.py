"""The facts of a file: when, where, with what, how large, how long. Reads headers, never pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.metadata.findings import Data
from pipeline.metadata.read import read
from pipeline.metadata.window import Window
from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `Facts.to_json()`, evidence included; damage becomes notes, never an error."""
    with _bytes(subject) as data:
        facts = read(data, subject.format, name=subject.name, mtime_ns=subject.mtime_ns)
    return Done(facts.to_json())


@contextmanager
def _bytes(subject: Subject) -> Iterator[Data]:
    """The shared bytes where they are held, else a window: a film may be larger than memory."""
    if subject.is_held:
        yield subject.data()
        return
    with subject.stream() as file:
        yield Window(file.fileno())


STAGE = Stage("facts", 2, run, frozenset(Category) - {Category.UNKNOWN})
