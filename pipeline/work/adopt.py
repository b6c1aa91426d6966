"""What a visit left on disk: derivatives moved into the cache, postponed sources looked at again.

Runs in a thread, before the recording's transaction: a derivative without a row is only a file in
a cache, a row without its derivative would be a lie.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from pipeline.errors import Refused, TryLater
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Home
from pipeline.state.studies import Derivative
from pipeline.work.record import Recording
from pipeline.work.study import MadeFile, Postponed, Read, Study


def touches_disk(study: Study) -> bool:
    """Is there anything to adopt or to look at? Otherwise the thread is spared."""
    match study.verdict:
        case Read(made=made) | Postponed(read=Read(made=made)):
            return bool(made)
        case Postponed():
            return True
    return False


def adopt_all(home: Home, studies: Sequence[Study]) -> list[Recording]:
    """Prepare a batch for recording; the failure of one study concerns only itself."""
    return [_prepare(home, study) for study in studies]


def _prepare(home: Home, study: Study) -> Recording:
    match study.verdict:
        case Read() as read:
            return _with_derivatives(home, study, read)
        case Postponed(_, _, Read() as read):
            return _with_derivatives(home, study, read)
        case Postponed():
            return _looked_at(study)
    return Recording(study)


def _with_derivatives(home: Home, study: Study, read: Read) -> Recording:
    try:
        kept = [adopt(home.cache, read.sha256, made) for made in read.made]
    except TryLater as error:
        return Recording(replace(study, verdict=Postponed(error.after_s, error.message)))
    return Recording(study, [derivative for derivative in kept if derivative is not None])


def adopt(cache: Path, sha256: str, file: MadeFile) -> Derivative | None:
    """Move a made file into the cache; None where it was announced and is not there."""
    made, version = file.made, file.version
    suffix = PurePath(made.name).suffix
    path = f"{sha256[:2]}/{sha256[2:4]}/{sha256}.{made.kind}-{version}{suffix}"
    try:
        size = fsops.adopt_derivative(Below(file.reply.workdir, made.name), Below(cache, path))
    except Refused:
        return None  # announced but absent, or no plain file: nothing to keep
    return Derivative(made.kind, version, path, made.mime, made.width, made.height, size)


def _looked_at(study: Study) -> Recording:
    """The source as it is now. That it seems gone may also mean that its disk is."""
    source = study.file.source
    try:
        found = source.stat(follow_symlinks=False)
    except FileNotFoundError:
        return Recording(study, is_gone=True)
    except OSError:
        return Recording(study)
    is_forbidden = not os.access(source, os.R_OK)
    seen = (found.st_size, found.st_mtime_ns, found.st_ino)
    return Recording(study, seen=seen, is_forbidden=is_forbidden)
