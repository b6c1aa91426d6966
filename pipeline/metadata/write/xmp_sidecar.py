"""An XMP sidecar that says what Darkroom knows of a picture: tags, people, faces, stars, and what
people wrote of it.

`rendered` is pure. What other programs wrote into the sidecar stays as they wrote it; only the
properties that are ours to say are replaced. The same knowledge gives the same bytes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from pipeline.errors import BadMedia
from pipeline.metadata import rdf
from pipeline.metadata.write import packet
from pipeline.model import Json

_OURS = frozenset({
    "dc:subject", "lr:hierarchicalSubject", "Iptc4xmpExt:PersonInImage", "mwg-rs:Regions",
    "xmp:Rating",
})  # fmt: skip
_BEGIN = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Darkroom">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
"""
_END = """</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
_LANGUAGES = frozenset({"dc:title", "dc:description"})  # alternatives, by language
_EDITED = """ xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
"""
_DESCRIPTION = """<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">
"""
_HOLLOW = re.compile(
    rb'<rdf:Description(?:\s+(?:xmlns:[\w.-]+|rdf:about)="[^"]*")*\s*>\s*</rdf:Description>\s*'
)


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody's face: centre and size as fractions of the picture as it is stored (MWG 2.0)."""

    name: str
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Said:
    """All that the sidecar is to say; `width` and `height` are those of the stored picture.

    `edited` are the properties that people decided, by name; None: they are not to be said.
    """

    tags: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    faces: tuple[Face, ...] = ()
    rating: int | None = None
    width: int | None = None
    height: int | None = None
    edited: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """There is nothing to write down."""
        words = self.tags or self.people or self.faces or any(self.edited.values())
        return not words and self.rating is None

    @property
    def ours(self) -> frozenset[str]:
        """The properties that are ours to say; all others are left as they are."""
        return _OURS | self.edited.keys()


def rendered(said: Said, base: bytes | None = None) -> bytes:
    """A sidecar with these words, and with all else that `base` says.

    The very bytes of `base` where it says them already. Raises `BadMedia` for a base that is no
    sidecar.
    """
    if base is None:
        return (_BEGIN + _description(said, ()) + _END).encode()
    before = rdf.properties(base)
    bare = _HOLLOW.sub(b"", packet.edited(base, functools.partial(_without, said.ours)))
    ours = _description(said, before.get("lr:hierarchicalSubject") or ())
    merged = bare if said.is_nothing else packet.joined(bare, (_BEGIN + ours + _END).encode())
    after = rdf.properties(merged)
    if not said.is_nothing and not said.ours & after.keys():
        raise BadMedia("This sidecar is written in a way that nothing can be added to.")
    return base if after == before else merged


def upright(x: float, y: float, w: float, h: float, orientation: int | None) -> Face:
    """A box of the upright picture (corner and size, as fractions) in the picture as stored.

    `orientation` is EXIF's; the name is still to be given.
    """
    x, y = x + w / 2, y + h / 2
    match orientation:
        case 2:
            x = 1 - x
        case 3:
            x, y = 1 - x, 1 - y
        case 4:
            y = 1 - y
        case 5:
            x, y, w, h = y, x, h, w
        case 6:
            x, y, w, h = y, 1 - x, h, w
        case 7:
            x, y, w, h = 1 - y, 1 - x, h, w
        case 8:
            x, y, w, h = 1 - y, x, h, w
    return Face("", round(x, 4), round(y, 4), round(w, 4), round(h, 4))


