"""Containers and streams of sound and moving pictures other than ISO base media.

Weak magic (a sync word of eleven bits) counts only if the next frame stands where the first one
says. Names are keys of `formats.FORMATS`.
"""

from __future__ import annotations

from pipeline.intake.source import Source

_MP3_KBIT = {  # (MPEG-1?, layer) -> bit rates, ISO/IEC 11172-3 and 13818-3
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")


def riff(source: Source) -> str | None:
    """RIFF, RIFX and RF64: the form type stands at byte 8."""
    return {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "wav"}.get(source.head[8:12])


def aiff(source: Source) -> str | None:
    """IFF with one of the two audio forms."""
    return "aiff" if source.head[8:12] in (b"AIFF", b"AIFC") else None


def ogg(source: Source) -> str | None:
    """The codec names itself in the first packet of each stream, all of them in the first pages."""
    pages = source.at(0, 4096)
    if b"\x80theora" in pages or b"\x01video\0" in pages:
        return "ogv"
    if b"OpusHead" in pages:
        return "opus"
    known = (b"\x01vorbis", b"\x7fFLAC", b"Speex   ", b"fishead\0")
    return "ogg" if any(mark in pages for mark in known) else None


def asf(source: Source) -> str:
    """Windows Media: video unless its header lists sound streams only."""
    header = source.at(0, 65536)
    return "wma" if _ASF_AUDIO in header and _ASF_VIDEO not in header else "wmv"


def matroska(source: Source) -> str | None:
    """EBML: DocType tells WebM from Matroska, the codec ids tell sound from video."""
    start = source.at(0, 65536)
    if b"\x42\x82" not in start[:128]:
        return None
    is_webm = b"webm" in start[:128]
    if not is_webm and b"matroska" not in start[:128]:
        return None
    if b"A_" in start and b"V_" not in start:
        return "weba" if is_webm else "mka"
    return "webm" if is_webm else "mkv"


def tagged(source: Source) -> str:
    """What follows an ID3v2 tag: mostly MP3, at times FLAC or AAC."""
    size = sum(
        (byte & 0x7F) << shift
        for byte, shift in zip(source.head[6:10], (21, 14, 7, 0), strict=False)
    )
    after = source.at(10 + size, 4)
    if after == b"fLaC":
        return "flac"
    return "aac" if after[:1] == b"\xff" and len(after) > 1 and after[1] & 0xF6 == 0xF0 else "mp3"


def transport(source: Source) -> str | None:
    """MPEG-2 transport stream: 188-byte packets, or 192 with the time stamps of AVCHD."""
    for first, step in ((0, 188), (4, 192)):
        marks = [source.at(first + step * n, 1) for n in range(5)]
        if all(mark == b"G" for mark in marks if mark) and marks[1]:
            return "mts"
    return None


def synced(source: Source) -> str | None:
    """MP3 or AAC without a tag: two frames in a row, the first saying where the second is."""
    head = source.head[:8]
    if len(head) < 8 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return "aac" if length > 7 and _repeats(source, length, 0xF6) else None
    length = _mp3_frame(head)
    return "mp3" if length and _repeats(source, length, 0xFE) else None


def _repeats(source: Source, length: int, mask: int) -> bool:
    following = source.at(length, 2)
    if len(following) < 2:
        return source.size in range(1, length + 2)  # one frame and no more
    return following[0] == 0xFF and following[1] & mask == source.head[1] & mask


def _mp3_frame(head: bytes) -> int:
    """Bytes of the frame that `head` begins, or 0 if it begins none."""
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, hertz = head[2] >> 4, head[2] >> 2 & 3
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer == 4 or rate in (0, 15) or hertz == 3:
        return 0
    kbit = _MP3_KBIT[version == 3, layer][rate - 1]
    frequency, padding = _MP3_HERTZ[version][hertz], head[2] >> 1 & 1
    if layer == 1:
        return (12000 * kbit // frequency + padding) * 4
    samples = 72000 if layer == 3 and version != 3 else 144000
    return samples * kbit // frequency + padding
