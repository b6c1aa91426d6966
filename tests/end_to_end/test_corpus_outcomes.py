"""Every file of the corpus ends somewhere sensible, and nothing is lost on the way there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run
from tests.kit import cli
from tests.kit.cli import Processed, Row
from tests.kit.corpus import manifest

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(300)]

_SHAPE: dict[str, tuple[type, ...]] = {
    "source": (str,),
    "sha256": (str,),
    "outcome": (str,),
    "id": (str,),
    "path": (str, type(None)),
    "kind": (str, type(None)),
    "mime": (str, type(None)),
    "taken_at": (str, type(None)),
    "taken_from": (str, type(None)),
    "lat": (float, type(None)),
    "lon": (float, type(None)),
    "width": (int, type(None)),
    "height": (int, type(None)),
    "orientation": (int, type(None)),
    "duration_s": (float, type(None)),
    "camera": (str, type(None)),
    "bundle": (str, type(None)),
    "duplicate_of": (str, type(None)),
    "similar_to": (list,),
    "tags": (list,),
    "faces": (int, type(None)),
    "quality": (int, float, type(None)),
    "reason": (str, type(None)),
}
_COUNTS = {
    "found", "placed", "duplicates", "sidecars", "rejected", "failed", "bytes_in", "bytes_placed",
    "seconds",
}  # fmt: skip
# What exiftool's names of contents are in media types.
_MIMES = {
    "JPEG": "image/jpeg", "MPO": "image/jpeg", "THM": "image/jpeg", "PNG": "image/png",
    "APNG": "image/apng", "GIF": "image/gif", "WEBP": "image/webp", "Extended WEBP": "image/webp",
    "TIFF": "image/tiff", "BMP": "image/bmp", "HEIC": "image/heic", "AVIF": "image/avif",
    "JXL": "image/jxl", "JP2": "image/jp2", "JXR": "image/jxr", "SVG": "image/svg+xml",
    "PSD": "image/vnd.adobe.photoshop", "CR2": "image/x-canon-cr2", "CR3": "image/x-canon-cr3",
    "CRW": "image/x-canon-crw", "NEF": "image/x-nikon-nef", "RAF": "image/x-fuji-raf",
    "RW2": "image/x-panasonic-rw2", "PEF": "image/x-pentax-pef", "DNG": "image/x-adobe-dng",
    "MOV": "video/quicktime", "MKV": "video/x-matroska", "WEBM": "video/webm",
    "AVI": "video/x-msvideo", "3GP": "video/3gpp", "FLV": "video/x-flv", "WMV": "video/x-ms-wmv",
    "M2TS": "video/mp2t", "MP3": "audio/mpeg", "M4A": "audio/mp4", "FLAC": "audio/flac",
    "WAV": "audio/wav", "OGG": "audio/ogg", "OPUS": "audio/opus", "PDF": "application/pdf",
    "XMP": "application/rdf+xml", "JSON": "application/json",
    "AAE": "application/x-apple-adjustments",
}  # fmt: skip
_KINDS = {"photo", "video", "audio", "document", "sidecar"}
# Words of programs, not of people.
_JARGON = re.compile(
    r"\b(Errno|Traceback|\w+Error|Exception|0x[0-9a-f]+|None|NULL|box size|iloc|decoder error"
    r"|tile cannot|Truncated File Read|Invalid input|Unsupported feature|meta box)\b"
)


def test_report_has_its_shape(corpus_run: Run) -> None:
    """Each row has exactly the promised keys, each of its type."""
    for row in corpus_run.first.rows:
        assert list(row) == list(_SHAPE)
        wrong = {key: row[key] for key, types in _SHAPE.items() if type(row[key]) not in types}
        assert not wrong, row["source"]
        assert row["outcome"] in ("placed", "duplicate", "sidecar", "rejected", "failed")
        assert row["kind"] in _KINDS or row["outcome"] == "rejected"


def test_one_row_for_every_source(corpus_run: Run) -> None:
    """Every file below the folder has one row, with the sha256 of its bytes."""
    told = {row["source"]: row["sha256"] for row in corpus_run.first.rows}
    base = corpus_run.corpus
    assert told == {str(base / name): value for name, value in corpus_run.before.items()}
    assert len(told) == len(corpus_run.first.rows)


def test_summary_agrees_with_the_report(corpus_run: Run) -> None:
    """`--json` has the promised keys, and its counts are those of the rows."""
    summary, rows = corpus_run.first.summary, corpus_run.first.rows
    assert summary.keys() >= _COUNTS
    for key, outcome in (
        ("placed", "placed"),
        ("duplicates", "duplicate"),
        ("sidecars", "sidecar"),
        ("rejected", "rejected"),
        ("failed", "failed"),
    ):
        assert summary[key] == sum(row["outcome"] == outcome for row in rows), key
    assert summary["found"] == len(rows)
    assert summary["bytes_in"] == sum(Path(row["source"]).stat().st_size for row in rows)


def test_nothing_is_lost(corpus_run: Run) -> None:
    """Sources are as they were; every placed file is, byte for byte, its source."""
    assert cli.contents(corpus_run.corpus) == corpus_run.before
    kept = cli.library(corpus_run.home)
    told = {row["path"]: row["sha256"] for row in corpus_run.first.placed if row["path"]}
    assert kept == told


def test_nothing_fails(corpus_run: Run) -> None:
    """A bad file is kept and flagged, or refused; none is `failed`, and the status says so."""
    assert [row["source"] for row in corpus_run.first.rows if row["outcome"] == "failed"] == []
    assert corpus_run.first.ran.status == 1  # some were rejected


def test_types_are_those_of_the_content(corpus_run: Run) -> None:
    """Media types follow the content, whatever the name says."""
    wrong = []
    for entry in manifest(corpus_run.corpus):
        row = corpus_run.row(entry.path)
        expected = _MIMES.get(entry.type_by_content)
        if expected and row["mime"] != expected and row["outcome"] != "rejected":
            wrong.append((entry.path, expected, row["mime"]))
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "extension"),
    [
        ("junk/heic_hdlr_box.jpg", ".heic"),
        ("junk/this-is-a-jpeg.png", ".jpg"),
        ("raw/Issue 247-1.nef", ".jpg"),
        ("corrupt/pocIssue283.jpg", ".tif"),
    ],
)
def test_wrong_extensions_are_corrected(corpus_run: Run, source: str, extension: str) -> None:
    """The placed name ends as the content deserves; right ones keep the spelling they had."""
    assert Path(corpus_run.row(source)["path"]).suffix == extension


def test_right_extensions_are_left_alone(corpus_run: Run) -> None:
    """`.JPG` stays `.JPG` and `.MOV` stays `.MOV` where the content agrees."""
    for row in corpus_run.first.rows:
        is_right = "/junk/" not in row["source"]
        if row["outcome"] == "placed" and row["source"].endswith(_SHOUTED) and is_right:
            assert Path(row["path"]).suffix == Path(row["source"]).suffix


_SHOUTED = (".JPG", ".HEIC", ".MOV")


def test_bad_files_have_a_reason_a_person_understands(corpus_run: Run) -> None:
    """Every rejected and every damaged file says why, in words, not in a program's."""
    bad = [row for row in corpus_run.first.rows if row["reason"]]
    assert len(bad) > 60
    for row in bad:
        assert re.fullmatch(r"[A-Z].{10,240}\.", row["reason"]), row["reason"]
    assert {row["reason"] for row in bad if _JARGON.search(_said_to_people(row))} == set()
    for row in corpus_run.first.rows:
        assert row["reason"] or row["outcome"] != "rejected"


