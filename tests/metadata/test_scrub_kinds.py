"""Scrubbed films, sounds, animations, RAW files and sidecars: nothing private, everything else."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from pipeline.codecs import frames, packets, raw
from pipeline.errors import Invalid
from pipeline.intake import kind
from pipeline.metadata.scrub import ogg
from pipeline.metadata.scrub.plan import plan, proof
from pipeline.metadata.scrub.wishes import Wishes, Zone
from pipeline.metadata.write.patch import apply
from pipeline.model import Format
from tests.kit import exiftool, media, talkative, told
from tests.kit.corpus import manifest
from tests.kit.talkative import POSITION, SECRETS, TALKATIVE

EVERYTHING = Wishes("all", owner=True, artist=True)
KINDS = sorted(TALKATIVE)
PLAYED = [name for name in KINDS if name.startswith(("film", "sound"))]
MOVED = ("moving.gif", "beside.xmp")  # nothing counts positions in them
RAWS = ("dng", "cr2", "nef", "pef", "rw2")


def _format(data: bytes, name: str) -> Format:
    found = kind.sniff(data, name=name, size=len(data), read_at=lambda at, n: data[at : at + n])
    assert found is not None
    return found


def _scrubbed(data: bytes, name: str, wishes: Wishes = EVERYTHING) -> bytes:
    fmt = _format(data, name)
    planned = plan(data, fmt, wishes)
    made = apply(data, planned.patches)
    proof(made, fmt, wishes, planned)
    return made


@pytest.mark.parametrize("name", KINDS)
def test_no_secret_is_left(name: str) -> None:
    """Not one of the words that told where or whose is anywhere in the bytes."""
    original = TALKATIVE[name]()
    assert [s for s in SECRETS if s in original], "there was a secret"
    made = _scrubbed(original, name)
    assert [s for s in SECRETS if s in made] == []
    assert (len(made) == len(original)) is (name not in MOVED)


@pytest.mark.parametrize("name", KINDS)
def test_another_program_finds_nothing(name: str, tmp_path: Path) -> None:
    """exiftool, over files that said everything."""
    exiftool.require()
    target = tmp_path / name
    target.write_bytes(_scrubbed(TALKATIVE[name](), name))
    [tags] = exiftool.told(target)
    assert exiftool.private(tags) == []
    assert not any("Error" in tag or "Warning" in tag for tag in tags), tags


@pytest.mark.parametrize("name", PLAYED)
def test_it_plays_the_same(name: str) -> None:
    """Every packet with its time; titles stay."""
    original = TALKATIVE[name]()
    made = _scrubbed(original, name)
    demuxer = _format(original, name).demuxer
    assert packets.digest(made, demuxer) == packets.digest(original, demuxer)
    assert b"Evening" in made


def test_an_animation_shows_the_same() -> None:
    """Every frame and its time."""
    original = talkative.gif()
    made = _scrubbed(original, "moving.gif")
    assert frames.digest(made, "gif") == frames.digest(original, "gif")
    assert frames.count(made, "gif") == frames.count(media.gif(), "gif")


def test_a_raw_file_is_developed_the_same() -> None:
    """The sensor's data and all numbers it is developed by."""
    original = talkative.dng()
    assert raw.digest(_scrubbed(original, "camera.dng")) == raw.digest(original)
    assert raw.digest(media.dng()) == raw.digest(original)


def test_a_spoilt_sensor_is_seen() -> None:
    """The digest of a RAW file tells when a pixel or a number changed (seeded)."""
    original = media.dng()
    spoilt = bytearray(original)
    spoilt[-100] ^= 0x55
    assert raw.digest(bytes(spoilt)) != raw.digest(original)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("wishes", [EVERYTHING, Wishes("all"), Wishes("keep", owner=True)])
def test_scrubbing_again_changes_nothing(name: str, wishes: Wishes) -> None:
    """Idempotent in every format."""
    once = _scrubbed(TALKATIVE[name](), name, wishes)
    assert _scrubbed(once, name, wishes) == once


@pytest.mark.parametrize("name", [name for name in KINDS if name != "moving.gif"])
def test_only_what_was_wished_goes(name: str) -> None:
    """The place alone leaves the author."""
    made = _scrubbed(TALKATIVE[name](), name, Wishes("all"))
    assert POSITION.encode() not in made
    assert b"48,51.5024N" not in made
    assert b"Ann Artist" in made


@pytest.mark.parametrize("name", KINDS)
def test_spoilt_files_never_break_it(name: str) -> None:
    """Whatever the bytes are: a plan whose result is proved, or a refusal."""
    rng = random.Random(name)
    seed = TALKATIVE[name]()
    fmt = _format(seed, name)
    for data in media.mutations(seed, rng, 80):
        try:
            planned = plan(data, fmt, EVERYTHING)
            proof(apply(data, planned.patches), fmt, EVERYTHING, planned)
        except Invalid:
            continue


