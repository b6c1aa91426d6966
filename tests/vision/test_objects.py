"""The things in a photo: real models on real photos, and pictures of every odd kind."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.model import Done, JsonObject, Skip
from pipeline.vision.detect import fusion, things
from pipeline.vision.detect.boxes import Seen, nothing, overlaps, thinned
from tests.kit import media
from tests.kit.visits import visit

ZEBRA, DOG, PERSON = 22, 16, 0


@pytest.fixture
def coco(corpus: Path) -> Path:
    """Labelled photos beside the corpus."""
    return corpus.parent / "eval" / "coco"


def looked(path: Path, workdir: Path, models: Path | None) -> JsonObject:
    """The facts of the stage."""
    outcome = visit(path, workdir, "objects", models=models)["objects"]
    assert isinstance(outcome, Done), outcome
    return outcome.facts


def seen(*rows: tuple[int, float, tuple[float, ...]]) -> Seen:
    """What a detector saw: kind, score, corners."""
    kinds, scores, corners = zip(*rows, strict=True)
    return Seen(np.array(kinds), np.array(scores), np.array(corners, np.float32))


def test_things_of_a_real_photo(coco: Path, models: Path, tmp_path: Path) -> None:
    """The dog and the bench of a photo are named, boxes lie where they are, and who says so."""
    facts = looked(coco / "images" / "000000000109.jpg", tmp_path, models)
    labels = {thing["label"] for thing in facts["objects"]}
    assert "person" in labels
    for thing in facts["objects"]:
        left, top, width, height = thing["box"]
        assert left >= 0 <= top
        assert left + width <= 1.0001 >= top + height
        assert 0 < thing["score"] <= 1
    assert "ssd" in facts["model"]
    assert "centernet" in facts["model"]


def test_tags_are_right(coco: Path, models: Path) -> None:
    """On some of the labelled photos, what is told is right as often as was promised."""
    from pipeline.codecs.decode import decode

    cv2.setNumThreads(1)
    right = told = 0
    for path in sorted((coco / "images").glob("*.jpg"))[:16]:
        label = coco / "labels" / f"{path.stem}.txt"
        truth = {things.COCO[int(line.split()[0])] for line in label.read_text().splitlines()}
        pixels = decode(path.read_bytes(), "jpeg", things.SIDE).fit(things.SIDE)
        found = {thing.label for thing in things.find(models, pixels).things}
        right, told = right + len(found & truth), told + len(found)
    assert told > 20
    assert right / told >= 0.93


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_turned_photos(turn: int, coco: Path, models: Path, tmp_path: Path) -> None:
    """A photo that is stored lying down is looked at upright."""
    pixels = np.asarray(Image.open(coco / "images" / "000000000034.jpg"))  # a zebra
    stored = {1: 0, 3: 2, 6: 1, 8: 3}[turn]
    path = tmp_path / "zebra.jpg"
    path.write_bytes(media.jpeg(np.rot90(pixels, stored).copy(), turn))
    (tmp_path / "work").mkdir()
    (zebra, *_) = looked(path, tmp_path / "work", models)["objects"]
    assert zebra["label"] == "zebra"


def _odd_pictures() -> dict[str, bytes]:
    grey = media.scene(90, 70)[:, :, 0]
    wide = np.tile(media.scene(64, 40), (1, 40, 1))
    cmyk = Image.fromarray(media.scene()).convert("CMYK")
    deep = Image.fromarray(grey.astype(np.uint16) << 8)
    clear = Image.fromarray(np.dstack([media.scene(), np.zeros((64, 96), np.uint8)]))
    return {
        "dot.png": media.saved(media.scene(1, 1), "PNG"),
        "line.png": media.saved(np.zeros((1, 999, 3), np.uint8), "PNG"),
        "column.png": media.saved(np.zeros((999, 1, 3), np.uint8), "PNG"),
        "wide.jpg": media.jpeg(wide),
        "grey.jpg": media.jpeg(grey),
        "palette.gif": media.gif(),
        "cmyk.jpg": _saved(cmyk, "JPEG"),
        "deep.png": _saved(deep, "PNG"),
        "clear.png": _saved(clear, "PNG"),
        "odd.png": media.saved(media.scene(333, 217), "PNG"),
    }


def _saved(image: Image.Image, kind: str) -> bytes:
    import io

    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(_odd_pictures()))
def test_odd_pictures(name: str, models: Path, tmp_path: Path) -> None:
    """No size, depth or colour model breaks the stage."""
    path = tmp_path / name
    path.write_bytes(_odd_pictures()[name])
    (tmp_path / "work").mkdir()
    assert isinstance(looked(path, tmp_path / "work", models)["objects"], list)


@pytest.mark.parametrize("has_folder", [False, True])
def test_without_the_model(has_folder: bool, tmp_path: Path) -> None:
    """The stage is skipped, not for good, with the sentence that mends it."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(media.jpeg())
    (tmp_path / "work").mkdir()
    folder = tmp_path if has_folder else None
    outcome = visit(path, tmp_path / "work", "objects", models=folder)["objects"]
    assert isinstance(outcome, Skip)
    assert not outcome.is_final
    assert "darkroom models fetch" in outcome.why


