"""Scrubbed files tell no place and no owner, show what they showed, and say the rest unchanged."""

from __future__ import annotations

import hashlib
import io
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.codecs import decode
from pipeline.errors import BadMedia, Invalid
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.scrub import names
from pipeline.metadata.scrub.plan import SCRUBBERS, plan, proof
from pipeline.metadata.scrub.wishes import Orders, Wishes, Zone, distance_km, rounded
from pipeline.metadata.write import containers, jpeg, png
from pipeline.metadata.write.blocks import Blocks
from pipeline.metadata.write.patch import apply
from pipeline.metadata.write.pictures import coded
from pipeline.model import Format
from tests.kit import exiftool, media, told
from tests.kit.corpus import manifest
from tests.kit.films import film, with_positions

EVERYTHING = Wishes("all", owner=True, artist=True)
KINDS = sorted(told.SILENT)
EXTENSION = {"jpeg": ".jpg", "tiff": ".tif"}
SECRETS = (
    *(told.OWNER, told.SERIAL, told.LENS_SERIAL, "UNIQUE-IMAGE-ID-1", "unique-0123456789"),
    *("Ann Artist", "Paris", "Champ de Mars", "France", "48,51.5024N", "Eiffel"),
)


def _format(data: bytes, name: str = "") -> Format:
    found = kind.sniff(data, name=name)
    assert found is not None
    return found


def _scrubbed(data: bytes, wishes: Wishes = EVERYTHING, name: str = "") -> bytes:
    fmt = _format(data, name)
    planned = plan(data, fmt, wishes)
    made = apply(data, planned.patches)
    proof(made, fmt, wishes, planned)
    return made


# --- Files that say everything --------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_no_secret_is_left(name: str) -> None:
    """Not one of the words that told where or whose is anywhere in the bytes."""
    original = told.photo(name)
    made = _scrubbed(original)
    assert [s for s in SECRETS if s.encode() in made] == []
    assert read(made, _format(made)).places == ()


@pytest.mark.parametrize("name", KINDS)
def test_the_picture_is_the_same(name: str) -> None:
    """Every pixel."""
    original = told.photo(name)
    before = decode.decode(original, name, None).pixels
    assert (before == decode.decode(_scrubbed(original), name, None).pixels).all()


def test_the_coded_picture_of_a_jpeg_is_the_same() -> None:
    """Byte for byte, and so is the length of the file."""
    original = told.photo("jpeg")
    made = _scrubbed(original)
    assert coded(made) == coded(original)
    assert len(coded(original)) > 1000
    assert len(made) == len(original)


@pytest.mark.parametrize("name", KINDS)
def test_everything_else_stays(name: str) -> None:
    """Dates, camera, lens, rating, keywords, the id that pairs a Live Photo, the profile."""
    original = told.photo(name)
    made = _scrubbed(original)
    before, after = read(original, _format(original)), read(made, _format(made))
    assert {d.local for d in before.dates if d.source != "gps"} <= {d.local for d in after.dates}
    for field in ("make", "model", "lens", "rating", "keywords", "content_id", "orientation"):
        assert getattr(after, field) == getattr(before, field)
    assert containers.read(made, name).icc == containers.read(original, name).icc


@pytest.mark.parametrize("name", KINDS)
def test_location_alone_leaves_the_owner(name: str) -> None:
    """Only what was wished goes."""
    made = _scrubbed(told.photo(name), Wishes("all"))
    assert told.OWNER.encode() in made
    assert read(made, _format(made)).places == ()


@pytest.mark.parametrize("name", KINDS)
def test_the_owner_alone_leaves_the_location(name: str) -> None:
    """Only what was wished goes."""
    made = _scrubbed(told.photo(name), Wishes("keep", owner=True))
    assert told.SERIAL.encode() not in made
    assert read(made, _format(made)).places


