"""What is said elsewhere, as XMP: for containers that have no place for it.

The mapping is the one that the Metadata Working Group's guidelines and IPTC's own standard name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from pipeline.errors import BadMedia
from pipeline.metadata import iptc, rdf
from pipeline.metadata.facts import Facts, TakenFrom

_NOT_THE_SHOT = frozenset((TakenFrom.NAME, TakenFrom.MTIME, TakenFrom.CONTAINER))
_ALT, _BAG, _SEQ, _TEXT = "rdf:Alt", "rdf:Bag", "rdf:Seq", ""
# Data set of record 2, the property, and its kind.
_NAMES: Mapping[int, tuple[str, str]] = {
    5: ("dc:title", _ALT),
    25: ("dc:subject", _BAG),
    40: ("photoshop:Instructions", _TEXT),
    80: ("dc:creator", _SEQ),
    85: ("photoshop:AuthorsPosition", _TEXT),
    90: ("photoshop:City", _TEXT),
    92: ("Iptc4xmpCore:Location", _TEXT),
    95: ("photoshop:State", _TEXT),
    100: ("Iptc4xmpCore:CountryCode", _TEXT),
    101: ("photoshop:Country", _TEXT),
    105: ("photoshop:Headline", _TEXT),
    110: ("photoshop:Credit", _TEXT),
    115: ("photoshop:Source", _TEXT),
    116: ("dc:rights", _ALT),
    120: ("dc:description", _ALT),
    122: ("photoshop:CaptionWriter", _TEXT),
}
_SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
)
_OPEN = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
)
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'


def told_in_xmp(xmp: bytes | None, records: bytes) -> bytes | None:
    """`xmp` with what only the IIM `records` say; None where nobody says anything."""
    return _with(xmp, "".join(_properties(records, _known(xmp))))


def facts_in_xmp(xmp: bytes | None, facts: Facts) -> bytes | None:
    """`xmp` with what was only read elsewhere: PNG's texts, JPEG 2000, Photoshop, GIF."""
    known = _known(xmp)
    found = ((name, value) for name, value in _told(facts) if value and name not in known)
    return _with(xmp, "".join(f"<{name}>{value}</{name}>" for name, value in found))


def _with(xmp: bytes | None, said: str) -> bytes | None:
    if not said:
        return xmp
    block = f'<rdf:Description rdf:about="" {_SPACES}>{said}</rdf:Description>'
    end = xmp.rfind(b"</rdf:RDF") if xmp else -1
    if xmp is not None and end >= 0:
        return xmp[:end] + block.encode() + xmp[end:]
    return f'{_BEGIN}{_OPEN}{block}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'.encode()


def _told(facts: Facts) -> Iterator[tuple[str, str]]:
    about = [d for d in facts.dates if d.source not in _NOT_THE_SHOT]
    if about:
        surest = max(about, key=lambda date: date.confidence)
        yield "photoshop:DateCreated", surest.local + _zone(surest.offset_min)
    if facts.places:
        place = facts.places[0]
        yield "exif:GPSLatitude", degrees(place.lat, "NS")
        yield "exif:GPSLongitude", degrees(place.lon, "EW")
    yield "tiff:Make", escape(facts.make or "")
    yield "tiff:Model", escape(facts.model or "")
    yield "aux:Lens", escape(facts.lens or "")
    yield "xmp:Rating", str(facts.rating or "")
    yield "dc:title", _list([facts.title] if facts.title else [], _ALT)
    yield "dc:description", _list([facts.description] if facts.description else [], _ALT)
    yield "dc:subject", _list(facts.keywords, _BAG)


def degrees(value: float, sides: str) -> str:
    """ "48,51.50240N": degrees and decimal minutes, as XMP part 2, 8.2.1, wants them."""
    left = round(abs(value) * 60 * 100_000)
    whole, minutes = divmod(left, 60 * 100_000)
    return f"{whole},{minutes / 100_000:.5f}{sides[value < 0]}"


def _zone(minutes: int | None) -> str:
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _list(values: Sequence[str], kind: str) -> str:
    language = ' xml:lang="x-default"' if kind == _ALT else ""
    items = "".join(f"<rdf:li{language}>{escape(v)}</rdf:li>" for v in values)
    return f"<{kind}>{items}</{kind}>" if items else ""


def _known(xmp: bytes | None) -> set[str]:
    try:
        return set(rdf.properties(xmp)) if xmp else set()
    except BadMedia:
        return set()


def _properties(records: bytes, known: set[str]) -> Iterator[str]:
    texts = iptc.texts(records)
    yield from _date(texts, known)
    for dataset, (name, kind) in _NAMES.items():
        values = [v for v in texts.get(dataset, ()) if v]
        if values and name not in known:
            inner = _list(values, kind) if kind else escape(values[0])
            yield f"<{name}>{inner}</{name}>"


def _date(texts: Mapping[int, Sequence[str]], known: set[str]) -> Iterator[str]:
    """Day (CCYYMMDD) and time (HHMMSS+HHMM) of data sets 55 and 60 as one date of XMP's."""
    day, clock = (next(iter(texts.get(dataset, ())), "") for dataset in (55, 60))
    if "photoshop:DateCreated" in known or not re.fullmatch(r"(?!0000)\d{8}", day):
        return
    told = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if re.fullmatch(r"\d{6}([+-]\d{4})?", clock):
        zone = f"{clock[6:9]}:{clock[9:]}" if clock[6:] else ""
        told += f"T{clock[:2]}:{clock[2:4]}:{clock[4:6]}{zone}"
    yield f"<photoshop:DateCreated>{told}</photoshop:DateCreated>"
