"""How much of a stranger's file we are willing to decode. Set here and nowhere else."""

from __future__ import annotations

from pipeline.errors import DecodeFailed, TooBig

MOST_PIXELS = 250_000_000  # a 200 MP phone photo passes, a 900 MP bomb does not
MOST_SIDE = 1 << 18
MOST_FRAMES = 1_000  # of one video, whatever its clock says
MOST_SCANS = 100  # of a progressive JPEG: each costs a pass over the whole picture
MOST_METADATA = 64 << 20
MOST_TEXT = 4 << 20  # of one text or profile inside a PNG, unpacked
MOST_READ = 768 << 20  # bytes handed to decoders that cannot stream


def require_decodable(width: int, height: int) -> None:
    """Raise `TooBig` or `DecodeFailed` for sizes that no decoder should be asked for."""
    if width <= 0 or height <= 0:
        raise DecodeFailed("The picture has no size: its header is damaged.")
    if max(width, height) > MOST_SIDE:
        raise TooBig(
            f"The picture claims {width} x {height} pixels; "
            f"sides of more than {MOST_SIDE:,} are not decoded."
        )
    if width * height > MOST_PIXELS:
        millions = width * height / 1_000_000
        raise TooBig(
            f"The picture claims {width} x {height} pixels ({millions:,.0f} million); "
            f"more than {MOST_PIXELS // 1_000_000} million are not decoded."
        )
