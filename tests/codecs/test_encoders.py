"""Hardware encoders: probed, used, and left for a program as soon as they fail on a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.codecs import encoders, ffmpeg, gate, transcode_pieces, transcode_search
from pipeline.codecs.transcode_search import Choice, Trial
from pipeline.model import Done, Json
from tests.kit import encoder, footage, visits

Machine = Callable[[str], encoder.Card]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine whose card has a mood; what was found out about encoders is forgotten."""

    def built(mood: str) -> encoder.Card:
        card = encoder.card(tmp_path / "card", mood)
        monkeypatch.setattr(ffmpeg, "program", lambda: card.program)
        return card

    monkeypatch.setattr(transcode_search, "search", lambda *_: Choice(Trial(34, 90.0, 0.3), ()))
    encoders.works.cache_clear()
    yield built
    encoders.works.cache_clear()


def done(path: Path, work: Path, stage: str = "transcode", **params: Json) -> Done:
    """The stage's answer, which has to be a film."""
    work.mkdir()
    asked = {stage: {**({"min_gain": 0.05} if stage == "transcode" else {}), **params}}
    outcome = visits.visit(path, work, stage, params=asked)[stage]
    assert isinstance(outcome, Done), outcome
    return outcome


def test_a_card_that_works_is_used(tmp_path: Path, machine: Machine) -> None:
    """Tried out once, then given the whole film; the gate finds no fault."""
    card = machine("works")
    original = footage.film(tmp_path / "film.mp4")
    outcome = done(original, tmp_path / "work")
    assert (outcome.facts["encoder"], outcome.facts["gave_up"]) == ("hevc_nvenc", [])
    assert card.calls == ["hevc_nvenc?", "hevc_nvenc"]
    assert gate.check(original, tmp_path / "work" / outcome.made[0].name) == ()


def test_a_card_that_is_only_listed_is_never_used(tmp_path: Path, machine: Machine) -> None:
    """FFmpeg lists NVENC on every machine; without a card the program does the work."""
    card = machine("absent")
    outcome = done(footage.film(tmp_path / "film.mp4"), tmp_path / "work")
    assert (outcome.facts["encoder"], outcome.facts["gave_up"]) == ("libx265", [])
    assert card.calls == ["hevc_nvenc?"]


@pytest.mark.parametrize("mood", ["fails", "crashes", "drops pictures"])
def test_a_card_that_fails_on_a_film_gives_way(tmp_path: Path, machine: Machine, mood: str) -> None:
    """Whatever it does wrong, the film is made by the program, and the facts name the card."""
    machine(mood)
    original = footage.film(tmp_path / "film.mp4")
    outcome = done(original, tmp_path / "work")
    assert (outcome.facts["encoder"], outcome.facts["gave_up"]) == ("libx265", ["hevc_nvenc"])
    assert gate.check(original, tmp_path / "work" / outcome.made[0].name) == ()


def test_a_card_that_hangs_gives_way(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that never comes back costs its time limit, not the visit."""
    card = machine("hangs")
    assert encoders.works("hevc_nvenc")
    monkeypatch.setattr(encoders, "_PROBE_S", 1.0)
    outcome = done(footage.film(tmp_path / "film.mp4"), tmp_path / "work")
    assert outcome.facts["gave_up"] == ["hevc_nvenc"]
    assert card.calls == ["hevc_nvenc?", "hevc_nvenc"]


def test_no_film_is_coded_by_two(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that fails on the second piece: the first is coded anew as well."""
    monkeypatch.setattr(transcode_pieces, "_SHORTEST_S", 0.5)
    monkeypatch.setattr(transcode_pieces, "_PIXELS", 1)
    machine("fails later")
    original = footage.film(tmp_path / "film.mp4")
    outcome = done(original, tmp_path / "work")
    assert outcome.facts["gave_up"] == ["hevc_nvenc"]
    assert (outcome.facts["pieces"], outcome.facts["reused"]) == (4, 0)
    assert gate.check(original, tmp_path / "work" / outcome.made[0].name) == ()


def test_off_asks_no_card(tmp_path: Path, machine: Machine) -> None:
    """Who switches hardware off gets the program, without a try."""
    card = machine("works")
    outcome = done(footage.film(tmp_path / "film.mp4"), tmp_path / "work", hardware="off")
    assert outcome.facts["encoder"] == "libx265"
    assert card.calls == []


def test_web_copies_fall_back_too(tmp_path: Path, machine: Machine) -> None:
    """The same for H.264."""
    machine("fails")
    outcome = done(footage.film(tmp_path / "film.mp4"), tmp_path / "work", "proxy", side=54)
    assert (outcome.facts["encoder"], outcome.facts["gave_up"]) == ("libx264", ["h264_nvenc"])
    assert (tmp_path / "work" / "proxy.mp4").stat().st_size > 0
