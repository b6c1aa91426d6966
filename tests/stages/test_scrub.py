"""The stage that makes copies which do not tell where or whose: a whole visit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.scrub import plan as planning
from pipeline.metadata.write.pictures import coded
from pipeline.model import Done, JsonObject, Outcome, Reject
from pipeline.stages.scrub import STAGE
from tests.kit import media, told
from tests.kit.films import film
from tests.kit.talkative import SECRETS, TALKATIVE
from tests.kit.visits import visit

EXTENSION = {"jpeg": ".jpg", "tiff": ".tif"}
TAGS = {"com.apple.quicktime.location.ISO6709": "+48.8584+002.2919+035.500/"}


def _asked(tmp_path: Path, data: bytes, name: str, **params: object) -> tuple[Outcome, Path]:
    source, workdir = tmp_path / name, tmp_path / "work"
    source.write_bytes(data)
    workdir.mkdir()
    asked: dict[str, JsonObject] = {"scrub": params}
    return visit(source, workdir, "scrub", params=asked)["scrub"], workdir


@pytest.mark.parametrize("name", sorted(told.SILENT))
def test_a_scrubbed_copy_is_made(tmp_path: Path, name: str) -> None:
    """One file of the original's kind, without its place and owner; the original is untouched."""
    original = told.photo(name)
    file = f"photo{EXTENSION.get(name, '.' + name)}"
    outcome, workdir = _asked(tmp_path, original, file, owner=True)
    assert isinstance(outcome, Done)
    assert outcome.facts["location"] == "removed"
    made = (workdir / outcome.made[0].name).read_bytes()
    fmt = kind.sniff(made)
    assert fmt is not None
    assert fmt.name == name
    assert read(made, fmt).places == ()
    assert told.SERIAL.encode() not in made
    assert (tmp_path / file).read_bytes() == original
    if name == "jpeg":
        assert coded(made) == coded(original)


def test_a_film_is_scrubbed_without_encoding(tmp_path: Path) -> None:
    """Its length is the same to the byte."""
    original = film(TAGS)
    outcome, workdir = _asked(tmp_path, original, "film.mov")
    assert isinstance(outcome, Done)
    made = (workdir / outcome.made[0].name).read_bytes()
    assert len(made) == len(original)
    assert b"+48.85" not in made


def test_large_films_are_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film that is larger than what is held is mapped, copied and changed in place."""
    monkeypatch.setattr("pipeline.stages.subject.HELD_BYTES", 1000)
    outcome, workdir = _asked(tmp_path, film(TAGS), "film.mov", location="round", round_km=10)
    assert isinstance(outcome, Done)
    assert outcome.facts["location"] == "rounded"
    assert b"+48.8584+002.2919" not in (workdir / outcome.made[0].name).read_bytes()


def test_what_was_made_elsewhere_is_left_alone(tmp_path: Path) -> None:
    """Outside of all home zones nothing is made."""
    zone = {"lat": 0.0, "lon": 0.0, "radius_m": 500}
    outcome, _ = _asked(tmp_path, told.photo("jpeg"), "a.jpg", location="zones", zones=[zone])
    assert outcome == Done({"is_silent": True, "why": "it was not made inside a home zone"})


def test_a_silent_picture_needs_no_copy(tmp_path: Path) -> None:
    """What tells nothing is as good as scrubbed."""
    outcome, _ = _asked(tmp_path, media.jpeg(), "a.jpg", owner=True)
    why = "it tells nothing that was to be scrubbed"
    assert outcome == Done({"is_silent": True, "why": why})


@pytest.mark.parametrize("name", ["picture.bmp", "picture.jp2"])
def test_what_is_not_safe_is_refused(tmp_path: Path, name: str) -> None:
    """With a reason, and without a copy."""
    outcome, workdir = _asked(tmp_path, media.SEEDS[name](), name)
    assert isinstance(outcome, Reject)
    assert "cannot be scrubbed safely" in outcome.why
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize("params", [{"location": "somewhere"}, {"place": "all"}])
def test_wishes_are_checked(tmp_path: Path, params: dict[str, object]) -> None:
    """A misspelt wish scrubs nothing and says so."""
    outcome, workdir = _asked(tmp_path, told.photo("jpeg"), "a.jpg", **params)
    assert isinstance(outcome, Reject)
    assert list(workdir.iterdir()) == []


def test_a_scrubber_that_spoils_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that looks different is never handed out (a fault seeded on purpose)."""
    from pipeline.metadata.write.patch import Patch

    good = planning.plan

    def bad(data: bytes, fmt: object, wishes: object) -> planning.Plan:
        planned = good(data, fmt, wishes)  # type: ignore[arg-type]  # passed through
        spoilt = Patch(len(data) - 40, len(data) - 38, b"\0\0")
        patches = (*planned.patches, spoilt) if planned.patches else ()
        return planning.Plan(patches, True, planned.orders)

    monkeypatch.setattr(planning, "plan", bad)
    outcome, workdir = _asked(tmp_path, told.photo("jpeg"), "a.jpg")
    assert isinstance(outcome, Reject)
    assert "different" in outcome.why
    assert [path.stat().st_size for path in workdir.iterdir()] == [0]


@pytest.mark.parametrize("name", sorted(TALKATIVE))
def test_copies_of_all_kinds_are_made(tmp_path: Path, name: str) -> None:
    """Films, sounds, animations, RAW files, sidecars: one silent copy that shows or plays alike."""
    outcome, workdir = _asked(tmp_path, TALKATIVE[name](), name, owner=True)
    assert isinstance(outcome, Done), outcome
    made = (workdir / outcome.made[0].name).read_bytes()
    assert [s for s in SECRETS if s in made] == []


def test_a_raw_file_that_would_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the developed picture would differ, no copy is made (a fault seeded on purpose)."""
    from pipeline.codecs import raw

    monkeypatch.setattr(raw, "digest", lambda data: str(hash(bytes(data))))
    outcome, _ = _asked(tmp_path, TALKATIVE["camera.dng"](), "camera.dng", owner=True)
    assert isinstance(outcome, Reject)
    assert "different" in outcome.why


def test_edit_lists_are_not_for_others() -> None:
    """Of sidecars only those that can be looked into are taken."""
    assert not STAGE.applies(kind.FORMATS["aae"])
    assert not STAGE.applies(kind.FORMATS["takeout-json"])
    assert STAGE.applies(kind.FORMATS["xmp"])
