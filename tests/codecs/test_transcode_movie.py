"""Tables of strangers' movies: read and written again, or refused; never anything else."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from pipeline.codecs import transcode_graft, transcode_movie, transcode_times
from pipeline.codecs.transcode_graft import NewPicture
from pipeline.errors import BadMedia
from tests.kit import footage, media


def rewritten(data: bytes, source: Path, target: Path) -> bool:
    """Put the film's own pictures into a copy of its movie; False where it is no plain movie."""
    movie = transcode_movie.opened(data)
    if movie is None:
        return False
    track = movie.picture()
    samples = transcode_movie.samples(movie, track)
    entry = transcode_times.box(track.entry_kind, data[slice(*track.entry)])
    picture = NewPicture(
        entry, samples.size, samples.offset, samples.pts, samples.is_sync, (source,), (0,)
    )
    with source.open("rb") as file:
        transcode_graft.write(movie, file, picture, target)
    return True


def test_a_movie_written_again_is_the_same(tmp_path: Path) -> None:
    """Every sample's bytes, time and mark come back, B-frames and all."""
    source = footage.film(tmp_path / "film.mp4", encoder=("libx264", "-bf", "3"))
    target = tmp_path / "again.mp4"
    assert rewritten(source.read_bytes(), source, target)
    films = [transcode_movie.opened(p.read_bytes()) for p in (source, target)]
    assert films[0] is not None
    assert films[1] is not None
    before, after = (transcode_movie.samples(f, f.picture()) for f in films if f is not None)
    assert np.array_equal(before.size, after.size)
    assert np.array_equal(before.pts - before.pts.min(), after.pts - after.pts.min())
    assert np.array_equal(before.is_sync, after.is_sync)
    one, two = source.read_bytes(), target.read_bytes()
    rows = zip(before.offset, after.offset, before.size, strict=True)
    assert all(one[a : a + n] == two[b : b + n] for a, b, n in rows)


def test_spoilt_tables_are_refused(tmp_path: Path) -> None:
    """Whatever a disk or an enemy did to the index: an answer or `BadMedia` (T50)."""
    more = ("-movflags", "+faststart")
    source = footage.film(tmp_path / "film.mp4", seconds=1, size="96x64", more=more)
    seed = source.read_bytes()
    head = seed.find(b"mdat")
    rng = random.Random(5)
    told = {"written": 0, "refused": 0}
    for spoilt in media.mutations(seed[:head], rng, 400):
        try:
            rewritten(spoilt + seed[head:], source, tmp_path / "out.mp4")
            told["written"] += 1
        except BadMedia:
            told["refused"] += 1
    assert min(told.values()) > 20
