"""Text as it is looked for: the same folding for what is stored and for what a person types.

Case, accents, composed and decomposed spelling, "ß" and "ss" do not matter. Names are taken apart
where people see words ("IMG20230714Beach"), and scripts without spaces by character, so that a part
of a title is found.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Han, kana and Hangul: written without spaces, or with endings that hang on the word.
_UNSPACED = re.compile(
    r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff])"
)
_SEAMS = re.compile(
    r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"  # letter|digit
    r"|(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])"  # camelCase
)
_WORD = re.compile(r"\w+")
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_REMEMBERED = 4096  # cameras, places and folders come again and again


@lru_cache(_REMEMBERED)
def folded(text: str) -> str:
    """`text` without what does not matter, as one line of words with spaces between them."""
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = unicodedata.normalize("NFC", "".join(map(_kept, plain)))
    return " ".join(_UNSPACED.sub(r" \1 ", bare).split())


def of_text(*texts: str | None) -> str:
    """Texts that people wrote, folded; empty ones are left out."""
    return " ".join(filter(None, (folded(text) for text in texts if text)))


def of_name(*names: str | None) -> str:
    """Names of files and folders, folded, followed by the words that are written together."""
    known = [name for name in names if name]
    return of_text(*known, *filter(None, map(_apart, known)))


@lru_cache(_REMEMBERED)
def _apart(name: str) -> str:
    apart = (_SEAMS.sub(" ", word) for word in _WORD.findall(name))
    return " ".join(words for words in apart if " " in words)


def _kept(character: str) -> str:
    """Letters, numbers, private use and symbols (emoji); marks vanish, all else divides."""
    category = unicodedata.category(character)
    if category[0] in "LN" or category in ("So", "Co"):
        return character
    return "" if category[0] == "M" else " "
