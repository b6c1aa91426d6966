"""The video encoders we know, which of them work on this machine, and how each is asked.

An encoder counts as working only after it has really encoded a few pictures: drivers that are
listed but absent, cards without the codec and confined processes all show themselves then.
`quality` is each encoder's own number (CRF, CQ, QP); `best` and `worst` bound what is tried.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pipeline.codecs import ffmpeg
from pipeline.errors import BadMedia

Codec = Literal["hevc", "av1", "h264"]
Effort = Literal["fast", "normal", "thorough"]
ORDINARY = ("yuv420p", "yuv420p10le")
_PROBE_S = 30.0
_NODES = Path("/dev/dri")


@dataclass(frozen=True, slots=True)
class Encoder:
    """One encoder of FFmpeg. `first` is the quality tried first, `slope` VMAF points per step."""

    name: str
    codec: Codec
    best: float
    worst: float
    first: float
    slope: float
    is_hardware: bool = False

    def arguments(self, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
        """Filter, encoder and quality, for pictures that are `pixels` in FFmpeg's word."""
        return _ARGUMENTS[self.name.partition("_")[2] or self.name](
            self, quality, pixels, threads, effort
        )

    def takes(self, pixels: str) -> bool:
        """Does it write these colours as they are? x265 alone writes more than players ask for."""
        return pixels in ORDINARY or self.name == "libx265"

    def input_arguments(self) -> list[str]:
        """What must stand in front of the inputs."""
        return ["-vaapi_device", render_node() or ""] if self.name.endswith("_vaapi") else []

    def patience_s(self, pixels: int) -> float | None:
        """How long so many pixels may take before the driver counts as hung: a hundred times what
        a slow machine needs to decode them. Programs do not hang.
        """
        return _PROBE_S + pixels / 2e6 if self.is_hardware else None

    @property
    def needs_space(self) -> bool:
        """CUDA reserves far more address space than it uses."""
        return self.name.endswith("_nvenc")


# In the order in which they are preferred: machines made for it first, then programs.
ENCODERS: tuple[Encoder, ...] = (
    Encoder("hevc_nvenc", "hevc", 14, 40, 25, -0.7, is_hardware=True),
    Encoder("hevc_videotoolbox", "hevc", 90, 30, 62, 0.5, is_hardware=True),
    Encoder("hevc_qsv", "hevc", 14, 40, 23, -0.7, is_hardware=True),
    Encoder("hevc_vaapi", "hevc", 14, 40, 24, -0.7, is_hardware=True),
    Encoder("libx265", "hevc", 14, 36, 21, -1.0),
    Encoder("av1_nvenc", "av1", 14, 50, 30, -0.5, is_hardware=True),
    Encoder("av1_qsv", "av1", 14, 50, 27, -0.5, is_hardware=True),
    Encoder("av1_vaapi", "av1", 30, 200, 100, -0.1, is_hardware=True),
    Encoder("libsvtav1", "av1", 14, 55, 32, -0.5),
    Encoder("h264_nvenc", "h264", 14, 36, 24, -0.8, is_hardware=True),
    Encoder("h264_videotoolbox", "h264", 90, 30, 60, 0.5, is_hardware=True),
    Encoder("h264_qsv", "h264", 14, 36, 23, -0.8, is_hardware=True),
    Encoder("h264_vaapi", "h264", 14, 36, 23, -0.8, is_hardware=True),
    Encoder("libx264", "h264", 14, 34, 23, -0.8),
)


def candidates(codec: Codec, hardware: str = "auto") -> Iterator[Encoder]:
    """The encoders of `codec` that work here, best first; the program is always the last.

    `hardware` is "auto", "off", or the family to use: "nvenc", "vaapi", "qsv", "videotoolbox".
    """
    for encoder in ENCODERS:
        if encoder.codec == codec and _is_asked(encoder, hardware) and works(encoder.name):
            yield encoder


def _is_asked(encoder: Encoder, hardware: str) -> bool:
    if not encoder.is_hardware or hardware == "auto":
        return True
    return encoder.name.endswith(f"_{hardware}")


