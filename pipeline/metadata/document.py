"""PDF and Office documents: when written, what called, how many pages.

PDFs are opened by PDFium, which also copes with damaged ones; Office files are ZIPs of XML of which
two small members are read, with limits.
"""

from __future__ import annotations

import io
import re
import zipfile

from pipeline.errors import BadMedia
from pipeline.metadata import dates, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings

_LARGEST = 256 << 20
_LONGEST_MEMBER = 1 << 20
_MOST_MEMBERS = 10_000
_WRITTEN = 0.6
_TAG = re.compile(
    r"<(dc:title|dcterms:created|meta:creation-date|Pages|Slides)\b[^>]*>([^<]{1,500})<"
)
_PAGES = re.compile(r'meta:page-count="(\d{1,6})"')
_PACKET = re.compile(rb"<x:xmpmeta\b.{1,65536}?</x:xmpmeta>", re.DOTALL)


def pdf(data: Data, found: Findings) -> None:
    """Add a PDF's own dictionary, its page count, and the XMP that stands open in it."""
    if len(data) > _LARGEST:
        return
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data[:])
    except pypdfium2.PdfiumError:
        found.note("This PDF cannot be opened: it is damaged or needs a password.")
        return
    try:
        told = document.get_metadata_dict(skip_empty=True)
        found.set("page_count", len(document))
    finally:
        document.close()
    found.text("title", told.get("Title"))
    raw = told.get("CreationDate", "")
    found.date(TakenFrom.DOCUMENT, dates.from_pdf(raw), _WRITTEN, raw)
    packet = _PACKET.search(data[:])
    if packet:
        xmp.read(packet[0], found)


def office(data: Data, found: Findings) -> None:
    """Add the properties of Office Open XML and OpenDocument files."""
    try:
        with zipfile.ZipFile(io.BytesIO(data[:])) as archive:
            if len(archive.infolist()) > _MOST_MEMBERS:
                return
            for name in ("docProps/core.xml", "docProps/app.xml", "meta.xml"):
                if name in archive.NameToInfo:
                    _properties(_member(archive, name), found)
    except (zipfile.BadZipFile, BadMedia, OSError, ValueError, EOFError, NotImplementedError):
        found.note("The properties of this document cannot be read.")


def _member(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return member.read(_LONGEST_MEMBER).decode("utf-8", "replace")


def _properties(xml: str, found: Findings) -> None:
    """Flat documents of known elements: read by pattern, so that no entity is ever expanded."""
    for name, value in _TAG.findall(xml):
        if name == "dc:title":
            found.text("title", value)
        elif name in ("Pages", "Slides"):
            found.set("page_count", int(value) if value.isdecimal() and len(value) < 7 else None)
        else:
            found.date(TakenFrom.DOCUMENT, dates.parse(value), _WRITTEN, value)
    pages = _PAGES.search(xml)
    if pages:
        found.set("page_count", int(pages[1]))
