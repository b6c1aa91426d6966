"""Bundles: what belongs together is found, in any order, and knowledge beats names."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.intake.bundles import Member, bucket, group, why_lone
from pipeline.model import BundleRole

P, L, R, E, S = (
    BundleRole.PRIMARY,
    BundleRole.LIVE_VIDEO,
    BundleRole.RAW,
    BundleRole.EDIT,
    BundleRole.SIDECAR,
)
CASES: dict[str, dict[str, BundleRole]] = {
    "live photo": {"IMG_1.HEIC": P, "IMG_1.MOV": L},
    "live photo, other case": {"img_1.jpg": P, "IMG_1.mov": L},
    "motion photo companion": {"PXL_1.MP.jpg": P, "PXL_1.MP": L},
    "motion photo, extracted": {"PXL_1.MP.jpg": P, "PXL_1.MP.mp4": L},
    "raw and jpeg": {"DSC_1.JPG": P, "DSC_1.NEF": R, "DSC_1.xmp": S},
    "raw and heic": {"IMG_1.HEIC": P, "IMG_1.DNG": R},
    "pixel raw": {"PXL_1.RAW-01.MP.COVER.jpg": P, "PXL_1.RAW-02.ORIGINAL.dng": R},
    "apple edit": {
        "IMG_1234.HEIC": P,
        "IMG_E1234.JPG": E,
        "IMG_1234.AAE": S,
        "IMG_O1234.AAE": S,
        "IMG_1234.MOV": L,
        "IMG_E1234.MOV": E,
    },
    "google edit": {"a.jpg": P, "a-edited.jpg": E, "a.jpg.json": S},
    "google edit of a double": {"a(1).jpg": P, "a-edited(1).jpg": E, "a.jpg(1).json": S},
    "edit in german": {"a.jpg": P, "a-bearbeitet.jpg": E},
    "effects": {"a.jpg": P, "a-EFFECTS.jpg": E},
    "edited, underscore": {"a.jpg": P, "a_edited.jpg": E},
    "second version": {"PXL_1.jpg": P, "PXL_1~2.jpg": E},
    "xmp, both namings": {"a.jpg": P, "a.xmp": S, "a.jpg.xmp": S},
    "xmp of raw": {"a.CR2": P, "a.CR2.xmp": S},
    "aae": {"IMG_1.MOV": P, "IMG_1.AAE": S},
    "thm": {"MVI_1.AVI": P, "MVI_1.THM": S},
    "takeout": {"a.jpg": P, "a.jpg.supplemental-metadat.json": S},
    "takeout live": {"IMG_1.HEIC": P, "IMG_1.MP4": L, "IMG_1.HEIC.suppl.json": S},
    "no text in the name": {"bad\udcff.HEIC": P, "bad\udcff.MOV": L},
}
APART = [
    ["IMG_1.JPG", "IMG_2.MOV"],
    ["IMG_1.JPG", "IMG_1.HEIC"],  # the same picture twice, or not: never guessed
    ["IMG_1.PNG", "IMG_1.MOV"],
    ["IMG_1.JPG", "IMG_1.AVI"],
    ["a.jpg", "a.jpeg"],
    ["IMG_E1234.JPG", "IMG_1235.JPG"],
    ["a (1).jpg", "a.jpg", "a copy.jpg"],
    ["metadata.json", "metadata.jpg"],
    ["a.xmp", "b.jpg"],
    ["MVI_1.THM", "MVI_1.JPG"],
    ["a.CR2", "a.DNG"],
    ["letter.docx", "letter.jpg"],
]


def members(*names: str, **known: object) -> list[Member]:
    """Members called like their files, all with the same knowledge."""
    return [Member(name, name, **known) for name in names]  # type: ignore[arg-type]


def roles(found: list[Member]) -> list[dict[str, BundleRole]]:
    """The bundles as dictionaries."""
    return [dict(bundle.roles) for bundle in group(found)]


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_belongs_together_is_found(case: str) -> None:
    """Each kind of bundle is proposed from names alone."""
    assert roles(members(*CASES[case])) == [CASES[case]]


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_bundle_shares_its_bucket(case: str) -> None:
    """What belongs together by name is always looked for together."""
    assert len({bucket(name) for name in CASES[case]}) == 1


@pytest.mark.parametrize("names", APART)
def test_strangers_stay_apart(names: list[str]) -> None:
    """Similar names are no proof."""
    assert roles(members(*names)) == []


def test_folders_do_not_mix() -> None:
    """Names count within one directory only."""
    one, other = Member("1", "IMG_1.HEIC", "a"), Member("2", "IMG_1.MOV", "b")
    assert group([one, other]) == ()


def test_identifiers_join_across_names_and_folders() -> None:
    """A Live Photo whose halves were renamed is still one."""
    photo = Member("1", "Rome.heic", "a", content_id="X")
    video = Member("2", "clip.mov", "b", content_id="X", duration_s=30)
    (bundle,) = group([photo, video])
    assert bundle.roles == (("1", P), ("2", L))
    assert bundle.content_id == "X"


def test_identifiers_split_what_names_joined() -> None:
    """Two halves of different Live Photos under one name are told apart; the right one is found."""
    photo = Member("1", "IMG_1.HEIC", content_id="X")
    wrong = Member("2", "IMG_1.MOV", content_id="Y")
    right = Member("3", "IMG_9.MOV", content_id="X")
    assert group([photo, wrong]) == ()
    assert roles([photo, wrong, right]) == [{"1": P, "3": L}]


@pytest.mark.parametrize(
    ("photo", "video", "duration_s", "is_live"),
    [
        ("2023-10-06T08:30:00", "2023-10-06T08:30:01", 3.0, True),
        ("2023-10-06T08:30:00", "2023-10-06T06:30:01", 3.0, True),  # one in UTC, zone unknown
        ("2023-10-06T08:30:00+02:00", "2023-10-06T06:30:01+00:00", 3.0, True),
        ("2023-10-06T08:30:00+02:00", "2023-10-06T08:30:00+00:00", 3.0, False),
        ("2023-10-06T08:30:00", "2023-10-07T08:30:01", 3.0, False),
        ("2023-10-06T08:30:00", "2023-10-06T08:31:00", 3.0, False),
        ("2023-10-06T08:30:00", "2023-10-06T08:30:00", 65.0, False),
        (None, None, 65.0, False),
        (None, "2023-10-06T08:30:00", 3.0, True),
        ("nonsense", "2023-10-06T08:30:00", 3.0, True),
    ],
)
def test_time_and_length_confirm_or_refuse(
    photo: str | None, video: str | None, duration_s: float, is_live: bool
) -> None:
    """IMG_0001.JPG and IMG_0001.MP4 of different days are not a Live Photo, nor is a long film."""
    found = [
        Member("1", "IMG_0001.JPG", format="jpeg", taken=photo),
        Member("2", "IMG_0001.MP4", format="mp4", taken=video, duration_s=duration_s),
    ]
    assert bool(group(found)) is is_live


def test_raw_of_another_day_is_not_the_negative() -> None:
    """A camera that began to count anew does not marry strangers."""
    raw = Member("1", "DSC_1.NEF", taken="2020-01-01T10:00:00+00:00")
    jpeg = Member("2", "DSC_1.JPG", taken="2023-01-01T10:00:00+00:00")
    assert group([raw, jpeg]) == ()


def test_content_beats_extension() -> None:
    """A JPEG called .MOV is no film; a companion without extension is one."""
    assert group([Member("1", "a.jpg"), Member("2", "a.mov", format="jpeg")]) == ()
    companion = Member("2", "MVIMG_1", format="mp4", duration_s=2)
    assert roles([Member("1", "MVIMG_1.jpg"), companion]) == [{"1": P, "2": L}]


def test_the_spelling_decides_between_two() -> None:
    """Where two could own it, the one spelt alike does."""
    found = members("a.jpg", "A.JPG", "A.xmp")
    assert roles(found) == [{"A.JPG": P, "A.xmp": S}]


def test_lone_sidecars_have_a_reason() -> None:
    """Nothing is left over without a word."""
    for name in ("a.xmp", "a.jpg.json", "metadata.json", "a.aae", "a.thm"):
        assert why_lone(Member(name, name)).endswith(".")


NAMES = sorted({name for case in CASES.values() for name in case} | {n for a in APART for n in a})
SOME = st.lists(
    st.builds(
        Member,
        key=st.uuids().map(str),
        name=st.sampled_from(NAMES),
        directory=st.sampled_from(["", "a"]),
        content_id=st.sampled_from([None, None, "X", "Y"]),
        taken=st.sampled_from([None, "2023-01-01T10:00:00", "2023-01-01T10:00:01+01:00"]),
        duration_s=st.sampled_from([None, 3.0, 60.0]),
    ),
    max_size=24,
    unique_by=lambda member: member.key,
)


@given(SOME, st.randoms())
def test_order_does_not_matter_and_nobody_is_in_two(
    found: list[Member], rng: random.Random
) -> None:
    """Deterministic; each member in at most one bundle; one primary each; never a sidecar first."""
    bundles = group(found)
    shuffled = list(found)
    rng.shuffle(shuffled)
    assert group(shuffled) == bundles
    keys = [key for bundle in bundles for key, _ in bundle.roles]
    assert len(keys) == len(set(keys))
    kinds = {member.key: member.category for member in found}
    for bundle in bundles:
        assert len(bundle.roles) >= 2
        assert [role for _, role in bundle.roles].count(P) == 1
        assert kinds[bundle.primary] in ("photo", "video")


@given(SOME)
def test_strangers_change_nothing(found: list[Member]) -> None:
    """A file of another name does not touch the bundles that are there."""
    stranger = Member("stranger", "zebra 2024.jpg", "elsewhere")
    assert group([*found, stranger]) == group(found)


@given(SOME)
def test_names_joined_share_a_bucket(found: list[Member]) -> None:
    """Whatever is joined by name could have been found by its bucket."""
    by_key = {member.key: member for member in found}
    for bundle in group(found):
        parts = [by_key[key] for key, role in bundle.roles if role is not L]
        assert len({bucket(part.name) for part in parts}) == 1 or any(p.content_id for p in parts)


@pytest.mark.corpus
def test_the_bundles_of_the_corpus(corpus: Path) -> None:
    """The pairs, edits and sidecars that the manifest names, and no others."""
    found = [
        Member(str(path.relative_to(corpus)), path.name, path.parent.name)
        for path in sorted(corpus.glob("*/*"))
    ]
    bundles = {frozenset(key for key, _ in bundle.roles) for bundle in group(found)}
    takeout = "takeout/PXL_20231006_06"
    expected = [
        {"live_photo/train.jpg", "live_photo/train.mov"},
        {"dup_exact/IMG_4120.JPG", "dup_exact/IMG_E4120.JPG", "dup_exact/IMG_4120.AAE"},
        {"raw/canon_eos_6d.dng", "raw/canon_eos_6d.xmp"},
        {"sidecar/photoshop.jpg", "sidecar/photoshop.xmp"},
        *(
            {f"{takeout}{name}", f"{takeout}{name}.json"}
            for name in ("3000139.jpg", "3029647.jpg", "3108407.jpg", "3121958.jpg")
        ),
        {f"{takeout}3909898.LS.mp4", f"{takeout}3909898.LS.mp4.json"},
    ]
    print(f"bundles: {len(bundles)} of {len(expected)}")
    assert bundles == set(map(frozenset, expected))