@lru_cache(maxsize=64)
def works(name: str) -> bool:
    """Did the encoder turn a few pictures into a film just now? Asked once in each process."""
    encoder = next(e for e in ENCODERS if e.name == name)
    if name.endswith("_vaapi") and render_node() is None:
        return False
    with tempfile.TemporaryDirectory(prefix="darkroom-encoder-") as folder:
        target = Path(folder) / "probe.mp4"
        arguments = [
            *encoder.input_arguments(),
            *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-frames:v", "5"),
            *encoder.arguments(encoder.first, "yuv420p", 1, "fast"),
            *("-f", "mp4", ffmpeg.plain(target)),
        ]
        try:
            ffmpeg.run(arguments, Path(folder), timeout_s=_PROBE_S, needs_space=encoder.needs_space)
        except (BadMedia, OSError):
            return False
        return target.is_file() and target.stat().st_size > 0


def render_node() -> str | None:
    """The first graphics device that codes without a screen."""
    return next(map(str, sorted(_NODES.glob("renderD*"))), None)


def _x265(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    preset = {"fast": "superfast", "normal": "fast", "thorough": "medium"}[effort]
    pools = "none" if threads == 1 else str(threads)
    params = f"log-level=none:pools={pools}:frame-threads=1:keyint=250:open-gop=0"
    return [
        *("-vf", f"format={pixels}", "-c:v", e.name, "-tag:v", "hvc1"),
        *("-preset", preset, "-crf", f"{quality:g}", "-x265-params", params),
    ]


def _svt(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    preset = {"fast": "10", "normal": "8", "thorough": "5"}[effort]
    return [
        *("-vf", f"format={pixels}", "-c:v", e.name, "-preset", preset, "-g", "250"),
        *("-crf", f"{quality:.0f}", "-svtav1-params", f"lp={threads}"),
    ]


def _x264(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    preset = {"fast": "veryfast", "normal": "fast", "thorough": "medium"}[effort]
    return [
        *("-vf", f"format={pixels}", "-c:v", e.name, "-preset", preset),
        *("-crf", f"{quality:g}", "-threads", str(threads)),
    ]


def _nvenc(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    preset = {"fast": "p3", "normal": "p5", "thorough": "p7"}[effort]
    return [
        *("-vf", f"format={_packed(pixels)}", "-c:v", e.name, "-preset", preset, *_tag(e)),
        *("-rc", "vbr", "-cq", f"{quality:g}", "-b:v", "0"),
    ]


def _qsv(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    preset = {"fast": "veryfast", "normal": "medium", "thorough": "slower"}[effort]
    return [
        *("-vf", f"format={_packed(pixels)}", "-c:v", e.name, "-preset", preset, *_tag(e)),
        *("-global_quality", f"{quality:.0f}"),
    ]


def _vaapi(e: Encoder, quality: float, pixels: str, threads: int, effort: Effort) -> list[str]:
    return [
        *("-vf", f"format={_packed(pixels)},hwupload", "-c:v", e.name, *_tag(e)),
        *("-rc_mode", "CQP", "-global_quality", f"{quality:.0f}"),
    ]


def _videotoolbox(
    e: Encoder, quality: float, pixels: str, threads: int, effort: Effort
) -> list[str]:
    return [
        *("-vf", f"format={_packed(pixels)}", "-c:v", e.name, *_tag(e)),
        *("-allow_sw", "0", "-q:v", f"{quality:.0f}"),
    ]


def _tag(encoder: Encoder) -> list[str]:
    """Apple's players take HEVC in an MP4 only under this name."""
    return ["-tag:v", "hvc1"] if encoder.codec == "hevc" else []


def _packed(pixels: str) -> str:
    return "p010le" if "10" in pixels else "nv12"


_ARGUMENTS = {
    "libx265": _x265, "libsvtav1": _svt, "libx264": _x264, "nvenc": _nvenc, "qsv": _qsv,
    "vaapi": _vaapi, "videotoolbox": _videotoolbox,
}  # fmt: skip
