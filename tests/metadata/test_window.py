"""A file of any size behaves as its bytes would, without being held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.metadata import window
from pipeline.metadata.window import Window

CONTENT = bytes(range(256)) * 40
PLACES = st.integers(-11_000, 11_000) | st.none()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Window:
    """A window on CONTENT whose steps are short, so that finds cross them."""
    path: Path = tmp_path_factory.mktemp("window") / "content"
    path.write_bytes(CONTENT)
    return Window(os.open(path, os.O_RDONLY))


@given(PLACES, PLACES)
def test_slices_are_those_of_bytes(opened: Window, start: int | None, stop: int | None) -> None:
    """Negative, absent and impossible ends included."""
    assert opened[start:stop] == CONTENT[start:stop]


@given(st.binary(min_size=1, max_size=4), PLACES, PLACES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_finds_are_those_of_bytes(
    opened: Window, monkeypatch: pytest.MonkeyPatch, wanted: bytes, start: int, stop: int
) -> None:
    """From both ends, also where what is wanted lies across two steps."""
    monkeypatch.setattr(window, "_STEP", 100)
    begin = start or 0
    for value in (wanted, b"\xfe\xff\x00\x01", b"\x63\x64"):
        assert opened.find(value, begin, stop) == CONTENT.find(value, begin, stop)
        assert opened.rfind(value, begin, stop) == CONTENT.rfind(value, begin, stop)


def test_it_reads_as_a_file(opened: Window) -> None:
    """As decoders want it."""
    assert opened.seek(-6, os.SEEK_END) == len(CONTENT) - 6
    assert opened.read(4) == CONTENT[-6:-2]
    assert (opened.tell(), opened.read(), opened.read(5)) == (len(CONTENT) - 2, CONTENT[-2:], b"")
    assert opened[7] == 7
    assert len(opened) == len(CONTENT)
