"""Writing what media files say about themselves, without touching what they show.

`copy` carries an original's metadata over to a re-encoded copy, in any pair of formats;
`parity` tells what a copy lost.
Pure functions over bytes (`copy.copy_metadata` alone writes, and only the copy). Runs in workers.
Read first: `blocks.py`, `containers.py`, then `copy.py`.
"""

__all__ = ["blocks", "containers", "copy", "parity"]
