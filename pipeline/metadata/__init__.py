"""Reading what media files say about themselves.

Holds EXIF, XMP, IPTC, QuickTime and sidecar readers, dates with evidence and confidence, and
places. Pure functions over bytes and values: no state, no library. Media is parsed only in
workers; deciding between evidence is cheap and also runs in the core. Read first: `facts.py`, then
`read.py`.
"""

__all__ = ["cities", "columns", "facts", "filename", "merge", "places", "read", "taken"]
