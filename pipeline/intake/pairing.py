"""The rules of belonging: does this file belong to that one?

Each rule looks at two members and what is known of them so far. Names propose; content identifiers,
times and durations confirm or refuse once a visit has read them. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from pipeline.intake.edits import original_stem
from pipeline.intake.formats import FORMATS, RAW
from pipeline.model import Category, Format

LIVE_VIDEO_LIMIT_S = 10.0  # Apple's run 3 s, Samsung's and Google's at most a few more
SAME_MOMENT_S = 5.0
_ZONE_STEP_S = 900  # offsets from UTC are multiples of a quarter of an hour
_ZONE_LIMIT_S = 14 * 3600 + 900

# Pixel: "PXL_1.MP.jpg" + "PXL_1.MP", "PXL_1.RAW-01.COVER.jpg" + "PXL_1.RAW-02.ORIGINAL.dng".
_PIXEL = re.compile(r"(?:\.(?:mp|mv|raw-\d+|cover|original))+$", re.IGNORECASE)
_LIVE_PHOTOS = frozenset({"jpeg", "heic", "heif"})
_LIVE_VIDEOS = frozenset({"mov", "mp4", "m4v"})
_COMPANIONS = frozenset({".mp", ".mv"})
_PAIRED_WITH_RAW = frozenset({"jpeg", "heic", "heif", "png", "tiff", "avif", "jxl"})


def _formats_by_extension() -> dict[str, str]:
    """The likeliest format of each extension: the one whose own it is, else the first alias."""
    likely: dict[str, str] = {}
    for name, row in FORMATS.items():
        for extension in row.aliases:
            likely.setdefault(extension, name)
    likely.update({row.extension: name for name, row in FORMATS.items() if name != "apng"})
    likely.update({".json": "takeout-json", **dict.fromkeys(_COMPANIONS, "mp4")})
    return likely


_BY_EXTENSION = _formats_by_extension()
# What may stand behind the part of a name that a bundle shares.
BUNDLED_EXTENSIONS = frozenset(_BY_EXTENSION) | {
    ".cover",
    ".original",
    *(f".raw-{n:02}" for n in range(1, 10)),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One file and what is known of it; `key` is whatever the caller calls it."""

    key: str
    name: str
    directory: str = ""
    format: str | None = None  # known after the visit; until then the extension speaks
    content_id: str | None = None
    taken: str | None = None  # local ISO 8601, with or without offset
    duration_s: float | None = None

    @property
    def likely(self) -> Format | None:
        """The format, as told by content or else by the extension."""
        name = self.format or _BY_EXTENSION.get(split_name(self.name)[1])
        return FORMATS.get(name) if name else None

    @property
    def category(self) -> Category:
        """Photo, video, sidecar ... of the likely format."""
        return self.likely.category if self.likely else Category.UNKNOWN

    @property
    def is_raw(self) -> bool:
        """Does it hold a sensor's own data?"""
        return self.likely is not None and self.likely.name in RAW

    @property
    def stem(self) -> str:
        """The folded name without extension and without Pixel's infixes: equal for a pair."""
        return _PIXEL.sub("", split_name(self.name)[0])

    @property
    def original(self) -> str | None:
        """The `stem` of what this name says it was edited from, or None."""
        stem = original_stem(split_name(self.name)[0])
        return _PIXEL.sub("", stem) if stem else None


def folded(name: str) -> str:
    """`name` as names are compared: case and Unicode composition do not count."""
    return unicodedata.normalize("NFC", name).casefold()


def split_name(name: str) -> tuple[str, str]:
    """The folded (stem, extension) of a name; "MVIMG_1" and ".jpg" have no extension."""
    stem, dot, extension = folded(name).rpartition(".")
    return (stem, f".{extension}") if dot and stem else (folded(name), "")


def is_live_video(video: Member, photo: Member) -> bool:
    """Is `video` the moving half of `photo`? Identifiers decide; else name, length and time."""
    if not (_is(video, _LIVE_VIDEOS) and _is(photo, _LIVE_PHOTOS)):
        return False
    if video.content_id and photo.content_id:
        return video.content_id == photo.content_id
    if video.stem != photo.stem or video.directory != photo.directory:
        return False
    if video.duration_s is not None and video.duration_s > LIVE_VIDEO_LIMIT_S:
        return False
    return may_be_same_moment(video.taken, photo.taken)


def is_raw_of(raw: Member, photo: Member) -> bool:
    """Is `raw` the negative of the finished picture `photo`?"""
    return (
        raw.is_raw
        and _is(photo, _PAIRED_WITH_RAW)
        and raw.stem == photo.stem
        and raw.directory == photo.directory
        and may_be_same_moment(raw.taken, photo.taken)
    )


def is_edit_of(edit: Member, original: Member) -> bool:
    """Does the name of `edit` say that it was made from `original`, of the same kind?"""
    if edit.directory != original.directory or edit.category is not original.category:
        return False
    if edit.category not in (Category.PHOTO, Category.VIDEO):
        return False
    return edit.original == original.stem


def is_sidecar_of(sidecar: Member, media: Member) -> bool:
    """Does the name of an XMP, AAE or THM name `media`? Takeout's JSON has `takeout.match`."""
    if sidecar.category is not Category.SIDECAR or sidecar.directory != media.directory:
        return False
    stem, extension = split_name(sidecar.name)
    if extension == ".json" or sidecar.format in ("takeout-json", "takeout-album"):
        return False
    if stem == folded(media.name):  # IMG.jpg.xmp
        return True
    if stem != split_name(media.name)[0]:
        return extension == ".aae" and original_stem(stem) == media.stem
    return extension != ".thm" or media.category is Category.VIDEO or media.is_raw


def may_be_same_moment(one: str | None, other: str | None) -> bool:
    """False only if both times are known and cannot be one moment, whatever the time zone."""
    if not one or not other:
        return True
    try:
        first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
    except ValueError:
        return True
    if first.tzinfo and second.tzinfo:
        return abs((first - second).total_seconds()) <= SAME_MOMENT_S
    apart_s = abs((first.replace(tzinfo=None) - second.replace(tzinfo=None)).total_seconds())
    remainder_s = apart_s % _ZONE_STEP_S
    is_zone = min(remainder_s, _ZONE_STEP_S - remainder_s) <= SAME_MOMENT_S
    return apart_s <= SAME_MOMENT_S or (apart_s <= _ZONE_LIMIT_S and is_zone)


def _is(member: Member, formats: frozenset[str]) -> bool:
    return member.likely is not None and member.likely.name in formats
