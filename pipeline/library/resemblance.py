"""Why pictures are held for alike, in words that a person can check with their own eyes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from pipeline.state.duplicates import Member, Pair

BITS = 64  # of the perceptual hash
_SAME_SHAPE = 0.02  # sides in proportion, up to rounding when a picture was made smaller


def why(members: Sequence[Member], pairs: Sequence[Pair]) -> tuple[str, ...]:
    """What they share, the strongest first; of a burst, which has no pairs, that it is one."""
    if len(members) < 2:
        return ()
    return tuple(_told(members, pairs))


def _told(members: Sequence[Member], pairs: Sequence[Pair]) -> Iterator[str]:
    if pairs:
        yield _likeness([pair.distance for pair in pairs])
    camera = _shared(members, lambda one: one.camera)
    if _shared(members, lambda one: one.taken_at) and _is_by_clock(members):
        yield "taken at the same moment" + (f" with the same {camera}" if camera else "")
    elif camera:
        yield f"taken with the same {camera}" if pairs else f"taken in one burst with {camera}"
    sizes = {(one.width, one.height) for one in members}
    if len(sizes) > 1 and _has_one_shape(members):
        yield "the same picture in different sizes" if pairs else "of the same proportions"
    elif len(sizes) == 1 and members[0].width:
        yield f"all {members[0].width} x {members[0].height} pixels"
    formats = sorted({one.format for one in members if one.format})
    if len(formats) > 1:
        yield f"in different formats: {', '.join(formats)}"


def _likeness(distances: Sequence[int]) -> str:
    least, most = min(distances), max(distances)
    if most == 0:
        return "nothing differs at a glance"
    told = str(most) if least == most else f"{least} to {most}"
    return f"{told} of {BITS} marks of the picture differ"


def _shared(members: Sequence[Member], of: Callable[[Member], Hashable]) -> Hashable:
    """The value that all of them have; None where they differ or one has none."""
    values = {of(one) for one in members}
    return values.pop() if len(values) == 1 else None


def _is_by_clock(members: Sequence[Member]) -> bool:
    return all(one.taken_from not in (None, "mtime", "name") for one in members)


def _has_one_shape(members: Sequence[Member]) -> bool:
    shapes = [
        max(m.width, m.height) / min(m.width, m.height) for m in members if m.width and m.height
    ]
    return len(shapes) == len(members) and max(shapes) - min(shapes) <= _SAME_SHAPE * min(shapes)
