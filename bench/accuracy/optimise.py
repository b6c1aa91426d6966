"""The section on smaller copies: what is saved at equal looks, and how true the measure is."""

from __future__ import annotations

from bench import optimise, ssimulacra2
from pipeline.codecs.encode import jpeg


def report() -> str:
    """Markdown, with how it was measured."""
    return (
        "## Smaller copies\n\n"
        f"Copies as JPEG by {jpeg.encoder().name}, searched to a SSIMULACRA2 target on the whole "
        "picture. The first target of each set is the worst score that libjpeg-turbo at fixed "
        "quality 85 gives any of its pictures, so that both are equally good where they are worst; "
        "no copy is below its target. Encodings are of the whole picture, the last included.\n\n"
        f"{optimise.table(optimise.measure(), optimise.measure_lossless())}\n"
        f"The measure itself, {ssimulacra2.report_of(ssimulacra2.measure())}\n"
    )
