"""A copy held against its original, by someone who did not make it; see `codecs/gate.py`.

The subject is the copy. Params: `original` (absolute path), and of what was promised `score`,
`target` (SSIMULACRA2) and `most_bytes`, where it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject

_NAME = "compare"


def run(subject: Subject) -> Outcome:
    """Facts: `faults`, each a sentence; none means that the copy may stand for the original."""
    from pipeline.codecs.gate import Expectations, check

    expected = Expectations(
        score=subject.param(_NAME, "score", None),
        target=subject.param(_NAME, "target", None),
        most_bytes=subject.param(_NAME, "most_bytes", None),
    )
    original = Path(str(subject.param(_NAME, "original", "")))
    faults = check(original, subject.path, expected)
    subject.check()
    return Done({"faults": [fault.message for fault in faults]})


STAGE = Stage(_NAME, 1, run, frozenset((Category.PHOTO, Category.VIDEO)), is_on_request=True)
