"""The first page of a PDF, and its thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import NotMedia
from pipeline.model import Category, Done, Format, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE, write_both

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `pages`. A locked document is skipped, not damaged."""
    from pipeline.codecs import page

    try:
        pixels, pages = page.render(subject.data(), PREVIEW_SIDE)
    except NotMedia as locked:
        return Skip(locked.message)
    return Done({"pages": pages}, write_both(subject.workdir, "page", pixels))


def applies(told: Format) -> bool:
    """PDFs only: Office documents would need an office program to draw them."""
    return told.name == "pdf"


STAGE = Stage("page", 1, run, frozenset((Category.DOCUMENT,)), applies)
