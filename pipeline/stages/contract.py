"""What a stage is, and what it is given.

A stage is declared once, as `STAGE`, in its own module; `pipeline.registry` finds it. The worker
gives every due stage of a visit the same `Subject`, so that bytes are read once and pixels decoded
once. A stage that raises fails only itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import Category, Format, Outcome

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def every_format(_: Format) -> bool:
    """The default of `Stage.applies`: any format."""
    return True


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of reading or making.

    `version` is part of the key under which a result is remembered: raise it when the result of
    the same bytes changes. `after` names stages whose facts this one reads from the subject.
    A stage that `is_on_request` is no part of every visit: a job, a rule or a policy asks for it.
    """

    name: str
    version: int
    run: Callable[[Subject], Outcome]
    categories: frozenset[Category]
    applies: Callable[[Format], bool] = every_format
    after: tuple[str, ...] = ()
    is_on_request: bool = False
