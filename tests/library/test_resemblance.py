"""Why pictures are held for alike, in words."""

from __future__ import annotations

from dataclasses import replace

from pipeline.library import resemblance
from pipeline.state.duplicates import Member, Pair

ONE = Member(
    file_id="1",
    state="done",
    path="2023/a.jpg",
    source="/in/a.jpg",
    size=1_000,
    format="jpeg",
    mime="image/jpeg",
    width=4000,
    height=3000,
    taken_at="2023-05-01T12:00:00Z",
    taken_from="exif",
    camera="Canon A1",
    has_place=False,
    bundle_id=None,
    bundle_role=None,
    found_at="2023-06-01T00:00:00Z",
)


def test_what_is_shared_is_said() -> None:
    """The likeness, the moment, the camera, the size and the format, each only where it is so."""
    small = replace(ONE, file_id="2", width=1000, height=751, format="png")
    assert resemblance.why([ONE, small], [Pair("1", "2", 3)]) == (
        "3 of 64 marks of the picture differ",
        "taken at the same moment with the same Canon A1",
        "the same picture in different sizes",
        "in different formats: jpeg, png",
    )
    later = replace(ONE, file_id="2", taken_at="2023-05-01T12:00:01Z")
    assert resemblance.why([ONE, later], [Pair("1", "2", 0)]) == (
        "nothing differs at a glance",
        "taken with the same Canon A1",
        "all 4000 x 3000 pixels",
    )


def test_nothing_is_claimed_that_nobody_knows() -> None:
    """Guessed moments and unknown sizes are no reason; a burst says that it is one."""
    guess = replace(ONE, taken_from="mtime", camera=None, width=None, height=None)
    other = replace(guess, file_id="2")
    assert resemblance.why([guess, other], [Pair("1", "2", 5)]) == (
        "5 of 64 marks of the picture differ",
    )
    frames = [ONE, replace(ONE, file_id="2", taken_at="2023-05-01T12:00:01Z")]
    assert resemblance.why(frames, [])[0] == "taken in one burst with Canon A1"
    assert resemblance.why([ONE], []) == ()
