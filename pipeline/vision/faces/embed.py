"""From a face to 1024 numbers whose direction tells people apart.

FaceRes sees the face and its mirror image; its last maps are averaged over both and over all
places, and the result is brought to unit length. The maps hold what a ReLU let through, so few
large values drown the many small ones: their fourth roots are averaged (power normalisation;
Perronnin et al. 2010), which tells more of the labelled pairs right than averages do.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.vision.faces import crop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.codecs.picture import Pixels
    from pipeline.vision.faces.detect import Net
    from pipeline.vision.faces.peaks import Face

Array = NDArray[Any]

DIMENSIONS = 1024
_SIDE = 224
_LEAST_SIDE = 24.0  # pixels of the box
_PORTRAIT = 0.4  # of the picture's shorter side
_MOST = 80  # about 2.5 CPU seconds
_MEAN = np.array((123.68, 116.779, 103.939), np.float32)  # RGB, as the network was trained


def embed_worthy(network: Net, pixels: Pixels, faces: Sequence[Face]) -> list[Array | None]:
    """The vector of each face, None for those too small to be told from others.

    A face that fills a tiny picture is a portrait, and always worth it. Of a great crowd only the
    largest are.
    """
    least = min(_LEAST_SIDE, min(pixels.shape[:2]) * _PORTRAIT)
    largest = sorted(range(len(faces)), key=lambda index: -faces[index].short_side)[:_MOST]
    worthy = {index for index in largest if faces[index].short_side >= least}
    return [
        embed(network, pixels, face) if index in worthy else None
        for index, face in enumerate(faces)
    ]


def embed(network: Net, pixels: Pixels, face: Face) -> Array:
    """Unit vector of `DIMENSIONS` for one face of an RGB picture; about 30 ms."""
    seen = crop.square(pixels, face, _SIDE)
    both = np.stack((seen, seen[:, ::-1])).astype(np.float32) - _MEAN
    (maps,) = network.run(np.ascontiguousarray(both.transpose(0, 3, 1, 2)))
    features = np.sqrt(np.sqrt(np.maximum(maps, 0))).mean(axis=(0, 2, 3))
    length = float(np.linalg.norm(features))
    return np.asarray(features / length) if length else np.full(DIMENSIONS, DIMENSIONS**-0.5)


def packed(vector: Array) -> str:
    """A unit vector as text: base64 of little-endian float16."""
    return base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")


def unpacked(text: str) -> Array:
    """What `packed` wrote, as float32 of unit length."""
    vector = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    return vector / np.linalg.norm(vector)
