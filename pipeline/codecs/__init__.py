"""Pixels in and out: decoding at scale, encoding, video frames.

Holds the only code that calls a media decoder. It runs in workers; limits on pixels, frames and
metadata are set here and nowhere else. Read first: `decode.py`.
"""
