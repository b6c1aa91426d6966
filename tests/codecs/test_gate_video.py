"""The gate for films: an honest copy passes, and every fault put into one on purpose is caught."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.codecs import gate, transcode_search
from pipeline.codecs.transcode_search import Choice, Trial
from pipeline.codecs.video_parity import compare_videos
from pipeline.model import Done
from tests.kit import footage, visits

ROOT = Path(__file__).resolve().parents[2]


def copied(original: Path, work: Path) -> Path:
    """An honest copy, in the quality that comes first."""
    work.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        choice = Choice(Trial(34, 90.0, 0.3), ())
        patched.setattr(transcode_search, "search", lambda *_: choice)
        asked = {"transcode": {"effort": "fast", "min_gain": 0.05}}
        outcome = visits.visit(original, work, "transcode", params=asked)["transcode"]
    assert isinstance(outcome, Done), outcome
    return work / outcome.made[0].name


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A phone's film and its copy."""
    folder = tmp_path_factory.mktemp("phone")
    original = footage.phone(folder / "film.mov")
    return original, copied(original, folder / "work")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A Matroska film with subtitles and chapters, and its copy in an MP4."""
    folder = tmp_path_factory.mktemp("spoken")
    original = footage.spoken(folder / "film.mkv")
    return original, copied(original, folder / "work")


def test_honest_copies_pass(phone: tuple[Path, Path], spoken: tuple[Path, Path]) -> None:
    """No fault is found where there is none, in the same container or another."""
    assert gate.check(*phone) == ()
    assert gate.check(*spoken) == ()


Spoiler = Callable[[Path, Path], None]


def _rewritten(*arguments: str) -> Spoiler:
    """The copy put together anew by FFmpeg, which knows how to keep the rest."""

    def spoil(copy: Path, target: Path) -> None:
        kept = ("-c", "copy", "-movflags", "use_metadata_tags")
        footage.ran(["-i", str(copy), "-map", "0", "-ignore_unknown", *kept, *arguments,
                     str(target)])  # fmt: skip

    return spoil


def _changed(old: bytes, new: bytes, *, last: bool = False) -> Spoiler:
    """Bytes in the copy put in place of others of the same length."""

    def spoil(copy: Path, target: Path) -> None:
        data = copy.read_bytes()
        assert old in data
        assert len(old) == len(new)
        at = data.rfind(old) if last else data.find(old)
        target.write_bytes(data[:at] + new + data[at + len(old) :])

    return spoil


def _turned(copy: Path, target: Path) -> None:
    """Another matrix in the header of the first track."""
    data = bytearray(copy.read_bytes())
    at = data.find(b"tkhd") + 4 + 40
    one = (0x10000).to_bytes(4, "big")
    data[at : at + 36] = one + bytes(12) + one + bytes(12) + (0x40000000).to_bytes(4, "big")
    target.write_bytes(data)


def _deafened(copy: Path, target: Path) -> None:
    """One bit of the sound, which lies behind everything else."""
    data = bytearray(copy.read_bytes())
    data[-3] ^= 0x10
    target.write_bytes(data)


def _moved(copy: Path, target: Path) -> None:
    """The first picture lasts half a tick longer."""
    data = bytearray(copy.read_bytes())
    at = data.find(b"stts")
    count = int.from_bytes(data[at + 12 : at + 16], "big")
    delta = int.from_bytes(data[at + 16 : at + 20], "big")
    assert count > 1
    data[at + 16 : at + 20] = (delta + 1).to_bytes(4, "big")
    target.write_bytes(data)


FAULTS: Mapping[str, tuple[str, Spoiler]] = {
    "a track was dropped": ("of its original's 2 tracks", _rewritten("-map", "-0:a")),
    "the place was lost": (
        "where it was taken",
        _changed(b"quicktime.location.ISO6709", b"quicktime.locution.ISO6709"),
    ),
    "the pairing id is another": ("which Live Photo", _changed(b"8D0D0E4C", b"8D0D0E4D")),
    "it is turned another way": ("turned", _turned),
    "the last group of pictures is missing": (
        "of its original's 48 pictures",
        _rewritten("-t", "1.5"),
    ),
    "pictures come at other times": ("at other times", _moved),
    "a bit of the sound is another": ("the sound track", _deafened),
    "the date is another": ("when it was taken", _changed(b"2023-07-14T18", b"2023-07-14T19")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_seeded_fault_is_caught(tmp_path: Path, phone: tuple[Path, Path], name: str) -> None:
    """A copy with one fault may not stand for its original."""
    original, copy = phone
    word, spoil = FAULTS[name]
    spoilt = tmp_path / "spoilt.mov"
    spoil(copy, spoilt)
    found = [fault.message for fault in gate.check(original, spoilt)]
    assert any(word in message for message in found), found


MOVED: Mapping[str, tuple[str, Spoiler]] = {
    "no subtitles": ("subtitle tracks", _rewritten("-map", "-0:s")),
    "another word": ("subtitles are not", _changed(b"a seal", b"a meal")),
    "no sound": ("sound tracks", _rewritten("-map", "-0:a")),
    "shorter sound": ("sound like", _rewritten("-bsf:a", "noise=drop=eq(n\\,40)")),
    "no chapters": ("chapters", _rewritten("-map_chapters", "-1")),
    "another chapter": ("chapters", _changed(b"The beach", b"The peach", last=True)),
    "another language": ("language", _rewritten("-metadata:s:a:0", "language=fra")),
    "no artist": ("artist", _changed(b"Anna", b"Anne")),
    "one group of pictures less": ("of its original's 48 pictures", _rewritten("-t", "1.4")),
}


@pytest.mark.parametrize("name", MOVED)
def test_every_fault_of_a_film_that_moved_is_caught(
    tmp_path: Path, spoken: tuple[Path, Path], name: str
) -> None:
    """Matroska to MP4: what was lost on the way is named."""
    original, copy = spoken
    word, spoil = MOVED[name]
    spoilt = tmp_path / "spoilt.mp4"
    spoil(copy, spoilt)
    found = [fault.message for fault in gate.check(original, spoilt)]
    assert any(word in message for message in found), found


# --- Films of any size ----------------------------------------------------------------------------

_SIZE = 20 << 30
_LIMIT = 2 << 30  # the address space of a worker
_COMPARE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from tests.codecs import test_gate_video
print(list(test_gate_video.compared(*sys.argv[2:])))
"""