@pytest.mark.parametrize("name", KINDS)
def test_home_zones(name: str) -> None:
    """Inside a home zone the place goes; outside of all it stays, to the byte."""
    original = told.photo(name)
    home = Zone(told.LAT + 0.001, told.LON, 500)
    away = Zone(told.LAT + 1, told.LON, 500)
    inside = _scrubbed(original, Wishes("zones", zones=(away, home)))
    outside = _scrubbed(original, Wishes("zones", zones=(away,)))
    assert read(inside, _format(inside)).places == ()
    assert outside == original


@pytest.mark.parametrize("km", [0.1, 1.0, 25.0])
@pytest.mark.parametrize("name", KINDS)
def test_rounding_moves_but_keeps(name: str, km: float) -> None:
    """A rounded position is told in every place that told the exact one, and no finer one."""
    original = told.photo(name)
    made = _scrubbed(original, Wishes("round", round_km=km))
    places = read(made, _format(made)).places
    assert len(places) == len(read(original, _format(original)).places)
    for place in places:
        assert distance_km(place.lat, place.lon, told.LAT, told.LON) <= km
        assert (place.lat, place.lon) != (told.LAT, told.LON)
        assert place.alt is None
    assert b"Eiffel" not in made


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("wishes", [EVERYTHING, Wishes("round", round_km=3), Wishes("all")])
def test_scrubbing_again_changes_nothing(name: str, wishes: Wishes) -> None:
    """Idempotent in every format."""
    once = _scrubbed(told.photo(name), wishes)
    assert _scrubbed(once, wishes) == once


# --- Hiding places --------------------------------------------------------------------------------


def _extended() -> bytes:
    more = told.XMP.replace(
        b'photoshop:City="Paris"', b'photoshop:City="Paris" dc:x="' + b"A" * 90_000 + b'"'
    )
    more = re.sub(rb"<\?xpacket.*?\?>", b"", more)
    digest = hashlib.md5(more).hexdigest().upper().encode()
    note = b' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="' + digest
    main = told.XMP.replace(b' xmp:Rating="4"', b' xmp:Rating="4"' + note + b'"')
    return containers.write(media.jpeg(), "jpeg", Blocks(xmp=main, extended_xmp=more))


def test_the_rest_of_a_long_packet_is_scrubbed_too() -> None:
    """Extended XMP: the words go, the pieces still belong together under a new digest."""
    made = _scrubbed(_extended())
    assert b"Paris" not in made
    rest = containers.read(made, "jpeg").extended_xmp
    assert rest is not None
    assert b"A" * 1000 in rest


def test_pictures_and_films_behind_the_picture() -> None:
    """A second picture and a motion photo's film lose their places as well."""
    clip = film(TAGS)
    original = told.photo("jpeg") + told.photo("jpeg") + clip
    made = _scrubbed(original)
    assert [s for s in (*SECRETS, "+48.8584") if s.encode() in made] == []
    assert coded(made) == coded(original)
    assert _packets(made[-len(clip) :], "mp4") == _packets(clip, "mp4")


def test_what_nobody_knows_is_blanked() -> None:
    """Segments and trailers of unknown kinds may hold anything."""
    original = told.photo("jpeg")
    unknown = jpeg.segment(0xE7, b"MAKER\0 48.8584 2.2919")
    made = _scrubbed(original[:2] + unknown + original[2:] + b"trailer 48.8584 2.2919")
    assert b"2.2919" not in made


def test_exif_in_photoshops_resources() -> None:
    """EXIF, XMP and IPTC may stand once more inside Photoshop's block."""
    block = jpeg.resource(0x0422, told.exif()) + jpeg.resource(0x0424, told.XMP)
    block += jpeg.resource(jpeg.IIM, told.IPTC)
    original = media.jpeg()
    segment = jpeg.segment(0xED, jpeg.PHOTOSHOP + block)
    made = _scrubbed(original[:2] + segment + original[2:])
    assert [s for s in SECRETS if s.encode() in made] == []
    assert b"Evening" in made


