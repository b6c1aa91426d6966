"""Hostile files and names through the real command and its real children.

Counts are those of the plan: 500 spoilt files (T49), bombs (T50), disguised playlists (T51), names
that look like arguments (T53) or are no text at all (T22), files of two kinds (T54).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.kit import cli, media
from tests.kit.bombs import BOMBS
from tests.kit.disguises import disguises

pytestmark = pytest.mark.timeout(300)

_SEED = 20_260_101
_KINDS = (
    "photo.jpg", "picture.png", "picture.webp", "moving.gif", "scan.tif", "phone.heic",
    "picture.avif", "camera.dng", "film.mp4", "film.mov",
)  # fmt: skip


def _write_mutations(folder: Path, count: int) -> None:
    folder.mkdir()
    rng = random.Random(_SEED)
    for name in _KINDS:
        spoilt = media.mutations(media.SEEDS[name](), rng, count // len(_KINDS))
        for number, data in enumerate(spoilt):
            (folder / f"{number:04}-{name}").write_bytes(data)


def _judge(home: Path, folder: Path, patience_s: float) -> cli.Processed:
    """Take a folder in: nothing fails, nothing is lost, each ends kept or refused with a reason."""
    before = cli.contents(folder)
    run = cli.process(home, folder, patience_s=patience_s)
    assert cli.contents(folder) == before
    assert len(run.rows) == len(before)
    assert [row["source"] for row in run.rows if row["outcome"] == "failed"] == []
    assert {r["path"]: r["sha256"] for r in run.placed} == cli.library(home)
    for row in run.rows:
        assert row["outcome"] != "rejected" or row["reason"], row
    assert "Traceback" not in run.ran.err
    return run


def test_spoilt_files(home: Path, tmp_path: Path) -> None:
    """T49: 500 spoilt files: no crash, no hang, none failed, none lost."""
    _write_mutations(tmp_path / "spoilt", 500)
    run = _judge(home, tmp_path / "spoilt", 200)
    assert run.summary["placed"] > 250


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_very_many_spoilt_files(home: Path, tmp_path: Path) -> None:
    """T49, at night: 10,000."""
    _write_mutations(tmp_path / "spoilt", 10_000)
    _judge(home, tmp_path / "spoilt", 3_500)


def test_bombs(home: Path, tmp_path: Path) -> None:
    """T50: small files that claim to be huge are kept or refused in time, and fill nothing."""
    folder = tmp_path / "bombs"
    folder.mkdir()
    for name, make in BOMBS.items():
        (folder / name).write_bytes(make())
    run = _judge(home, folder, 150)
    assert run.of(folder / "42.zip")["outcome"] == "rejected"
    assert "pixels" in run.of(folder / "side.png")["reason"]
    made = sum(path.stat().st_size for path in (home / "cache").rglob("*") if path.is_file())
    assert made < 20_000_000


def test_disguises(home: Path, tmp_path: Path) -> None:
    """T51: playlists and scripts under media names open no other file and call nobody."""
    canary = tmp_path / "canary.jpg"
    canary.write_bytes(media.jpeg(media.scene(64, 64, 7)))
    os.utime(canary, (1, 1))
    folder = tmp_path / "disguises"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        for name, data in disguises(canary, server.getsockname()[1]).items():
            (folder / name).write_bytes(data)
        trace = _traced(home, folder, tmp_path)
        with pytest.raises(BlockingIOError):
            server.accept()
    if trace is None:  # no strace here: the time of the last reading tells (relatime)
        assert canary.stat().st_atime == 1
        canary.read_bytes()
        assert canary.stat().st_atime != 1, "this disk does not tell who read what"
    else:
        assert "hls.mp4" in trace, "the trace saw nothing"
        opened = [line for line in trace.splitlines() if "canary.jpg" in line and "open" in line]
        assert opened == []


def _traced(home: Path, folder: Path, tmp_path: Path) -> str | None:
    """Run; what was opened, where it can be watched."""
    if shutil.which("strace") is None:
        _judge(home, folder, 60)
        return None
    log = tmp_path / "trace"
    with cli.start(home, "process", folder) as process:
        watch = subprocess.Popen(
            ["strace", "-f", "-q", "-e", "trace=open,openat", "-o", log, "-p", str(process.pid)],
            stderr=subprocess.DEVNULL,
        )
        process.communicate(timeout=100)
        watch.wait(20)
    assert process.returncode == 1
    return log.read_text(errors="replace")


_EVIL_NAMES = (
    "-o", "--help", "-rf", "@args", "@etc:passwd", "%d", "%n%s", "file:x", "pipe:0", "concat:a|b",
    "$(touch hacked)", "`touch hacked`", ";touch hacked", "|touch hacked", "&touch hacked",
    "a b", " lead", "trail ", "trail.", "CON", "nul", "AUX", "con.txt", "a\nb", "a\tb",
    "\x1b[31mred", "\u202egpj.exe",
    "e\u0301", "\u00e9", "\U0001f4f7", "x" * 240, "\u00fc" * 120,
    "*", "?", "~", "'", '"', "a..b", "{taken}", "{0}", "[bold]", "<b>x", "a\\b", "C:\\x",
    "null", "None", "-",
)  # fmt: skip


def test_names_are_data(home: Path, tmp_path: Path) -> None:
    """T22, T53: 200 names that look like options, orders or traps are taken as names."""
    folder = tmp_path / "names"
    folder.mkdir()
    data = (media.jpeg(media.scene(40, 30, seed=seed)) for seed in range(1, 10_000))
    names = [os.fsencode(name) for name in _EVIL_NAMES] + [b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80"]
    suffixes = (b".jpg", b".mp4", b".png", b"")
    for name in names:
        for suffix in suffixes:
            (folder / os.fsdecode(name + suffix)).write_bytes(next(data))
    before = {os.fsencode(name) for name in os.listdir(folder)}  # noqa: PTH208 - bytes
    assert len(before) >= 200
    run = _judge(home, folder, 150)
    told = {os.fsencode(row["source"]).rpartition(b"/")[2] for row in run.rows}
    assert told == before  # --report keeps every name, byte for byte, through JSON
    assert run.summary["rejected"] == 0
    assert {os.fsencode(name) for name in os.listdir(folder)} == before  # noqa: PTH208
    hacked = [p for base in (tmp_path, Path.cwd()) for p in base.glob("hacked*")]
    assert hacked == []
    for name in cli.library(home):
        parts = name.split("/")
        assert all(part.isprintable() and part not in ("", ".", "..") for part in parts), name
        assert len(os.fsencode(parts[-1])) <= 255
    said = cli.darkroom(home, "find", "--limit", "1000")
    assert "\x1b[31m" not in said.out  # a name cannot paint the terminal
    assert said.status == 0


def test_scanning_odd_trees(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T21: loops, links out, pipes, sockets and deep folders neither block nor leak."""
    folder, outside = tmp_path / "odd", tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(media.jpeg(media.scene(64, 64, 2)))
    deep = folder / Path(*["d"] * 100)
    deep.mkdir(parents=True)
    (deep / "deep.jpg").write_bytes(media.jpeg())
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to(outside)
    (folder / "secret.jpg").symlink_to(outside / "secret.jpg")
    (folder / "dangling.jpg").symlink_to(outside / "nothing")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(folder)  # a socket's path is short
        server.bind("socket.jpg")
    run = cli.process(home, folder)
    assert [Path(row["source"]).name for row in run.rows] == ["deep.jpg"]
    assert len(cli.library(home)) == 1