def compared(original: str, copy: str) -> tuple[str, ...]:
    """Both films held against each other."""
    with open(original, "rb") as before, open(copy, "rb") as after:  # noqa: PTH123 - as a program does
        return compare_videos(before, after)


def _huge(path: Path, target: Path) -> Path:
    """The same film with an `mdat` that reaches to the end of a file of 20 GB full of holes."""
    data = bytearray(path.read_bytes())
    at = data.find(b"mdat") - 4
    assert at + int.from_bytes(data[at : at + 4], "big") == len(data)
    data[at : at + 4] = bytes(4)
    target.write_bytes(data)
    with target.open("r+b") as file:
        file.truncate(_SIZE)
    return target


@pytest.fixture
def huge(tmp_path: Path) -> Iterator[Path]:
    """A sparse film of 20 GB."""
    small = footage.film(tmp_path / "small.mp4", more=("-movflags", "+faststart"))
    yield _huge(small, tmp_path / "huge.mp4")
    (tmp_path / "huge.mp4").unlink()


def test_a_film_of_20_gb_is_compared_in_a_workers_memory(tmp_path: Path, huge: Path) -> None:
    """Nothing is mapped and nothing is held: 20 GB in the 2 GB of address space of a worker."""
    copy = huge.with_name("copy.mp4")
    subprocess.run(["cp", "--sparse=always", str(huge), str(copy)], check=True)
    command = [sys.executable, "-c", _COMPARE, str(_LIMIT), str(huge), str(copy)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    copy.unlink()
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


_MAKE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from pathlib import Path
from tests.codecs import test_gate_video
print(test_gate_video.copied(Path(sys.argv[2]), Path(sys.argv[3])).stat().st_size)
"""


def test_a_film_of_20_gb_is_made_smaller_in_a_workers_memory(tmp_path: Path, huge: Path) -> None:
    """The same for making the copy, which holds what the film holds and no holes."""
    command = [sys.executable, "-c", _MAKE, str(_LIMIT), str(huge), str(tmp_path / "work")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1 << 20
