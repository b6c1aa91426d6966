"""How large an H.264 picture is, from its sequence parameter set (ITU-T H.264, 7.3.2.1.1)."""

from __future__ import annotations

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_LONGEST_CODE = 32


class _Bits:
    """Bits from the highest of each byte downwards; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self.left -= count
        return self.value >> max(self.left, 0) & (1 << count) - 1 if self.left >= 0 else 0

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number (9.1)."""
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > _LONGEST_CODE or self.left < 0:
                raise ValueError("not an Exp-Golomb code")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb number (9.1.1)."""
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def size(parameters: bytes) -> tuple[int, int] | None:
    """Width and height after cropping; `parameters` begin behind the NAL unit's type byte."""
    bits = _Bits(parameters[:512].replace(b"\0\0\3", b"\0\0"))
    profile = bits.take(8)
    bits.take(16)
    try:
        bits.golomb()
        chroma = _high(bits) if profile in _HIGH_PROFILES else 1
        return _frame(bits, chroma)
    except ValueError:
        return None


def _high(bits: _Bits) -> int:
    """What the higher profiles put in between; answers the chroma format."""
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if bits.take(1):
        for n in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if n < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, length: int) -> None:
    last = following = 8
    for _ in range(length):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _frame(bits: _Bits, chroma: int) -> tuple[int, int] | None:
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.golomb(), 255)):
            bits.signed()
    bits.golomb()
    bits.take(1)
    width, units = (bits.golomb() + 1) * 16, bits.golomb() + 1
    fields = 2 - bits.take(1)  # coded as pairs of fields: a unit is half as high
    if fields == 2:
        bits.take(1)
    bits.take(1)
    height = units * 16 * fields
    left, right, top, bottom = (bits.golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    across = 2 if chroma in (1, 2) else 1
    down = (2 if chroma == 1 else 1) * fields
    width, height = width - (left + right) * across, height - (top + bottom) * down
    return (width, height) if 0 < width <= 16_384 and 0 < height <= 16_384 else None