def test_a_swapped_model_is_not_used(models: Path, tmp_path: Path) -> None:
    """A model file that was changed skips the stage and never answers."""
    folder = tmp_path / "models"
    folder.mkdir()
    for one in models.glob("*.onnx"):
        (folder / one.name).symlink_to(one)
    (folder / "centernet-mobilenet-v3-coco.onnx").unlink()
    (folder / "centernet-mobilenet-v3-coco.onnx").write_bytes(b"something else")
    path = tmp_path / "photo.jpg"
    path.write_bytes(media.jpeg())
    (tmp_path / "work").mkdir()
    outcome = visit(path, tmp_path / "work", "objects", models=folder)["objects"]
    assert isinstance(outcome, Skip)
    assert "cut or changed" in outcome.why


def test_a_panorama_is_looked_at_in_parts(coco: Path, models: Path) -> None:
    """What is small in a very wide picture is still found, and told where it is in the whole."""
    zebra = cv2.cvtColor(cv2.imread(str(coco / "images" / "000000000034.jpg")), cv2.COLOR_BGR2RGB)
    height, width, _ = zebra.shape
    panorama = np.full((height, 4 * width, 3), 110, np.uint8)
    panorama[:, 2 * width : 3 * width] = zebra
    (zebra_box,) = (t.box for t in things.find(models, panorama).things if t.label == "zebra")
    left, _, across, _ = zebra_box
    assert left == pytest.approx(0.5, abs=0.02)
    assert left + across == pytest.approx(0.67, abs=0.02)


# --- two detectors, one answer -------------------------------------------------------------------

WHOLE, LEFT, RIGHT = (0.1, 0.1, 0.9, 0.9), (0.0, 0.0, 0.4, 0.9), (0.5, 0.0, 1.0, 0.9)


def test_both_must_say_so() -> None:
    """One detector alone must be very sure; two that agree need not be."""
    weak = seen((DOG, 0.45, WHOLE))
    assert fusion.fuse(weak, nothing()) == []
    assert fusion.fuse(nothing(), weak) == []
    (dog,) = fusion.fuse(weak, weak)
    assert dog.kind == DOG
    assert dog.score >= fusion.SURE


def test_agreement_raises_and_a_rival_lowers() -> None:
    """More evidence never lowers the probability; a rival in the same box does."""
    alone = fusion.probability(0.6, 0.3, 0.02)
    assert fusion.probability(0.6, 0.5, 0.02) > alone
    assert fusion.probability(0.8, 0.3, 0.02) > alone
    first = seen((DOG, 0.6, WHOLE), (ZEBRA, 0.55, WHOLE), (PERSON, 0.9, RIGHT))
    assert fusion.evidence(first, nothing(), DOG) == (0.6, pytest.approx(0.02), 0.55)


def test_one_thing_is_told_once() -> None:
    """Boxes of both detectors around one thing become one, between the two."""
    first = seen((PERSON, 0.9, LEFT), (PERSON, 0.8, RIGHT))
    second = seen((PERSON, 0.9, (0.0, 0.0, 0.44, 0.9)), (PERSON, 0.7, RIGHT))
    told = fusion.fuse(first, second)
    assert len(told) == 2
    assert told[0].corners[2] == pytest.approx(0.42)
    assert told[0].score >= told[1].score


def test_boxes() -> None:
    """Overlap is shared over joint area; of boxes that cover each other the best one stays."""
    assert overlaps(np.array([[0, 0, 2, 1]]), np.array([[1, 0, 3, 1]]))[0, 0] == pytest.approx(
        1 / 3
    )
    many = seen((DOG, 0.5, WHOLE), (DOG, 0.9, WHOLE), (ZEBRA, 0.7, WHOLE), (DOG, 0.6, LEFT))
    kept = thinned(many, 0.5)
    assert [(int(k), float(s)) for k, s in zip(kept.kinds, kept.scores, strict=True)] == [
        (DOG, 0.9),
        (ZEBRA, 0.7),
        (DOG, 0.6),
    ]
    assert len(thinned(nothing(), 0.5)) == 0