_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'


def test_files_of_two_kinds(home: Path, tmp_path: Path) -> None:
    """T54: what is two things at once gets the one type and extension its head deserves."""
    folder = tmp_path / "polyglots"
    folder.mkdir()
    script = b"<html><script>alert(1)</script></html>"
    polyglots = {
        "a.html.jpg": (media.jpeg() + script, "image/jpeg"),
        "b.js": (media.gif() + b"/*" + b"*/alert(1)", "image/gif"),
        "c.html": (media.video() + script, "video/mp4"),
        "d.jpg": (script, None),
        "e.svg": (_SVG, "image/svg+xml"),
        "f.pdf": (media.saved(media.scene(), "PDF") + b"PK\x03\x04junk", "application/pdf"),
    }  # fmt: skip
    for name, (data, _) in polyglots.items():
        (folder / name).write_bytes(data)
    run = _judge(home, folder, 60)
    assert {n: run.of(folder / n)["mime"] for n in polyglots} == {
        n: mime for n, (_, mime) in polyglots.items()
    }
    suffixes = {Path(row["path"]).suffix for row in run.placed}
    assert suffixes == {".jpg", ".gif", ".mp4", ".svg", ".pdf"}


def test_report_is_one_line_a_file(home: Path, tmp_path: Path) -> None:
    """A name with line breaks and quotes is one line of the report, and the same name again."""
    folder = tmp_path / "lines"
    folder.mkdir()
    name = 'a\n{"outcome": "placed"}\r\u2028b.jpg'
    (folder / name).write_bytes(media.jpeg())
    report = tmp_path / "r.jsonl"
    ran = cli.darkroom(home, "process", folder, "--report", report)
    assert ran.status == 0
    (line,) = report.read_text(encoding="utf-8").strip("\n").split("\n")
    assert json.loads(line)["source"] == str(folder / name)
