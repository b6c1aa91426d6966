"""One run over the whole corpus, shared by all that judge it; and a small family album."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import cli, media
from tests.kit.cli import Processed
from tests.kit.corpus import corpus
from tests.kit.shared import made_once

__all__ = ["corpus"]

_PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True)
class Run:
    """The corpus taken into a new home, and the bytes of the sources before."""

    corpus: Path
    home: Path
    before: dict[str, str]
    first: Processed

    def row(self, path: str) -> cli.Row:
        """What became of a file of the corpus."""
        return self.first.of(self.corpus / path)


@pytest.fixture(scope="session")
def corpus_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`darkroom process` over the whole corpus, as a person would run it."""

    def run(folder: Path) -> Run:
        before, stable = cli.contents(corpus), {"DARKROOM_INTAKE__STABLE_FOR_S": "10"}
        first = cli.process(folder / "home", corpus, patience_s=_PATIENCE_S, **stable)
        return Run(corpus, folder / "home", before, first)

    return made_once(tmp_path_factory, "corpus-run", run)


@pytest.fixture(scope="session")
def corpus_again(corpus_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Processed:
    """The same command a second time."""

    def run(_: Path) -> Processed:
        return cli.process(corpus_run.home, corpus_run.corpus, patience_s=_PATIENCE_S)

    return made_once(tmp_path_factory, "corpus-again", run)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that is not there yet."""
    return tmp_path / "home"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder as families have them: photos, a copy, a video, a sidecar, something broken."""
    return make_album(tmp_path / "album")


def make_album(folder: Path) -> Path:
    """What the fixture `album` is, in a new folder."""
    folder.mkdir()
    for number in range(1, 4):
        pixels = media.scene(120, 80, seed=number)
        (folder / f"IMG_000{number}.jpg").write_bytes(media.jpeg(pixels))
    (folder / "copy of 1.jpg").write_bytes((folder / "IMG_0001.jpg").read_bytes())
    (folder / "film.mp4").write_bytes(media.video())
    (folder / "IMG_0002.xmp").write_text(_XMP, encoding="utf-8")
    (folder / "broken.jpg").write_bytes(b"\0" * 300)
    return folder


_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' exif:DateTimeOriginal="2019-05-04T10:11:12+02:00"/></rdf:RDF></x:xmpmeta>'
)
