"""What a cosine between two embeddings means: the same person, perhaps, or somebody else.

Measured by `bench/accuracy/faces.py` on 20 people with 10 portraits each, 900 pairs of one person
and 19,000 of two. Plain arithmetic without any library, so that the state may use it too.
"""

from __future__ import annotations

import math

# Of one pair: 0.33 % of different people are that alike, 93 % of the same. As an average between
# groups: all 20 come out pure from .65 on, and whole enough (recall .85 and more) up to .72.
SAME = 0.69
# Of one pair: 4 % of different people and 99 % of the same are that alike. As an average: between
# no two people was it above .643, within none below .747.
DOUBTFUL = 0.64

_MIDDLE, _SLOPE = 0.658, 68.8  # logistic regression with both kinds of pairs weighing the same


def same_probability(cosine: float) -> float:
    """How likely two faces with this cosine are one person, where both were equally likely."""
    return 1.0 / (1.0 + math.exp(-_SLOPE * (cosine - _MIDDLE)))
