"""Is the whole picture there? Flags a photo of which a decoder found only part.

The photo is kept and shown as far as it goes; flagging it is what this stage is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Reject
from pipeline.stages.contract import Stage
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Rejects, which for any stage but the gate means: keep and flag."""
    damage = subject.facts.get("preview", {}).get("damage")
    return Done() if damage is None else Reject(str(damage))


STAGE = Stage("whole", 1, run, frozenset((Category.PHOTO,)), applies, after=("preview",))
