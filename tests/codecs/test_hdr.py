"""Pictures and films brighter than a screen: told as such, and shown neither grey nor burnt out."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.codecs import colour, decode, ffmpeg, trailer, video
from pipeline.intake import kind
from pipeline.metadata import light
from pipeline.metadata.facts import Facts
from pipeline.metadata.read import read
from tests.kit import footage, media

BT2020_PQ, BT2020_HLG = (9, 16), (9, 18)
_FROM_709 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]], np.float64
)


def bright_scene() -> NDArray[np.float64]:
    """A scene in nits: the ordinary one below paper white, and a lamp of 1000 nits in it."""
    codes = media.scene(192, 108).astype(np.float64) / 255
    nits = 203 * np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    nits[10:24, 150:170] = 1000.0
    return nits


def pq_codes() -> NDArray[np.uint16]:
    """The scene as BT.2020 with PQ, 16 bits (BT.2100 table 4, the other way round)."""
    wide = np.clip(bright_scene() @ _FROM_709.T, 0, None) / 10_000
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = wide**m1
    code = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    return np.asarray(np.round(code * 65535), np.uint16)


def png(codes: NDArray[np.uint16], cicp: tuple[int, int] | None) -> bytes:
    """A PNG of 16 bits with its colours told in `cICP`."""
    data = bytes(imagecodecs.png_encode(codes))
    if cicp is None:
        return data
    body = b"cICP" + bytes((*cicp, 0, 1))
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def jxl(folder: Path) -> bytes:
    """The same as JPEG XL, written by libjxl through FFmpeg."""
    (folder / "pq.png").write_bytes(png(pq_codes(), BT2020_PQ))
    footage.ran(["-i", str(folder / "pq.png"), "-frames:v", "1", "-c:v", "libjxl",
                 "-distance", "0.1", str(folder / "pq.jxl")])  # fmt: skip
    return (folder / "pq.jxl").read_bytes()


def facts_of(data: bytes, name: str = "") -> Facts:
    """What our reader says."""
    told = kind.sniff(data[: kind.HEAD_BYTES], size=len(data), name=name)
    assert told is not None
    return read(data, told)


def is_well_shown(shown: NDArray[np.uint8]) -> None:
    """Not washed out: mid tones as they were. Not clipped: the lamp is lighter than paper."""
    ordinary = media.scene(192, 108)
    dark = (ordinary.max(axis=2) < 150) & (shown.max(axis=2) < 200)
    assert np.abs(shown[dark].astype(int) - ordinary[dark]).mean() < 4
    lamp, rest = shown[12:22, 152:168], shown[40:]
    assert 232 < lamp.mean() <= 255
    assert rest.max() < lamp.mean() + 8
    assert np.percentile(shown, 1) < 60


def test_a_png_tells_its_light() -> None:
    """`cICP` is read: the fact says PQ, the preview is tone-mapped (HDR screenshots)."""
    data = png(pq_codes(), BT2020_PQ)
    assert facts_of(data).hdr == "pq"
    is_well_shown(decode.decode(data, "png", None).pixels)


def test_a_jpeg_xl_tells_its_light(tmp_path: Path) -> None:
    """The header of JPEG XL is read down to its transfer function."""
    data = jxl(tmp_path)
    assert light.of_jxl(data) == BT2020_PQ
    assert facts_of(data).hdr == "pq"
    is_well_shown(decode.decode(data, "jxl", None).pixels)


def test_ordinary_pictures_are_not_hdr() -> None:
    """No codes, no tone-mapping: pixels come out as they went in."""
    pixels = media.scene(64, 48)
    plain = media.saved(pixels, "PNG")
    assert facts_of(plain).hdr is None
    assert np.array_equal(decode.decode(plain, "png", None).pixels, pixels)
    same = bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    assert light.of_jxl(same) == light.UNKNOWN or light.of_jxl(same)[1] == 13
    assert facts_of(same).hdr is None
    assert np.array_equal(decode.decode(same, "jxl", None).pixels, pixels)


@pytest.mark.parametrize("cut", [0, 2, 3, 5])
def test_a_cut_header_means_unknown(cut: int, tmp_path: Path) -> None:
    """Too few bits never raise."""
    assert light.of_jxl(jxl(tmp_path)[:cut]) == light.UNKNOWN
    assert light.of_png(png(pq_codes(), BT2020_PQ)[:cut]) == light.UNKNOWN


def test_a_screenshot_of_linear_light() -> None:
    """JPEG XR holds scRGB floats: paper stays paper, lamps stay below white, nothing is dimmed."""
    data = bytes(imagecodecs.jpegxr_encode((bright_scene() / 80).astype(np.float32), level=100))
    is_well_shown(decode.decode(data, "jxr", None).pixels)


@pytest.mark.parametrize(
    ("name", "hdr"),
    [
        ("hdr_gainmap/Ultra_HDR_Samples_Originals_05.jpg", "gainmap"),
        ("hdr_gainmap/apple_gainmap_old.jpg", "gainmap"),
        ("hdr_gainmap/apple_gainmap_new.jpg", "gainmap"),
        ("hdr_gainmap/seine_sdr_gainmap_srgb.avif", "gainmap"),
        ("hdr_gainmap/seine_sdr_gainmap_srgb.jpg", "gainmap"),
        ("hdr_gainmap/paris_exif_xmp_gainmap_littleendian.jpg", "gainmap"),
        ("video_hdr/dolbyVision-hdr.MOV", "dolby-vision"),
        ("video_hdr/hdr10-av1.mp4", "pq"),
        ("video_hdr/hlg10-color-test.mp4", "hlg"),
    ],
)
def test_the_corpus_is_told_right(corpus: Path, name: str, hdr: str) -> None:
    """Gain maps of three makers, PQ, HLG and Dolby Vision, in real files."""
    assert facts_of((corpus / name).read_bytes(), name).hdr == hdr


def test_a_picture_with_a_gain_map_is_shown_by_its_base(corpus: Path) -> None:
    """The base was made for ordinary screens: nothing is tone-mapped a second time."""
    data = (corpus / "hdr_gainmap" / "seine_sdr_gainmap_srgb.avif").read_bytes()
    shown = decode.decode(data, "avif", None).pixels
    jpeg = (corpus / "hdr_gainmap" / "seine_sdr_gainmap_srgb.jpg").read_bytes()
    twin = decode.decode(jpeg, "jpeg", None).pixels
    assert np.abs(shown.astype(int) - twin).mean() < 3


@pytest.mark.parametrize("codes", [BT2020_PQ, BT2020_HLG])
def test_the_look_agrees_with_another_programs(codes: tuple[int, int], tmp_path: Path) -> None:
    """Luminance follows FFmpeg's zscale and tonemap (mobius, same knee): mean and percentiles."""
    ramp = np.linspace(0.05, 0.72, 256)
    samples = np.asarray(np.round(np.tile(ramp, (64, 1)) * 65535), np.uint16)
    picture = np.repeat(samples[..., None], 3, axis=2)
    develop = colour.from_codes(*codes)
    assert develop is not None
    ours = develop(picture)[..., 1].astype(int)
    theirs = _reference(picture, codes, tmp_path)
    for share in (5, 25, 50, 75, 95):
        assert abs(np.percentile(ours, share) - np.percentile(theirs, share)) < 8, share
    assert abs(ours.mean() - theirs.mean()) < 6


