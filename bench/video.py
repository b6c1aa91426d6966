"""Our video encoders as we run them, against x264 veryfast: speed, look and bytes on one clip.

CPU time of whole FFmpeg runs, one thread each, on the same real pictures; VMAF by libvmaf. What is
compared are ratios inside one run. Each of ours must look at least as good as x264 veryfast at its
default CRF of 23, in fewer bytes. Exits 1 where one does not.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import location
from pipeline.codecs import encoders, ffmpeg

CLIPS = ("live_photo/train.mov", "video/quicktime-hvc1.mov", "video/with-gps.mov")
FRAMES = 48
BASE = ("libx264", 23.0, "fast")
# Encoder, quality and effort that are about as good as the base, or better.
OURS = (
    ("libx265", 25.0, "normal"),
    ("libx265", 23.0, "fast"),
    ("libsvtav1", 40.0, "normal"),
    ("libsvtav1", 37.0, "fast"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one encoder did with all clips."""

    frames: int
    cpu_s: float
    vmaf: float
    size: int


def main() -> int:
    """Print the table; the exit status."""
    clips = [location() / name for name in CLIPS]
    base = measure(clips, *BASE)
    print(f"{'encoder':<22}{'frames/CPU-s':>13}{'speed':>7}{'VMAF':>7}{'bytes':>7}")
    print(_row("libx264 veryfast 23", base, base))
    missed = 0
    for name, quality, effort in OURS:
        ours = measure(clips, name, quality, effort)
        print(_row(f"{name} {effort} {quality:g}", ours, base))
        missed += ours.vmaf < base.vmaf - 0.5 or ours.size > base.size
    print("passed" if not missed else "FAILED")
    return 1 if missed else 0


def measure(clips: list[Path], name: str, quality: float, effort: encoders.Effort) -> Figures:
    """Code every clip and look at what came of it."""
    encoder = next(e for e in encoders.ENCODERS if e.name == name)
    frames, cpu_s, points, size = 0, 0.0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            made = Path(folder) / "made.mp4"
            before = _cpu_s()
            _run(["-i", str(clip), "-map", "0:v:0", "-frames:v", str(FRAMES), "-an",
                  *encoder.arguments(quality, "yuv420p", 1, effort),
                  "-fps_mode", "passthrough", "-f", "mp4", str(made)])  # fmt: skip
            cpu_s += _cpu_s() - before
            count, mean = _compared(made, clip, Path(folder))
            frames, points, size = frames + count, points + mean * count, size + made.stat().st_size
    return Figures(frames, cpu_s, points / frames, size)


def _compared(made: Path, clip: Path, folder: Path) -> tuple[int, float]:
    alike = "format=yuv420p,settb=1/25,setpts=N"
    graph = (
        f"[0:v:0]{alike}[a];[1:v:0]{alike}[b];"
        "[a][b]libvmaf=log_fmt=json:log_path=vmaf.json:shortest=1[out]"
    )
    _run(["-i", str(made), "-i", str(clip), "-filter_complex", graph, "-map", "[out]",
          "-frames:v", str(FRAMES), "-f", "null", "-"], folder)  # fmt: skip
    told = json.loads((folder / "vmaf.json").read_text())
    return len(told["frames"]), float(told["pooled_metrics"]["vmaf"]["mean"])


def _run(arguments: list[str], cwd: Path | None = None) -> None:
    command = [ffmpeg.program(), "-nostdin", "-v", "error", "-y", "-threads", "1", *arguments]
    subprocess.run(command, check=True, cwd=cwd, env={**os.environ, "SVT_LOG": "1"})


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(name: str, ours: Figures, base: Figures) -> str:
    speed = ours.frames / ours.cpu_s
    ratio = speed / (base.frames / base.cpu_s)
    return f"{name:<22}{speed:>13.1f}{ratio:>7.2f}{ours.vmaf:>7.1f}{ours.size / base.size:>7.2f}"


if __name__ == "__main__":
    sys.exit(main())
