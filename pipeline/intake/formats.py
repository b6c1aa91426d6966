"""The table of formats: every kind of file Darkroom keeps, by its stable name.

One row per format: category, MIME type, the extension we write, the other extensions that are just
as right, and the ffmpeg demuxer to force. How a format is told from bytes stands in `kind.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model import Category, Format

# name, MIME, canonical extension, other right extensions, demuxer
_Row = tuple[str, str, str, str, str | None]

_PHOTOS: tuple[_Row, ...] = (
    # MPO, Ultra HDR, motion photos and stereo pairs are JPEGs with something after the picture.
    ("jpeg", "image/jpeg", ".jpg", ".jpeg .jpe .jfif .jif .mpo .jps .insp", None),
    ("png", "image/png", ".png", "", None),
    ("apng", "image/apng", ".png", ".apng", "apng"),
    ("gif", "image/gif", ".gif", "", "gif"),
    ("webp", "image/webp", ".webp", "", None),
    ("tiff", "image/tiff", ".tif", ".tiff", None),
    ("bmp", "image/bmp", ".bmp", ".dib", None),
    ("heic", "image/heic", ".heic", ".heif .hif .heics .heifs", None),
    ("heif", "image/heif", ".heif", ".heic .hif .heifs", None),  # coded otherwise than HEVC
    ("avif", "image/avif", ".avif", ".avifs", None),
    ("jxl", "image/jxl", ".jxl", "", None),
    ("jp2", "image/jp2", ".jp2", ".jpx .jpf .jpm", None),
    ("j2k", "image/x-jp2-codestream", ".j2k", ".j2c .jpc .jp2", None),
    ("jxr", "image/jxr", ".jxr", ".wdp .hdp", None),
    ("psd", "image/vnd.adobe.photoshop", ".psd", ".psb", None),
    ("ico", "image/vnd.microsoft.icon", ".ico", ".cur", None),
    ("svg", "image/svg+xml", ".svg", "", None),
    ("dng", "image/x-adobe-dng", ".dng", "", None),
    ("cr2", "image/x-canon-cr2", ".cr2", "", None),
    ("cr3", "image/x-canon-cr3", ".cr3", "", None),
    ("crw", "image/x-canon-crw", ".crw", "", None),
    ("nef", "image/x-nikon-nef", ".nef", ".nrw", None),
    ("arw", "image/x-sony-arw", ".arw", ".sr2 .srf", None),
    ("raf", "image/x-fuji-raf", ".raf", "", None),
    ("rw2", "image/x-panasonic-rw2", ".rw2", ".rwl .raw", None),
    ("orf", "image/x-olympus-orf", ".orf", ".ori", None),
    ("pef", "image/x-pentax-pef", ".pef", "", None),
    ("srw", "image/x-samsung-srw", ".srw", "", None),
    ("x3f", "image/x-sigma-x3f", ".x3f", "", None),
    ("mrw", "image/x-minolta-mrw", ".mrw", "", None),
    ("kdc", "image/x-kodak-kdc", ".kdc", ".dcr", None),
    ("erf", "image/x-epson-erf", ".erf", "", None),
    ("3fr", "image/x-hasselblad-3fr", ".3fr", ".fff", None),
    ("iiq", "image/x-phaseone-iiq", ".iiq", ".mos", None),
)

_VIDEOS: tuple[_Row, ...] = (
    ("mp4", "video/mp4", ".mp4", ".m4v .f4v .lrv .insv .mpg4", "mov"),
    ("mov", "video/quicktime", ".mov", ".qt", "mov"),
    ("m4v", "video/x-m4v", ".m4v", ".mp4", "mov"),
    # Phones wrote the brand of 3GP into files they rightly called .mp4.
    ("3gp", "video/3gpp", ".3gp", ".3g2 .3gpp .3gpp2 .mp4", "mov"),
    ("mkv", "video/x-matroska", ".mkv", ".mk3d", "matroska"),
    ("webm", "video/webm", ".webm", "", "matroska"),
    ("avi", "video/x-msvideo", ".avi", ".divx", "avi"),
    ("mts", "video/mp2t", ".mts", ".m2ts .m2t .ts .tod", "mpegts"),
    ("flv", "video/x-flv", ".flv", "", "flv"),
    ("wmv", "video/x-ms-wmv", ".wmv", ".asf", "asf"),
    ("mpg", "video/mpeg", ".mpg", ".mpeg .mpe .vob .mod .m2p", "mpeg"),
    ("m2v", "video/mpeg", ".m2v", ".m1v .mpv .mpg .mpeg", "mpegvideo"),
    ("ogv", "video/ogg", ".ogv", ".ogg .ogm", "ogg"),
)

_AUDIO: tuple[_Row, ...] = (
    ("mp3", "audio/mpeg", ".mp3", ".mp2 .mpga", "mp3"),
    ("m4a", "audio/mp4", ".m4a", ".m4b .m4r .m4p .mp4", "mov"),
    ("flac", "audio/flac", ".flac", "", "flac"),
    ("wav", "audio/wav", ".wav", ".wave .bwf", "wav"),
    ("ogg", "audio/ogg", ".ogg", ".oga .spx", "ogg"),
    ("opus", "audio/opus", ".opus", ".ogg .oga", "ogg"),
    ("aac", "audio/aac", ".aac", ".adts", "aac"),
    ("amr", "audio/amr", ".amr", ".awb", "amr"),
    ("aiff", "audio/aiff", ".aiff", ".aif .aifc", "aiff"),
    ("caf", "audio/x-caf", ".caf", "", "caf"),
    ("wma", "audio/x-ms-wma", ".wma", ".asf", "asf"),
    ("mka", "audio/x-matroska", ".mka", ".mkv", "matroska"),
    ("weba", "audio/webm", ".weba", ".webm", "matroska"),
)

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_DOCUMENTS: tuple[_Row, ...] = (
    ("pdf", "application/pdf", ".pdf", ".ai", None),
    ("docx", f"{_OPEN_XML}.wordprocessingml.document", ".docx", ".docm .dotx .dotm", None),
    ("xlsx", f"{_OPEN_XML}.spreadsheetml.sheet", ".xlsx", ".xlsm .xltx .xlsb", None),
    ("pptx", f"{_OPEN_XML}.presentationml.presentation", ".pptx", ".pptm .ppsx .potx", None),
    ("odt", f"{_ODF}.text", ".odt", ".ott", None),
    ("ods", f"{_ODF}.spreadsheet", ".ods", ".ots", None),
    ("odp", f"{_ODF}.presentation", ".odp", ".otp", None),
    ("odg", f"{_ODF}.graphics", ".odg", ".otg", None),
    ("epub", "application/epub+zip", ".epub", "", None),
    ("doc", "application/msword", ".doc", ".dot .wps", None),
    ("xls", "application/vnd.ms-excel", ".xls", ".xlt .xla", None),
    ("ppt", "application/vnd.ms-powerpoint", ".ppt", ".pps .pot", None),
    ("pages", "application/vnd.apple.pages", ".pages", "", None),
    ("numbers", "application/vnd.apple.numbers", ".numbers", "", None),
    ("key", "application/vnd.apple.keynote", ".key", "", None),
    ("rtf", "application/rtf", ".rtf", ".doc", None),
    ("txt", "text/plain", ".txt", ".text .log", None),
    ("csv", "text/csv", ".csv", ".tsv", None),
    ("md", "text/markdown", ".md", ".markdown", None),
)

_SIDECARS: tuple[_Row, ...] = (
    ("xmp", "application/rdf+xml", ".xmp", "", None),
    ("aae", "application/x-apple-adjustments", ".aae", "", None),
    ("thm", "image/jpeg", ".thm", "", None),  # a JPEG; only its name says whose thumbnail it is
    ("takeout-json", "application/json", ".json", "", None),
    ("takeout-album", "application/json", ".json", "", None),
)


def _table() -> dict[str, Format]:
    groups = (
        (Category.PHOTO, _PHOTOS),
        (Category.VIDEO, _VIDEOS),
        (Category.AUDIO, _AUDIO),
        (Category.DOCUMENT, _DOCUMENTS),
        (Category.SIDECAR, _SIDECARS),
    )
    return {
        name: Format(name, category, mime, extension, tuple(aliases.split()), demuxer)
        for category, rows in groups
        for name, mime, extension, aliases, demuxer in rows
    }


FORMATS: Mapping[str, Format] = _table()

# A sensor's own data rather than a finished picture: the rows from "dng" on.
RAW: frozenset[str] = frozenset(
    row[0] for row in _PHOTOS[next(n for n, row in enumerate(_PHOTOS) if row[0] == "dng") :]
)

EXTENSIONS: frozenset[str] = frozenset(
    extension for row in FORMATS.values() for extension in (row.extension, *row.aliases)
)
