"""The blocks of metadata that any container carries in its own way, as one value.

`taken` reads them from a file of any format that has them, `given` writes them into one that can
carry them; each container's way stands in its own module (`containers/`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.metadata.write import packet


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a file says about itself, as stored. None is absent."""

    exif: bytes | None = None  # a TIFF structure, without any container's prefix
    xmp: bytes | None = None  # the packet
    extended_xmp: bytes | None = None  # JPEG: what did not fit into one segment, as one packet
    iptc: bytes | None = None  # IIM records
    icc: bytes | None = None

    @property
    def whole_xmp(self) -> bytes | None:
        """Both packets as one, for containers that know no limit."""
        if self.xmp and self.extended_xmp:
            return packet.joined(self.xmp, self.extended_xmp)
        return self.xmp

    def with_one_packet(self) -> Blocks:
        """The same with nothing extended."""
        return replace(self, xmp=self.whole_xmp, extended_xmp=None)
