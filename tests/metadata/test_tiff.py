"""Numbers of every type that TIFF has."""

from __future__ import annotations

import struct

import pytest

from pipeline.metadata.tiff import Tiff


@pytest.mark.parametrize(
    ("kind", "code", "number"),
    [
        *((1, "B", 200), (3, "H", 60_000), (4, "I", 1 << 31), (6, "b", -5), (7, "B", 200)),
        *((8, "h", -300), (9, "i", -70_000), (11, "f", 0.5), (12, "d", -0.25), (13, "I", 8)),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_every_type(order: str, kind: int, code: str, number: float) -> None:
    """Signed ones, floats and offsets included, in both byte orders."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    row = struct.pack(order + "HHII", 0x1234, kind, 2, 26)
    values = struct.pack(f"{order}2{code}", number, number)
    if len(values) <= 4:
        row = row[:8] + values.ljust(4, b"\0")
    block = head + struct.pack(order + "H", 1) + row + bytes(4) + values
    tiff = Tiff(block)
    entries, _ = tiff.ifd(tiff.first)
    assert tiff.numbers(entries[0x1234]) == (number, number)
