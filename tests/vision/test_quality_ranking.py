"""Of two pictures of the same thing the better one is told, with reasons, or none is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from pipeline.vision.quality import ranking


def _facts(**parts: float | None) -> dict[str, Any]:
    return {"score": 50, "parts": parts, "why": []}


def test_the_sharper_one_is_better() -> None:
    """A clear difference decides, whichever comes first."""
    sharp, soft = _facts(sharpness=0.9, noise=0.5), _facts(sharpness=0.3, noise=0.9)
    assert ranking.better(sharp, soft) > 0 > ranking.better(soft, sharp)
    assert ranking.reasons(sharp, soft) == ("sharper",)


def test_chance_decides_nothing() -> None:
    """Small differences, and parts only one of them has, are no reason."""
    one, other = _facts(sharpness=0.80, faces=0.9), _facts(sharpness=0.85, faces=None)
    assert ranking.better(one, other) == 0
    assert ranking.reasons(one, other) == ()


def test_what_is_not_known_is_no_reason() -> None:
    """A picture whose quality was never judged is neither better nor worse."""
    assert ranking.better(None, _facts(sharpness=1.0)) == 0
    assert ranking.better(None, None) == 0


def test_faces_weigh_most() -> None:
    """The frame with sharp faces wins over the one that is exposed a little better."""
    faces, light = _facts(faces=0.9, exposure=0.6), _facts(faces=0.3, exposure=0.9)
    assert ranking.better(faces, light) > 0
    assert ranking.reasons(faces, light) == ("sharper faces",)


def test_it_imports_nothing_heavy() -> None:
    """The library may ask it without paying for OpenCV or numpy."""
    code = (
        "import sys, pipeline.vision.quality.ranking; sys.exit('numpy' in sys.modules"
        " or 'cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
