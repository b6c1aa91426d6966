"""The first page of a PDF as a picture, through PDFium. Scripts and forms are not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.codecs.border import decoding
from pipeline.codecs.samples import as_rgb
from pipeline.errors import DecodeFailed, NotMedia

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_MOST_SCALE = 8.0  # of 72 dpi: a stamp-sized page is not blown up further
_SLIMMEST = 1 / 50


def render(data: bytes, long_side: int) -> tuple[Pixels, int]:
    """The first page with a long side of at most `long_side`, and how many pages there are.

    Raises `NotMedia` when a password is needed, `DecodeFailed` when nothing can be shown.
    """
    import pypdfium2

    with decoding("document"):
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise NotMedia("The document is locked with a password.") from error
            raise
        try:
            return _first(document, long_side), len(document)
        finally:
            document.close()


def _first(document: object, long_side: int) -> Pixels:
    page = document[0]  # type: ignore[index]  # pypdfium2 carries no types
    width, height = page.get_size()
    if min(width, height) <= 0 or min(width, height) / max(width, height) < _SLIMMEST:
        raise DecodeFailed("The first page of the document has no usable size.")
    scale = min(long_side / max(width, height), _MOST_SCALE)
    bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
    return as_rgb(bitmap.to_numpy().copy())
