"""From a path on disk to a row in the state.

Holds roots and their markers, scanning and watching, stability, type by content, bundles, Takeout
and admission. Reads only; promises never to take an empty or wrong mount for "all files gone", and
never to leave the root it was given. Read first: `kind.py`, then `admit.py`.
"""

__all__ = ["admit", "bundles", "ignore", "kind", "roots", "scan", "stability", "watch"]
