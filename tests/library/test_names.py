"""T22, T71, T75: names and templates, whatever people, phones and strangers write into them."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import unicodedata
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import Invalid
from pipeline.library import component, fsops, names
from pipeline.library.below import Below
from pipeline.library.names import DEFAULT, Naming, parse, plan
from pipeline.model import BundleRole

ODD = [
    "a\nb.jpg", "a\tb.jpg", "\u202egpj.exe", "Amélie.jpg", "Ame\u0301lie.jpg", "x" * 251 + ".jpg",
    "é" * 125 + ".jpg", os.fsdecode(b"M\xfcller.jpg"), "-rf.jpg", "@args.jpg", "trailing.", " ",
    "CON.jpg", "con", "aux.tar.gz", "LPT1", "👨‍👩‍👧.jpg", "..", ".", ".hidden.jpg", "a/b.jpg",
    "a\\b.jpg",
    "a:b*c?.jpg", "\x00.jpg", "~root.jpg", "%2e%2e%2f", "nul\u200d.jpg", "\ufeffIMG.jpg",
    "_MG_1234.CR2",
]  # fmt: skip
_name = st.one_of(
    st.sampled_from(ODD),
    st.text(min_size=1, max_size=120),
    st.binary(min_size=1, max_size=255).map(os.fsdecode),
)
_quick = settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _is_harmless(name: str) -> bool:
    categories = {unicodedata.category(c) for c in name if c not in "\u200c\u200d"}
    return (
        0 < len(name.encode()) <= 255
        and name == unicodedata.normalize("NFC", name)
        and not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and not set(name) & set('<>:"/\\|?*')
        and name[0] not in "-.@~ "
        and name[-1] not in ". "
        and name.partition(".")[0].upper() not in ("CON", "PRN", "AUX", "NUL", "COM1", "LPT1")
    )


@given(_name)
@_quick
def test_any_name_becomes_a_harmless_component(name: str) -> None:
    """T22: safe on every disk and screen, and safe again is the same."""
    once = component.safe(name)
    assert _is_harmless(once)
    assert component.safe(once) == once


@given(name=_name, number=st.integers(1, 12_345), format=st.sampled_from(["jpeg", "mov", "pdf"]))
@example(name="x" * 255, number=12_345, format="jpeg")
@_quick
def test_any_name_goes_round(tmp_path: Path, name: str, number: int, format: str) -> None:
    """T22: what is planned is a file on disk, a row in SQLite and a text in JSON, unchanged."""
    target = plan([Naming(name, format)], parse(DEFAULT))[0].path(number)
    folder, _, own = target.rpartition("/")
    assert folder == "undated"
    assert _is_harmless(own)
    with suppress(FileExistsError):
        (tmp_path / "undated").mkdir()
    (tmp_path / target).write_bytes(b"x")
    assert [path.name for path in (tmp_path / "undated").iterdir()] == [own]
    (tmp_path / target).unlink()
    assert json.loads(json.dumps(target)) == target
    with closing(sqlite3.connect(":memory:")) as con:
        assert con.execute("SELECT ?", (target,)).fetchone()[0] == target


_text = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["../..", "/etc", "a/b", "..", "\0"])
)


@given(
    template=st.sampled_from([
        "{city}/{name}", "{country}/{city}/{name}", "{owner}/{make}/{model}/{stem}.{ext}",
        "{taken:%Y}/{camera}/{place}_{name}", "{category}/{taken:%B %d}/{name}", "{camera}",
    ]),
    name=_name, make=_text, camera=_text, place=_text, owner=_text,
)  # fmt: skip
@_quick
def test_no_value_leaves_the_library(
    template: str,
    name: str,
    make: str | None,
    camera: str | None,
    place: str | None,
    owner: str | None,
) -> None:
    """T71: whatever stands in a file's fields, its place is below the library."""
    naming = Naming(name, "jpeg", make=make, camera=camera, place=place, owner=owner)
    target = plan([naming], parse(template))[0].path()
    Below(Path("/library"), target)  # refuses anything that leaves
    assert all(_is_harmless(part) for part in target.split("/"))


@pytest.mark.parametrize(
    "template",
    [
        "", " ", "{item.__class__}", "{{7*7}}", "{taken:%n}", "{taken:%", "{0}", "{name!r}",
        "{name[0]}",
        "/abs/{name}", "../{name}", "a/../{name}", "a//{name}", "{name}/", "{camera:%Y}",
        "{taken:%Y/%m}",
        "{name", "name}", "a\\b", "a\0b", "{" * 10_000, "{taken:%Y}" * 1_000, "${HOME}/{name}{",
        "{}",
    ],
)  # fmt: skip
def test_odd_templates_are_refused_at_once(template: str) -> None:
    """T75: no code, no attributes, no escape: refused within 10 ms, with a hint."""
    begin = time.process_time()
    with pytest.raises(Invalid) as refusal:
        parse(template)
    assert time.process_time() - begin < 0.010
    assert refusal.value.hint or "folders" in refusal.value.message.lower()


