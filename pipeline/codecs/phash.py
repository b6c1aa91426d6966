"""What a picture looks like, in 64 bits for searching and 534 bytes for a second look.

The hash holds the signs of the 64 lowest frequencies (a DCT as in pHash, but signs instead of a
median), so the hashes of the seven other orientations follow from it without the pixels. It is our
own arithmetic on one area-averaged resize: OpenCV 4 and 5 give the same bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 40  # one resize serves all: 40 = 2 * 20 (luma) = 5 * 8 (chroma)
LUMA = 20
CHROMA = 8
_HEADER = struct.Struct("<BBHH")  # layout, flags, width and height of the picture that was read
_LAYOUT = 1
_FLAT, _GRAY = 1, 2
DETAIL_BYTES = _HEADER.size + LUMA * LUMA + 2 * CHROMA * CHROMA

# A frequency counts as seen when it stands out of rounding and compression noise (grey levels,
# orthonormal DCT); a cell counts as drawn when it differs from the commonest grey by this much.
_SEEN = 3.0
_SEEN_MIN = 24
_DRAWN = 10.0
_DRAWN_MIN = 0.10
_COLOURLESS = 4.0  # Cb and Cr of a grey picture after a JPEG in colour


@dataclass(frozen=True, slots=True)
class Signature:
    """`phash` is a signed 64-bit number; `flat` says that it tells next to nothing."""

    phash: int
    detail: bytes
    flat: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """The unpacked second look: luma 20 x 20 and Cb, Cr 8 x 8 (around 0), float32, 0..255 scale."""

    luma: NDArray[np.float32]
    chroma: NDArray[np.float32]  # 2 x 8 x 8
    width: int
    height: int
    flat: bool
    gray: bool


def signature(rgb: NDArray[np.uint8]) -> Signature:
    """The signature of an upright picture: H x W x 3 RGB (or H x W grey), any size, sRGB."""
    planes = _planes(rgb)
    basis = _basis()
    lows = (basis @ planes.fine @ basis.T)[_ROWS, _COLUMNS]
    flat = _is_flat(planes.coarse, lows)
    height, width = rgb.shape[:2]
    return Signature(_pack(lows > 0), _detail(planes, (width, height), flat), flat)


def unpack(detail: bytes) -> Detail:
    """The second look as arrays. Raises ValueError for bytes that are not ours."""
    layout, flags, width, height = _HEADER.unpack_from(detail)
    if layout != _LAYOUT or len(detail) != DETAIL_BYTES:
        raise ValueError(f"not a picture signature: layout {layout}, {len(detail)} bytes")
    body = np.frombuffer(detail, np.uint8, offset=_HEADER.size).astype(np.float32)
    luma = body[: LUMA * LUMA].reshape(LUMA, LUMA)
    chroma = body[LUMA * LUMA :].reshape(2, CHROMA, CHROMA) - 128
    return Detail(luma, chroma, width, height, bool(flags & _FLAT), bool(flags & _GRAY))


def is_flat(detail: bytes) -> bool:
    """Whether the hash beside this detail tells next to nothing, without unpacking the rest."""
    return bool(detail[1] & _FLAT)


def distance(one: int, other: int) -> int:
    """How many of the 64 bits differ."""
    return ((one ^ other) & (1 << 64) - 1).bit_count()


def orientations(phash: int) -> list[int]:
    """The hashes of the picture in EXIF orientations 1 to 8; the first is `phash` itself.

    A mirrored picture has its odd frequencies negated, a transposed one has them swapped.
    """
    bits = np.unpackbits(np.array([phash], ">i8").view(np.uint8)).astype(bool)
    return [_pack(bits[take] ^ negate) for take, negate in _turns()]


def turn(plane: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """A square plane (or a stack of them) as EXIF `orientation` 1..8 shows it."""
    if orientation >= 5:
        plane = np.swapaxes(plane, -1, -2)
    if orientation in (2, 3, 6, 7):
        plane = plane[..., ::-1]
    if orientation in (3, 4, 7, 8):
        plane = plane[..., ::-1, :]
    return plane


# The 64 lowest frequencies: i + j <= 10 without the mean and without (5, 5), so that the set stays
# itself when the picture is transposed.
_FREQUENCIES = sorted(
    ((i, j) for i in range(11) for j in range(11 - i) if (i, j) not in ((0, 0), (5, 5))),
    key=lambda f: (f[0] + f[1], f),
)
_ROWS = np.array([i for i, _ in _FREQUENCIES])
_COLUMNS = np.array([j for _, j in _FREQUENCIES])


@cache
def _basis() -> NDArray[np.float32]:
    """The first 11 rows of the orthonormal DCT-II of length `SIDE`."""
    k, n = np.arange(11)[:, None], np.arange(SIDE)[None, :]
    rows = np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE)) * np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


@cache
def _turns() -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """For each orientation: which bit comes to each place, and which bits are negated there."""
    place = {f: n for n, f in enumerate(_FREQUENCIES)}
    swapped = np.array([place[j, i] for i, j in _FREQUENCIES])
    turns = []
    for orientation in range(1, 9):
        take = swapped if orientation >= 5 else np.arange(64)
        negate = np.zeros(64, bool)
        if orientation in (2, 3, 6, 7):
            negate ^= _COLUMNS % 2 == 1
        if orientation in (3, 4, 7, 8):
            negate ^= _ROWS % 2 == 1
        turns.append((take, negate))
    return turns


# RGB to luma, Cb, Cr: JFIF (ITU-R BT.601, full range).
_YCC = np.array(
    [[0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312]], np.float32
)


@dataclass(frozen=True, slots=True)
class _Planes:
    fine: NDArray[np.float32]  # luma SIDE x SIDE
    coarse: NDArray[np.float32]  # luma LUMA x LUMA
    chroma: NDArray[np.float32]  # CHROMA x CHROMA x 2


def _planes(rgb: NDArray[np.uint8]) -> _Planes:
    """The picture squeezed into squares; every later resize is by a whole factor, so exact."""
    import cv2

    square = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small: NDArray[np.float32] = square.astype(np.float32)
    if small.ndim == 2:
        fine, chroma = small, np.zeros((CHROMA, CHROMA, 2), np.float32)
    else:
        ycc = small @ _YCC
        fine, chroma = np.ascontiguousarray(ycc[..., 0]), _shrunk(ycc, CHROMA)[..., 1:]
    return _Planes(fine, _shrunk(fine, LUMA), chroma)


def _shrunk(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _is_flat(coarse: NDArray[np.float32], lows: NDArray[np.float32]) -> bool:
    """White pages, night skies, a moon on black: too little is drawn for the hash to mean much."""
    if np.count_nonzero(np.abs(lows) > _SEEN) < _SEEN_MIN:
        return True
    cells = coarse.ravel()
    ground = np.partition(cells, cells.size // 2)[cells.size // 2]
    return bool(np.count_nonzero(np.abs(cells - ground) > _DRAWN) < _DRAWN_MIN * cells.size)


def _detail(planes: _Planes, size: tuple[int, int], flat: bool) -> bytes:
    gray = float(np.abs(planes.chroma).max()) < _COLOURLESS
    width, height = (min(side, 0xFFFF) for side in size)
    header = _HEADER.pack(_LAYOUT, _FLAT * flat | _GRAY * gray, width, height)
    return b"".join(
        (
            header,
            _bytes(planes.coarse),
            _bytes(planes.chroma[..., 0] + 128),
            _bytes(planes.chroma[..., 1] + 128),
        )
    )


def _bytes(plane: NDArray[np.float32]) -> bytes:
    return np.minimum(np.maximum(np.rint(plane), 0), 255).astype(np.uint8).tobytes()


def _pack(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)