# --- Hiding places --------------------------------------------------------------------------------


def _element(identity: str, content: bytes) -> bytes:
    return bytes.fromhex(identity) + b"\x01" + len(content).to_bytes(7, "big") + content


def _mkv_with(extra: bytes) -> bytes:
    """Elements at the end of the segment, whose length is given up."""
    plain = bytearray(talkative.film("matroska", sound="flac"))
    at = plain.find(bytes.fromhex("18538067")) + 4
    plain[at : at + 8] = b"\x01" + b"\xff" * 7
    return bytes(plain) + extra


def test_attachments_and_unknown_elements_go() -> None:
    """Pictures and notes inside a film go, fonts stay; the length of the segment may be unknown."""

    def attached(kind_of: bytes, content: bytes) -> bytes:
        return _element("61A7", _element("4660", kind_of) + _element("465C", content))

    files = attached(b"image/jpeg", told.photo("jpeg")) + attached(b"font/ttf", b"GLYPHS")
    original = _mkv_with(_element("1941A469", files) + _element("1A2B3C4D", b"Paris"))
    made = _scrubbed(original, "film.mkv")
    assert [s for s in SECRETS if s in made] == []
    assert b"GLYPHS" in made
    assert packets.digest(made, "matroska") == packets.digest(original, "matroska")


def test_films_of_unknown_length_are_followed() -> None:
    """Browsers record clusters without a length; what stands behind them is found."""
    plain = bytearray(talkative.film("matroska", sound="flac"))
    at = plain.find(bytes.fromhex("1F43B675")) + 4
    size = 9 - plain[at].bit_length()
    plain[at : at + size] = (((1 << 7 * size) - 1) | 1 << 7 * size).to_bytes(size, "big")
    tag = _element("67C8", _element("45A3", b"LOCATION") + _element("4487", POSITION.encode()))
    original = _mkv_like(bytes(plain), _element("1254C367", _element("7373", tag)))
    made = _scrubbed(original, "film.mkv")
    assert POSITION.encode() not in made
    assert packets.digest(made, "matroska") == packets.digest(original, "matroska")


def _mkv_like(plain: bytes, extra: bytes) -> bytes:
    at = plain.find(bytes.fromhex("18538067")) + 4
    return plain[:at] + b"\x01" + b"\xff" * 7 + plain[at + 8 :] + extra


@pytest.mark.parametrize(
    ("name", "told_by"),
    [("film.mkv", b"\x83\x81\x01"), ("film.avi", b"vids")],
)
def test_tracks_of_texts_are_refused(name: str, told_by: bytes) -> None:
    """Drones and dash cameras write positions into them."""
    text = told_by[:-1] + b"\x11" if name == "film.mkv" else b"txts"
    with pytest.raises(Invalid):
        _scrubbed(TALKATIVE[name]().replace(told_by, text, 1), name)


