"""A copy of a file that does not tell where it was made or whose it is, on request.

Photos, RAW files, videos, sounds, and XMP sidecars.

The copy shows exactly what the original shows; the original is not touched. Params:
  location  "all" (default): remove it; "round": to squares of `round_km`; "zones": remove it where
            it lies inside a home zone; "keep"
  round_km  side of the squares, 0.1 to 1000 (1)
  zones     home zones, each {"lat": ..., "lon": ..., "radius_m": ...}
  places    where else the file is known to be made, each [lat, lon]: by its bundle, by a person
  owner     also remove owners' names, serial numbers, unique ids and makers' notes (false)
  artist    also remove authors' names (as `owner`); copyright notices stay
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import BadMedia, Invalid
from pipeline.intake.formats import RAW
from pipeline.metadata.window import Window
from pipeline.model import Category, Done, Format, Json, Made, Outcome, Reject
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.metadata.findings import Data
    from pipeline.metadata.scrub.plan import Plan
    from pipeline.metadata.write.patch import Patch
    from pipeline.stages.subject import Subject

_NAME = "scrub"
_STEP = 4 << 20
_PARAMS = frozenset(("location", "round_km", "zones", "places", "owner", "artist"))


def run(subject: Subject) -> Outcome:
    """Facts: `location` ("removed", "rounded", "kept"), `owner`, `artist`, `changed_bytes`; of a
    file that is as good as scrubbed only `is_silent` and `why`, and nothing is made.

    Rejects, with the reason, what cannot be scrubbed safely.
    """
    from pipeline.metadata.scrub import plan as planning
    from pipeline.metadata.scrub.wishes import Wishes

    params = subject.params.get(_NAME, {})
    if unknown := params.keys() - _PARAMS:
        raise Invalid(f"Scrubbing knows no parameter “{min(unknown)}”.")
    wishes = Wishes.from_params(params)
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most != resource.RLIM_INFINITY and subject.size > most:
        return Reject(f"Copies of more than {most >> 20} MB are not made.")
    with _opened(subject) as data:
        try:
            planned = planning.plan(data, subject.format, wishes)
        except Invalid as error:
            return Reject(str(error))
        if not planned.patches:
            return Done({"is_silent": True, "why": _nothing(planned)})
        target = subject.workdir / f"{_NAME}{subject.format.extension}"
        _write(data, planned.patches, target)
    try:
        with target.open("rb") as file:
            planning.proof(Window(file.fileno()), subject.format, wishes, planned)
        _same_look(subject, target)
    except Invalid as error:
        target.write_bytes(b"")  # nothing half done may be taken for a result
        return Reject(str(error))
    return Done(_facts(planned), (Made(_NAME, target.name, subject.format.mime),))


def _nothing(planned: Plan) -> str:
    if not planned.is_wished:
        return "it was not made inside a home zone"
    return "it tells nothing that was to be scrubbed"


def _facts(planned: Plan) -> dict[str, Json]:
    orders = planned.orders
    place = "removed" if orders.grid_km is None else "rounded"
    return {
        "location": place if orders.location else "kept",
        "owner": orders.owner,
        "artist": orders.artist,
        "changed_bytes": sum(max(p.end - p.start, len(p.data)) for p in planned.patches),
    }


# --- The file -------------------------------------------------------------------------------------


@contextmanager
def _opened(subject: Subject) -> Iterator[Data]:
    if subject.is_held:
        yield subject.data()
        return
    with subject.stream() as file:
        yield Window(file.fileno())


def _write(data: Data, patches: tuple[Patch, ...], target: Path) -> None:
    """A film of any size is copied first and then changed; what moves is small and made whole."""
    from pipeline.metadata.write.patch import apply

    if any(patch.moves for patch in patches):
        target.write_bytes(apply(data, patches))
        return
    with target.open("w+b") as file:
        for at in range(0, len(data), _STEP):
            file.write(data[at : at + _STEP])
        for patch in patches:
            file.seek(patch.start)
            file.write(patch.data)


# --- Does it show the same? -----------------------------------------------------------------------


def _same_look(subject: Subject, target: Path) -> None:
    """Raise `Invalid` unless the copy shows every pixel, or plays every packet, unchanged."""
    from pipeline.metadata.write.pictures import coded

    if subject.format.category in (Category.VIDEO, Category.AUDIO):
        _same_packets(subject, target)
    elif subject.format.name in ("jpeg", "thm"):
        _require_same(coded(target.read_bytes()) == coded(subject.data()))
    elif subject.format.category is Category.PHOTO:
        _same_pixels(subject, target.read_bytes())


def _same_packets(subject: Subject, target: Path) -> None:
    from pipeline.codecs import packets

    with subject.content() as content:
        before = packets.digest(content, subject.format.demuxer)
    with target.open("rb") as file:
        after = packets.digest(file, subject.format.demuxer)
    if before != after:
        raise Invalid("The copy would have played something else; none was made.")


def _same_pixels(subject: Subject, made: bytes) -> None:
    """Every frame and page; of a RAW file also the sensor's data and how it is developed."""
    from pipeline.codecs import decode, frames, raw

    name = subject.format.name
    _require_same(bool((subject.full() == decode.decode(made, name, None).pixels).all()))
    if (frames.count(subject.data(), name) or 1) > 1:
        _require_same(frames.digest(made, name) == frames.digest(subject.data(), name))
    if name in RAW:
        try:
            before = raw.digest(subject.data())
        except BadMedia as error:
            raise Invalid("This RAW file cannot be developed, so nothing can be proved.") from error
        _require_same(raw.digest(made) == before)


def _require_same(is_same: bool) -> None:
    if not is_same:
        raise Invalid("The copy would have looked different; none was made.")


def applies(told: Format) -> bool:
    """Of sidecars only those that can be looked into."""
    return told.category is not Category.SIDECAR or told.name in ("xmp", "thm")


STAGE = Stage(
    _NAME,
    2,
    run,
    frozenset((Category.PHOTO, Category.VIDEO, Category.AUDIO, Category.SIDECAR)),
    applies,
    is_on_request=True,
)