def test_old_ways_of_png() -> None:
    """ImageMagick's raw profiles, packed XMP, and plain keywords."""
    import zlib

    exif = b"Exif\0\0" + told.exif()
    digits = b"\nexif\n%8d\n" % len(exif) + exif.hex().encode() + b"\n"
    packed = png.XMP + b"\1\0\0\0" + zlib.compress(told.XMP)
    extra = (
        png.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(digits))
        + png.chunk(b"iTXt", packed)
        + png.chunk(b"tEXt", b"Author\0Ann Artist")
        + png.chunk(b"tEXt", b"GPS Position\x0048.8584 2.2919")
        + png.chunk(b"prIv", b"48.8584")
    )
    silent = told.SILENT["png"]()
    original = silent[:33] + extra + silent[33:] + b"behind the end 48.8584"
    made = _scrubbed(original)
    facts = read(made, _format(made))
    assert facts.places == ()
    assert facts.model == "iPhone Test"
    assert b"48.8584" not in made
    assert b"Ann Artist" not in made


def test_packed_boxes_of_jxl() -> None:
    """A compressed box is opened; the way back to the JPEG is closed."""
    import imagecodecs

    from pipeline.metadata.write import jxl

    original = told.photo("jxl")
    packed = jxl.box(b"brob", b"xml " + bytes(imagecodecs.brotli_encode(told.XMP)))
    made = _scrubbed(original + packed + jxl.box(b"jbrd", b"Paris in here"))
    assert [s for s in SECRETS if s.encode() in made] == []
    assert b"jbrd" not in made


def test_makers_notes_that_may_tell_go() -> None:
    """Notes nobody has described go as a whole; Apple's keeps the pairing."""
    block = told.exif().replace(b"Apple iOS\0", b"Unknown!!\0")
    original = containers.write(media.jpeg(), "jpeg", Blocks(exif=block))
    assert told.CONTENT_ID.encode() not in _scrubbed(original, Wishes("all"))
    apple = _scrubbed(told.photo("jpeg"), EVERYTHING)
    assert told.CONTENT_ID.encode() in apple
    assert b"UNIQUE-IMAGE-ID-1" not in apple


# --- Films ----------------------------------------------------------------------------------------

TAGS = {
    "com.apple.quicktime.content.identifier": told.CONTENT_ID,
    "com.apple.quicktime.location.ISO6709": "+48.8584+002.2919+035.500/",
    "com.apple.quicktime.creationdate": "2023-10-06T08:30:00+0200",
    "com.apple.quicktime.author": "Ann Artist",
}


def _packets(data: bytes, demuxer: str) -> str:
    """A digest of everything that plays."""
    digest = hashlib.sha256()
    with av.open(io.BytesIO(data), format=demuxer) as container:
        for packet in container.demux():
            if packet.stream.type in ("video", "audio"):
                digest.update(bytes(packet))
    return digest.hexdigest()


@pytest.mark.parametrize("container", ["mov", "mp4"])
def test_a_film_keeps_its_pictures_and_its_pair(container: str) -> None:
    """Place and author go, packets and ContentIdentifier stay, not a byte moves."""
    original = film(TAGS, container)
    made = _scrubbed(original)
    assert len(made) == len(original)
    assert _packets(made, "mp4") == _packets(original, "mp4")
    facts = read(made, _format(made))
    assert facts.places == ()
    assert facts.content_id == told.CONTENT_ID
    assert b"Ann Artist" not in made
    assert b"+48.8584" not in made


def test_a_films_place_is_rounded_in_its_room() -> None:
    """The text keeps its length: offsets behind it do not move."""
    original = film(TAGS)
    made = _scrubbed(original, Wishes("round", round_km=5))
    place = read(made, _format(made)).places[0]
    assert len(made) == len(original)
    assert 0 < distance_km(place.lat, place.lon, told.LAT, told.LON) <= 5


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + name + content


