"""Copies in which no face can be found: whole visits with the real detector."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import decode, gate
from pipeline.codecs.gate import Expectations
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.write import containers, copy
from pipeline.metadata.write.blocks import Blocks
from pipeline.model import Done, JsonObject, Outcome, Reject, Skip
from pipeline.vision import blur as blurring
from pipeline.vision import networks
from pipeline.vision.faces.detect import find_faces
from tests.kit import media, told
from tests.kit.films import film
from tests.kit.models import models
from tests.kit.visits import visit

__all__ = ["models"]
_MORE = ("obama.jpg", "18.jpg", "2008_004176.jpg")
CHANGED = Expectations(is_same_picture=False, keeps_hdr=False, keeps_motion=False)


def _asked(
    tmp_path: Path, data: bytes, name: str, models: Path | None, **params: object
) -> tuple[Outcome, Path]:
    source, workdir = tmp_path / name, tmp_path / "work"
    source.write_bytes(data)
    workdir.mkdir()
    asked: dict[str, JsonObject] = {"blur": params}
    return visit(source, workdir, "blur", params=asked, models=models)["blur"], workdir


def _faces(data: bytes, models: Path) -> list[list[float]]:
    """Boxes as fractions, found as the stage that counts faces finds them."""
    fmt = kind.sniff(data)
    assert fmt is not None
    pixels = decode.decode(data, fmt.name, None).pixels
    height, width = pixels.shape[:2]
    found = find_faces(networks.network(models, "faces"), pixels)
    boxes = (face.box for face in found)
    return [
        [x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height] for x0, y0, x1, y1 in boxes
    ]


def _saved(corpus: Path, form: str) -> bytes:
    """Two people, small, in another format."""
    image = Image.open(corpus / "faces" / "two_people.jpg").convert("RGB")
    image.thumbnail((400, 400))
    pixels = np.asarray(image)
    if form == "heic":
        return media.heic(pixels)
    if form == "jxl":
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(pixels, level=90))
    return media.saved(pixels, form.upper(), **({"quality": 92} if form != "tiff" else {}))


@pytest.mark.parametrize(
    "name", ["two_people.jpg", *(pytest.param(n, marks=pytest.mark.long) for n in _MORE)]
)
def test_nothing_finds_a_face(corpus: Path, models: Path, tmp_path: Path, name: str) -> None:
    """The detector that found faces finds none; the copy is whole and says what it said."""
    original = (corpus / "faces" / name).read_bytes()
    assert _faces(original, models)
    outcome, workdir = _asked(tmp_path, original, name, models)
    assert isinstance(outcome, Done)
    made = workdir / outcome.made[0].name
    assert _faces(made.read_bytes(), models) == []
    assert len(outcome.facts["hidden"]) >= len(_faces(original, models))
    assert gate.check(tmp_path / name, made, CHANGED) == ()
    assert (tmp_path / name).read_bytes() == original


@pytest.mark.parametrize("form", ["png", "webp", "avif", "heic", "jxl", "tiff"])
def test_every_format(corpus: Path, models: Path, tmp_path: Path, form: str) -> None:
    """The copy is of the original's format."""
    outcome, workdir = _asked(tmp_path, _saved(corpus, form), f"people.{form}", models)
    assert isinstance(outcome, Done)
    made = (workdir / outcome.made[0].name).read_bytes()
    told_kind = kind.sniff(made)
    assert told_kind is not None
    assert told_kind.name == form
    assert _faces(made, models) == []


def test_no_other_picture_of_the_original_is_in_it(
    corpus: Path, models: Path, tmp_path: Path
) -> None:
    """Thumbnail, second picture, extended XMP, maker's note, IPTC preview, film: all show faces."""
    face = _saved(corpus, "jpeg")
    image = Image.open(io.BytesIO(face))
    image.thumbnail((160, 160))
    preview = media.jpeg(np.asarray(image))
    block = told.exif().replace(media.jpeg(media.scene(40, 30)), preview)
    block = block.replace(b"Apple iOS\0", b"Unknown!!\0")
    region = (
        b' xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" mwg-rs:Regions="Ann"'
    )
    xmp = told.XMP.replace(b' xmp:Rating="4"', b' xmp:Rating="4"' + region)
    shown = b"\x1c\2\xca" + len(preview).to_bytes(2, "big") + preview
    blocks = Blocks(block, xmp, None, told.IPTC + shown)
    original = containers.write(face, "jpeg", blocks) + preview + film({})
    outcome, workdir = _asked(tmp_path, original, "people.jpg", models)
    assert isinstance(outcome, Done)
    made = (workdir / outcome.made[0].name).read_bytes()
    assert original.count(b"\xff\xd8\xff") > 2
    assert made.count(b"\xff\xd8\xff") == 1
    assert b"ftyp" not in made
    assert b"mwg-rs:Regions" not in made
    assert b"Unknown!!" not in made
    fmt = kind.sniff(made)
    assert fmt is not None
    facts = read(made, fmt)
    assert facts.places
    assert facts.rating == 4
    assert facts.title == "Evening"


