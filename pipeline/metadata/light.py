"""Which colours and which light a still picture was stored in, as codes of ITU-T H.273.

PNG says it in `cICP`, JPEG XL in its header (ISO/IEC 18181-1, E.2); HEIF and AVIF are read by
`heif.colour_codes`. The answer is (primaries, transfer); (2, 2) is "unknown" and means sRGB.
"""

from __future__ import annotations

from typing import TypeAlias

from pipeline.metadata import boxes
from pipeline.metadata.findings import Data

Codes: TypeAlias = tuple[int, int]
UNKNOWN: Codes = (2, 2)
PQ, HLG = 16, 18
KINDS = {PQ: "pq", HLG: "hlg"}
_MOST_CHUNKS = 200
_JXL_HEAD = 256  # bytes of the codestream in which its header ends, barring names of channels
# JPEG XL's own numbers of primaries, where they are not H.273's (E.2.1).
_JXL_PRIMARIES = {1: 1, 9: 9, 11: 12}
_CUSTOM, _GREY, _XYB = 2, 1, 2


def of_png(data: Data) -> Codes:
    """From the `cICP` chunk, which must stand before the pixels."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        head = data[at : at + 12]
        if len(head) < 12 or head[4:8] in (b"IDAT", b"IEND"):
            break
        if head[4:8] == b"cICP":
            return head[8], head[9]
        at += 12 + int.from_bytes(head[:4], "big")
    return UNKNOWN


def of_jxl(data: Data) -> Codes:
    """From the codestream, alone or in boxes; custom and ICC colours count as unknown."""
    try:
        return _jxl_codes(_Bits(_codestream(data)))
    except (_Unreadable, IndexError):
        return UNKNOWN


def _codestream(data: Data) -> bytes:
    if data[:2] == b"\xff\x0a":
        return bytes(data[2:_JXL_HEAD])
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind in (b"jxlc", b"jxlp"):
            at = start + (4 if kind == b"jxlp" else 0) + 2
            return bytes(data[at : min(end, at + _JXL_HEAD)])
    return b""


class _Unreadable(Exception):
    """Something stands in the header that is not followed here."""


class _Bits:
    """Bits from the low end of each byte, as JPEG XL packs them."""

    def __init__(self, data: bytes) -> None:
        self._rest, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise _Unreadable
        value = self._rest & (1 << count) - 1
        self._rest >>= count
        return value

    def is_set(self) -> bool:
        return self.take(1) == 1

    def number(self, *forms: tuple[int, int]) -> int:
        """U32 (B.2): two bits choose among four forms of (offset, bits)."""
        offset, bits = forms[self.take(2)]
        return offset + self.take(bits)

    def enum(self) -> int:
        return self.number((0, 0), (1, 0), (2, 4), (18, 6))


def _jxl_codes(bits: _Bits) -> Codes:
    _skip_size(bits)
    if bits.is_set():  # all as it usually is: sRGB
        return UNKNOWN
    if bits.is_set():
        _skip_extras(bits)
    _skip_depth(bits)
    bits.take(1)  # modular_16bit_buffers
    for _ in range(bits.number((0, 0), (1, 0), (2, 4), (1, 12))):
        _skip_channel(bits)
    bits.take(1)  # xyb_encoded: what is delivered is in the told colours all the same
    return _jxl_colours(bits)


def _jxl_colours(bits: _Bits) -> Codes:
    if bits.is_set() or bits.is_set():  # sRGB, or an ICC profile
        return UNKNOWN
    space = bits.enum()
    if space == _XYB:
        return UNKNOWN
    if bits.enum() == _CUSTOM:  # white point
        _skip_points(bits, 1)
    primaries = 1 if space == _GREY else bits.enum()
    if primaries == _CUSTOM and space != _GREY:
        _skip_points(bits, 3)
    has_gamma = bits.is_set()
    transfer = 2 if has_gamma else bits.enum()
    return _JXL_PRIMARIES.get(primaries, 2), transfer


def _skip_size(bits: _Bits) -> None:
    is_small = bits.is_set()
    _skip_side(bits, is_small)
    if bits.take(3) == 0:
        _skip_side(bits, is_small)


def _skip_side(bits: _Bits, is_small: bool) -> None:
    bits.take(5 if is_small else (9, 13, 18, 30)[bits.take(2)])


def _skip_extras(bits: _Bits) -> None:
    bits.take(3)  # orientation
    if bits.is_set():
        _skip_size(bits)  # intrinsic size
    if bits.is_set():
        raise _Unreadable  # a preview
    if bits.is_set():  # an animation
        bits.number((100, 0), (1000, 0), (1, 10), (1, 30))
        bits.number((1, 0), (1001, 0), (1, 8), (1, 10))
        bits.number((0, 0), (0, 3), (0, 16), (0, 32))
        bits.take(1)


def _skip_depth(bits: _Bits) -> None:
    if bits.is_set():  # floats
        bits.number((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
    else:
        bits.number((8, 0), (10, 0), (12, 0), (1, 6))


def _skip_channel(bits: _Bits) -> None:
    if bits.is_set():  # plain alpha
        return
    kind = bits.enum()
    _skip_depth(bits)
    bits.number((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.number((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == 0:
        bits.take(1)
    elif kind == 2:
        bits.take(64)
    elif kind == 5:
        bits.number((1, 0), (0, 2), (3, 4), (19, 8))


def _skip_points(bits: _Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.number((0, 19), (524_288, 19), (1_048_576, 20), (2_097_152, 21))
