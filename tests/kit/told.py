"""Pictures that say everything: when, where, by whom, with what, and which video belongs to them.

`EXIF`, `XMP`, `IPTC` and `ICC` are the blocks; `photo` puts them into any format that carries them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import imagecodecs
from PIL import ImageCms

from pipeline.metadata.write import containers
from pipeline.metadata.write.blocks import Blocks
from tests.kit import media

CONTENT_ID = "D8A1B2C3-0000-4000-8000-123456789ABC"
TAKEN = "2023:10:06 08:30:00"
LAT, LON = 48.8583736, 2.2919064  # decimal degrees of what GPS below says
OWNER, SERIAL, LENS_SERIAL = "Ann Camera-Owner", "SN-55501234", "LS-999777"

Entry = tuple[int, int, bytes]  # tag, type, value
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}


def ascii_(text: str) -> bytes:
    """A text value."""
    return text.encode() + b"\0"


def rationals(*numbers: float) -> bytes:
    """Rational values, big-endian."""
    return b"".join(struct.pack(">II", round(n * 10_000), 10_000) for n in numbers)


def degrees(value: float) -> bytes:
    """Degrees, minutes and seconds."""
    whole = int(value)
    minutes = (value - whole) * 60
    return rationals(whole, int(minutes), (minutes - int(minutes)) * 60)


def ifd(entries: list[Entry], at: int, following: int = 0) -> bytes:
    """A big-endian directory that begins at `at`, with its values behind it."""
    entries = sorted(entries)
    heap_at = at + 2 + 12 * len(entries) + 4
    rows, heap = b"", b""
    for tag, kind, value in entries:
        count = len(value) // _SIZES[kind]
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack(">I", heap_at + len(heap))
            heap += value + b"\0" * (len(value) % 2)
        rows += struct.pack(">HHI", tag, kind, count) + field
    return struct.pack(">H", len(entries)) + rows + struct.pack(">I", following) + heap


def apple_note() -> bytes:
    """Apple's maker note with the id that pairs a Live Photo, and a unique id."""
    entries = [(0x0011, 2, ascii_(CONTENT_ID)), (0x0015, 2, ascii_("UNIQUE-IMAGE-ID-1"))]
    return b"Apple iOS\0\0\1MM" + ifd(entries, 14)


def exif(orientation: int = 6, size: tuple[int, int] = (96, 64)) -> bytes:
    """An EXIF block with a GPS directory, Apple's maker note and a thumbnail."""
    gps = [
        (0, 1, bytes((2, 3, 0, 0))),
        (1, 2, ascii_("N")),
        (2, 5, degrees(LAT)),
        (3, 2, ascii_("E")),
        (4, 5, degrees(LON)),
        (5, 1, b"\0"),
        (6, 5, rationals(35.5)),
        (7, 5, rationals(6, 30, 0)),
        (16, 2, ascii_("T")),
        (17, 5, rationals(123.4)),
        (27, 7, b"ASCII\0\0\0Eiffel"),
        (29, 2, ascii_("2023:10:06")),
    ]
    details = [
        (0x9003, 2, ascii_(TAKEN)),
        (0x9004, 2, ascii_(TAKEN)),
        (0x9011, 2, ascii_("+02:00")),
        (0x9000, 7, b"0232"),
        (0x927C, 7, apple_note()),
        (0xA002, 4, struct.pack(">I", size[0])),
        (0xA003, 4, struct.pack(">I", size[1])),
        (0xA420, 2, ascii_("unique-0123456789")),
        (0xA430, 2, ascii_(OWNER)),
        (0xA431, 2, ascii_(SERIAL)),
        (0xA434, 2, ascii_("Test Lens 26mm")),
        (0xA435, 2, ascii_(LENS_SERIAL)),
    ]
    thumbnail = media.jpeg(media.scene(40, 30))

    def main(exif_at: int, gps_at: int, next_at: int) -> bytes:
        entries = [
            (0x010F, 2, ascii_("Apple")),
            (0x0110, 2, ascii_("iPhone Test")),
            (0x0112, 3, struct.pack(">H", orientation)),
            (0x0132, 2, ascii_(TAKEN)),
            (0x013B, 2, ascii_("Ann Artist")),
            (0x8769, 4, struct.pack(">I", exif_at)),
            (0x8825, 4, struct.pack(">I", gps_at)),
        ]
        return ifd(entries, 8, next_at)

    def even(block: bytes) -> bytes:
        return block + b"\0" * (len(block) % 2)

    exif_at = 8 + len(even(main(0, 0, 0)))
    gps_at = exif_at + len(even(ifd(details, exif_at)))
    next_at = gps_at + len(even(ifd(gps, gps_at)))
    links = [(0x0103, 3, b"\0\6"), (0x0201, 4, bytes(4)), (0x0202, 4, bytes(4))]
    thumbnail_at = next_at + len(ifd(links, next_at))
    links[1] = (0x0201, 4, struct.pack(">I", thumbnail_at))
    links[2] = (0x0202, 4, struct.pack(">I", len(thumbnail)))
    body = even(main(exif_at, gps_at, next_at)) + even(ifd(details, exif_at))
    body += even(ifd(gps, gps_at)) + ifd(links, next_at) + thumbnail
    return b"MM\0*\0\0\0\x08" + body


XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Test">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:exifEX="http://cipa.jp/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    exif:GPSLatitude="48,51.5024N" exif:GPSLongitude="2,17.5144E" exif:GPSAltitude="355/10"
    photoshop:City="Paris" photoshop:Country="France" xmp:Rating="4"
    aux:SerialNumber="{SERIAL}" exifEX:LensSerialNumber="{LENS_SERIAL}"
    GPano:PoseHeadingDegrees="12.5" GPano:ProjectionType="equirectangular">
   <dc:subject><rdf:Bag>
    <rdf:li>tower &amp; sky</rdf:li><rdf:li>autumn</rdf:li>
   </rdf:Bag></dc:subject>
   <exif:GPSTimeStamp>2023-10-06T06:30:00Z</exif:GPSTimeStamp>
   <Iptc4xmpCore:Location>Champ de Mars</Iptc4xmpCore:Location>
   <Iptc4xmpExt:LocationCreated><rdf:Bag><rdf:li rdf:parseType="Resource">
     <Iptc4xmpExt:City>Paris</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:LocationCreated>
   <dc:creator><rdf:Seq><rdf:li>Ann Artist</rdf:li></rdf:Seq></dc:creator>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
{" " * 200}
<?xpacket end="w"?>""".encode()


def _record(number: int, value: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value


IPTC = b"\x1c\x01\x5a\0\3\x1b%G" + b"".join(
    _record(number, value.encode())
    for number, value in (
        (5, "Evening"),
        (25, "tower & sky"),
        (55, "20231006"),
        (80, "Ann Artist"),
        (90, "Paris"),
        (92, "Champ de Mars"),
        (101, "France"),
        (120, "Light on iron"),
    )
)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# A picture of each format that carries metadata, before it says anything.
SILENT: Mapping[str, Callable[[], bytes]] = {
    "jpeg": media.jpeg,
    "png": lambda: media.saved(media.scene(), "PNG"),
    "webp": lambda: media.saved(media.scene(), "WEBP"),
    "tiff": lambda: media.saved(media.scene(), "TIFF", icc_profile=ICC),
    "jxl": lambda: bytes(imagecodecs.jpegxl_encode(media.scene())),
    "avif": lambda: media.saved(media.scene(), "AVIF", speed=10, icc_profile=ICC),
    "heic": lambda: media.heic(icc_profile=ICC),
}


def photo(kind: str, orientation: int = 1) -> bytes:
    """A picture of the format `kind` that says everything this format can say."""
    able = containers.CARRIES[kind]
    icc = ICC if kind not in containers.PROFILE_BY_ENCODER else None
    blocks = Blocks(exif(orientation), XMP, None, IPTC if "iptc" in able else None, icc)
    return containers.write(SILENT[kind](), kind, blocks)
