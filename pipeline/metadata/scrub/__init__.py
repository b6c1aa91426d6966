"""Taking out of a file where it was made and whose it is, without touching what it shows.

Bytes are overwritten in place: nothing moves, so every offset stays right and the coded picture is
the same to the byte. What cannot be looked into is taken out as a whole; what cannot be scrubbed
safely is refused, never half done. Pure functions from bytes to patches, run in workers.
Read first: `wishes.py`, `plan.py`, then `names.py`.
"""

__all__ = ["plan", "wishes"]
