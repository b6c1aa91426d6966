"""Type by content: every format told apart, disguises refused, reasons a person understands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.intake import kind
from pipeline.intake.formats import EXTENSIONS
from pipeline.model import Category
from tests.intake.heads import HEADS, box, frames, ftyp, moov, tiff, zipped
from tests.kit.corpus import manifest

# What the corpus calls a type, and the formats of ours that mean the same.
SAME_AS = {
    "heif": {"heic", "heif"},
    "heifs": {"heic"},
    "mpo": {"jpeg"},
    "zip": {"docx"},
    "extended webp": {"webp"},
    "json": {"takeout-json", "takeout-album"},
    "m2ts": {"mts"},
}
# Where the corpus' own tool was wrong or had no word; looked at byte by byte.
KNOWN_BETTER = {
    "corrupt/clusterfuzz-testcase-minimized-file-fuzzer-5651556035198976.heic": "heic",
    "corrupt/clusterfuzz-testcase-minimized-file-fuzzer-5662360964956160.heic": "heic",
    "corrupt/clusterfuzz-testcase-minimized-file-fuzzer-5718632116518912.heic": "heic",
    "corrupt/issue_ghsa_hrw9_ggg3_3r4r_poc.jpg": None,  # brands of noise and no film in it
    "corrupt/138d3b9e0d9fbf641b8135981e597c3a.jpg": "jpeg",  # only its first segment is spoilt
    "image_other/colors-animated-8bpc-alpha-exif-xmp.avif": "avif",
    "image_other/star.avifs": "avif",
    "video_hdr/sample_with_color_info.mp4": "mov",  # the brand is QuickTime's
}
PLAYLISTS = (
    b"ffconcat version 1.0\nfile /etc/passwd\n",
    b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1/a.ts\n",
    b"[playlist]\nFile1=/etc/passwd\n",
    b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\n",
    b"push graphic-context\nimage over 0,0 0,0 'https://x'\npop graphic-context\n",
    b"viewbox 0 0 640 480\nimage over 0,0 0,0 '/etc/passwd'\n",
    b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run\n",
    b"\xc5\xd0\xd3\xc6\x20\0\0\0",
    b";FFMETADATA1\ntitle=x\n",
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"<?php system($_GET['c']); ?>",
    b"#!/bin/sh\nrm -rf /\n",
    b"\xef\xbb\xbf#EXTM3U\n",
)
MEDIA_NAMES = ("a.jpg", "a.mp4", "a.png", "a.heic", "a.mp3", "a.txt", "a.md", "a", "a.svg")


def look(content: bytes, name: str = "") -> str | None:
    """The format of a whole file, as a caller with a descriptor would ask."""

    def read_at(offset: int, length: int) -> bytes:
        assert 0 <= length <= 1 << 20 and offset >= 0, "a look is bounded"
        return content[offset : offset + length]

    told = kind.sniff(content[: kind.HEAD_BYTES], name=name, size=len(content), read_at=read_at)
    return told.name if told else None


def test_every_format_has_an_example() -> None:
    """No row of the table is untested, and there are far more than thirty."""
    assert set(HEADS) == set(kind.FORMATS)
    assert len(kind.FORMATS) >= 60


@pytest.mark.parametrize("name", sorted(HEADS))
def test_each_format_is_told_from_its_bytes(name: str) -> None:
    """Each format is recognised, and media also under a name that lies."""
    file_name, content = HEADS[name]
    assert look(content, file_name) == name
    by_name_only = {"txt", "csv", "md", "thm", "pages", "numbers", "key"}
    if name not in by_name_only:
        assert look(content, "holiday.xyz") == name


@pytest.mark.parametrize("name", sorted(HEADS))
def test_the_head_alone_is_enough_to_call_it_media(name: str) -> None:
    """Without a way to look further the category is still right."""
    file_name, content = HEADS[name]
    told = kind.sniff(content[: kind.HEAD_BYTES], name=file_name)
    assert told is not None
    assert told.category is kind.FORMATS[name].category


def test_every_film_and_sound_names_its_demuxer() -> None:
    """ffmpeg is never left to guess (T51)."""
    for told in kind.FORMATS.values():
        if told.category in (Category.VIDEO, Category.AUDIO):
            assert told.demuxer, told.name


@pytest.mark.parametrize("content", PLAYLISTS)
@pytest.mark.parametrize("name", MEDIA_NAMES)
def test_disguised_text_is_never_media(content: bytes, name: str) -> None:
    """T51: playlists, scripts and pages are refused under whatever name, with a reason."""
    assert look(content, name) is None
    assert kind.explain_unknown(content, name).startswith("We do not know")


def test_polyglots_are_what_their_first_bytes_say() -> None:
    """T54: something behind or inside a picture does not change what it is."""
    page = b"<html><script>alert(1)</script></html>"
    assert look(HEADS["jpeg"][1] + page, "a.html") == "jpeg"
    assert look(HEADS["gif"][1] + b"=1;alert(1)", "a.js") == "gif"
    assert look(HEADS["pdf"][1] + zipped(a=b"x"), "a.zip") == "pdf"
    assert look(page + HEADS["jpeg"][1], "a.jpg") is None
    assert look(b"junk" + HEADS["pdf"][1], "a.pdf") is None


def test_raw_needs_the_tags_of_a_sensor() -> None:
    """A scan by a camera maker's program is a TIFF; a JPEG called .nef is a JPEG."""
    scan = tiff([(0x0106, 3, 1, 2)], b"NIKON")
    assert look(scan, "scan.tif") == "tiff"
    assert look(scan, "DSC_1.NEF") == "nef"  # the bytes allow both, so the name decides
    assert look(HEADS["jpeg"][1], "DSC_1.NEF") == "jpeg"


