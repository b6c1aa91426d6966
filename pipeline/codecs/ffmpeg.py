"""FFmpeg as a program: where it is, how it is started, and its failures in our words.

A list of arguments, never a shell; no protocol but files; the demuxer our own detection named. A
stranger's file is handed over as an open descriptor, so that its name never reaches FFmpeg's own
parsers. The program inherits the limits of the process that starts it, and dies with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import BadMedia, Broken

_PR_SET_PDEATHSIG = 1
_MOST_WORDS = 2_000
# What programs do that were refused memory: most of them never look whether they got it.
_HUNGRY = ("malloc", "Cannot allocate memory", "bad_alloc", "Resource temporarily unavailable")
_CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGKILL)
# Threads' own heaps reserve 64 MB of address space each, which a worker's limit counts.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C"}
_ALWAYS = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-protocol_whitelist", "file")


FED = "file:/proc/self/fd/0"  # the input of a program that is fed


class EncodingFailed(BadMedia):
    """FFmpeg gave up; `said` holds its last words, for the log.

    `is_hungry` where it seems to have had too little memory: elsewhere the same may go well.
    """

    code = "encoding-failed"

    def __init__(self, message: str, said: str, *, is_hungry: bool = False) -> None:
        super().__init__(message)
        self.said = said
        self.is_hungry = is_hungry


@lru_cache(maxsize=1)
def program() -> str:
    """The FFmpeg that came with the packages. Raises `Broken` where there is none."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise Broken("FFmpeg is not installed.", hint="Run: make setup") from error


def source(file: BinaryIO | int, demuxer: str, *before: str) -> list[str]:
    """Arguments that open `file` by its descriptor as what `demuxer` reads.

    `before` are further options of this input, for instance where to begin.
    """
    fd = file if isinstance(file, int) else file.fileno()
    return ["-threads", "1", "-f", demuxer, *before, "-i", f"file:/proc/self/fd/{fd}"]


def run(
    arguments: Sequence[str],
    workdir: Path,
    *,
    inputs: Sequence[BinaryIO | int] = (),
    timeout_s: float | None = None,
    needs_space: bool = False,
) -> None:
    """Run FFmpeg in `workdir` to its end; `inputs` are the descriptors that `source` named.

    `needs_space` gives it all the address space that may be had, for drivers that reserve more
    than they use.
    Raises `EncodingFailed` with what FFmpeg said last, or when it took too long.
    """
    fds = [file if isinstance(file, int) else file.fileno() for file in inputs]
    with tempfile.TemporaryFile(dir=workdir) as words:
        try:
            status = subprocess.run(
                [program(), *_ALWAYS, *arguments],
                cwd=workdir,
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                pass_fds=fds,
                preexec_fn=_prepare_roomy if needs_space else _die_with_parent,
                timeout=timeout_s,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise EncodingFailed(
                f"FFmpeg did not finish within {timeout_s:.0f} seconds.", ""
            ) from None
        if status:
            raise _failure(status, words)


def feed(arguments: Sequence[str], workdir: Path, pieces: Iterable[bytes]) -> None:
    """Run FFmpeg in `workdir` to its end, which reads `pieces` behind each other from `FED`.

    Raises `EncodingFailed`, and whatever `pieces` raises.
    """
    with (
        tempfile.TemporaryFile(dir=workdir) as words,
        subprocess.Popen(
            [program(), *_ALWAYS, *arguments],
            cwd=workdir,
            env=_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - workers have one thread
        ) as running,
    ):
        assert running.stdin is not None, "it was asked for"
        try:
            for piece in pieces:
                running.stdin.write(piece)
            running.stdin.close()
        except BrokenPipeError:  # it ended before it had read all: its status says why
            with contextlib.suppress(BrokenPipeError):
                running.stdin.close()
        except BaseException:
            running.kill()
            raise
        if status := running.wait():
            raise _failure(status, words)


def _failure(status: int, words: BinaryIO) -> EncodingFailed:
    said = _last_words(words)
    is_hungry = status in _CRASHES or any(word in said for word in _HUNGRY)
    return EncodingFailed(_why(status), said, is_hungry=is_hungry)


def plain(path: Path) -> str:
    """A path FFmpeg opens as a file, whatever characters it holds."""
    return f"file:{path}"


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """A worker that is killed must not leave an encoder behind that goes on writing."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _prepare_roomy() -> None:
    _die_with_parent()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _why(status: int) -> str:
    if status == -signal.SIGXFSZ:
        return "The film is larger than a worker may write."
    if status < 0:
        name = signal.Signals(-status).name if -status in signal.valid_signals() else str(-status)
        return f"FFmpeg was ended by {name} while it worked on this film."
    return "FFmpeg could not work on this film: it is damaged, or coded in an unknown way."


def _last_words(words: BinaryIO) -> str:
    words.seek(0, 2)
    words.seek(max(0, words.tell() - _MOST_WORDS))
    return words.read().decode("utf-8", "replace").strip()
