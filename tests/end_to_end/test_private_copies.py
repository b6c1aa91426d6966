"""Copies for others by the real door: bundles go together, and nothing private goes along."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

import pytest

from tests.kit import cli, told
from tests.kit.atlas import lend_places
from tests.kit.films import film

pytestmark = pytest.mark.timeout(180)

PLACE = "+48.8584+002.2919+035.500/"
TAGS = {
    "com.apple.quicktime.content.identifier": told.CONTENT_ID,
    "com.apple.quicktime.location.ISO6709": PLACE,
}
# Words without a position, as programs write them beside a file that has one.
WORDS = told.XMP.replace(b'exif:GPSLatitude="48,51.5024N"', b"").replace(
    b'exif:GPSLongitude="2,17.5144E"', b""
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a Live Photo, the sidecar of another program, and an edit list."""
    base = tmp_path_factory.mktemp("private")
    home, phone = base / "home", base / "phone"
    phone.mkdir()
    (phone / "IMG_1.jpg").write_bytes(told.photo("jpeg"))
    (phone / "IMG_1.mov").write_bytes(film(TAGS))
    (phone / "IMG_1.jpg.xmp").write_bytes(WORDS)
    (phone / "IMG_1.aae").write_bytes(plistlib.dumps({"adjustmentFormatIdentifier": "x"}))
    lend_places(tmp_path_factory, home)
    cli.process(home, phone)
    return home


def _names(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


def _photo(home: Path) -> str:
    return next(name for name in cli.library(home) if name.endswith(".jpg"))


def _secrets(folder: Path) -> list[str]:
    secrets = (b"Paris", b"48,51.5024N", PLACE.encode(), b"Champ de Mars", told.SERIAL.encode())
    return [p.name for p in folder.iterdir() if any(s in p.read_bytes() for s in secrets)]


def test_a_bundle_goes_together(shelf: Path, tmp_path: Path) -> None:
    """Naming the picture scrubs its film and its sidecar too; what cannot go is named."""
    into = tmp_path / "for the club"
    ran = cli.darkroom(shelf, "scrub", _photo(shelf), "--owner", "--into", str(into))
    assert ran.status == 0, ran.said
    assert "Going along, because they belong together: " in ran.out
    assert "Left behind, because no such copy can be made of them: " in ran.out
    assert _names(into) == {".jpg", ".mov", ".xmp"}
    assert _secrets(into) == []
    assert b"tower &amp; sky" in next(into.glob("*.xmp")).read_bytes()


def test_names_stay_together(shelf: Path, tmp_path: Path) -> None:
    """Where one name of a bundle is taken, all of it gets the same number."""
    into = tmp_path / "shared"
    into.mkdir()
    photo = _photo(shelf)
    taken = Path(photo).with_suffix(".mov").name
    (into / taken).write_bytes(b"mine")
    ran = cli.darkroom(shelf, "scrub", photo, "--into", str(into))
    assert ran.status == 0, ran.said
    stem = Path(photo).stem
    made = {f"{stem} (2).jpg", f"{stem} (2).mov", f"{stem} (2).jpg.xmp"}
    assert {path.name for path in into.iterdir()} == {taken, *made}
    assert (into / taken).read_bytes() == b"mine"


def test_a_file_may_go_alone(shelf: Path, tmp_path: Path) -> None:
    """On request only what was named is copied; as JSON, what stays behind is told as well."""
    ran = cli.darkroom(shelf, "scrub", _photo(shelf), "--alone", "--into", str(tmp_path / "one"))
    assert ran.status == 0, ran.said
    assert _names(tmp_path / "one") == {".jpg"}
    more = cli.darkroom(shelf, "scrub", _photo(shelf), "--into", str(tmp_path / "all"), "--json")
    told_of = [json.loads(line) for line in more.out.splitlines()]
    assert [row["outcome"] for row in told_of].count("left behind") == 1


def test_a_home_zone_holds_for_the_whole_bundle(shelf: Path, tmp_path: Path) -> None:
    """A sidecar that only names the city is scrubbed because its photo was made at home."""
    zone = f"{{lat = {told.LAT}, lon = {told.LON}, radius_m = 300}}"
    (shelf / "darkroom.toml").write_text(f"[privacy]\nhome_zones = [{zone}]\n")
    into = tmp_path / "out"
    ran = cli.darkroom(shelf, "scrub", _photo(shelf), "--zones", "--into", str(into))
    assert ran.status == 0, ran.said
    assert _names(into) == {".jpg", ".mov", ".xmp"}
    assert b"Paris" not in next(into.glob("*.xmp")).read_bytes()


def test_what_tells_nothing_is_copied_as_it_is(shelf: Path, tmp_path: Path) -> None:
    """Far from every home zone a bundle needs no change: it is in the folder, byte for byte."""
    (shelf / "darkroom.toml").write_text(
        "[privacy]\nhome_zones = [{lat = 0.0, lon = 0.0, radius_m = 300}]\n"
    )
    into = tmp_path / "out"
    ran = cli.darkroom(shelf, "scrub", _photo(shelf), "--zones", "--into", str(into))
    assert ran.status == 0, ran.said
    assert "3 copied as they are:" in ran.out
    assert _names(into) == {".jpg", ".mov", ".xmp"}
    assert next(into.glob("*.jpg")).read_bytes() == told.photo("jpeg")
