"""Faces followed through a film: hidden wherever they may be, for as long as they may be seen."""

from __future__ import annotations

import pytest

from pipeline.vision.tracks import Box, Track, followed

STEP, LEAD, GAP = 4, 12, 36


def face(x: float, y: float = 0.4, size: float = 0.1) -> Box:
    """A face whose upper left corner lies here."""
    return x, y, x + size, y + size


def covers(hidden: Box | None, box: Box) -> bool:
    """Does what is hidden cover all of the box?"""
    if hidden is None:
        return False
    left, top, right, bottom = hidden
    return left <= box[0] and top <= box[1] and right >= box[2] and bottom >= box[3]


def test_a_face_is_covered_on_its_way() -> None:
    """Between two looks too, at whatever speed it goes there."""
    seen = [(n, [face(0.1 + 0.01 * n)]) for n in range(0, 41, STEP)]
    (track,) = followed(seen, GAP)
    for frame in range(41):
        assert covers(track.at(frame, STEP, LEAD), face(0.1 + 0.01 * frame)), frame


def test_a_face_missed_for_a_moment_stays_hidden() -> None:
    """A blink of the detector shows nobody."""
    seen = [(n, [] if 12 <= n <= 28 else [face(0.3 + 0.002 * n)]) for n in range(0, 61, STEP)]
    (track,) = followed(seen, GAP)
    assert all(covers(track.at(n, STEP, LEAD), face(0.3 + 0.002 * n)) for n in range(61))


def test_a_face_is_hidden_before_and_after_it_was_seen() -> None:
    """Half a second more on both sides, then the picture is left alone."""
    (track,) = followed([(20, [face(0.2)]), (24, [face(0.2)])], GAP)
    assert covers(track.at(20 - LEAD, STEP, LEAD), face(0.2))
    assert covers(track.at(24 + LEAD, STEP, LEAD), face(0.2))
    assert track.at(20 - LEAD - 1, STEP, LEAD) is None
    assert track.at(24 + LEAD + 1, STEP, LEAD) is None


def test_two_people_are_two_tracks() -> None:
    """Who passes another is not mistaken for them, and a far face is no near one."""
    seen = [
        (n, [face(0.1 + 0.005 * n), face(0.8), face(0.1, 0.1, 0.3)]) for n in range(0, 61, STEP)
    ]
    tracks = followed(seen, GAP)
    assert len(tracks) == 3
    assert all(len(track.frames) == 16 for track in tracks)


def test_who_comes_back_later_is_another_track() -> None:
    """Nobody is hidden where nobody was for longer than the gap."""
    tracks = followed([(0, [face(0.2)]), (GAP + 1, [face(0.2)])], GAP)
    assert [track.frames for track in tracks] == [(0,), (GAP + 1,)]


@pytest.mark.parametrize("times", [1, 20])
def test_hiding_gets_stronger_up_to_a_flat_patch(times: int) -> None:
    """A face that was found again is hidden more thoroughly."""
    track = Track((0,), (face(0.2),))
    for _ in range(times):
        track = track.stronger()
    assert track.strength == min(1 + times, 6)
