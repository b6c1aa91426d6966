"""The look of our tone-mapping as a table, for programs that map films: one look everywhere.

A poster made by `colour.from_codes` and a film mapped by this table show the same colours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.codecs import colour

_SIDE = 33  # points along each colour: PQ and HLG are even to the eye, so straight lines suffice


def write_cube(path: Path, primaries: int, transfer: int) -> bool:
    """Write the 3D table (.cube, red fastest) from coded RGB to sRGB; False where none is needed.

    The codes are those of H.273.
    """
    develop = colour.from_codes(primaries, transfer)
    if develop is None:
        return False
    steps = np.round(np.linspace(0, 65535, _SIDE)).astype(np.uint16)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    codes = np.stack((red, green, blue), axis=-1).reshape(1, -1, 3)
    shown = develop(codes)[0] / 255.0
    rows = "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in shown.tolist())
    path.write_text(f"LUT_3D_SIZE {_SIDE}\n{rows}\n", encoding="ascii")
    return True
