"""Facts, their merging in a bundle, and the columns of a file's row."""

from __future__ import annotations

import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata.camera import display
from pipeline.metadata.columns import columns
from pipeline.metadata.facts import (
    DateEvidence,
    Facts,
    Motion,
    PlaceEvidence,
    Region,
    TakenFrom,
)
from pipeline.metadata.merge import merge
from pipeline.model import BundleRole

sources = st.sampled_from(list(TakenFrom))
units = st.floats(0, 1)
words = st.text(max_size=20)
optional_words = st.none() | words.filter(bool)
facts = st.builds(
    Facts,
    dates=st.lists(st.builds(DateEvidence, sources, words, st.none() | st.integers(), units)).map(
        tuple
    ),
    places=st.lists(
        st.builds(PlaceEvidence, sources, st.floats(-90, 90), st.floats(-180, 180), st.none())
    ).map(tuple),
    make=optional_words,
    width=st.none() | st.integers(1, 100_000),
    orientation=st.none() | st.integers(1, 8),
    keywords=st.lists(words).map(tuple),
    regions=st.lists(st.builds(Region, words, words, units, units, units, units)).map(tuple),
    motion=st.none() | st.builds(Motion, st.integers(0), st.integers(0)),
    extra=st.dictionaries(words, words),
    notes=st.lists(words).map(tuple),
)


@given(facts)
def test_facts_survive_json(given_facts: Facts) -> None:
    """What goes into the state as text comes back as the same value."""
    text = json.dumps(given_facts.to_json())
    assert Facts.from_json(json.loads(text)) == given_facts


@given(st.lists(st.tuples(st.sampled_from(list(BundleRole)), facts), max_size=4))
def test_merge_and_columns_are_total(members: list[tuple[BundleRole, Facts]]) -> None:
    """Any bundle has facts, and any facts have columns, the same ones always."""
    merged = merge(members)
    assert set(columns(merged)) == set(columns(Facts()))
    assert merge(members) == merged


def test_sidecars_evidence_joins_and_its_words_win() -> None:
    """A Takeout JSON adds its date and place, an XMP sidecar overrules title and rating."""
    photo = Facts(
        dates=(DateEvidence(TakenFrom.NAME, "2023-10-06T08:30:00", None, 0.55),),
        title="IMG",
        width=10,
        keywords=("sea",),
    )
    takeout = Facts(
        dates=(DateEvidence(TakenFrom.TAKEOUT, "2023-10-06T06:30:00", 0, 0.92),),
        places=(PlaceEvidence(TakenFrom.TAKEOUT, 48.8584, 2.2919),),
        extra={"sidecar_for": "IMG.jpg", "favorite": True},
    )
    xmp = Facts(title="Holiday", rating=5, keywords=("sea", "sun"))
    members = [
        (BundleRole.SIDECAR, takeout),
        (BundleRole.PRIMARY, photo),
        (BundleRole.SIDECAR, xmp),
    ]
    merged = merge(members)
    assert (merged.title, merged.rating, merged.width) == ("Holiday", 5, 10)
    assert merged.keywords == ("sea", "sun")
    assert merged.extra == {"favorite": True}
    row = columns(merged)
    assert row["taken_at"] == "2023-10-06T08:30:00+02:00"
    assert row["lat"] == 48.8584


def test_other_members_only_fill_gaps() -> None:
    """A Live Photo's video tells the date only of a photo that has none of its own."""
    video = Facts(dates=(DateEvidence(TakenFrom.QUICKTIME, "2020-01-01T10:00:00", 60, 0.88),))
    dated = Facts(dates=(DateEvidence(TakenFrom.EXIF, "2020-01-01T10:00:02", None, 0.85),))
    bare = Facts(dates=(DateEvidence(TakenFrom.MTIME, "2024-01-01T00:00:00", 0, 0.1),))
    for photo, expected in ((dated, "2020-01-01T10:00:02"), (bare, "2020-01-01T10:00:00+01:00")):
        merged = merge([(BundleRole.PRIMARY, photo), (BundleRole.LIVE_VIDEO, video)])
        assert columns(merged)["taken_at"] == expected


def test_cameras_are_called_as_people_call_them() -> None:
    """No maker stands twice, shouts, or hides behind its holding company."""
    assert display("Apple", "iPhone 7") == "Apple iPhone 7"
    assert display("NIKON CORPORATION", "NIKON D70") == "Nikon D70"
    assert display("Canon", "Canon EOS 5D Mark III") == "Canon EOS 5D Mark III"
    assert display("SAMSUNG", "SM-C200") == "Samsung SM-C200"
    assert display("JK Imaging, Ltd.", "KODAK PIXPRO FZ201") == "Kodak PIXPRO FZ201"
    assert display("RICOH IMAGING COMPANY, LTD.  ", "PENTAX K-3 II") == "Pentax K-3 II"
    assert display("Nokia", "Nokia Lumia 800") == "Nokia Lumia 800"
    assert display(None, "FZ1") == "FZ1"
    assert display("OLYMPUS IMAGING CORP.", None) == "Olympus"
    assert display(None, "  ") is None


def test_columns_import_nothing_heavy() -> None:
    """The core decides on evidence without loading a media library."""
    code = (
        "import sys; from pipeline.metadata import columns, merge;"
        "print(sorted({'numpy', 'av', 'exiv2', 'PIL', 'tzfpy', 'pydantic', 'asyncio'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