def edited(
    title: Json = ..., description: Json = ..., taken_at: Json = ..., position: Json = ...
) -> dict[str, str | None]:
    """The properties for what people said; what is left out is not theirs to say.

    `taken_at` is ISO 8601, `position` is latitude and longitude in degrees; None: there is none.
    """
    told: dict[str, str | None] = {}
    if title is not ...:
        told["dc:title"] = title
    if description is not ...:
        told["dc:description"] = description
    if taken_at is not ...:
        told |= dict.fromkeys(("exif:DateTimeOriginal", "photoshop:DateCreated"), taken_at)
    if position is not ...:
        lat, lon = position or (None, None)
        told["exif:GPSLatitude"] = None if lat is None else _degrees(lat, "NS")
        told["exif:GPSLongitude"] = None if lon is None else _degrees(lon, "EW")
    return told


def _degrees(value: float, sides: str) -> str:
    """ "48,12.492000N", as XMP writes positions."""
    whole, rest = divmod(round(abs(value) * 60_000_000), 60_000_000)
    return f"{whole},{rest / 1_000_000:.6f}{sides[value < 0]}"


def _without(ours: frozenset[str], name: str, text: str) -> str | None:
    return None if name in ours else text


def _description(said: Said, hierarchical: Iterable[object]) -> str:
    inner = "".join([
        *_array("dc:subject", "Bag", said.tags),
        *_array("lr:hierarchicalSubject", "Bag", _hierarchies(said.tags, hierarchical)),
        *_array("Iptc4xmpExt:PersonInImage", "Bag", said.people),
        *_regions(said),
        *([f"<xmp:Rating>{said.rating}</xmp:Rating>\n"] if said.rating is not None else []),
        *_words(said.edited),
    ])  # fmt: skip
    head = _DESCRIPTION
    if any(said.edited.values()):
        head = head.replace("\n", f"\n{_EDITED}", 1)
    return f"{head}{inner}</rdf:Description>\n" if inner else ""


def _words(edited: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in sorted(edited.items()):
        if value is None:
            continue
        text = escape(_plain(value))
        if name in _LANGUAGES:
            text = f'<rdf:Alt>\n<rdf:li xml:lang="x-default">{text}</rdf:li>\n</rdf:Alt>'
        yield f"<{name}>{text}</{name}>\n"


def _hierarchies(tags: Iterable[str], known: Iterable[object]) -> list[str]:
    """Paths that other programs gave ("Places|Italy|Rome") for as long as their tag is there."""
    wanted = list(tags)
    kept = [path for path in known if isinstance(path, str) and path.rpartition("|")[2] in wanted]
    covered = {path.rpartition("|")[2] for path in kept}
    return sorted({*kept, *(tag for tag in wanted if tag not in covered)})


def _array(name: str, kind: str, values: Iterable[str]) -> Iterator[str]:
    items = "".join(f"<rdf:li>{escape(_plain(value))}</rdf:li>\n" for value in values)
    if items:
        yield f"<{name}><rdf:{kind}>\n{items}</rdf:{kind}></{name}>\n"


def _regions(said: Said) -> Iterator[str]:
    """Metadata Working Group 2.0, section 5.9."""
    if not said.faces:
        return
    yield '<mwg-rs:Regions rdf:parseType="Resource">\n'
    if said.width and said.height:
        yield (
            f'<mwg-rs:AppliedToDimensions stDim:w="{said.width}" stDim:h="{said.height}"'
            ' stDim:unit="pixel"></mwg-rs:AppliedToDimensions>\n'
        )
    yield "<mwg-rs:RegionList><rdf:Bag>\n"
    for face in said.faces:
        yield (
            f"<rdf:li><rdf:Description mwg-rs:Name={quoteattr(_plain(face.name))}"
            f' mwg-rs:Type="Face"><mwg-rs:Area stArea:x="{face.x:g}" stArea:y="{face.y:g}"'
            f' stArea:w="{face.w:g}" stArea:h="{face.h:g}" stArea:unit="normalized">'
            "</mwg-rs:Area></rdf:Description></rdf:li>\n"
        )
    yield "</rdf:Bag></mwg-rs:RegionList>\n</mwg-rs:Regions>\n"


def _plain(text: str) -> str:
    """XML cannot hold control characters."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
