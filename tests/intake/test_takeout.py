"""Takeout: every spelling of a JSON's name finds its picture, and nothing else does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.intake import takeout

LONG = "Screenshot_20190919-053857_Camera-01234567890"  # 45 characters
VARIANTS = [
    # JSON, the picture it tells of, other pictures beside it
    ("IMG_1.jpg.json", "IMG_1.jpg", ["IMG_2.jpg"]),
    ("IMG_1.JPG.json", "IMG_1.JPG", []),
    ("IMG_1.jpg.json", "IMG_1.JPG", []),
    ("IMG_1.jpg.supplemental-metadata.json", "IMG_1.jpg", ["IMG_1.jpg.jpg"]),
    ("IMG_1.HEIC.supplemental-metadat.json", "IMG_1.HEIC", []),
    ("IMG_1.jpg.supplemental-metada.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplemental-metad.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplemental-meta.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplemental-me.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplemental-.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplemental.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.supplem.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.suppl.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.su.json", "IMG_1.jpg", []),
    ("IMG_1.jpg.s.json", "IMG_1.jpg", []),
    ("IMG_1.jpg..json", "IMG_1.jpg", []),
    ("IMG_1.jpg(1).json", "IMG_1(1).jpg", ["IMG_1.jpg"]),
    ("IMG_1(1).jpg.json", "IMG_1(1).jpg", ["IMG_1.jpg"]),
    ("IMG_1.jpg.supplemental-metadata(1).json", "IMG_1(1).jpg", ["IMG_1.jpg", "IMG_1(2).jpg"]),
    ("IMG_1.jpg.supplemental-metadata(12).json", "IMG_1(12).jpg", ["IMG_1(1).jpg"]),
    ("IMG_1(1).jpg.supplemental-metadata.json", "IMG_1(1).jpg", ["IMG_1.jpg"]),
    ("IMG_1.json", "IMG_1.jpg", ["IMG_10.jpg"]),
    ("IMG_1.jpg.json", "IMG_1-edited.jpg", []),
    ("IMG_1.jpg.json", "IMG_1-bearbeitet.jpg", []),
    ("IMG_1.jpg(1).json", "IMG_1-edited(1).jpg", []),
    (f"{LONG}.json", f"{LONG}.jpg", []),
    (f"{LONG}1.json", f"{LONG}12.jpg", []),  # cut at 46, the picture at 47
    (f"{LONG}..json", f"{LONG}.jpg", []),  # cut behind the dot
    (f"{LONG[:43]}.jp.json", f"{LONG[:43]}.jpg", []),  # cut inside the extension
    ("fin de journée.jpg.json", "fin de journe\u0301e.jpg", []),  # NFC and NFD
    ("a&b_.jpg.json", "a&b_.jpg", []),
]


@pytest.mark.parametrize(("json", "picture", "others"), VARIANTS)
def test_every_spelling_finds_its_picture(json: str, picture: str, others: list[str]) -> None:
    """The fixture set of all variants seen in the wild."""
    assert takeout.match([json], [*others, picture]) == {json: picture}


@pytest.mark.parametrize(
    ("json", "pictures"),
    [
        ("IMG_1.jpg.json", ["IMG_2.jpg", "IMG_10.jpg"]),
        ("DSC_0238.JPG(1).json", ["DSC_0238.JPG"]),
        ("IMG_1.json", ["IMG_1.jpg", "IMG_1.png"]),  # either: better none than a wrong one
        (f"{LONG}1.json", [f"{LONG}12.jpg", f"{LONG}13.jpg"]),
        ("metadata.json", ["metadata.jpg"]),
        ("IMG_1.jpg.json", []),
    ],
)
def test_no_picture_is_better_than_a_wrong_one(json: str, pictures: list[str]) -> None:
    """Where it is not certain there is no match, and the reason is said."""
    assert takeout.match([json], pictures) == {}
    assert takeout.why_unmatched(json).endswith(".")


def test_two_jsons_never_share_a_picture() -> None:
    """The better evidence wins: the exact name before the missing extension."""
    jsons = ["IMG_1.json", "IMG_1.jpg.json"]
    assert takeout.match(jsons, ["IMG_1.jpg"]) == {"IMG_1.jpg.json": "IMG_1.jpg"}


def test_doubles_keep_apart() -> None:
    """Pictures of one name that Google numbered each get their own JSON."""
    pictures = ["a.jpg", "a(1).jpg", "a(2).jpg", "a-edited.jpg"]
    jsons = ["a.jpg.json", "a.jpg(1).json", "a.jpg.supplemental-metadata(2).json"]
    assert takeout.match(jsons, pictures) == {
        "a.jpg.json": "a.jpg",
        "a.jpg(1).json": "a(1).jpg",
        "a.jpg.supplemental-metadata(2).json": "a(2).jpg",
    }


@pytest.mark.parametrize(
    "name",
    [
        "metadata.json",
        "metadata(1).json",
        "métadonnées.json",
        "me\u0301tadonne\u0301es.json",
        "Metadaten.json",
        "metadatos.json",
        "メタデータ.json",
        "метаданные.json",
    ],
)
def test_albums_are_known_in_many_languages(name: str) -> None:
    """The JSON of an album is never taken for a picture's."""
    assert takeout.is_album_name(name)
    assert "album" in takeout.why_unmatched(name)


def test_a_pictures_json_is_no_album() -> None:
    """Only the whole name makes an album."""
    assert not takeout.is_album_name("metadata.jpg.json")
    assert not takeout.is_album_name("my metadata.json")


@given(st.lists(st.sampled_from(VARIANTS), max_size=8), st.randoms())
def test_order_does_not_matter(
    chosen: list[tuple[str, str, list[str]]], rng: random.Random
) -> None:
    """The same names in any order give the same matches, one to one."""
    jsons = sorted({json for json, _, _ in chosen})
    pictures = sorted({p for _, picture, others in chosen for p in (picture, *others)})
    matched = takeout.match(jsons, pictures)
    assert len(set(matched.values())) == len(matched)
    rng.shuffle(jsons)
    rng.shuffle(pictures)
    assert takeout.match(jsons, pictures) == matched


@pytest.mark.corpus
def test_the_corpus_export(corpus: Path) -> None:
    """Five pairs, an album, and two JSONs whose picture is missing."""
    names = [path.name for path in (corpus / "takeout").iterdir()]
    jsons = [name for name in names if name.endswith(".json")]
    matched = takeout.match(jsons, [name for name in names if name not in jsons])
    assert len(matched) == 5
    assert all(json == f"{picture}.json" for json, picture in matched.items())
    assert {j for j in jsons if j not in matched} == {
        "DSC_0238.JPG.json",
        "DSC_0238.JPG(1).json",
        "métadonnées.json",
    }
