"""`darkroom dupes scan` itself: equal files in any folders, group by group. Reads only.

Start-up counts here: nothing is imported that a scan does not need.
"""

from __future__ import annotations

import sys

from bot.console import wording
from pipeline.library import exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def run(paths: Iterable[str | Path]) -> int:
    """Print the groups of equal files below `paths`; the exit status."""
    try:
        for line in lines(paths):
            sys.stdout.write(line)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing was changed.\n")
        return 130
    return 0


def lines(paths: Iterable[str | Path]) -> Iterator[str]:
    """What is said of each group, with an empty line behind it; at the end the sum."""
    wasted = 0
    for group in exact.find_identical(paths):
        wasted += group.reclaimable
        yield "".join(f"{wording.path(path)}\n" for path in group.paths) + "\n"
    yield f"{wording.size(wasted)} are stored more than once.\n"