def test_user_data_of_all_makers() -> None:
    """©xyz, loci, and boxes that only their maker knows, inside the movie and beside it."""
    xyz = _box(b"\xa9xyz", b"\0\x12\x15\xc7+48.8584+002.2919/")
    said = _box(b"udta", xyz + _box(b"GPMF", b"DVID 48.8584") + _box(b"\xa9mod", b"\0\4\0\0Cam1"))
    plain = film({}, has_head_in_front=False)
    at = plain.rfind(b"moov") - 4
    size = int.from_bytes(plain[at : at + 4], "big")
    moov = (size + len(said)).to_bytes(4, "big") + plain[at + 4 : at + size] + said
    original = plain[:at] + moov + plain[at + size :] + _box(b"uuid", b"PROF" * 4 + b"48.8584")
    made = _scrubbed(original)
    assert b"48.8584" not in made
    assert b"Cam1" in made
    assert _packets(made, "mp4") == _packets(original, "mp4")


def test_a_track_of_positions_goes_with_its_samples() -> None:
    """Action cameras write a position for every second into a track of its own."""
    original = with_positions(b"GPS5 48.8584 2.2919")
    assert original.count(b"48.8584") > 1
    made = _scrubbed(original)
    assert b"48.8584" not in made
    assert len(made) == len(original)
    assert _packets(made, "mp4") == _packets(original, "mp4")


def test_dash_cameras_are_refused() -> None:
    """Positions that are woven into the pictures' data cannot be taken out in place."""
    with pytest.raises(Invalid):
        _scrubbed(film({}) + _box(b"free", b"\0\0\0\0freeGPS 48.8584"))


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["picture.bmp", "picture.jp2"])
def test_what_cannot_be_scrubbed_safely_is_refused(name: str) -> None:
    """With a reason, and never half done."""
    data = media.SEEDS[name]()
    with pytest.raises(Invalid, match="cannot be scrubbed"):
        plan(data, _format(data, name), EVERYTHING)


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_cut_files_are_refused(name: str) -> None:
    """Where the end is missing nobody knows what the rest would have been."""
    data = told.photo(name)
    with pytest.raises(Invalid):
        plan(data[:-20], _format(data), EVERYTHING)


@pytest.mark.parametrize(
    "forgotten", [b"photoshop:City", b"\x1c\2\x5a", b"\x88\x25\0\4", b"\xa4\x31\0\2"]
)
def test_a_leak_is_caught(forgotten: bytes) -> None:
    """The proof finds what a plan forgot: XMP, IPTC, the GPS pointer, a serial number (seeded)."""
    original = told.photo("jpeg")
    fmt = _format(original)
    good = plan(original, fmt, EVERYTHING)
    patches = tuple(p for p in good.patches if forgotten not in original[p.start : p.end])
    assert len(patches) < len(good.patches)
    with pytest.raises(Invalid, match="private"):
        proof(apply(original, patches), fmt, EVERYTHING, good)


@pytest.mark.parametrize("name", [*KINDS, "film.mov"])
def test_spoilt_files_never_break_it(name: str) -> None:
    """Whatever the bytes are: a plan whose result is proved, or a refusal."""
    rng = random.Random(name)
    seed = film(TAGS) if name == "film.mov" else told.photo(name)
    fmt = _format(seed)
    for data in media.mutations(seed, rng, 150):
        try:
            planned = plan(data, fmt, EVERYTHING)
            proof(apply(data, planned.patches), fmt, EVERYTHING, planned)
        except Invalid:
            continue


# --- The grid -------------------------------------------------------------------------------------

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)
KMS = st.floats(0.1, 1000)


@given(LATS, LONS, KMS)
def test_rounding_moves_by_at_most_the_distance(lat: float, lon: float, km: float) -> None:
    """Everywhere on earth, poles and date line included."""
    assert distance_km(lat, lon, *rounded(lat, lon, km)) <= km


@given(LATS, LONS, KMS)
def test_rounding_twice_is_rounding_once(lat: float, lon: float, km: float) -> None:
    """A rounded position lies on the grid."""
    once = rounded(lat, lon, km)
    twice = rounded(*once, km)
    assert math.isclose(once[0], twice[0], abs_tol=1e-9)
    assert distance_km(*once, *twice) < 1e-6