def _reference(
    picture: NDArray[np.uint16], codes: tuple[int, int], folder: Path
) -> NDArray[np.uint8]:
    (folder / "in.png").write_bytes(bytes(imagecodecs.png_encode(picture)))
    transfer = {16: "smpte2084", 18: "arib-std-b67"}[codes[1]]
    graph = (
        f"format=gbrp16le,setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=gbr"
        ":range=pc,zscale=t=linear:npl=203,format=gbrpf32le,"
        f"tonemap=mobius:param={colour.KNEE}:desat=0:peak=1000,"
        "zscale=p=bt709:t=iec61966-2-1:m=gbr:r=full,format=gbrp"
    )
    footage.ran(["-i", str(folder / "in.png"), "-vf", graph, str(folder / "out.png")])
    made = cv2.imread(str(folder / "out.png"))
    assert made is not None, ffmpeg.program()
    return np.asarray(made[..., 1], np.uint8)


@pytest.mark.parametrize("is_hdr", [True, False])
def test_a_clip_has_the_colours_of_its_poster(tmp_path: Path, is_hdr: bool) -> None:
    """Tone-mapped like the poster, and tagged BT.709, so that no player has to guess."""
    make = footage.hdr10 if is_hdr else footage.film
    original = make(tmp_path / "film.mp4", seconds=1)
    with original.open("rb") as file, video.opened(file, "mov") as clip:
        wanted = video.developed(clip, next(video.shots(clip, 0.0)).frame, 192)
        trailer.write(clip, 0.0, tmp_path / "clip.mp4")
    with (tmp_path / "clip.mp4").open("rb") as file, video.opened(file, "mov") as clip:
        frame = next(video.shots(clip, 0.0)).frame
        shown = video.developed(clip, frame, 192)
    assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)
    assert abs(shown.mean() - wanted.mean()) < 3
    for share in (2, 25, 50, 75, 98):
        assert abs(np.percentile(shown, share) - np.percentile(wanted, share)) < 10
