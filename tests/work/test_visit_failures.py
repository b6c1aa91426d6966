"""Whose fault is it? What an exception inside a visit leads to."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import BadMedia, ChangedWhileRead, DecodeFailed, StorageFull
from pipeline.model import Later, Reject
from pipeline.work.workers.failures import is_a_bug, outcome_of

PATH = Path("/photos/a.jpg")


class DecoderError(OSError):
    """As decoders do: the system's number for what they find in a file."""


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EMFILE, errno.ESTALE])
def test_trouble_of_the_machine_comes_back_later(number: int) -> None:
    """T11: a failing or full disk never rejects a file."""
    assert isinstance(outcome_of(OSError(number, os.strerror(number)), PATH), Later)


@pytest.mark.parametrize(
    "error",
    [ChangedWhileRead("touched"), StorageFull("full"), FileNotFoundError(2, "gone", str(PATH))],
)
def test_what_may_be_over_soon_comes_back_later(error: Exception) -> None:
    """A file that changes, a full disk and a missing file are looked at again."""
    assert isinstance(outcome_of(error, PATH), Later)


@pytest.mark.parametrize(
    "error",
    [
        BadMedia("bad"),
        DecodeFailed("bad"),
        MemoryError(),
        OSError("image file is truncated"),
        DecoderError(errno.EIO, "Input/output error"),
        ValueError("bug"),
        RecursionError(),
    ],
)
def test_trouble_with_the_file_is_a_rejection(error: Exception) -> None:
    """What a decoder says about the file stays with the file, in a short reason."""
    outcome = outcome_of(error, PATH)
    assert isinstance(outcome, Reject)
    assert 0 < len(outcome.why) < 300


def test_only_the_unexpected_is_logged() -> None:
    """Our bugs leave a trace; bad files do not fill the log."""
    assert is_a_bug(KeyError("x"))
    assert not is_a_bug(DecodeFailed("x"))
    assert not is_a_bug(OSError(5, "x"))