@pytest.mark.parametrize("name", ["moving.gif", "film.mkv", "film.avi", "sound.wav"])
def test_cut_files_are_refused(name: str) -> None:
    """Where the end is missing nobody knows what the rest would have been."""
    data = TALKATIVE[name]()
    with pytest.raises(Invalid):
        plan(data[: len(data) // 2], _format(data, name), EVERYTHING)


@pytest.mark.parametrize("key", ["Location", "Owner", "Cover Art (Front) owner"])
def test_ape_tags_that_tell_are_refused(key: str) -> None:
    """Players read them as sound, so nothing in them can change in place."""
    with pytest.raises(Invalid):
        _scrubbed(talkative.mp3({"Title": "Evening", key: "here"}), "sound.mp3")
    assert _scrubbed(talkative.mp3({"Title": "Evening"}), "sound.mp3")


def test_pages_of_ogg_get_their_sum() -> None:
    """As whoever wrote the file has computed it; a changed page has the sum of its new bytes."""
    original = TALKATIVE["sound.opus"]()
    made = _scrubbed(original, "sound.opus")
    assert made != original
    for data in (original, made):
        second = data.find(b"OggS", 4)
        page = bytearray(data[second : data.find(b"OggS", second + 4)])
        told_sum = bytes(page[22:26])
        page[22:26] = bytes(4)
        assert ogg.page_sum(bytes(page)) == told_sum


def test_vorbis_comments_share_their_page(corpus: Path) -> None:
    """A real file that is made to name its place: only these words change, and it plays alike."""
    original = _commented((corpus / "audio" / "bear_vorbis.ogg").read_bytes(), f"GEO={POSITION}")
    made = _scrubbed(original, "bear.ogg")
    assert POSITION.encode() in original
    assert POSITION.encode() not in made
    assert packets.digest(made, "ogg") == packets.digest(original, "ogg")


def _commented(data: bytes, comment: str) -> bytes:
    """The second page of an Ogg Vorbis file with one comment instead of its own."""
    at = data.find(b"OggS", 4)
    lengths = data[at + 27 : at + 27 + data[at + 26]]
    start, end = at + 27 + len(lengths), at + 27 + len(lengths) + sum(lengths)
    first = next(n for n, length in enumerate(lengths) if length < 255) + 1
    rest = data[start + sum(lengths[:first]) : end]
    words = comment.encode()
    packet = b"\3vorbis" + bytes(4) + struct.pack("<II", 1, len(words)) + words + b"\1"
    assert len(packet) < 255
    table = bytes([len(packet)]) + lengths[first:]
    page = data[at : at + 22] + bytes(4) + bytes([len(table)]) + table + packet + rest
    return data[:at] + page[:22] + ogg.page_sum(page) + page[26:] + data[end:]


def test_previews_of_raw_files_lose_their_own_metadata() -> None:
    """A JPEG in a RAW file's strip says what the camera says."""
    photo = told.photo("jpeg")
    entries = [
        (0x0100, 3, struct.pack(">H", 96)),
        (0x0111, 4, struct.pack(">I", 200)),
        (0x0117, 4, struct.pack(">I", len(photo))),
    ]
    head = b"MM\0*\0\0\0\x08" + told.ifd(entries, 8)
    made = _scrubbed(head.ljust(200, b"\0") + photo, "camera.nef")
    assert [s for s in SECRETS if s in made] == []


@pytest.mark.parametrize("make", ["Canon", "NIKON"])
def test_notes_that_developers_need_are_edited(make: str) -> None:
    """Serials and owners leave the notes of Canon and Nikon, the rest of them stays."""
    lost = (0x0009, told.OWNER) if make == "Canon" else (0x001D, told.SERIAL)
    tags = [(lost[0], 2, told.ascii_(lost[1])), (0x4001, 2, told.ascii_("WHITE-BALANCE"))]
    data = _raw_with(make, tags)
    assert lost[1].encode() in data
    made = apply(data, plan(data, kind.FORMATS["nef"], EVERYTHING).patches)
    assert lost[1].encode() not in made
    assert b"WHITE-BALANCE" in made


def _raw_with(make: str, tags: list[told.Entry]) -> bytes:
    """Canon's offsets count from the file's start, Nikon's from a structure of its own."""
    main = [(0x010F, 2, told.ascii_(make)), (0x8769, 4, bytes(4))]
    exif_at = 8 + len(told.ifd(main, 8))
    main[1] = (0x8769, 4, struct.pack(">I", exif_at))
    note = told.ifd(tags, exif_at + 2 + 12 + 4)
    if make == "NIKON":
        note = b"Nikon\0\2\x10\0\0MM\0*\0\0\0\x08" + told.ifd(tags, 8)
    return b"MM\0*\0\0\0\x08" + told.ifd(main, 8) + told.ifd([(0x927C, 7, note)], exif_at)


# --- Real files -----------------------------------------------------------------------------------


def test_another_program_finds_nothing_in_real_raw_files(corpus: Path, tmp_path: Path) -> None:
    """exiftool over every RAW file of the corpus that is scrubbed, makers' notes included."""
    exiftool.require()
    targets: dict[Path, str] = {}
    for entry in manifest(corpus):
        fmt = kind.sniff_file(corpus / entry.path)
        if fmt is None or fmt.name not in RAWS:
            continue
        data = (corpus / entry.path).read_bytes()
        planned = plan(data, fmt, EVERYTHING)
        made = apply(data, planned.patches)
        proof(made, fmt, EVERYTHING, planned)
        target = tmp_path / f"{len(targets)}{fmt.extension}"
        target.write_bytes(made)
        targets[target] = fmt.name
    found = zip(targets.values(), exiftool.told(*targets), strict=True)
    assert {name: exiftool.private(tags) for name, tags in found if exiftool.private(tags)} == {}
    assert set(targets.values()) == set(RAWS)


def test_a_sidecar_that_cannot_be_read_is_refused() -> None:
    """It would have been left blank."""
    with pytest.raises(Invalid):
        plan(told.XMP[:-300], kind.FORMATS["xmp"], EVERYTHING)


def test_a_zone_is_asked_of_what_is_known_besides() -> None:
    """A file that tells no position is scrubbed because of where its bundle was made."""
    words = told.XMP.replace(b"exif:GPSL", b"exif:NoGPSL")
    fmt = kind.FORMATS["xmp"]
    home = (Zone(told.LAT, told.LON, 500),)
    assert plan(words, fmt, Wishes("zones", zones=home)).is_wished is False
    known = Wishes("zones", zones=home, places=((told.LAT, told.LON),))
    assert b"Paris" not in apply(words, plan(words, fmt, known).patches)
