"""What a copy keeps of what its original says, in every pair of formats."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from pipeline.codecs import decode
from pipeline.errors import DarkroomError, Invalid
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.write import containers, copy, png
from pipeline.metadata.write.blocks import Blocks
from pipeline.metadata.write.copy import Fitting
from pipeline.model import Format
from tests.kit import exiftool, media, told

KINDS = sorted(told.SILENT)
REAL = (
    "dup_exact/IMG_4120.JPG",
    "takeout/PXL_20231006_063000139.jpg",
    "heic/IMG_2682.heic",
    "exif_small/digikam.jpg",
    "sidecar/photoshop.jpg",
    "hdr_gainmap/seine_sdr_gainmap_srgb.avif",
    "image_other/test_0001.jxl",
    "near_dup/flower_small.rgb.png",
)


def _format(data: bytes) -> Format:
    found = kind.sniff(data)
    assert found is not None
    return found


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("of", KINDS)
def test_everything_goes_along(of: str, to: str) -> None:
    """Dates, position, pairing id, maker, words: a copy says what its original said."""
    original = told.photo(of, orientation=6)
    made, _ = copy.carried(original, of, told.SILENT[to](), to)
    before, after = read(original, _format(original)), read(made, _format(made))
    assert {d.local for d in before.dates} == {d.local for d in after.dates}
    assert {(p.lat, p.lon) for p in before.places} == {(p.lat, p.lon) for p in after.places}
    assert after.content_id == told.CONTENT_ID
    assert (after.make, after.model, after.lens) == ("Apple", "iPhone Test", "Test Lens 26mm")
    assert set(before.keywords) <= set(after.keywords)
    assert after.rating == 4
    assert after.orientation in (1, None)


@pytest.mark.parametrize("to", KINDS)
def test_the_picture_is_the_same(to: str) -> None:
    """Writing metadata changes no pixel, and the copy still decodes whole."""
    silent = told.SILENT[to]()
    made, _ = copy.carried(told.photo("jpeg"), "jpeg", silent, to)
    before, after = decode.decode(silent, to, None), decode.decode(made, to, None)
    assert after.damage is None
    assert (before.pixels == after.pixels).all()


@pytest.mark.parametrize("to", KINDS)
def test_writing_twice_is_writing_once(to: str) -> None:
    """A second writing replaces the first; nothing is there twice."""
    once, _ = copy.carried(told.photo("jpeg"), "jpeg", told.SILENT[to](), to)
    twice, _ = copy.carried(told.photo("jpeg"), "jpeg", once, to)
    assert containers.read(once, to) == containers.read(twice, to)


def test_the_maker_note_keeps_its_bytes_and_place() -> None:
    """Offsets inside a maker note count from the block's start: the note may not move."""
    original = told.photo("jpeg")
    made, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg")
    before, after = containers.read(original, "jpeg").exif, containers.read(made, "jpeg").exif
    assert before and after
    assert after.find(told.apple_note()) == before.find(told.apple_note()) > 0


def test_the_thumbnail_of_the_original_stays_behind() -> None:
    """A thumbnail shows the original, not the copy, and costs room."""
    original = told.photo("jpeg")
    thumbnail = media.jpeg(media.scene(40, 30))
    made, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg")
    assert thumbnail in original
    assert thumbnail not in made
    assert len(made) < len(original) - len(thumbnail) // 2


def test_orientation_and_size_are_the_copys() -> None:
    """Upright pixels say 1; pixels as stored keep what stood there; a new size is told."""
    original = told.photo("jpeg", orientation=6)
    upright, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg", Fitting(1, (640, 480)))
    stored, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg", Fitting(None))
    assert read(upright, _format(upright)).orientation == 1
    assert read(stored, _format(stored)).orientation == 6
    block = containers.read(upright, "jpeg").exif
    assert block and b"\0\0\2\x80" in block and b"\0\0\1\xe0" in block


def test_a_profile_goes_with_its_colours() -> None:
    """Pixels that were brought to sRGB may not be called anything else."""
    original = told.photo("jpeg")
    kept, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg")
    changed, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg", Fitting(keeps_colours=False))
    assert containers.read(kept, "jpeg").icc == told.ICC
    assert containers.read(changed, "jpeg").icc is None


