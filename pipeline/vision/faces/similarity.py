"""What a cosine between two embeddings means: the same person, perhaps, or somebody else.

Measured by `bench/accuracy/faces.py` on 20 people with 10 portraits each, 900 pairs of one person
and 19,000 of two. Plain arithmetic without any library, so that the state may use it too.
"""

from __future__ import annotations

import math

# Of one pair: 0.5 % of different people are that alike, 94 % of the same. As an average between two
# groups: 20 people come out pure at every bar from .69 to .78, and whole (recall .97) at this one.
SAME = 0.72
# Of one pair: 6 % of different people and 99 % of the same are that alike. As an average: between
# no two people was it above .684, within none below .776.
DOUBTFUL = 0.67

_MIDDLE, _SLOPE = 0.694, 72.3  # logistic regression with both kinds of pairs weighing the same


def same_probability(cosine: float) -> float:
    """How likely two faces with this cosine are one person, where both were equally likely."""
    return 1.0 / (1.0 + math.exp(-_SLOPE * (cosine - _MIDDLE)))
