"""Photos, videos, documents and audio, told by what is in the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import NotFound
from pipeline.service import categories
from tests.kit import media
from tests.kit.cli import contents


def test_content_counts_and_names_do_not(tmp_path: Path) -> None:
    """Four sorted lists; a photo called .mp4 is a photo; nothing is touched."""
    (tmp_path / "sub").mkdir()
    files = {
        "z.jpg": media.jpeg(),
        "a.mp4": media.jpeg(),
        "sub/film.mov": media.video("mov"),
        "sound.txt": media.SEEDS["sound.wav"](),
        "paper.pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    before = contents(tmp_path)
    assert categories.by_content(tmp_path) == {
        "photos": [str(tmp_path / "a.mp4"), str(tmp_path / "z.jpg")],
        "videos": [str(tmp_path / "sub/film.mov")],
        "documents": [str(tmp_path / "paper.pdf")],
        "audio": [str(tmp_path / "sound.txt")],
    }
    assert contents(tmp_path) == before


def test_sidecars_junk_links_and_pipes_are_left_out(tmp_path: Path) -> None:
    """What belongs to another file, is temporary or hostile, or is nothing we keep, is in no list;
    a pipe does not block."""
    (tmp_path / "IMG_1.xmp").write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>')
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    (tmp_path / ".syncthing.IMG.jpg.tmp").write_bytes(media.jpeg())
    (tmp_path / "link.jpg").symlink_to("/etc/hosts")
    os.mkfifo(tmp_path / "pipe.jpg")
    found = categories.by_content(tmp_path)
    assert found == {"photos": [], "videos": [], "audio": [], "documents": []}


def test_an_absent_folder_is_said(tmp_path: Path) -> None:
    """Not an empty answer for a folder that is not there."""
    with pytest.raises(NotFound):
        categories.by_content(tmp_path / "absent")
