"""Faces in one picture: where they are, who they could be, and how sure two of them are the same.

`detect.py` finds them, `align.py` turns each to a standard view, `embed.py` makes 1024 numbers of
it, `similarity.py` says what a cosine between two of those means. All pixels are upright RGB.
"""
