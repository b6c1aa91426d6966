"""Which questions "the same person?" are worth asking.

Pure. Two looks whose average cosine is at least `doubtful` and that are not one group, of which at
least one belongs to somebody who is shown, and of whom nobody said anything yet. The likeliest
come first. A face alone is asked about only beside somebody with a name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.library.grouping import UNIT, whole_of
from pipeline.state.people import SHOWN
from pipeline.state.people_grouping import Album, GroupedFace, Question

MOST = 100
MOST_EACH = 3  # about one person or face at a time
_ROWS = 512
Means = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Look:
    """Faces that grouping found to be one, of one person or, a face alone, of nobody."""

    key: str  # the person, or the face where there is none
    person_id: str | None
    face_id: str  # the one to show
    size: int


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Two looks that may be one person."""

    similarity: float
    one: _Look
    other: _Look


def questions(
    album: Album,
    persons: Mapping[str, str | None],
    looks: Mapping[str, str],
    doubtful: float,
) -> list[Question]:
    """What to ask about an album, given who the faces belong to now."""
    owner = {face.id: persons.get(face.id, face.person_id) for face in album.faces}
    seen = _Seen.of(album, owner)
    doubts: list[_Doubt] = []
    faces = sorted(album.faces, key=lambda face: (face.embedder, len(face.embedding), face.content))
    for _, alike in groupby(faces, key=lambda face: (face.embedder, len(face.embedding))):
        doubts += _doubts(seen, *_looks(list(alike), owner, looks), doubtful)
    return [_question(doubt) for doubt in _likeliest(doubts)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What decides whether somebody is asked about."""

    album: Album
    shown: frozenset[str]
    files: Mapping[str, frozenset[str]]  # by person, or by face where there is none

    @classmethod
    def of(cls, album: Album, owner: Mapping[str, str | None]) -> _Seen:
        counts = Counter(owner.values())
        shown = {id for id, name in album.names.items() if name or id in album.decided}
        shown |= {id for id, count in counts.items() if id and count >= SHOWN}
        files: defaultdict[str, set[str]] = defaultdict(set)
        for face in album.faces:
            files[owner[face.id] or face.id].add(face.file_id)
        return cls(album, frozenset(shown), {key: frozenset(ids) for key, ids in files.items()})

    def is_shown(self, look: _Look) -> bool:
        return look.person_id in self.shown and look.person_id not in self.album.quiet

    def is_askable(self, one: _Look, other: _Look) -> bool:
        """May these two be one person, for all that anybody knows or said?"""
        album, pair = self.album, tuple(sorted((one.key, other.key)))
        if one.key == other.key or other.person_id in album.quiet or pair in album.apart:
            return False
        if not self.files[one.key].isdisjoint(self.files[other.key]):
            return False  # together in one picture
        named = album.names.get(one.key), album.names.get(other.key)
        if all(named) or (other.person_id is None and not named[0]):
            return False
        return one.key not in album.excluded.get(other.face_id, ())


def _looks(
    faces: Sequence[GroupedFace], owner: Mapping[str, str | None], looks: Mapping[str, str]
) -> tuple[list[_Look], Means]:
    """The looks of faces of one embedder, and the mean vector of each."""
    number: dict[tuple[str, str | None], int] = {}
    at = np.empty(len(faces), np.int64)
    best: list[GroupedFace] = []
    for place, face in enumerate(faces):
        look = looks.get(face.id, face.look or face.id), owner[face.id]
        at[place] = number.setdefault(look, len(best))
        if at[place] == len(best):
            best.append(face)
        elif face.quality > best[at[place]].quality:
            best[at[place]] = face
    vectors = whole_of([face.embedding for face in faces])
    sums = np.zeros((len(best), vectors.shape[1]), np.float32)
    np.add.at(sums, at, vectors)
    sizes: NDArray[Any] = np.bincount(at, minlength=len(best))
    means: Means = (sums / (sizes[:, None] * UNIT)).astype(np.float32)
    found = [
        _Look(person_id or face.id, person_id, face.id, int(size))
        for (_, person_id), face, size in zip(number, best, sizes, strict=True)
    ]
    return found, means


def _doubts(seen: _Seen, looks: Sequence[_Look], means: Means, doubtful: float) -> Iterator[_Doubt]:
    shown = [at for at, look in enumerate(looks) if seen.is_shown(look)]
    for start in range(0, len(shown), _ROWS):
        rows = np.array(shown[start : start + _ROWS])
        similar = means[rows] @ means.T
        for row, at in zip(*np.nonzero(similar >= doubtful), strict=True):
            one, other = looks[rows[row]], looks[at]
            if seen.is_askable(one, other):
                yield _Doubt(round(float(similar[row, at]), 3), one, other)


def _likeliest(doubts: Sequence[_Doubt]) -> Iterator[_Doubt]:
    """The likeliest of each two, not too many of anybody."""
    asked: set[frozenset[str]] = set()
    each: Counter[str] = Counter()
    for doubt in sorted(doubts, key=lambda d: (-d.similarity, d.one.face_id, d.other.face_id)):
        keys = frozenset((doubt.one.key, doubt.other.key))
        if len(asked) == MOST:
            return
        if keys in asked or any(each[key] >= MOST_EACH for key in keys):
            continue
        asked.add(keys)
        each.update(keys)
        yield doubt


def _question(doubt: _Doubt) -> Question:
    first, second = sorted((doubt.one.face_id, doubt.other.face_id))
    return Question(first, second, doubt.similarity)