def test_films_are_told_by_their_tracks() -> None:
    """MP4 with sound only is music; M4A with a picture is a film; the index may be last."""
    brand = ftyp(b"isom", b"isom")
    assert look(brand + moov(b"soun"), "a.mp4") == "m4a"
    assert look(ftyp(b"M4A ") + moov(b"soun", b"vide"), "a.m4a") == "mp4"
    assert look(brand + box(b"mdat", b"\0" * 100_000) + moov(b"soun")) == "m4a"
    assert look(box(b"wide") + box(b"mdat", b"\0" * 9000) + moov(b"vide")) == "mov"
    assert look(box(b"mdat", b"\0" * 100)) is None


def test_weak_magic_needs_a_second_frame() -> None:
    """Eleven bits are no proof: one sync word in noise is not music."""
    assert look(b"\xff\xfb\x90\x00" + b"noise" * 200) is None
    assert look(b"\xff\xf1\x50\x80\x03\x1f\xfc" + b"noise" * 200) is None
    assert look(frames(b"\xff\xfb\x90\x00", 417)) == "mp3"


def test_plain_text_is_a_document_only_under_a_name_that_says_so() -> None:
    """Text called .jpg is not kept as a document, and the reason says so."""
    assert look(b"Dear all,\n", "letter.txt") == "txt"
    assert look(b"Dear all,\n", "letter") == "txt"
    assert look(b"Dear all,\n", "letter.jpg") is None
    assert "plain text" in kind.explain_unknown(b"Dear all,\n", "letter.jpg")
    assert look("Liebe Grüße".encode("utf-16"), "letter.txt") == "txt"
    assert look(b"\0\1\2\3 binary", "letter.txt") is None
    assert look(("ü" * 40_000).encode()[:65_537], "cut.txt") == "txt"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b"MZ\x90\0", "Windows program"),
        (b"\x7fELF\2", "Linux program"),
        (zipped(a=b"x"), "ZIP"),
        (b"<html>", "web page"),
        (b"\0" * 600, "zeros"),
        (b'{"a": 1}', "JSON"),
        (b"SQLite format 3\0", "database"),
        (b"\xff\xd8\0\0", "JPEG"),
        (bytes(range(128, 192)), "We do not know"),
    ],
)
def test_reasons_are_for_people(head: bytes, words: str) -> None:
    """Whatever is refused comes with one plain sentence."""
    reason = kind.explain_unknown(head, "thing.bin")
    assert words in reason
    assert reason.endswith(".")


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("IMG.JPG", "jpeg", "IMG.JPG"),
        ("IMG.jpeg", "jpeg", "IMG.jpeg"),
        ("IMG.mpo", "jpeg", "IMG.mpo"),
        ("IMG.PNG", "jpeg", "IMG.JPG"),
        ("IMG.png", "heic", "IMG.heic"),
        ("Sony.HIF", "heic", "Sony.HIF"),
        ("Rome 12.05", "jpeg", "Rome 12.05.jpg"),
        ("IMG", "png", "IMG.png"),
        (".jpg", "png", ".jpg.png"),
        ("IMG.jpg.json", "takeout-json", "IMG.jpg.json"),
        ("voice.ogg", "opus", "voice.ogg"),
        ("bad\udcff.png", "jpeg", "bad\udcff.jpg"),
    ],
)
def test_wrong_extensions_are_corrected_and_right_ones_kept(
    name: str, told: str, expected: str
) -> None:
    """The placed name tells the truth, and nothing that was right is changed."""
    assert kind.corrected_name(name, kind.FORMATS[told]) == expected