@pytest.mark.parametrize("to", ["png", "webp", "jxl", "avif", "heic"])
def test_iptc_words_become_xmp(to: str) -> None:
    """Where IIM has no place its words are not lost."""
    original = containers.write(media.jpeg(), "jpeg", Blocks(iptc=told.IPTC))
    made, lost = copy.carried(original, "jpeg", told.SILENT[to](), to)
    facts = read(made, _format(made))
    assert lost == ("iptc",)
    assert (facts.title, facts.description) == ("Evening", "Light on iron")
    assert facts.keywords == ("tower & sky",)


def test_what_png_says_in_texts_becomes_xmp() -> None:
    """A screenshot's own date and title are not lost with its format."""
    texts = png.chunk(b"tEXt", b"Creation Time\x002023-10-06T08:30:00+02:00")
    texts += png.chunk(b"tEXt", b"Title\0Evening & light")
    silent = told.SILENT["png"]()
    made, _ = copy.carried(silent[:33] + texts + silent[33:], "png", media.jpeg(), "jpeg")
    facts = read(made, _format(made))
    assert facts.title == "Evening & light"
    assert [(d.local, d.offset_min) for d in facts.dates] == [("2023-10-06T08:30:00", 120)]


def test_a_long_packet_is_split_and_joined() -> None:
    """An extended packet stays whole in JPEG and becomes one packet elsewhere."""
    more = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Data="'
        + b"A" * 150_000
        + b'"/></rdf:RDF></x:xmpmeta>'
    )
    digest = hashlib.md5(more).hexdigest().upper().encode()
    note = b' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="' + digest
    xmp = told.XMP.replace(b' xmp:Rating="4"', b' xmp:Rating="4"' + note + b'"')
    original = containers.write(media.jpeg(), "jpeg", Blocks(xmp=xmp, extended_xmp=more))
    again, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg")
    assert containers.read(again, "jpeg").extended_xmp == more
    made, _ = copy.carried(original, "jpeg", told.SILENT["png"](), "png")
    assert b"A" * 150_000 in (containers.read(made, "png").xmp or b"")


def test_claims_of_parts_that_are_gone_are_dropped() -> None:
    """A copy without the video does not promise one."""
    claim = b' xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'
    xmp = told.XMP.replace(b' xmp:Rating="4"', b' xmp:Rating="4"' + claim)
    original = containers.write(media.jpeg(), "jpeg", Blocks(xmp=xmp))
    made, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg")
    whole, _ = copy.carried(original, "jpeg", media.jpeg(), "jpeg", Fitting(keeps_parts=True))
    assert b"MotionPhoto" not in made
    assert b"MotionPhoto" in whole


def test_formats_without_a_place_are_refused() -> None:
    """GIF cannot say when it was taken; the caller is told, and the copy is left alone."""
    with pytest.raises(Invalid):
        copy.carried(told.photo("jpeg"), "jpeg", media.gif(), "gif")


@pytest.mark.parametrize("name", REAL)
def test_another_program_finds_the_same(corpus: Path, tmp_path: Path, name: str) -> None:
    """Real files: every EXIF, GPS and maker note tag that exiftool reads is in each copy."""
    targets = [tmp_path / f"copy.{_EXTENSIONS.get(to, to)}" for to in KINDS]
    for to, target in zip(KINDS, targets, strict=True):
        target.write_bytes(told.SILENT[to]())
        copy.copy_metadata(corpus / name, target)
    before, *copies = exiftool.told(corpus / name, *targets)
    groups = ("GPS", "ExifIFD", "Apple", "Google", "InteropIFD")
    wanted = {k: v for k, v in before.items() if k.partition(":")[0] in groups}
    for to, after in zip(KINDS, copies, strict=True):
        assert {k: after.get(k) for k in wanted} == wanted, to


_EXTENSIONS = {"jpeg": "jpg", "tiff": "tif"}


@pytest.mark.parametrize("of", KINDS)
def test_spoilt_originals_spoil_no_copy(of: str) -> None:
    """Whatever an original's bytes are: a whole copy, or a refusal in words."""
    for data in media.mutations(told.photo(of), random.Random(of), 60):
        try:
            made, _ = copy.carried(data, of, media.jpeg(), "jpeg")
        except DarkroomError:
            continue
        assert decode.decode(made, "jpeg", None).damage is None
