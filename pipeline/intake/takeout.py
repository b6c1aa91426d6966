"""Google Takeout: which JSON tells of which picture.

Google cuts the JSON's name to 46 characters before ".json", moves the "(1)" of a double behind the
extension, and appends a ".supplemental-metadata" that the cut shortens to anything down to a dot.
Here every spelling seen in the wild is matched within one directory, best evidence first, each JSON
to at most one picture. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

from pipeline.intake.edits import original_stem

_CUT = 46  # characters of "<title>[.supplemental-metadata]" that survive
_SUPPLEMENT = ".supplemental-metadata"
_DOUBLE = re.compile(r"\((\d{1,4})\)$")
_ALBUM = re.compile(
    r"(?:metadata|métadonnées|metadaten|metadati|metadatos|metadados|metagegevens|metadane|metatiedot|"
    r"metadáta|metaadatok|метаданные|метадані|メタデータ|元数据|詮釋資料|中繼資料|메타데이터)"
    r"(?:\(\d+\))?\.json",
    re.IGNORECASE,
)


def is_album_name(name: str) -> bool:
    """Is this the JSON of a whole album, in whatever language?"""
    return _ALBUM.fullmatch(unicodedata.normalize("NFC", name)) is not None


def match(jsons: Collection[str], pictures: Collection[str]) -> Mapping[str, str]:
    """Each JSON that tells of one of `pictures`, with that picture; order does not matter."""
    index = _Index(pictures)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for rule in _RULES:
        for name in sorted(jsons):
            if name in found or is_album_name(name):
                continue
            picture = next((p for p in rule(index, _base(name)) if p not in taken), None)
            if picture is not None:
                found[name] = picture
                taken.add(picture)
    return found


def why_unmatched(name: str) -> str:
    """One sentence on a JSON that has no picture beside it."""
    if is_album_name(name):
        return "This describes an album of a Google export, not one picture."
    title = next(_titles(_base(name)))[0]
    return (
        f"This describes {title}, which is not in the same folder. "
        "Give us the missing part of the Google export, and the two will be joined."
    )


class _Index:
    """The pictures of one directory under the spellings by which a JSON may call them."""

    def __init__(self, pictures: Collection[str]) -> None:
        self.by_name: dict[str, list[str]] = {}
        self.by_stem: dict[str, list[str]] = {}
        self.by_original: dict[str, list[str]] = {}
        for name in sorted(pictures):
            folded = _fold(name)
            stem, extension = _split(folded)
            self.by_name.setdefault(folded, []).append(name)
            self.by_stem.setdefault(stem, []).append(name)
            original = original_stem(stem)
            if original is not None:
                self.by_original.setdefault(original + extension, []).append(name)


def _exact(index: _Index, base: str) -> Iterator[str]:
    """`X.jpg.json`, `X.jpg.supplemental-metadata.json`, `X.jpg(1).json` for `X(1).jpg`."""
    for title, double in _titles(base):
        yield from index.by_name.get(_doubled(title, double), ())


def _cut_short(index: _Index, base: str) -> Iterator[str]:
    """A title so long that the cut fell into it: the picture's name begins with what is left."""
    double = _DOUBLE.search(base)
    stem = base[: double.start()] if double else base
    if len(base) < _CUT - 1:
        return
    begins = [
        name
        for folded, names in index.by_name.items()
        if folded.startswith(stem) and (not double or double[0] in folded)
        for name in names
    ]
    yield from begins if len(begins) == 1 else ()


def _without_extension(index: _Index, base: str) -> Iterator[str]:
    """`X.json` for `X.jpg`: the title never had an extension."""
    for title, double in _titles(base):
        named = index.by_stem.get(title + double, ())
        if len(named) == 1:
            yield named[0]


def _edited_only(index: _Index, base: str) -> Iterator[str]:
    """`X.jpg.json` beside nothing but `X-edited.jpg`."""
    for title, double in _titles(base):
        yield from index.by_original.get(_doubled(title, double), ())


_RULES = (_exact, _cut_short, _without_extension, _edited_only)


def _titles(base: str) -> Iterator[tuple[str, str]]:
    """What the picture may be called, with the "(1)" of a double; likeliest first."""
    double = _DOUBLE.search(base)
    stem = base[: double.start()] if double else base
    for title in _without_supplement(stem):
        yield title, double[0] if double else ""
    if double:
        yield base, ""  # the title itself ends in "(1)"


def _without_supplement(stem: str) -> Iterator[str]:
    title, dot, rest = stem.rpartition(".")
    if dot and title and _SUPPLEMENT.startswith(f".{rest}"):
        yield title
    yield stem


def _doubled(title: str, double: str) -> str:
    stem, extension = _split(title)
    return stem + double + extension


def _base(json_name: str) -> str:
    return _fold(json_name)[: -len(".json")]


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    return (stem, f".{extension}") if dot and stem else (name, "")
