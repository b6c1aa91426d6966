"""The library on disk, and everything that may change it.

`fsops` is the only module that copies, links, renames, trashes or deletes; `placing` is the commit
protocol (DESIGN section 3): at every instant each photo exists, whole and verified, in at least one
place. Read first: `fsops.py`, then `placing.py`.
"""

__all__ = [
    "below",
    "duplicates",
    "exact",
    "fsops",
    "journal",
    "moving",
    "names",
    "placing",
    "planning",
    "quarantine",
    "recover",
    "renaming",
    "rescan",
    "similar",
    "similar_index",
    "trash",
    "verify",
]
