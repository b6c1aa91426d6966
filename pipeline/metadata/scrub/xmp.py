"""XMP packets without what is private; positions rounded where that is wished."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import BadMedia, Invalid
from pipeline.metadata import xmp
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import names
from pipeline.metadata.scrub.wishes import Orders, rounded
from pipeline.metadata.write import packet
from pipeline.metadata.write.patch import Patch
from pipeline.metadata.write.words import degrees


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to change in an XMP sidecar. Raises `Invalid` for one that cannot be read."""
    old = data[:]
    clean = scrubbed(old, orders)
    if clean != old and not clean.strip():
        raise Invalid("This sidecar is damaged; no copy of it is made.")
    yield Patch(0, len(data), clean)


def scrubbed(xmp_packet: bytes, orders: Orders, *, length: int | None = None) -> bytes:
    """`xmp_packet` without what `orders` name, padded to `length` bytes where one is given.

    Nothing but spaces is left of a packet that cannot be read, or that would be too long.
    """
    try:
        grid = _grid(xmp_packet, orders)
        clean = packet.edited(xmp_packet, _edit(orders, grid))
        if length is not None and len(clean) > length and grid is not None:
            clean = packet.edited(xmp_packet, _edit(orders, None))
    except BadMedia:
        return b" " * (len(xmp_packet) if length is None else length)
    if length is None or clean is xmp_packet:
        return clean
    return packet.padded(clean, length) or b" " * length


def _edit(orders: Orders, grid: dict[str, str] | None) -> packet.Edit:
    def edit(name: str, text: str) -> str | None:
        if name in names.POSITION and orders.location:
            return (grid or {}).get(name) if text else text
        return None if names.is_private_name(name, orders) else text

    if grid is not None:
        return edit
    return lambda name, text: None if names.is_private_name(name, _all(orders)) else text


def _all(orders: Orders) -> Orders:
    return Orders(orders.location, orders.owner, orders.artist)


def _grid(xmp_packet: bytes, orders: Orders) -> dict[str, str] | None:
    """The rounded position as XMP writes it; None where there is none to round."""
    if orders.grid_km is None or not orders.location:
        return None
    place = xmp.position(xmp_packet)
    if place is None:
        return None
    lat, lon = rounded(*place, orders.grid_km)
    return {
        "exif:GPSLatitude": degrees(lat, "NS"),
        "exif:GPSLongitude": degrees(lon, "EW"),
    }
