"""How faces are looked for, with a network that answers as it is told: no model file is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.vision.faces import crop, detect, peaks, similarity
from pipeline.vision.faces.peaks import Face

Array = NDArray[Any]


class Told:
    """A network that sees one face wherever a picture is bright, as sure as it is bright."""

    def __init__(self, score_of_bright: float = 0.9, count: int = 1) -> None:
        self.looks: list[tuple[int, int]] = []
        self._score, self._count = score_of_bright, count

    def run(self, *inputs: Array) -> list[Array]:
        """The four maps."""
        (blob,) = inputs
        height, width = blob.shape[2] // 4, blob.shape[3] // 4
        self.looks.append((blob.shape[3], blob.shape[2]))
        heat = np.zeros((1, 1, height, width), np.float32)
        scale = np.full((1, 2, height, width), np.log(4.0), np.float32)  # 16 pixels
        for number in range(self._count):
            row, column = height // 4, width // 8 + number * (width // (2 * self._count))
            if blob[0, 0, row * 4, column * 4] > 128:
                heat[0, 0, row, column] = self._score
        return [heat, scale, np.zeros_like(scale), np.full((1, 10, height, width), 0.5, np.float32)]


def bright(width: int, height: int) -> Array:
    """A white picture."""
    return np.full((height, width, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("size", "looked_at"),
    [
        ((4000, 3000), (640, 480)),
        ((23, 28), (192, 224)),
        ((300, 200), (608, 416)),
        ((1, 1), (224, 224)),
        ((9000, 3), (640, 32)),
    ],
)
def test_a_look_has_the_pixels_the_network_can_use(
    size: tuple[int, int], looked_at: tuple[int, int]
) -> None:
    """Large pictures are reduced, tiny ones enlarged, and every side is a multiple of 32."""
    network = Told()
    detect.find_faces(network, bright(*size))
    assert network.looks[0] == looked_at


def test_a_picture_without_a_face_is_turned_once_each_way() -> None:
    """The looks at turned pictures are small ones, and nothing is looked at again."""
    network = Told()
    assert detect.find_faces(network, np.zeros((480, 640, 3), np.uint8)) == []
    assert network.looks == [(640, 480), (256, 320), (320, 256), (256, 320)]


def test_a_sure_face_costs_one_look() -> None:
    """An ordinary photo of a few people is looked at once."""
    network = Told(count=2)
    assert len(detect.find_faces(network, bright(1440, 1080))) == 2
    assert len(network.looks) == 1


def test_a_crowd_is_looked_at_again_with_more_pixels() -> None:
    """Many small faces are worth a second look, unless one look was asked for."""
    network = Told(count=6)
    assert len(detect.find_faces(network, bright(1440, 1080))) == 6
    assert network.looks == [(640, 480), (960, 736)]
    network.looks.clear()
    detect.find_faces(network, bright(1440, 1080), most_pixels=detect.FIRST_SIDE)
    assert network.looks == [(640, 480)]


def test_a_lone_weak_face_is_not_believed() -> None:
    """The same score counts in company of a sure face and not without; a caller may ask lower."""
    network = Told(score_of_bright=0.42)
    assert detect.find_faces(network, bright(640, 480)) == []
    assert len(detect.find_faces(network, bright(640, 480), least_score=0.2)) == 1


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_what_is_found_in_a_turned_picture_lies_where_it_is(quarters: int) -> None:
    """A face found after turning is told in pixels of the picture as it was given."""
    pixels = np.zeros((40, 70, 3), np.uint8)
    pixels[5:9, 50:60] = 255
    turned = np.rot90(pixels, quarters)
    rows, columns = np.nonzero(turned[:, :, 0])
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    marks = ((float(box[0]), float(box[1])),) * 5
    face = Face(tuple(map(float, box)), 0.9, marks)  # type: ignore[arg-type] # four by construction
    back = detect._turned_back(face, quarters, (70, 40))
    assert back.box == (50.0, 5.0, 60.0, 9.0)
    assert back.landmarks[0] in {(50.0, 5.0), (60.0, 5.0), (60.0, 9.0), (50.0, 9.0)}


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    """Non-maximum suppression keeps one box for one face, and both of two faces."""
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 0, 40, 10]], float)
    assert peaks.suppressed(boxes, np.array([0.5, 0.9, 0.4])) == [1, 2]


def test_maps_full_of_peaks_are_bounded() -> None:
    """A picture made so that everything looks like a face costs no more than a crowd."""
    side = 240
    maps = [
        np.random.default_rng(1).uniform(0.5, 1, (1, channels, side, side)).astype(np.float32)
        for channels in (1, 2, 2, 10)
    ]
    assert 0 < len(peaks.faces(maps, 0.3, (960, 960))) <= 3_000


def test_a_crop_is_upright_and_keeps_its_place() -> None:
    """A face that leans is turned upright around the middle of its box."""
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[40:60, 40:60] = 100
    pixels[48:52, 56:60] = 255  # what is at the right becomes the top
    face = Face(
        (40.0, 40.0, 60.0, 60.0),
        0.9,
        ((56.0, 46.0), (56.0, 54.0), (50.0, 50.0), (44.0, 46.0), (44.0, 54.0)),
    )
    seen = crop.square(pixels, face, 48)
    rows, columns = np.nonzero(seen[:, :, 0] > 200)
    assert abs(columns.mean() - 23.5) < 1.0
    assert rows.mean() < 10


def test_large_faces_are_reduced_without_aliasing() -> None:
    """Lines finer than the crop's pixels become grey, not stripes."""
    pixels = np.zeros((1200, 1200, 3), np.uint8)
    pixels[::2] = 255
    marks = ((500.0, 500.0), (700.0, 500.0), (600.0, 600.0), (520.0, 700.0), (680.0, 700.0))
    seen = crop.square(pixels, Face((200.0, 200.0, 1000.0, 1000.0), 0.9, marks), 224)
    assert seen[20:-20, 20:-20].std() < 12


def test_likelihood_rises_with_the_cosine() -> None:
    """The bars are in order, and mean what they say."""
    chances = [similarity.same_probability(step / 20) for step in range(-20, 21)]
    assert chances == sorted(chances)
    assert similarity.DOUBTFUL < similarity.SAME
    assert similarity.same_probability(similarity.SAME) > 0.8
    assert similarity.same_probability(similarity.DOUBTFUL) < 0.5
