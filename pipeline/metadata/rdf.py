"""XMP's XML as plain values: properties by name, structures as dicts, arrays as lists.

Parsed with expat; a document type, an entity or too much of anything is refused, so that a small
file cannot become a large one. ISO 16684-1, as far as cameras and photo programs use it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from pipeline.errors import BadMedia

# Text, a structure, or an array; a language alternative is an array with "x-default" first.
Value = Any

_LONGEST = 8 << 20
_MOST_NODES = 100_000
_DEEPEST = 64
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {
    _RDF: "rdf",
    _XML: "xml",
    "adobe:ns:meta/": "x",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "hdrgm",
    "http://ns.apple.com/HDRGainMap/1.0/": "HDRGainMap",
    "http://ns.apple.com/pixeldatainfo/1.0/": "apdi",
    "http://www.fstopapp.com/xmp/": "fstop",
}
_PACKET = re.compile(rb"<(x:xmpmeta|x:xapmeta|rdf:RDF)\b.*</\1\s*>", re.DOTALL)


class _Node:
    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.children: list[_Node] = []
        self.text: list[str] = []


def properties(packet: bytes) -> dict[str, Value]:
    """Every property of the packet under its usual prefix, such as "dc:title".

    Raises `BadMedia` for what is not well-formed even after cutting it to the packet, and for
    documents that declare entities or a type.
    """
    if len(packet) > _LONGEST:
        raise BadMedia("The XMP block is larger than any program writes.")
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff") or packet[:2] in (b"<\0", b"\0<"):
        big = packet[:2] in (b"\xfe\xff", b"\0<")
        packet = packet.decode("utf-16-be" if big else "utf-16-le", "ignore").encode()
        packet = packet.removeprefix(b"\xef\xbb\xbf")
    found = _PACKET.search(packet)
    root = _tree(found[0] if found else packet)
    values: dict[str, Value] = {}
    for description in _descriptions(root):
        for name, value in _structure(description).items():
            values.setdefault(name, value)
    return values


def _tree(xml: bytes) -> _Node:
    try:
        return _parsed(xml)
    except expat.ExpatError:
        mended = xml.decode("utf-8", "replace").replace("\0", "").encode()
    try:
        return _parsed(mended)
    except expat.ExpatError as error:
        raise BadMedia("The XMP block is not well-formed XML.") from error


def _parsed(xml: bytes) -> _Node:
    parser = expat.ParserCreate(None, " ")
    parser.buffer_text = True
    root = _Node("", {})
    open_nodes = [root]
    left = _MOST_NODES

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0 or len(open_nodes) > _DEEPEST:
            raise BadMedia("The XMP block is larger than any program writes.")
        node = _Node(qualified(name), {qualified(k): v for k, v in attributes.items()})
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_: str) -> None:
        open_nodes.pop()

    def text(characters: str) -> None:
        open_nodes[-1].text.append(characters)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.Parse(xml, True)
    return root


def _refuse(*_: object) -> None:
    raise BadMedia("The XMP block declares a document type or entities, as no camera does.")


@lru_cache(maxsize=4096)
def qualified(expanded: str) -> str:
    """expat's "namespace name" as "prefix:name"; unknown namespaces keep only their name."""
    namespace, _, name = expanded.rpartition(" ")
    prefix = _PREFIXES.get(namespace)
    return f"{prefix}:{name}" if prefix else name


def _descriptions(node: _Node) -> list[_Node]:
    if node.name == "rdf:Description":
        return [node]
    return [d for child in node.children for d in _descriptions(child)]


def _structure(node: _Node) -> dict[str, Value]:
    fields: dict[str, Value] = {
        name: value
        for name, value in node.attributes.items()
        if not name.startswith(("rdf:", "xml:"))
    }
    for child in node.children:
        fields.setdefault(child.name, _value(child))
    return fields


def _value(node: _Node) -> Value:
    for child in node.children:
        if child.name in ("rdf:Bag", "rdf:Seq", "rdf:Alt"):
            return _array(child)
        if child.name == "rdf:Description":
            return _structure(child)
    if node.children:
        return _structure(node)
    own = _structure(node)
    text = "".join(node.text).strip()
    return own if own and not text else text or node.attributes.get("rdf:resource", "")


def _array(node: _Node) -> list[Value]:
    items = [child for child in node.children if child.name == "rdf:li"]
    if node.name == "rdf:Alt":
        items.sort(key=lambda item: item.attributes.get("xml:lang") != "x-default")
    return [_value(item) for item in items]