@pytest.mark.parametrize(
    ("policy", "is_told"), [("keep", True), ("private", False), ("none", False)]
)
def test_metadata_by_policy(
    corpus: Path, models: Path, tmp_path: Path, policy: str, is_told: bool
) -> None:
    """Place and owner go along, or do not."""
    face = _saved(corpus, "jpeg")
    original, _ = copy.carried(told.photo("jpeg"), "jpeg", face, "jpeg")
    outcome, workdir = _asked(tmp_path, original, "people.jpg", models, metadata=policy)
    assert isinstance(outcome, Done)
    made = (workdir / outcome.made[0].name).read_bytes()
    fmt = kind.sniff(made)
    assert fmt is not None
    facts = read(made, fmt)
    assert bool(facts.places) == is_told
    assert (told.SERIAL.encode() in made) == is_told
    assert (facts.model == "iPhone Test") == (policy != "none")


def test_known_faces_may_stay(corpus: Path, models: Path, tmp_path: Path) -> None:
    """All but those in `keep`: one face of two is left, and it is that one."""
    original = _saved(corpus, "jpeg")
    first, second = _faces(original, models)
    outcome, workdir = _asked(tmp_path, original, "a.jpg", models, faces="others", keep=[first])
    assert isinstance(outcome, Done)
    left = _faces((workdir / outcome.made[0].name).read_bytes(), models)
    assert len(left) == 1
    assert abs(left[0][0] - first[0]) < 0.05
    assert abs(left[0][0] - second[0]) > 0.05


def test_chosen_parts_only(corpus: Path, models: Path, tmp_path: Path) -> None:
    """The face that was chosen is hidden, the other stays."""
    original = _saved(corpus, "jpeg")
    first, second = _faces(original, models)
    outcome, workdir = _asked(tmp_path, original, "a.jpg", models, faces="chosen", boxes=[second])
    assert isinstance(outcome, Done)
    left = _faces((workdir / outcome.made[0].name).read_bytes(), models)
    assert len(left) == 1
    assert abs(left[0][0] - first[0]) < 0.05


def test_a_face_that_comes_back_is_hidden_better(corpus: Path, models: Path) -> None:
    """A start that hides nothing (a fault seeded on purpose) ends with nothing to be found."""
    pixels = decode.decode(_saved(corpus, "jpeg"), "jpeg", None).pixels
    network = networks.network(models, "faces")
    made = blurring.hidden_for_good(network, pixels, [], lambda p: p, lambda _: False)
    assert made.rounds > 1
    assert len(made.parts) >= 2
    assert blurring.look_closely(network, made.samples) == []


def test_a_face_that_always_comes_back_is_no_copy(models: Path) -> None:
    """Better none than one that shows it."""

    class Stubborn:
        def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
            shape = inputs[0].shape[2] // 4, inputs[0].shape[3] // 4
            heat = np.zeros((1, 1, *shape), np.float32)
            heat[0, 0, shape[0] // 2, shape[1] // 2] = 0.9
            scale = np.full((1, 2, *shape), 2.0, np.float32)
            empty = np.zeros((1, 2, *shape), np.float32)
            return [heat, scale, empty, np.zeros((1, 10, *shape), np.float32)]

    with pytest.raises(blurring.StillThere):
        blurring.hidden_for_good(Stubborn(), media.scene(), [], lambda p: p, lambda _: False)


def test_without_faces_there_is_no_copy(models: Path, tmp_path: Path) -> None:
    """Nothing to hide."""
    outcome, _ = _asked(tmp_path, media.jpeg(), "a.jpg", models)
    assert outcome == Skip("no face was found that is to be hidden")


def test_without_the_detector_nothing_is_promised(tmp_path: Path) -> None:
    """Asked again when the model is there."""
    outcome, _ = _asked(tmp_path, media.jpeg(), "a.jpg", None)
    assert isinstance(outcome, Skip)
    assert not outcome.is_final


@pytest.mark.parametrize(
    "params",
    [
        {"faces": "mine"},
        {"faces": "chosen"},
        {"boxes": [[0, 0, 2, 1]]},
        {"boxes": [[0, 0, 0, 1]]},
        {"metadata": "some"},
        {"face": "all"},
    ],
)
def test_wishes_are_checked(models: Path, tmp_path: Path, params: dict[str, object]) -> None:
    """A misspelt wish hides nothing and says so."""
    outcome, workdir = _asked(tmp_path, media.jpeg(), "a.jpg", models, **params)
    assert isinstance(outcome, Reject)
    assert list(workdir.iterdir()) == []


def test_animations_are_refused(models: Path, tmp_path: Path) -> None:
    """A face in the second frame would stay."""
    outcome, _ = _asked(tmp_path, media.gif(), "a.gif", models)
    assert isinstance(outcome, Reject)
