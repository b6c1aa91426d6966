"""From a path on disk to a row in the state.

Holds roots and their markers, scanning and watching, stability, type by content, bundles, Takeout
and admission. Reads only, but for the marker of a root; promises never to take an empty or wrong
mount for "all files gone", and never to leave the root it was given. Read first: `kind.py` (what a
file is), then `sweep.py` and `admit.py` (the way in), then `bundles.py` (what belongs together).
"""

__all__ = [
    "admit",
    "bundles",
    "filesystems",
    "ignore",
    "joining",
    "kind",
    "roots",
    "scan",
    "stock",
    "sweep",
    "watch",
]
