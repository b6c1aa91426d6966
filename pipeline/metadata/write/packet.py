"""XMP packets with properties taken out or changed, everything else left as it was written.

A packet is streamed through expat: names, prefixes and order stay the author's, only the named
properties go. Documents that declare a type or entities are refused, as in `rdf`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from pipeline.errors import BadMedia
from pipeline.metadata import rdf

# From a property's name ("exif:GPSLatitude") and its text to its new text; None takes it out.
# Structures and arrays have no text of their own and come with "".
Edit: TypeAlias = Callable[[str, str], str | None]

_MOST_NODES = 100_000
_EMPTY = ("rdf:Description", "rdf:Bag", "rdf:Seq", "rdf:Alt", "rdf:li", "rdf:RDF")
_TRAILER = re.compile(rb"<\?xpacket\s+end=")


def edited(packet: bytes, edit: Edit) -> bytes:
    """`packet` after `edit`, without padding; the very same bytes where nothing was to be done.

    Raises `BadMedia` for a packet that is not well-formed.
    """
    document = _document(packet)
    writer = _Writer(edit)
    writer.feed(document)
    return writer.result() if writer.is_changed else packet


def padded(packet: bytes, length: int) -> bytes | None:
    """`packet` brought to `length` bytes with spaces before its trailer; None if it is longer."""
    missing = length - len(packet)
    if missing < 0:
        return None
    trailer = _TRAILER.search(packet)
    at = trailer.start() if trailer else len(packet)
    return packet[:at] + b" " * missing + packet[at:]


def unpadded(packet: bytes) -> bytes:
    """`packet` without the room that its writer left for changes in place."""
    trailer = _TRAILER.search(packet)
    at = trailer.start() if trailer else len(packet)
    return packet[:at].rstrip() + b"\n" + packet[at:].rstrip(b"\0 \r\n\t") if at else packet


def joined(packet: bytes, more: bytes) -> bytes:
    """`packet` with the descriptions of `more` added: an extended packet as one with its main."""
    inner = re.search(rb"<rdf:RDF\b[^>]*>(.*)</rdf:RDF\s*>", more, re.DOTALL)
    end = packet.rfind(b"</rdf:RDF")
    if inner is None or end < 0:
        return packet
    return packet[:end] + inner[1] + packet[end:]


def _document(packet: bytes) -> bytes:
    """UTF-8 without what is no part of the document; `rdf.properties` is as forgiving."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff") or packet[:2] in (b"<\0", b"\0<"):
        is_big = packet[:2] in (b"\xfe\xff", b"\0<")
        packet = packet.decode("utf-16-be" if is_big else "utf-16-le", "ignore").encode()
    return packet.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \r\n\t")


class _Writer:
    """Echoes a document as it is parsed, without the properties that `edit` takes out."""

    def __init__(self, edit: Edit) -> None:
        self.is_changed = False
        self._edit = edit
        self._out: list[str] = []
        self._scopes: list[Mapping[str, str]] = [{"xml": "http://www.w3.org/XML/1998/namespace"}]
        self._held: list[tuple[int, str]] = []  # where an element's text begins, and its name
        self._skipping = 0
        self._left = _MOST_NODES

    def feed(self, document: bytes) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
        try:
            parser.Parse(document, True)
        except expat.ExpatError as error:
            raise BadMedia("The XMP block is not well-formed XML.") from error

    def result(self) -> bytes:
        return "".join(self._out).encode()

    def _start(self, tag: str, attributes: list[str]) -> None:
        self._left -= 1
        if self._left < 0 or len(self._scopes) > 64:
            raise BadMedia("The XMP block is larger than any program writes.")
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        self._scopes.append(self._scope(pairs))
        if self._skipping:
            self._skipping += 1
            return
        name = self._name(tag)
        if name not in _EMPTY and self._edit(name, "") is None:
            self._skipping, self.is_changed = 1, True
            return
        written = "".join(f" {key}={quoteattr(value)}" for key, value in self._kept(pairs))
        self._out.append(f"<{tag}{written}>")
        self._held.append((len(self._out), name))

    def _end(self, tag: str) -> None:
        self._scopes.pop()
        if self._skipping:
            self._skipping -= 1
            return
        begins, name = self._held.pop()
        self._change(begins, name)
        self._out.append(f"</{tag}>")

    def _change(self, begins: int, name: str) -> None:
        """Give a property that holds nothing but text its new one."""
        inner = self._out[begins:]
        if any(part.startswith("<") for part in inner):
            return
        text = _unescaped("".join(inner))
        new = self._edit(name, text) if name not in _EMPTY else text
        if new is not None and new != text:
            self._out[begins:] = [escape(new)]
            self.is_changed = True

    def _kept(self, pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for key, value in pairs:
            is_property = ":" in key and not key.startswith(("xmlns:", "rdf:", "xml:"))
            new = self._edit(self._name(key), value) if is_property else value
            self.is_changed = self.is_changed or new != value
            if new is not None:
                yield key, new

    def _text(self, text: str) -> None:
        if not self._skipping:
            self._out.append(escape(text))

    def _instruction(self, target: str, data: str) -> None:
        if not self._skipping:
            self._out.append(f"<?{target} {data}?>")

    def _scope(self, pairs: list[tuple[str, str]]) -> Mapping[str, str]:
        own = {key.removeprefix("xmlns:"): v for key, v in pairs if key.startswith("xmlns:")}
        return {**self._scopes[-1], **own} if own else self._scopes[-1]

    def _name(self, tag: str) -> str:
        prefix, _, name = tag.rpartition(":")
        return rdf.qualified(f"{self._scopes[-1].get(prefix, '')} {name}")


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _refuse(*_: object) -> None:
    raise BadMedia("The XMP block declares a document type or entities, as no camera does.")
