"""FaceRes, MobileNet on faces, from its TensorFlow.js form: only what tells people apart.

What it says of age and gender is left out, so that nothing of it can ever be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.vision.convert import tfjs


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the network up to the averages of its last maps."""
    tfjs.convert(sources, target, ("global_pooling/Mean",))
