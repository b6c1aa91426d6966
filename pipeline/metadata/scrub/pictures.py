"""Cover pictures inside other files, without what they tell, in the same number of bytes."""

from __future__ import annotations

from pipeline.errors import Invalid
from pipeline.metadata.scrub import jpeg, png
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import apply

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def scrubbed(picture: bytes, orders: Orders) -> bytes | None:
    """A JPEG or PNG of the same length; None where that cannot be made of it."""
    scrubber = next((s for m, s in _SCRUBBERS.items() if picture.startswith(m)), None)
    if scrubber is None:
        return None
    try:
        clean = apply(picture, scrubber(picture, orders))
    except Invalid:
        return None
    return clean if len(clean) == len(picture) else None


_SCRUBBERS = {_JPEG: jpeg.patches, _PNG: png.patches}
