"""Ignored names: what is passed over, and what never is."""

from __future__ import annotations

import pytest

from pipeline.intake import ignore
from pipeline.intake.ignore import HALF_WRITTEN, HIDDEN, MACHINE_MADE, OUR_OWN, THROWN_AWAY


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".syncthing.IMG_1.jpg.tmp", HALF_WRITTEN),
        ("~syncthing~IMG_1.jpg.tmp", HALF_WRITTEN),
        ("IMG_1.jpg.crdownload", HALF_WRITTEN),
        ("IMG_1.JPG.PART", HALF_WRITTEN),
        ("IMG_1.jpg.download", HALF_WRITTEN),
        (".IMG_1.HEIC.icloud", HALF_WRITTEN),
        (".IMG_1.jpg.x3Kq9Z", HALF_WRITTEN),
        (".pending-1700000000-IMG_1.jpg", HALF_WRITTEN),
        ("~$letter.docx", HALF_WRITTEN),
        (".trashed-1700000000-IMG_1.jpg", THROWN_AWAY),
        (".DS_Store", MACHINE_MADE),
        ("._IMG_1.jpg", MACHINE_MADE),
        ("Thumbs.db", MACHINE_MADE),
        ("desktop.ini", MACHINE_MADE),
        ("SYNOFILE_THUMB_M.jpg", MACHINE_MADE),
        (".nomedia", MACHINE_MADE),
        (".darkroom-root", OUR_OWN),
        (".hidden.jpg", HIDDEN),
        (".bad\udcff.jpg", HIDDEN),
    ],
)
def test_files_passed_over(name: str, why: str) -> None:
    """Half-written, thrown away and machine-made files are passed over, each for its reason."""
    assert ignore.why_file(name) == why


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("@eaDir", MACHINE_MADE),
        (".stfolder", MACHINE_MADE),
        (".thumbnails", MACHINE_MADE),
        ("__MACOSX", MACHINE_MADE),
        ("System Volume Information", MACHINE_MADE),
        (".stversions", THROWN_AWAY),
        ("#recycle", THROWN_AWAY),
        ("$RECYCLE.BIN", THROWN_AWAY),
        ("lost+found", THROWN_AWAY),
        (".Trash-1000", THROWN_AWAY),
        (".staging", OUR_OWN),
        (".git", HIDDEN),
    ],
)
def test_folders_not_entered(name: str, why: str) -> None:
    """Other programs' folders are not entered."""
    assert ignore.why_folder(name) == why


@pytest.mark.parametrize(
    "name",
    [
        "IMG_1.jpg",
        "party.jpg",
        "part.jpg",
        "download.png",
        "thumbs.jpg",
        "Rome 12.05",
        "IMG_1",
        "tmp.mov",
        "a\nb.jpg",
        "bad\udcff.jpg",
        "@home.jpg",
        "#1.jpg",
        "~1.jpg",
        "desktop.jpg",
    ],
)
def test_a_persons_files_are_never_ignored(name: str) -> None:
    """Names that only look a little like junk are taken."""
    assert ignore.why_file(name) is None
    assert ignore.why_folder(name) is None
