"""A smaller copy of a video that looks the same: HEVC or AV1 by target quality, on request.

Params (all optional):
  codec      "hevc" (default, playable everywhere Apple is) or "av1"
  target     VMAF to be reached, 0..100 (95)
  effort     "fast", "normal" (default), "thorough": CPU time for bytes
  hardware   "auto" (default), "off", or one of "nvenc", "vaapi", "qsv", "videotoolbox"
  min_gain   the part of the bytes a copy must save to be kept, 0..1 (0.2)
  threads    that the encoder may use (1)
  keep       absolute path of a folder, writable for the worker, where finished pieces outlive a
             visit that is paused or killed; without it they live as long as the visit
  slice_s    after so many seconds stop between two pieces and answer `Later` (none: to the end)
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import Invalid
from pipeline.model import Category, Done, Format, Json, Later, Made, Outcome, Skip
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.codecs.transcode import Coded, Wish
    from pipeline.stages.subject import Subject

_NAME = "transcode"
AGAIN_S = 1.0
_MIMES = {".mp4": "video/mp4", ".mov": "video/quicktime"}


def run(subject: Subject) -> Outcome:
    """Facts: `codec`, `encoder`, `quality`, `vmaf`, `trials`, `pieces`, `reused`, `gave_up`,
    `hdr`, `bytes_before`, `bytes_after`. A film that cannot be made smaller is skipped.
    """
    from pipeline.codecs import transcode
    from pipeline.codecs.transcode_pieces import Shelf, shelf_name

    wish = _wish(subject)
    folder = Path(subject.param(_NAME, "keep", None) or subject.workdir / "pieces")
    wished = (_NAME, identity(subject), wish.codec, wish.target, wish.effort)
    shelf = Shelf(folder / shelf_name(*wished))
    result = transcode.transcode(
        subject.fd, subject.format, wish, shelf, lambda suffix: subject.workdir / f"{_NAME}{suffix}"
    )
    subject.check()
    match result:
        case transcode.Declined(why, is_final):
            return Skip(why, is_final)
        case transcode.Unfinished(done, total):
            return Later(AGAIN_S, f"{done} of {total} pieces are done; the rest follows.")
        case transcode.Coded() as coded:
            return _done(coded, wish)


def identity(subject: Subject) -> str:
    """What tells this content from any other: its hash where known, else the file as it stands."""
    known = subject.facts.get("hash", {}).get("sha256")
    return str(known or f"{subject.inode}:{subject.size}:{subject.mtime_ns}")


def _wish(subject: Subject) -> Wish:
    """The parameters, checked. Raises `Invalid`."""
    from pipeline.codecs.transcode import Wish

    asked = dict(subject.params.get(_NAME, {}))
    asked.pop("keep", None)
    unknown = asked.keys() - asdict(Wish()).keys()
    if unknown:
        raise Invalid(f"Transcoding knows no parameter “{min(unknown)}”.")
    wish = Wish(**asked)
    if wish.codec not in ("hevc", "av1") or wish.effort not in ("fast", "normal", "thorough"):
        raise Invalid(f"Films are not coded as “{wish.codec}”, “{wish.effort}”.")
    if not (0 < wish.target <= 100 and 0 <= wish.min_gain < 1 and wish.threads >= 1):
        raise Invalid("The target, the gain or the number of threads is out of bounds.")
    return wish


def _done(coded: Coded, wish: Wish) -> Done:
    facts: dict[str, Json] = {
        "codec": wish.codec,
        "encoder": coded.encoder,
        "quality": coded.quality,
        "vmaf": coded.vmaf,
        "target": wish.target,
        "trials": coded.trials,
        "pieces": coded.pieces,
        "reused": coded.reused,
        "gave_up": list(coded.gave_up),
        "hdr": coded.hdr,
        "bytes_before": coded.bytes_before,
        "bytes_after": coded.bytes_after,
    }
    name = coded.path.name
    made = Made(_NAME, name, _MIMES[coded.path.suffix], coded.width, coded.height)
    return Done(facts, (made,))


def applies(told: Format) -> bool:
    """Films that FFmpeg reads."""
    return told.demuxer is not None


STAGE = Stage(_NAME, 2, run, frozenset((Category.VIDEO,)), applies, is_on_request=True)
