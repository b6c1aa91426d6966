"""Films in which no face can be found: whole visits with the real detector."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.codecs import blur as hiding
from pipeline.codecs import video
from pipeline.model import Done, Json, Outcome, Reject, Skip
from pipeline.vision import blur_film, networks
from pipeline.vision.faces.detect import find_faces
from tests.kit import footage
from tests.kit.models import models
from tests.kit.visits import visit

__all__ = ["models"]


@pytest.fixture(scope="module")
def portrait(corpus: Path) -> Path:
    """A man whom the detector finds in every size."""
    return corpus / "faces" / "obama.jpg"


def blurred(path: Path, work: Path, models: Path, **params: Json) -> Outcome:
    """The answer of the stage."""
    work.mkdir()
    return visit(path, work, "blur", params={"blur": params}, models=models)["blur"]


def made(outcome: Outcome, work: Path) -> Path:
    """The film that was made."""
    assert isinstance(outcome, Done), outcome
    (file,) = outcome.made
    return work / file.name


def frames(path: Path) -> Iterator[Any]:
    """Every picture, upright."""
    with av.open(path) as film:
        for frame in film.decode(video=0):
            yield video.upright(frame, 960)


def with_faces(path: Path, models: Path) -> list[int]:
    """The pictures in which a face is found, as the stage that counts faces finds them."""
    network = networks.network(models, "faces")
    return [n for n, pixels in enumerate(frames(path)) if find_faces(network, pixels)]


def sound(path: Path) -> str:
    """What is coded as sound, and when it is heard."""
    seen = hashlib.sha256()
    with av.open(path) as film:
        for packet in film.demux(audio=0):
            if packet.size:
                seen.update(f"{packet.pts} {packet.duration}".encode() + bytes(packet))
    return seen.hexdigest()


@pytest.mark.parametrize("turned", [True, pytest.param(False, marks=pytest.mark.long)])
def test_nothing_finds_a_face_in_any_picture(
    tmp_path: Path, models: Path, portrait: Path, turned: bool
) -> None:
    """Not only in those that were looked at; the sound is the same to the bit, the place gone."""
    original = footage.person(tmp_path / "film.mov", portrait, turned=turned)
    assert len(with_faces(original, models)) > 8
    copy = made(blurred(original, tmp_path / "work", models, metadata="private"), tmp_path / "work")
    assert with_faces(copy, models) == []
    assert sound(copy) == sound(original)
    assert b"+48.2082" in original.read_bytes()
    assert b"+48.2082" not in copy.read_bytes()
    before, after = list(frames(original)), list(frames(copy))
    assert len(before) == len(after)
    assert before[0].shape == after[0].shape
    corner = (slice(-40, None), slice(-40, None))
    far = [
        abs(a[corner].astype(int) - b[corner]).mean() for a, b in zip(before, after, strict=True)
    ]
    assert max(far[:5]) < 4, "what shows no face is as it was"


def test_what_was_missed_is_found_by_the_second_look(
    tmp_path: Path, models: Path, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded fault: the follower forgets half of the way, and the gate sends it back."""
    followed = blur_film.followed

    def forgetful(*asked: Any) -> Any:
        return [blur_film.Track(track.frames[:2], track.boxes[:2]) for track in followed(*asked)]

    monkeypatch.setattr(blur_film, "followed", forgetful)
    original = footage.person(tmp_path / "film.mov", portrait)
    outcome = blurred(original, tmp_path / "work", models)
    copy = made(outcome, tmp_path / "work")
    assert isinstance(outcome, Done)
    assert outcome.facts["rounds"] > 1
    assert with_faces(copy, models) == []


def test_no_copy_where_a_face_stays(
    tmp_path: Path, models: Path, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another seeded fault: nothing is hidden; nothing is handed out."""
    monkeypatch.setattr(blur_film, "hide", lambda samples, *_: samples)
    monkeypatch.setattr(blur_film, "_ROUNDS", 2)
    original = footage.person(tmp_path / "film.mov", portrait)
    outcome = blurred(original, tmp_path / "work", models)
    assert isinstance(outcome, Reject)
    assert "no copy was made" in outcome.why
    assert hiding.hide is not blur_film.hide


def test_a_film_without_faces_needs_no_copy(tmp_path: Path, models: Path) -> None:
    """Nothing is made where nothing is to be hidden."""
    original = footage.film(tmp_path / "film.mp4", seconds=1.0)
    outcome = blurred(original, tmp_path / "work", models)
    assert outcome == Skip("no face was found that is to be hidden")


def test_known_people_are_not_told_apart_in_films(
    tmp_path: Path, models: Path, portrait: Path
) -> None:
    """Who asks to leave some visible is told that films cannot do that."""
    original = footage.person(tmp_path / "film.mov", portrait)
    outcome = blurred(original, tmp_path / "work", models, faces="others")
    assert isinstance(outcome, Skip)
    assert "all faces are hidden or none" in outcome.why


def test_no_metadata_is_none(tmp_path: Path, models: Path, portrait: Path) -> None:
    """Without metadata not even the headers say when it was."""
    original = footage.person(tmp_path / "film.mov", portrait)
    copy = made(blurred(original, tmp_path / "work", models, metadata="none"), tmp_path / "work")
    with av.open(original) as before, av.open(copy) as after:
        assert "creation_time" in before.metadata
        assert "creation_time" not in after.metadata
        assert after.duration == before.duration
