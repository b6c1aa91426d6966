"""HEICs and AVIFs without what is private: items scrubbed where they lie."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata import boxes
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import exif, quicktime, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write import heif
from pipeline.metadata.write.heif import Item
from pipeline.metadata.write.patch import Patch, scattered

_PICTURES = frozenset(
    (
        *(b"hvc1", b"hvc2", b"hev1", b"av01", b"avc1", b"vvc1", b"grid", b"iden", b"iovl"),
        *(b"tmap", b"unci", b"j2k1", b"mski", b"lhv1", b"tili"),
    )
)


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a HEIF or AVIF. Raises `Invalid` for one that cannot be looked into."""
    if boxes.find(data, (0, len(data)), b"meta") is None:
        raise Invalid("The tables of this picture are damaged; it is left alone.")
    for item in heif.items(data):
        if item.kind in _PICTURES:
            continue
        if not item.pieces:
            raise Invalid("Part of this picture is stored in a way that is not known here.")
        yield from _item(data, item, orders)
    yield from quicktime.patches(data, orders)


def _item(data: Data, item: Item, orders: Orders) -> Iterator[Patch]:
    content = heif.content(data, item)
    whole = (0, len(content))
    if item.kind == b"Exif":
        at = heif.tiff_at(content)
        found = list(exif.patches(content, orders, max(at, 0), len(content)))
    elif item.is_xmp:
        found = [Patch(*whole, xmp.scrubbed(content, orders, length=len(content)))]
    elif item.kind == b"jpeg":
        from pipeline.metadata.scrub import jpeg

        found = list(jpeg.head_patches(content, 0, len(content), orders))
    else:
        found = [Patch(*whole, bytes(len(content)))]  # nobody knows what is in it
    for patch in found:
        yield from scattered(patch, item.pieces)