def _said_to_people(row: Row) -> str:
    """A reason without what it quotes for experts, in brackets at its end."""
    return re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)*\)\.$", ".", row["reason"])


def test_what_can_be_seen_is_never_refused(corpus_run: Run) -> None:
    """Only what holds no media at all is rejected: nothing that any decoder opened."""
    for entry in manifest(corpus_run.corpus):
        row = corpus_run.row(entry.path)
        if row["outcome"] == "rejected":
            assert entry.decodes.startswith(("NO", "empty")), entry.path


def test_damaged_pictures_are_kept_and_flagged(corpus_run: Run) -> None:
    """A file that is known to be damaged and cannot be read whole is never passed off as fine."""
    silent = []
    for entry in manifest(corpus_run.corpus):
        row = corpus_run.row(entry.path)
        is_broken = entry.is_corrupt == "yes" and entry.decodes.startswith("NO")
        if is_broken and row["outcome"] == "placed" and not row["reason"]:
            silent.append(entry.path)
    assert silent == []


def test_whole_pictures_carry_no_flag(corpus_run: Run) -> None:
    """What decodes and is not damaged is placed without a word of blame."""
    blamed = []
    for entry in manifest(corpus_run.corpus):
        row = corpus_run.row(entry.path)
        if entry.decodes == "yes" and entry.is_corrupt == "no" and row["reason"]:
            blamed.append((entry.path, row["reason"]))
    assert blamed == []


def test_second_run_places_nothing(corpus_run: Run, corpus_again: Processed) -> None:
    """The same folder again: everything is known, nothing is stored twice, and it is quick."""
    again, first = corpus_again.summary, corpus_run.first.summary
    assert (again["placed"], again["failed"]) == (0, 0)
    assert again["found"] == first["found"]
    assert again["duplicates"] == first["placed"] + first["duplicates"]
    assert again["sidecars"] == first["sidecars"]
    assert cli.library(corpus_run.home).keys() == {r["path"] for r in corpus_run.first.placed}
    assert corpus_again.seconds < max(8.0, corpus_run.first.seconds / 3)


def test_second_run_tells_the_same(corpus_run: Run, corpus_again: Processed) -> None:
    """Facts and places of a known file are reported as they were the first time."""
    first = {row["source"]: row for row in corpus_run.first.rows}
    for row in corpus_again.rows:
        before = first[row["source"]]
        assert {k: row[k] for k in _LASTING} == {k: before[k] for k in _LASTING}


_LASTING = ("sha256", "id", "path", "kind", "mime", "taken_at", "lat", "camera", "bundle", "reason")
