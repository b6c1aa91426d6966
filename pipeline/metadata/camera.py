"""Makers and models as a person says them: "Apple iPhone 7", "Nikon D70", never the maker twice."""

from __future__ import annotations

import re
from functools import lru_cache

# What makers write into files, and what people call them; matched on the lower-case beginning.
_MAKERS: tuple[tuple[str, str], ...] = (
    ("nikon", "Nikon"),
    ("olympus", "Olympus"),
    ("om digital", "OM System"),
    ("canon", "Canon"),
    ("sony ericsson", "Sony Ericsson"),
    ("sony", "Sony"),
    ("samsung", "Samsung"),
    ("fujifilm", "Fujifilm"),
    ("fuji photo film", "Fujifilm"),
    ("panasonic", "Panasonic"),
    ("pentax", "Pentax"),
    ("asahi optical", "Pentax"),
    ("ricoh imaging", "Ricoh"),
    ("ricoh", "Ricoh"),
    ("eastman kodak", "Kodak"),
    ("kodak", "Kodak"),
    ("jk imaging", "Kodak"),
    ("casio", "Casio"),
    ("minolta", "Minolta"),
    ("konica minolta", "Konica Minolta"),
    ("konica", "Konica"),
    ("leica", "Leica"),
    ("hewlett-packard", "HP"),
    ("sanyo", "Sanyo"),
    ("seiko epson", "Epson"),
    ("motorola", "Motorola"),
    ("huawei", "Huawei"),
    ("xiaomi", "Xiaomi"),
    ("oneplus", "OnePlus"),
    ("google", "Google"),
    ("apple", "Apple"),
    ("gopro", "GoPro"),
    ("dji", "DJI"),
    ("lg electronics", "LG"),
    ("lge", "LG"),
    ("nokia", "Nokia"),
    ("hmd global", "Nokia"),
    ("htc", "HTC"),
    ("asus", "Asus"),
    ("sigma", "Sigma"),
    ("hasselblad", "Hasselblad"),
    ("phase one", "Phase One"),
    ("oppo", "Oppo"),
    ("vivo", "Vivo"),
    ("honor", "Honor"),
    ("insta360", "Insta360"),
    ("arashi vision", "Insta360"),
)
# Brands that models begin with although another company's name stands in the maker field.
_BRANDS = ("pentax", "kodak", "olympus", "nikon", "canon", "hp", "minolta", "dimage", "om-")
_LONGEST = 80


@lru_cache(maxsize=512)  # a family owns few cameras
def display(make: str | None, model: str | None) -> str | None:
    """Maker and model as one name; None if neither is known."""
    maker, kind = _maker(_tidy(make)), _tidy(model)
    if not kind:
        return maker or None
    if not maker:
        return kind
    first, _, rest = kind.partition(" ")
    if rest and _same(first, maker, make):
        return f"{maker} {rest}"
    if kind.lower().startswith(maker.lower()):
        return maker + kind[len(maker) :]
    if any(kind.lower().startswith(brand) for brand in _BRANDS) and " " in kind:
        return _maker(first) + kind[len(first) :]
    return f"{maker} {kind}"


def _same(word: str, maker: str, raw: str | None) -> bool:
    """Is the first word of a model just the maker again, in whatever spelling?"""
    first_of_raw = _tidy(raw).partition(" ")[0].lower()
    return word.lower() in (maker.lower(), first_of_raw)


def _maker(text: str) -> str:
    low = text.lower()
    for beginning, name in _MAKERS:
        if low.startswith(beginning):
            return name
    return re.sub(r",?\s+(?:co\.?,?\s*ltd|corporation|corp|inc|ltd|gmbh)\.?$", "", text, flags=re.I)


def _tidy(text: str | None) -> str:
    """One line without padding and control characters, of a sane length."""
    words = "".join(c if c.isprintable() else " " for c in text or "").split()
    return " ".join(words)[:_LONGEST].strip(" .,")