@given(LATS, LONS, KMS)
@settings(max_examples=60, deadline=None)
def test_stored_positions_are_rounded_stably(lat: float, lon: float, km: float) -> None:
    """Through EXIF's and XMP's own precision: within the distance, and the same when repeated."""
    original = containers.write(media.jpeg(), "jpeg", Blocks(exif=_exif_at(lat, lon)))
    wishes = Wishes("round", round_km=km)
    once = _scrubbed(original, wishes)
    places = read(once, _format(once)).places
    assume(places)  # 0, 0 is what devices write that know no place
    assert distance_km(places[0].lat, places[0].lon, lat, lon) <= km
    assert _scrubbed(once, wishes) == once


def _exif_at(lat: float, lon: float) -> bytes:
    gps = [
        (1, 2, told.ascii_("S" if lat < 0 else "N")),
        (2, 5, told.degrees(abs(lat))),
        (3, 2, told.ascii_("W" if lon < 0 else "E")),
        (4, 5, told.degrees(abs(lon))),
    ]
    main = [(0x8825, 4, (26).to_bytes(4, "big"))]
    return b"MM\0*\0\0\0\x08" + told.ifd(main, 8) + told.ifd(gps, 26)


@pytest.mark.parametrize(
    "params",
    [
        {"location": "some"},
        {"location": "zones"},
        {"location": "zones", "zones": [{"lat": 1}]},
        {"location": "round", "round_km": 0},
        {"location": "round", "round_km": True},
        {"location": "zones", "zones": [{"lat": 91, "lon": 0, "radius_m": 5}]},
    ],
)
def test_wishes_that_make_no_sense_are_refused(params: dict[str, object]) -> None:
    """Before any file is looked at."""
    with pytest.raises(Invalid):
        Wishes.from_params(params)


@pytest.mark.parametrize("name", ["hdrgm:HDRCapacityMax", "dc:subject", "exif:FNumber", "dc:title"])
def test_harmless_names_stay(name: str) -> None:
    """Patterns are wide, but not so wide."""
    assert not names.is_private_name(name, Orders(True, True, True))


# --- Real files -----------------------------------------------------------------------------------


def _real(corpus: Path) -> Iterator[tuple[str, bytes, Format]]:
    for entry in manifest(corpus):
        path = corpus / entry.path
        if entry.is_corrupt != "no" or entry.size > 8_000_000:
            continue
        told_kind = kind.sniff_file(path)
        if told_kind is not None and told_kind.name in SCRUBBERS:
            yield entry.path, path.read_bytes(), told_kind


def test_another_program_finds_nothing_in_real_files(corpus: Path, tmp_path: Path) -> None:
    """exiftool, embedded and timed metadata included, over every format that the corpus holds."""
    by_name = {}
    for number, (path, data, fmt) in enumerate(_real(corpus)):
        planned = plan(data, fmt, EVERYTHING)
        if not planned.patches:
            continue
        made = apply(data, planned.patches)
        proof(made, fmt, EVERYTHING, planned)
        target = tmp_path / f"{number}{fmt.extension}"
        target.write_bytes(made)
        by_name[target] = path
        if fmt.name == "jpeg":
            assert coded(made) == coded(data), path
    found = exiftool.told(*by_name)
    leaks = {p: exiftool.private(t) for p, t in zip(by_name.values(), found, strict=True)}
    assert {path: names for path, names in leaks.items() if names} == {}
    assert len(by_name) > 100


@pytest.mark.long
@pytest.mark.timeout(300)
def test_real_pictures_look_the_same(corpus: Path) -> None:
    """Every pixel of every scrubbed picture of the corpus."""
    for path, data, fmt in _real(corpus):
        if fmt.name in decode.DECODED:
            try:
                before = decode.decode(data, fmt.name, None).pixels
            except BadMedia:
                continue
            after = decode.decode(_scrubbed(data, name=path), fmt.name, None).pixels
            assert (before == after).all(), path