@given(st.text(alphabet="{}:%/.abc taken_nmeY$(`\\", max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_template_is_refused_or_harmless(text: str) -> None:
    """T75: a template either is refused, or names a place below the library."""
    try:
        template = parse(text)
    except Invalid:
        return
    target = plan([Naming("IMG_1.jpg", "jpeg", taken_at="2023-10-06T08:30:00")], template)[0]
    assert all(_is_harmless(part) for part in target.path().split("/"))


def test_a_near_miss_gets_a_suggestion() -> None:
    """A person who mistypes a field is told what was likely meant."""
    with pytest.raises(Invalid, match=r"Did you mean \{taken\}"):
        parse("{takn:%Y}/{name}")


NAMES = [
    (DEFAULT, "IMG_1.HEIC", "heic", "2023/2023-10/IMG_1.HEIC"),
    (DEFAULT, "IMG_1.jpg", "heic", "2023/2023-10/IMG_1.heic"),
    (DEFAULT, "_MG_1234.CR2", "cr2", "2023/2023-10/_MG_1234.CR2"),
    (DEFAULT, "Rome 12.05", "jpeg", "2023/2023-10/Rome 12.05.jpg"),
    ("{taken:%Y}/{taken:%B}/{taken:%d}_{stem}.{ext}", "a.jpg", "jpeg", "2023/October/06_a.jpg"),
    ("{country}/{city}/{name}", "a.jpg", "jpeg", "Italy/Rome/a.jpg"),
    ("{camera}/{make}/{name}", "a.jpg", "jpeg", "a.jpg"),
    ("{taken:%V}-{camera}/{name}", "a.jpg", "jpeg", "40/a.jpg"),
    ("{category}/{year}/{owner}/{name}", "a.mov", "mov", "videos/2023/ann/a.mov"),
]


@pytest.mark.parametrize(("template", "name", "format", "path"), NAMES)
def test_templates_render(template: str, name: str, format: str, path: str) -> None:
    """Fields, English month names, corrected extensions; what is not known leaves no trace."""
    naming = Naming(
        name, format, taken_at="2023-10-06T08:30:00+02:00", place="Rome, Italy", owner="ann"
    )
    assert plan([naming], parse(template))[0].path() == path


def test_without_a_date_there_is_one_folder() -> None:
    """Undated files lie in `undated/`, not in a tree of unknowns."""
    assert plan([Naming("a.jpg", "jpeg")], parse(DEFAULT))[0].path() == "undated/a.jpg"


def _bundle_paths(*members: tuple[str, str, BundleRole], template: str = DEFAULT) -> list[str]:
    namings = [Naming(name, format, role) for name, format, role in members]
    return [target.path(2) for target in plan(namings, parse(template))]


def test_members_of_a_bundle_share_their_stem() -> None:
    """Live Photos, RAWs, edits and sidecars stay recognisable as pairs, numbered alike."""
    assert _bundle_paths(
        ("IMG_1.JPG", "heic", BundleRole.PRIMARY),
        ("IMG_1.MOV", "mov", BundleRole.LIVE_VIDEO),
        ("img_1.cr2", "cr2", BundleRole.RAW),
        ("IMG_1.JPG.xmp", "xmp", BundleRole.SIDECAR),
        ("IMG_1.xmp", "xmp", BundleRole.SIDECAR),
        ("IMG_1-edited.jpg", "jpeg", BundleRole.EDIT),
        ("IMG_E1.jpg", "jpeg", BundleRole.EDIT),
        ("IMG_1.JPG.supplemental-meta.json", "takeout-json", BundleRole.SIDECAR),
        ("OTHER.MOV", "mov", BundleRole.LIVE_VIDEO),
    ) == [
        "undated/IMG_1 (2).HEIC",
        "undated/IMG_1 (2).MOV",
        "undated/IMG_1 (2).cr2",
        "undated/IMG_1 (2).HEIC.xmp",
        "undated/IMG_1 (2).xmp",
        "undated/IMG_1 (2)-edited.jpg",
        "undated/IMG_E1 (2).jpg",
        "undated/IMG_1 (2).HEIC.json",
        "undated/IMG_1 (2)-2.MOV",
    ]


def test_a_renaming_template_keeps_bundles_together() -> None:
    """Where the template gives names of its own, every member gets the same."""
    assert _bundle_paths(
        ("IMG_1.JPG", "jpeg", BundleRole.PRIMARY),
        ("IMG_E1.JPG", "jpeg", BundleRole.EDIT),
        ("X.xmp", "xmp", BundleRole.SIDECAR),
        template="photo",
    ) == ["photo (2).JPG", "photo (2)-edited.JPG", "photo (2).xmp"]


def test_long_names_keep_their_extension_and_their_pair() -> None:
    """255 bytes are cut in the stem, alike for all of a bundle, and never inside a character."""
    stem = "é" * 125
    paths = _bundle_paths(
        (f"{stem}.jpg", "jpeg", BundleRole.PRIMARY), (f"{stem}.jpg.xmp", "xmp", BundleRole.SIDECAR)
    )
    photo, sidecar = (path.removeprefix("undated/") for path in paths)
    assert sidecar == f"{photo}.xmp"
    assert photo.endswith(" (2).jpg")
    assert len(sidecar.encode()) <= 255


def test_a_path_below_cannot_leave(tmp_path: Path) -> None:
    """T71: dots, empty parts, absolute paths and NUL are refused; links are not followed."""
    from pipeline.errors import NotAllowed

    for path in ("", ".", "..", "a/../b", "/etc/passwd", "a//b", "a/", "a\0b"):
        with pytest.raises(NotAllowed):
            Below(tmp_path, path)
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside/link").symlink_to(tmp_path / "outside")
    with pytest.raises(NotAllowed):
        fsops.write_new(Below(tmp_path / "inside", "link/x"), b"x")
    assert list((tmp_path / "outside").iterdir()) == []


def test_numbers_of_a_bundle_do_not_clash_with_keys() -> None:
    """Keys fold case and composition, as some disks do."""
    assert names.key("A/Ame\u0301lie.JPG") == names.key("a/AMÉLIE.jpg")