@given(st.text(min_size=1), st.sampled_from(sorted(kind.FORMATS)))
def test_correcting_a_name_twice_changes_nothing(name: str, told: str) -> None:
    """Correction is idempotent, keeps the beginning, and ends in a right extension."""
    once = kind.corrected_name(name, kind.FORMATS[told])
    assert kind.corrected_name(once, kind.FORMATS[told]) == once
    assert once.lower().endswith(tuple(EXTENSIONS))


def test_nesting_without_end_is_bounded() -> None:
    """A film of boxes in boxes in boxes costs a bounded number of looks."""
    reads = 0
    trak = box(b"trak", box(b"mdia", box(b"free") * 200) * 40)
    content = ftyp(b"isom") + box(b"moov", trak * 40)

    def read_at(offset: int, length: int) -> bytes:
        nonlocal reads
        reads += 1
        return content[offset : offset + length]

    kind.sniff(content[:4096], size=len(content), read_at=read_at)
    assert reads < 10_000


@given(st.binary(max_size=600), st.sampled_from(MEDIA_NAMES))
def test_noise_never_raises(content: bytes, name: str) -> None:
    """Any bytes have an answer, and refused ones a reason."""
    look(content, name)
    kind.explain_unknown(content, name)


@given(st.sampled_from(sorted(HEADS)), st.data())
def test_spoilt_files_never_raise(name: str, data: st.DataObject) -> None:
    """T49, the part before any decoder: mutated beginnings are answered within bounds."""
    file_name, content = HEADS[name]
    spoilt = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[at] = data.draw(st.integers(0, 255))
    look(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]), file_name)


def test_a_file_is_never_opened_through_a_link_and_a_pipe_never_blocks(tmp_path: Path) -> None:
    """`sniff_file` reads regular files only."""
    (tmp_path / "a.jpg").write_bytes(HEADS["jpeg"][1])
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    told = kind.sniff_file(tmp_path / "a.jpg")
    assert told is not None
    assert told.name == "jpeg"
    with pytest.raises(OSError, match="symbolic links"):
        kind.sniff_file(tmp_path / "link.jpg")
    assert kind.sniff_file(tmp_path / "pipe.jpg") is None


@pytest.mark.corpus
def test_the_whole_corpus_is_told_right(corpus: Path) -> None:
    """Every file of the corpus is what its manifest says, but for the few it has wrong."""
    wrong: list[str] = []
    entries = manifest(corpus)
    for entry in entries:
        told = kind.sniff_file(corpus / entry.path)
        name = told.name if told else None
        said = entry.type_by_content.lower()
        expected = SAME_AS.get(said, {said or None})
        if name not in expected and KNOWN_BETTER.get(entry.path, "-") != name:
            wrong.append(f"{entry.path}: {said} -> {name}")
    print(f"type by content: {len(entries) - len(wrong)} of {len(entries)}")
    assert not wrong
