"""Little films with something to say: QuickTime keys, and tracks of positions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from tests.kit import media

RATE = 12


def film(
    tags: Mapping[str, str],
    container: str = "mov",
    *,
    seconds: float = 2.0,
    seed: int = 1,
    codec: str = "libx264",
    has_head_in_front: bool = True,
) -> bytes:
    """A moving square with these QuickTime keys; its description stands in front or at the end."""
    flags = "use_metadata_tags" + "+faststart" * has_head_in_front
    return _film(tuple(sorted(tags.items())), container, seconds, seed, codec, flags)


@lru_cache(maxsize=32)
def _film(
    tags: tuple[tuple[str, str], ...],
    container: str,
    seconds: float,
    seed: int,
    codec: str,
    flags: str,
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"film.{container}")
        with av.open(path, "w", format=container, options={"movflags": flags}) as output:
            output.metadata.update(dict(tags))
            quick = {"preset": "ultrafast", "x265-params": "log-level=none"}
            stream = output.add_stream(codec, rate=RATE, options=quick)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            for number in range(round(seconds * RATE)):
                pixels = media.scene(128, 96, seed)
                pixels[40:60, 2 * number : 2 * number + 20] = (255, 255, 0)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return path.read_bytes()


def with_positions(sample: bytes) -> bytes:
    """A film with a second track, of timed metadata, that says `sample` again and again.

    It is made as a track of sound, whose samples are stored as they come, and then renamed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder, "film.mov"), Path(folder, "plain.mov")
        plain.write_bytes(film({}))
        with av.open(plain) as source, av.open(path, "w", format="mov") as output:
            copied = output.add_stream_from_template(source.streams.video[0])
            said = output.add_stream("pcm_s16le", rate=8000, layout="mono")
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = copied
                    output.mux(packet)
            words = (sample * 200)[: len(sample) * 200 // 2 * 2]
            frame = av.AudioFrame.from_ndarray(np.frombuffer(words, "<i2")[None], "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            output.mux(said.encode(frame))
            output.mux(said.encode(None))
        return path.read_bytes().replace(b"mhlrsoun", b"mhlrmeta").replace(b"sowt", b"gpmd")
