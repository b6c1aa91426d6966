"""CenterNet on MobileNetV3 for 80 kinds of things, from its TensorFlow.js form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.vision.convert import tfjs


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the network up to its two maps; the peaks are found by `detect.centres`."""
    tfjs.convert(sources, target, ("tower_0/keypoints", "tower_0/wh"))
