"""Which of two pictures of the same thing is the better one. Pure: imports nothing heavy."""

from __future__ import annotations

from pipeline.model import JsonObject

_CLEARLY = 0.1  # of a part: smaller differences are chance
# In the order in which they decide: a sharp face with a grainy wall wins over the opposite.
_WORDS = {
    "faces": "sharper faces",
    "sharpness": "sharper",
    "exposure": "better exposed",
    "noise": "less noisy",
    "compression": "less compressed",
}
_WORTH = {"faces": 3.0, "sharpness": 3.0, "exposure": 2.0, "noise": 1.0, "compression": 0.5}


def better(quality_a: JsonObject | None, quality_b: JsonObject | None) -> float:
    """Above 0 where the first is better, below 0 where the second is, 0 where none clearly is.

    Both are facts of the stage `quality`; a part counts only where both have it.
    """
    shared = _differences(quality_a, quality_b)
    return sum(_WORTH[name] * difference for name, difference in shared.items())


def reasons(keeper: JsonObject | None, other: JsonObject | None) -> tuple[str, ...]:
    """In which respects the first is clearly better, in words, the weightiest first."""
    shared = _differences(keeper, other)
    return tuple(_WORDS[name] for name in _WORDS if shared.get(name, 0) > 0)


def _differences(one: JsonObject | None, other: JsonObject | None) -> dict[str, float]:
    """Part by part, first minus second, where it is more than chance."""
    ours, theirs = (one or {}).get("parts", {}), (other or {}).get("parts", {})
    found = {}
    for name in _WORTH:
        mine, its = ours.get(name), theirs.get(name)
        if mine is not None and its is not None and abs(mine - its) >= _CLEARLY:
            found[name] = float(mine - its)
    return found
