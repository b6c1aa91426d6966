"""The web copy of a video: H.264 and AAC at 720p, plain colours, no metadata; on request.

Params (all optional):
  side      pixels of the shorter side at most (720)
  rate      pictures a second at most (30)
  quality   CRF of x264, or the like of a hardware encoder (23)
  hardware, threads, keep, slice_s   as for `transcode`
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import Invalid
from pipeline.model import Category, Done, Json, Later, Made, Outcome
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.codecs.transcode_proxy import ProxyWish
    from pipeline.stages.subject import Subject

_NAME = "proxy"
_FILE = "proxy.mp4"


def run(subject: Subject) -> Outcome:
    """Facts: `encoder`, `tone_mapped`, `pieces`, `reused`, `gave_up`."""
    from pipeline.codecs import transcode_pieces, transcode_proxy
    from pipeline.stages.transcode import AGAIN_S, identity

    demuxer = subject.format.demuxer
    assert demuxer is not None, f"{subject.format.name} is listed as video without a demuxer"
    wish = _wish(subject)
    folder = Path(subject.param(_NAME, "keep", None) or subject.workdir / "pieces")
    shelf = transcode_pieces.Shelf(
        folder / transcode_pieces.shelf_name(_NAME, identity(subject), wish.side, wish.rate)
    )
    try:
        made = transcode_proxy.proxy(subject.fd, demuxer, wish, shelf, subject.workdir / _FILE)
    except transcode_pieces.TimeIsUp as pause:
        return Later(AGAIN_S, f"{pause.done} of {pause.total} pieces are done; the rest follows.")
    subject.check()
    facts: dict[str, Json] = {
        "encoder": made.encoder,
        "tone_mapped": made.is_mapped,
        "pieces": made.pieces,
        "reused": made.reused,
        "gave_up": list(made.gave_up),
    }
    return Done(facts, (Made(_NAME, _FILE, "video/mp4", made.width, made.height),))


def _wish(subject: Subject) -> ProxyWish:
    """The parameters, checked. Raises `Invalid`."""
    from pipeline.codecs.transcode_proxy import ProxyWish

    asked = dict(subject.params.get(_NAME, {}))
    asked.pop("keep", None)
    unknown = asked.keys() - asdict(ProxyWish()).keys()
    if unknown:
        raise Invalid(f"Web copies know no parameter “{min(unknown)}”.")
    wish = ProxyWish(**asked)
    if not (16 <= wish.side <= 4320 and 1 <= wish.rate <= 120 and wish.threads >= 1):
        raise Invalid("The size, the rate or the number of threads is out of bounds.")
    return wish


STAGE = Stage(_NAME, 1, run, frozenset((Category.VIDEO,)), is_on_request=True)
