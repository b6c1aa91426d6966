"""`darkroom jobs`: a run opened into its files and stages, and one job steered."""

from __future__ import annotations

from pathlib import Path

from tests.kit import cli, media


def test_a_run_opens_into_files_and_stages(tmp_path: Path) -> None:
    """List, show, and what cannot be done is said in words."""
    home, pictures = tmp_path / "home", tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "IMG_1.jpg").write_bytes(media.jpeg(media.scene(seed=1)))
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    cli.process(home, pictures)
    job = cli.darkroom(home, "jobs").out.split()[0]
    shown = cli.darkroom(home, "jobs", "show", job).out
    assert "IMG_1.jpg" in shown
    assert "hash" in shown
    assert "facts" in shown
    only = cli.darkroom(home, "jobs", "show", job, "--failed").out
    assert "IMG_1.jpg" not in only
    refused = cli.darkroom(home, "jobs", "pause", job)
    assert refused.status != 0
    assert "not running" in refused.err
    assert cli.darkroom(home, "jobs", "retry", job).status != 0
    assert "nothing" in cli.darkroom(home, "jobs", "show", "nothing").err
