"""The gate lets honest copies pass and catches every fault that is put into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import gate
from pipeline.codecs.gate import Expectations
from pipeline.metadata.write import block, containers, copy
from pipeline.metadata.write.blocks import Blocks
from pipeline.metadata.write.copy import Fitting
from tests.kit import media, told
from tests.kit.films import film

EXTENSION = {"jpeg": ".jpg", "tiff": ".tif"}
KINDS = sorted(told.SILENT)
PIXELS = media.scene()


def _kinds(faults: tuple[gate.Fault, ...]) -> set[str]:
    return {fault.kind for fault in faults}


def _pair(tmp_path: Path, kind: str = "jpeg") -> tuple[Path, Path]:
    """An original that says everything, and an honest copy of it in the format `kind`."""
    original = tmp_path / "original.jpg"
    original.write_bytes(told.photo("jpeg"))
    made = tmp_path / f"copy{EXTENSION.get(kind, '.' + kind)}"
    made.write_bytes(_honest(original.read_bytes(), kind))
    return original, made


def _honest(original: bytes, kind: str) -> bytes:
    return copy.carried(original, "jpeg", told.SILENT[kind](), kind, Fitting(1))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_copy_passes(tmp_path: Path, kind: str) -> None:
    """No fault is found where there is none, in any format."""
    original, made = _pair(tmp_path, kind)
    assert gate.check(original, made) == ()


# --- Every fault in turn --------------------------------------------------------------------------


def _without(name: str) -> Callable[[bytes], bytes]:
    """The honest copy without one block."""

    def spoil(data: bytes) -> bytes:
        blocks = containers.read(data, "jpeg")
        kept = {n: getattr(blocks, n) for n in ("exif", "xmp", "iptc", "icc") if n != name}
        return containers.write(media.jpeg(), "jpeg", Blocks(**kept))

    return spoil


def _exif_without(wanted: int, directory: str) -> Callable[[bytes], bytes]:
    """The honest copy whose EXIF lacks one tag."""

    def spoil(data: bytes) -> bytes:
        blocks = containers.read(data, "jpeg")
        assert blocks.exif is not None
        from pipeline.metadata.tiff import Tiff
        from pipeline.metadata.write import patch

        tiff = Tiff(blocks.exif)
        main, _ = tiff.ifd(tiff.first)
        pointer = {"main": 0, "exif": 0x8769, "gps": 0x8825}[directory]
        at = tiff.integer(main[pointer]) if pointer else tiff.first
        patches = block.directory(tiff, at or 0, lambda tag: tag == wanted)
        exif = patch.apply(blocks.exif, patches)
        return containers.write(data, "jpeg", Blocks(exif=exif))

    return spoil


def _xmp_without(text: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(text, text[:1] + b"X" * (len(text) - 2) + text[-1:])


def _showing(pixels: media.Pixels) -> Callable[[bytes], bytes]:
    """The honest copy's words on another picture."""
    return lambda data: containers.write(
        media.jpeg(np.ascontiguousarray(pixels)), "jpeg", containers.read(data, "jpeg")
    )


def _no_content_id(data: bytes) -> bytes:
    return data.replace(told.CONTENT_ID.encode(), b"\0" * len(told.CONTENT_ID))


_GREY = PIXELS.copy()
_GREY[40:] = 128

