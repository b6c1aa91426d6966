"""FaceRes, MobileNet on faces, from its TensorFlow.js form: only what tells people apart.

What it says of age and gender is left out, so that nothing of it can ever be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.vision.convert import tfjs


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the network up to its last maps; `vision.faces.embed` averages them its own way."""
    tfjs.convert(sources, target, ("conv_pw_13_relu/clip_by_value",))
