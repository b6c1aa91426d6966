"""Files for the misbehaving stages: small real pictures that end with what they want done."""

from __future__ import annotations

import contextlib
import itertools
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

from pipeline.work.workers.contract import StageCall, VisitRequest
from pipeline.work.workers.limits import Limits
from pipeline.work.workers.local import LocalSettings, LocalWorkers, open_workers

_numbers = itertools.count()
STAGES = (StageCall("hash"), StageCall("misdeed"))


def picture(path: Path, deed: str = "", salt: object = None) -> Path:
    """A PNG of one pixel, unlike any other unless `salt` says so, followed by its deed."""
    shade = zlib.compress(b"\0\x7f")
    note = f"n\0{next(_numbers) if salt is None else salt}".encode()
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        _chunk(b"tEXt", note),
        _chunk(b"IDAT", shade),
        _chunk(b"IEND", b""),
    ]
    tail = f"#!{deed}".encode() if deed else b""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + tail)
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


def request(path: Path, stages: tuple[StageCall, ...] = STAGES) -> VisitRequest:
    """A visit to `path` as it is now."""
    stat = path.stat()
    visit_id = f"visit-{next(_numbers)}"
    return VisitRequest(
        visit_id, path, path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino, stages
    )


def settings(slots: int = 1, **changes: object) -> LocalSettings:
    """Workers that run the misbehaving stages and start fast."""
    values: dict[str, object] = {
        "slots": slots,
        "stages": "tests.work.stages_evil",
        "is_warm": False,
        "timeout_s": 20.0,
        "limits": Limits(memory=1 << 30, file_size=8 << 20),
    }
    return LocalSettings(**(values | changes))  # type: ignore[arg-type]  # values are those of the fields


@contextlib.asynccontextmanager
async def evil_workers(
    folder: Path, slots: int = 1, **changes: object
) -> AsyncIterator[LocalWorkers]:
    """Open workers over the misbehaving stages."""
    async with open_workers(settings(slots, **changes), folder / "work") as workers:
        yield workers