FAULTS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty": ("decode", lambda _: b""),
    "not a picture": ("decode", lambda _: b"this is a text and no picture at all" * 9),
    "cut in half": ("decode", lambda data: data[: len(data) // 2]),
    "last byte missing": ("decode", lambda data: data[:-1]),
    "a lost sector": ("picture", _showing(_GREY)),
    "smaller": ("size", _showing(PIXELS[:, :-2])),
    "rotated": ("size", _showing(np.rot90(PIXELS))),
    "upside down": ("picture", _showing(np.rot90(PIXELS, 2))),
    "mirrored": ("picture", _showing(PIXELS[:, ::-1])),
    "swapped": ("picture", _showing(media.scene(seed=7)[:, :, ::-1])),
    "no EXIF": ("exif", _without("exif")),
    "no XMP": ("xmp", _without("xmp")),
    "no IPTC": ("iptc", _without("iptc")),
    "no ICC": ("icc", _without("icc")),
    "no position": ("gps", _exif_without(0x8825, "main")),
    "no latitude": ("gps", _exif_without(2, "gps")),
    "no date": ("exif", _exif_without(0x9003, "exif")),
    "no offset": ("exif", _exif_without(0x9011, "exif")),
    "no camera": ("exif", _exif_without(0x0110, "main")),
    "no lens": ("words", _exif_without(0xA434, "exif")),
    "no maker note": ("exif", _exif_without(0x927C, "exif")),
    "no ContentIdentifier": ("pairing", _no_content_id),
    "no rating": ("xmp", _xmp_without(b"xmp:Rating")),
    "no keyword": ("xmp", _xmp_without(b"autumn")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_seeded_fault_is_caught(tmp_path: Path, name: str) -> None:
    """Nothing is lost or spoilt without a sentence that says so."""
    original, made = _pair(tmp_path)
    expected, spoil = FAULTS[name]
    honest = made.read_bytes()
    made.write_bytes(spoil(honest))
    assert made.read_bytes() != honest
    faults = gate.check(original, made)
    assert expected in _kinds(faults)
    assert all(fault.message.endswith(".") for fault in faults)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exif", "xmp"])
def test_a_lost_block_is_caught_in_every_format(tmp_path: Path, kind: str, name: str) -> None:
    """Encoders of all formats drop metadata."""
    original, made = _pair(tmp_path, kind)
    blocks = containers.read(made.read_bytes(), kind)
    kept = Blocks(**{n: getattr(blocks, n) for n in ("exif", "xmp") if n != name})
    made.write_bytes(containers.write(told.SILENT[kind](), kind, kept))
    assert name in _kinds(gate.check(original, made))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_copy_is_caught_in_every_format(tmp_path: Path, kind: str, share: float) -> None:
    """However little is missing at the end."""
    original, made = _pair(tmp_path, kind)
    data = made.read_bytes()
    made.write_bytes(data[: min(int(len(data) * share), len(data) - 1)])
    assert gate.check(original, made)


@pytest.mark.parametrize("kind", KINDS)
def test_a_turned_copy_is_caught_in_every_format(tmp_path: Path, kind: str) -> None:
    """Orientation applied twice, or not at all."""
    original = tmp_path / "original.jpg"
    original.write_bytes(told.photo("jpeg", orientation=6))
    made = tmp_path / f"copy{EXTENSION.get(kind, '.' + kind)}"
    made.write_bytes(_honest(original.read_bytes(), kind))
    assert {"size", "picture"} <= _kinds(gate.check(original, made))


# --- What is asked for ----------------------------------------------------------------------------


def test_a_wanted_size_is_held(tmp_path: Path) -> None:
    """A web copy may be smaller, exactly as asked."""
    original, made = _pair(tmp_path)
    small = np.asarray(Image.fromarray(PIXELS).resize((48, 32), Image.Resampling.LANCZOS))
    words = copy.prepared(original.read_bytes(), "jpeg", "jpeg", Fitting(1, (48, 32)))
    made.write_bytes(containers.write(media.jpeg(small), "jpeg", words))
    assert gate.check(original, made, Expectations(size=(48, 32))) == ()
    assert _kinds(gate.check(original, made)) == {"size"}


def test_a_target_that_is_not_met_is_a_fault(tmp_path: Path) -> None:
    """Neither a low score nor one that nobody measured passes."""
    original, made = _pair(tmp_path)
    assert gate.check(original, made, Expectations(target=80, score=80.0)) == ()
    assert _kinds(gate.check(original, made, Expectations(target=80, score=79.9))) == {"target"}
    assert _kinds(gate.check(original, made, Expectations(target=80))) == {"target"}


def test_a_copy_that_is_no_gain_is_a_fault(tmp_path: Path) -> None:
    """Where it was asked to be smaller."""
    original, made = _pair(tmp_path)
    size = made.stat().st_size
    assert gate.check(original, made, Expectations(most_bytes=size)) == ()
    assert _kinds(gate.check(original, made, Expectations(most_bytes=size - 1))) == {"larger"}


def test_frames_of_an_animation_are_counted(tmp_path: Path) -> None:
    """An animation that became a still picture has lost most of itself."""
    original, made = tmp_path / "original.gif", tmp_path / "copy.webp"
    original.write_bytes(media.gif(4))
    with Image.open(original) as image:
        image.save(made, "WEBP", save_all=True, lossless=True)
        assert gate.check(original, made) == ()
        image.seek(0)
        image.save(made, "WEBP", lossless=True)
    assert _kinds(gate.check(original, made)) == {"motion"}
    assert gate.check(original, made, Expectations(keeps_motion=False)) == ()


def test_a_jpeg_that_comes_back_byte_for_byte_has_lost_nothing(tmp_path: Path) -> None:
    """JPEG XL without loss: what it cannot tell itself, the JPEG in it tells."""
    original, made = tmp_path / "original.jpg", tmp_path / "copy.jxl"
    original.write_bytes(told.photo("jpeg") + b"a film behind the picture")
    made.write_bytes(imagecodecs.jpegxl_encode_jpeg(original.read_bytes(), usecontainer=True))
    assert gate.check(original, made) == ()
    assert _kinds(gate.check(original, made, Expectations(most_bytes=9))) == {"larger"}
    original.write_bytes(told.photo("jpeg", orientation=3))
    assert gate.check(original, made)


def test_low_quality_alone_is_no_other_picture(tmp_path: Path) -> None:
    """The coarse look is about what is shown, not how well."""
    original, made = _pair(tmp_path)
    words = copy.prepared(original.read_bytes(), "jpeg", "jpeg")
    made.write_bytes(containers.write(media.jpeg(quality=30), "jpeg", words))
    assert gate.check(original, made) == ()


# --- Videos ---------------------------------------------------------------------------------------


def _film(seconds: float = 3.0, seed: int = 1, codec: str = "libx264", **tags: str) -> bytes:
    return film(tags, seconds=seconds, seed=seed, codec=codec)


TAGS = {
    "com.apple.quicktime.content.identifier": told.CONTENT_ID,
    "com.apple.quicktime.location.ISO6709": "+48.8584+002.2919+035.500/",
    "com.apple.quicktime.creationdate": "2023-10-06T08:30:00+0200",
}


def _less(name: str) -> dict[str, str]:
    return {k: v for k, v in TAGS.items() if name not in k}


FILMS: Mapping[str, tuple[str | None, Callable[[], bytes]]] = {
    "an honest copy": (None, lambda: _film(codec="libx265", **TAGS)),
    "shorter": ("duration", lambda: _film(2.5, **TAGS)),
    "longer": ("duration", lambda: _film(3.5, **TAGS)),
    "cut": ("decode", lambda: _film(**TAGS)[:-3000]),
    "another film": ("picture", lambda: _film(seed=5, **TAGS)),
    "no pairing id": ("pairing", lambda: _film(**_less("identifier"))),
    "no position": ("gps", lambda: _film(**_less("location"))),
    "no date": ("date", lambda: _film(**_less("creationdate"))),
    "not a film": ("decode", media.jpeg),
    "spoilt": ("decode", lambda: _spoilt(_film(**TAGS))),
}


def _spoilt(data: bytes) -> bytes:
    at = data.rfind(b"mdat") + 4000
    return data[:at] + bytes(range(256)) * 8 + data[at + 2048 :]


@pytest.mark.parametrize("name", FILMS)
def test_films(tmp_path: Path, name: str) -> None:
    """A transcoded film passes; a shorter, swapped, spoilt or silent one does not."""
    original, made = tmp_path / "original.mov", tmp_path / "copy.mov"
    original.write_bytes(_film(**TAGS))
    expected, make = FILMS[name]
    made.write_bytes(make())
    found = _kinds(gate.check(original, made))
    assert found == set() if expected is None else expected in found
