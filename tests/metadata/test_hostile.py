"""Hostile, damaged and huge files: readers are total, fast and small."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BadMedia
from pipeline.intake import kind
from pipeline.intake.formats import FORMATS
from pipeline.metadata import boxes, exif, fragments, h264, rdf, xmp
from pipeline.metadata.facts import Facts, TakenFrom
from pipeline.metadata.findings import Findings
from pipeline.metadata.read import read
from tests.kit.corpus import manifest

_SLOWEST_S = 2.0
_MOST_MEMORY = 64 << 20
_OURS = sorted(set(FORMATS) - {"pdf", "crw", "mrw", "x3f"})  # read by our own code
_SEEDS = (
    "video/with-gps.mov",
    "takeout/PXL_20231006_063909898.LS.mp4",
    "heic/metadata.heic",
    "orientation/rotated090.avif",
    "exif_small/digikam.jpg",
    "motion_photo/pixel-motion-photo-shortened.jpg",
    "raw/sample.cr2",
    "raw/CanonRaw.cr3",
    "image_other/test_0001.jxl",
    "image_other/sampleWithExifData.png",
    "image_other/denali.webp",
    "video/sample.mkv",
    "video/ASF.wmv",
)

_FRAGMENT_BOXES = (b"mehd", b"mvhd", b"trex", b"sidx", b"tfhd", b"trun", b"tkhd", b"mdhd")


@given(st.binary(max_size=600), st.sampled_from(_OURS))
@settings(max_examples=400)
def test_random_bytes_are_facts(data: bytes, name: str) -> None:
    """Random bytes under any format give facts and no error."""
    assert isinstance(read(data, FORMATS[name], name="x"), Facts)


@given(st.binary(max_size=400), st.integers(-5, 500), st.integers(-5, 500))
def test_boxes_stay_inside_and_end(data: bytes, start: int, end: int) -> None:
    """Boxes follow each other forwards, inside of their parent, and their number is bounded."""
    at = max(start, 0)
    for _, payload, after in boxes.walk(data, max(start, 0), end):
        assert at < payload <= after <= min(end, len(data))
        at = after


@given(st.binary(max_size=300))
def test_exif_raises_nothing_but_bad_media(data: bytes) -> None:
    """An EXIF block of any content is read or refused."""
    for block in (data, b"II*\0\x08\0\0\0" + data, b"MM\0*\0\0\0\x08" + data):
        try:
            exif.read(block, Findings())
        except BadMedia:
            continue


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_xmp_raises_nothing_but_bad_media(data: bytes) -> None:
    """A packet of any content is read or refused."""
    for packet in (data, b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + data + b"</x:xmpmeta>"):
        try:
            rdf.properties(packet)
        except BadMedia:
            continue


@given(st.binary(max_size=200))
def test_parameter_sets_give_a_size_or_none(data: bytes) -> None:
    """H.264 parameters of any content end, in a size that exists."""
    found = h264.size(data)
    assert found is None or (0 < found[0] <= 16_384 and 0 < found[1] <= 16_384)


@given(st.lists(st.tuples(st.sampled_from(_FRAGMENT_BOXES), st.binary(max_size=60)), max_size=8))
def test_fragments_have_a_length_or_none(parts: list[tuple[bytes, bytes]]) -> None:
    """Tables of fragments with any content end, in a number or in nothing."""
    inside = b"".join(_box(kind, payload) for kind, payload in parts)
    movie = _box(b"moov", _box(b"mvex", inside) + inside)
    data = movie + _box(b"moof", _box(b"traf", inside))
    found = fragments.duration_s(data, (8, len(movie)))
    assert found is None or found >= 0


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def test_entities_are_refused() -> None:
    """A billion laughs end with a note, at once and without memory."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l9;</x>'
    found = Findings()
    xmp.read(bomb.encode(), found, TakenFrom.SIDECAR)
    assert any("entities" in note for note in found.facts().notes)


def test_a_directory_that_points_at_itself_ends() -> None:
    """A TIFF whose directories form a loop has as many pages as directories."""
    entry = struct.pack("<HHII", 0x0100, 3, 1, 7)
    loop = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    assert read(loop, FORMATS["tiff"]).page_count == 1


@pytest.mark.corpus
def test_damaged_and_huge_files_cost_little(corpus: Path) -> None:
    """Every damaged, huge or odd file is read in under two seconds and little memory."""
    paths = [
        e.path for e in manifest(corpus) if e.path.split("/")[0] in ("corrupt", "huge", "junk")
    ]
    assert len(paths) > 80
    tracemalloc.start()
    try:
        for path in paths:
            _reads_cheaply(corpus / path)
    finally:
        tracemalloc.stop()


def _reads_cheaply(path: Path) -> None:
    told, data = kind.sniff_file(path), path.read_bytes()
    if told is None:
        return
    tracemalloc.reset_peak()
    before, started = tracemalloc.get_traced_memory()[0], time.process_time()
    assert isinstance(read(data, told, name=path.name), Facts)
    assert time.process_time() - started < _SLOWEST_S, path
    assert tracemalloc.get_traced_memory()[1] - before < _MOST_MEMORY, path


@pytest.mark.corpus
@pytest.mark.parametrize("seed", _SEEDS)
def test_mutated_files_are_facts(corpus: Path, seed: str) -> None:
    """Real files with bytes changed, cut off or repeated never make a reader fail."""
    whole = (corpus / seed).read_bytes()[: 1 << 18]
    told = kind.sniff_file(corpus / seed)
    assert told is not None
    dice = random.Random(seed)
    started = time.process_time()
    for _ in range(60):
        assert isinstance(read(_mutated(whole, dice), told, name=seed), Facts)
    assert time.process_time() - started < 10 * _SLOWEST_S


def _mutated(whole: bytes, dice: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(dice.randint(1, 24)):
        # Headers are where lengths and offsets stand, so half of the changes go there.
        reach = min(len(data), 4096) if dice.random() < 0.5 else len(data)
        data[dice.randrange(reach)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    if dice.random() < 0.3:
        del data[dice.randrange(len(data)) :]
    return bytes(data)
