"""Any text a person may type, and any query there can be."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.finding.query import (
    During,
    Field,
    InState,
    Mark,
    Marked,
    Near,
    Not,
    OfType,
    Rated,
    Text,
    all_of,
    any_of,
)
from pipeline.model import Category, FileState

_SIGNS = ['"', "(", ")", "-", "OR", "AND", "NOT", "..", "*", ":", ",", ">=4", "\\", "\0", "\udcff"]
_FIELDS = ["tag:", "person:", "date:", "rating:", "near:", "before:", "is:", "type:"]
_WORDS = ["anna", "last", "summer", "july", "14", "2023", "2023-07-14", "48.1,2.3", "ä", "日本"]
PIECES = st.sampled_from(_SIGNS + _FIELDS + _WORDS + [" "] * 6)
TYPED = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)

PERIODS = st.sampled_from(["2019", "2020-02", "2023-07-14"])
WORDS = st.sampled_from(
    ["anna", "OR", "last", "2023", "may", "a b", 'q"\\', "-x", "(1)", "tag:a", "x*"]
)
LEAVES = st.one_of(
    st.builds(Text, WORDS, st.none() | st.sampled_from(Field), st.booleans()),
    st.builds(During, PERIODS, st.none()),
    st.builds(During, st.none(), PERIODS),
    PERIODS.map(lambda period: During(period, period)),
    st.tuples(st.integers(-1, 5), st.integers(-1, 5)).map(lambda pair: Rated(min(pair), max(pair))),
    st.builds(OfType, st.sampled_from(Category)),
    st.builds(InState, st.sampled_from(FileState)),
    st.builds(Marked, st.sampled_from(Mark)),
    st.builds(
        Near,
        *(st.integers(-most, most).map(lambda n: n / 10**6) for most in (90_000_000, 180_000_000)),
        st.integers(1, 20_000).map(lambda n: n / 1000),
    ),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.filter(lambda term: not isinstance(term, Not)).map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: all_of(*terms)),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: any_of(*terms)),
    ),
    max_leaves=8,
)
