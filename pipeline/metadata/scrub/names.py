"""What tells where something was made, or whose it is: by tag, data set, property and key.

Names of properties and keys are matched by pattern, because programs invent new ones: a false alarm
costs a word, a miss costs an address. Tags: CIPA DC-008, DNG 1.7, GeoTIFF 1.1, IPTC-IIM 4.2.
"""

from __future__ import annotations

import re

from pipeline.metadata.scrub.wishes import Orders

# --- EXIF and TIFF tags ---------------------------------------------------------------------------

GPS_IFD = 0x8825
GPS_KEPT_WHEN_ROUNDED = frozenset((0, 1, 2, 3, 4, 7, 18, 29))  # version, place, time, datum, day
# GeoTIFF's transformation, tie points, keys; GDAL's notes; DNG: what only makers can read, and
# the original file.
_PLACE_TAGS = frozenset(
    (
        *(0x830E, 0x8480, 0x8482, 0x85D8, 0x87AF, 0x87B0, 0x87B1, 0xA480, 0xA481),
        *(0xC634, 0xC68C),
    )
)
_OWNER_TAGS = frozenset(
    (
        *(0xA420, 0xA430, 0xA431, 0xA435),  # unique id, owner, serials of body and lens
        # Host computer; DNG: serial, private data, unique id, name and bytes of the original file.
        *(0x013C, 0xC62F, 0xC634, 0xC65D, 0xC68B, 0xC68C),
        *(0xFDE8, 0xFDE9),  # Lightroom: owner, serial
    )
)
_ARTIST_TAGS = frozenset((0x013B, 0x9C9D, 0xA437, 0xA438))

# --- IPTC-IIM, record 2 ---------------------------------------------------------------------------

_PLACE_SETS = frozenset((26, 27, 90, 92, 95, 100, 101))
_OWNER_SETS = frozenset((118, 147))  # contact, unique name of the owner
_ARTIST_SETS = frozenset((80, 85, 110, 122))

# --- XMP, by name with its usual prefix -----------------------------------------------------------

_PLACE_NAME = re.compile(
    r"gps|latitude|longitude|altitude|iptc4xmpext:location|(?:^|:)(?:geo(?:tag|loc|code)|"
    r"sub-?location|location|city|state$|province|country|address|world_?region|ciadr|poseheading)",
    re.IGNORECASE,
)
_PLACE_INSIDE = re.compile(r"City|Country|Province|Sublocation|Region$")  # plus:LicensorCity ...
_OWNER_NAME = re.compile(
    r"serial_?-?num|owner|imageuniqueid|uniquecamera|creatorcontact|ciemail|citel|ciurl",
    re.IGNORECASE,
)
_ARTIST_NAME = re.compile(
    r"author|artist|photographer|imagecreator|imagesupplier|licensor|by-?line|captionwriter|"
    r"imageeditor|(?:^|:)(?:creator|credit)$",
    re.IGNORECASE,
)
# Nobody but their maker can look into these; thumbnails carry metadata of their own.
OPAQUE = frozenset(
    (
        *("GCamera:HdrPlusMakernote", "GCamera:hdrp_makernote", "GCamera:shot_log_data"),
        *("xmp:Thumbnails", "photoshop:DocumentAncestors"),
    )
)
POSITION = frozenset(("exif:GPSLatitude", "exif:GPSLongitude"))
_KEPT_WHEN_ROUNDED = POSITION | {
    *("exif:GPSTimeStamp", "exif:GPSDateTime", "exif:GPSVersionID", "exif:GPSMapDatum"),
    *("exif:GPSLatitudeRef", "exif:GPSLongitudeRef"),
}

# --- QuickTime keys and atoms ---------------------------------------------------------------------

_PLACE_KEY = re.compile(r"location|gps|geo|latitude|longitude|altitude|city|country", re.IGNORECASE)
_OWNER_KEY = re.compile(r"serial|owner|account|unique.?id|device.?id|collection", re.IGNORECASE)
_ARTIST_KEY = re.compile(r"author|artist|director|producer|performer|\buser\b", re.IGNORECASE)


def is_private_tag(tag: int, orders: Orders) -> bool:
    """A tag of the main or the Exif directory."""
    return (
        (orders.location and tag in _PLACE_TAGS)
        or (orders.owner and tag in _OWNER_TAGS)
        or (orders.artist and tag in _ARTIST_TAGS)
    )


def is_private_set(dataset: int, orders: Orders) -> bool:
    """A data set of IPTC's record 2."""
    return (
        (orders.location and dataset in _PLACE_SETS)
        or (orders.owner and dataset in _OWNER_SETS)
        or (orders.artist and dataset in _ARTIST_SETS)
    )


def is_private_name(name: str, orders: Orders) -> bool:
    """A property of XMP, or a keyword of PNG."""
    if name in OPAQUE:
        return True
    if orders.location and (_PLACE_NAME.search(name) or _PLACE_INSIDE.search(name)):
        return not (orders.grid_km is not None and name in _KEPT_WHEN_ROUNDED)
    is_owner = orders.owner and _OWNER_NAME.search(name) is not None
    return is_owner or (orders.artist and _ARTIST_NAME.search(name) is not None)


def is_private_key(name: str, orders: Orders) -> bool:
    """A key of QuickTime's `keys`."""
    return (
        (orders.location and _PLACE_KEY.search(name) is not None)
        or (orders.owner and _OWNER_KEY.search(name) is not None)
        or (orders.artist and _ARTIST_KEY.search(name) is not None)
    )


def is_private_comment(key: bytes, orders: Orders) -> bool:
    """A key of Vorbis comments or of an APE tag; pictures in comments tell what they like."""
    name = key.decode("utf-8", "replace")
    is_picture = name.upper() in ("METADATA_BLOCK_PICTURE", "COVERART")
    return is_picture or is_private_key(name, orders) or is_private_name(name, orders)
