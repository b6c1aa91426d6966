"""Pixels out: one small contract, one module per family of formats.

Every encoder takes samples, a quality and what must travel with the picture (profile, EXIF, XMP),
and gives the bytes of a whole file. It promises that whatever its format can carry is carried, and
declares what it cannot. Read first: `contract.py`, then `negative.py`, what copies are made from.
"""
