"""Files under media names that tell a careless program to open something else.

Each names a canary, a file that nobody has a reason to open, and an address nobody has a reason to
call.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def disguises(canary: Path, port: int) -> Mapping[str, bytes]:
    """File name to content; `port` is on the loopback."""
    url = f"http://127.0.0.1:{port}/canary"
    texts = {
        "hls.mp4": f"#EXTM3U\n#EXTINF:1,\n{canary}\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
        "hls.jpg": f"#EXTM3U\n#EXTINF:1,\nfile://{canary}\n",
        "concat.jpg": f"ffconcat version 1.0\nfile '{canary}'\n",
        "concat.mov": f"ffconcat version 1.0\nfile {canary}\nfile {url}\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\n"
        f"m=video {port} RTP/AVP 96\n",
        "linked.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{canary}"/>'
        f'<image href="{url}"/></svg>',
        "linked.png": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{canary}"/></svg>',
        "drawing.jpg": "push graphic-context\nviewbox 0 0 640 480\n"
        f"fill 'url({url})'\nimage over 0,0 0,0 '{canary}'\npop graphic-context\n",
        "script.jpg": f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({canary}) run\n",
        "manifest.mp4": f'<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>',
        "reference.mov": _reference_movie(canary),
    }
    return {name: text.encode() if isinstance(text, str) else text for name, text in texts.items()}


def _reference_movie(canary: Path) -> bytes:
    """A QuickTime movie without pictures of its own: its track says they lie in another file."""
    from tests.kit import media

    data = media.video("mov")
    at = data.index(b"dref")
    start = at - 4
    size = int.from_bytes(data[start:at], "big")
    alias = b"alis" + b"\0\0\0\0" + str(canary).encode()
    entry = (len(alias) + 4).to_bytes(4, "big") + alias
    body = b"dref\0\0\0\0\0\0\0\1" + entry
    swollen = (len(body) + 4).to_bytes(4, "big") + body
    return _grown(data, start, size, swollen)


def _grown(data: bytes, start: int, size: int, box: bytes) -> bytes:
    """`data` with one box replaced, the sizes of those around it corrected."""
    added = len(box) - size
    fixed = bytearray(data)
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = data.index(parent) - 4
        length = int.from_bytes(data[at : at + 4], "big") + added
        fixed[at : at + 4] = length.to_bytes(4, "big")
    return bytes(fixed[:start]) + box + bytes(fixed[start + size :])
