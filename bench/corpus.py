"""Where benches find real photos: `DARKROOM_CORPUS`, else `shared/corpus` beside the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DEFAULT = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"


def location() -> Path:
    """The corpus; ends the bench with a clear line where there is none."""
    path = Path(os.environ.get("DARKROOM_CORPUS", DEFAULT))
    if not path.is_dir():
        sys.exit(f"no corpus at {path}; set DARKROOM_CORPUS")
    return path


def camera_photos() -> list[Path]:
    """Full-size JPEGs as cameras and phones wrote them."""
    return sorted((location() / "camera_6mp").glob("*.jpg"))
