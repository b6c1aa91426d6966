"""A machine with a graphics card that is not there: FFmpeg with an NVENC that does as it is told.

Everything that does not ask for NVENC goes to the real FFmpeg. `Card.mood` says what the card does
with a film, its `calls` which encoders it was asked for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.codecs import ffmpeg

MOODS = ("works", "absent", "fails", "crashes", "hangs", "drops pictures", "fails later")
_PROGRAM = """#!{python} -SE
import os, sys, time
real, folder = {real!r}, {folder!r}
asked = sys.argv[1:]
card = next((word for word in asked if word.endswith("_nvenc")), None)
if card is None:
    os.execv(real, [real, *asked])
mood = open(folder + "/mood").read()
is_probe = any("testsrc2" in word for word in asked)
with open(folder + "/calls", "a") as calls:
    calls.write(card + ("? " if is_probe else " "))
    films = open(folder + "/calls").read().split().count(card)
if mood == "absent":
    sys.exit("Cannot load libcuda.so.1")
if not is_probe:
    if mood == "fails" or (mood == "fails later" and films > 1):
        sys.exit("OpenEncodeSessionEx failed: out of memory (10)")
    if mood == "crashes":
        os.kill(os.getpid(), 11)
    if mood == "hangs":
        time.sleep(1000)
    if mood == "drops pictures":
        at = asked.index("-frames:v") + 1
        asked[at] = str(int(asked[at]) - 2)
start, end = asked.index("-c:v"), asked.index("-b:v") + 2
coding = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "34", "-tag:v", "hvc1",
          "-x265-params", "log-level=none:pools=none:frame-threads=1:open-gop=0"]
if card.startswith("h264"):
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "34"]
asked = [word.replace("nv12", "yuv420p") for word in asked]
os.execv(real, [real, *asked[:start], *coding, *asked[end:]])
"""


@dataclass(frozen=True, slots=True)
class Card:
    """The card that FFmpeg at `program` believes in."""

    folder: Path
    program: str

    def mood(self, mood: str) -> None:
        """What it does from now on, one of `MOODS`."""
        assert mood in MOODS
        (self.folder / "mood").write_text(mood)

    @property
    def calls(self) -> list[str]:
        """The encoders that were asked for in turn; those only tried out end with "?"."""
        told = self.folder / "calls"
        return told.read_text().split() if told.exists() else []


def card(folder: Path, mood: str) -> Card:
    """A card of this mood, whose program lies in `folder`."""
    folder.mkdir()
    program = folder / "ffmpeg"
    real = ffmpeg.program()
    program.write_text(_PROGRAM.format(python=sys.executable, real=real, folder=str(folder)))
    program.chmod(0o755)
    made = Card(folder, str(program))
    made.mood(mood)
    return made
