"""Films, sounds, animations and RAW files that say everything: where, by whom, with which serial.

`SECRETS` are the words that must be gone from a scrubbed one, `WORDS` those that must be left.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from pipeline.metadata.write import containers
from pipeline.metadata.write.blocks import Blocks
from tests.kit import media, told

POSITION = "+48.8584+002.2919/"
TAGS = {
    "title": "Evening",
    "comment": "by the river",
    "LOCATION": POSITION,
    "artist": "Ann Artist",
    "owner": told.OWNER,
    "serial_number": told.SERIAL,
}
SECRETS = tuple(
    word.encode()
    for word in (POSITION, "Ann Artist", told.OWNER, told.SERIAL, "Paris", "48,51.5024N", "Eiffel")
)
_RATE = 12


def gif() -> bytes:
    """An animation with a comment, XMP and a program's own block."""
    plain = media.gif()
    at = 13 + (3 << (plain[10] & 7) + 1 if plain[10] & 0x80 else 0)
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    packet = told.XMP.replace(b"Title", b"Title")
    return b"".join(
        (
            b"GIF89a", plain[6:at],
            b"!\xfe", _sub_blocks(f"made in Paris {POSITION}".encode()),
            b"!\xff\x0bXMP DataXMP", packet, magic,
            b"!\xff\x0bSECRETS 1.0", _sub_blocks(told.SERIAL.encode()),
            plain[at:], b"behind the end: Paris",
        )
    )  # fmt: skip


def _sub_blocks(data: bytes) -> bytes:
    pieces = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def dng() -> bytes:
    """A RAW file whose directories say everything a TIFF's say."""
    return containers.write(media.dng(), "tiff", Blocks(told.exif(1), told.XMP, None, told.IPTC))


def film(container: str, codec: str = "libx264", sound: str = "") -> bytes:
    """A film in Matroska, WebM or AVI with tags."""
    return _played(container, codec, sound)


def sound(container: str, codec: str) -> bytes:
    """A tone with tags."""
    return _played(container, "", codec)


@lru_cache(maxsize=16)
def _played(container: str, codec: str, tone: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        output.metadata.update(TAGS)
        pictures = output.add_stream(codec, rate=_RATE) if codec else None
        sounds = output.add_stream(tone, rate=16_000, layout="mono") if tone else None
        if isinstance(pictures, VideoStream):
            _add_pictures(output, pictures)
        if isinstance(sounds, AudioStream):
            _add_tone(output, sounds)
    return file.getvalue()


def _add_pictures(output: OutputContainer, stream: VideoStream) -> None:
    stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
    for number in range(_RATE):
        frame = av.VideoFrame.from_ndarray(media.scene(128, 96, number), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, _RATE)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _add_tone(output: OutputContainer, stream: AudioStream) -> None:
    wave = (np.sin(np.arange(16_000) / 20) * 9000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def avi() -> bytes:
    """An AVI with words, XMP, and a chunk that only its camera knows."""
    extra = riff(b"_PMX", told.XMP) + riff(b"CAMR", told.SERIAL.encode())
    words = b"INFO" + riff(b"IART", b"Ann Artist") + riff(b"ICNT", b"Paris, France")
    return _with_chunks(film("avi", "mpeg4"), extra + riff(b"LIST", words))


def wav() -> bytes:
    """A recorder's WAV: originator's reference, location in iXML, an ID3 tag."""
    note = b"Evening".ljust(256, b"\0") + b"Ann Artist".ljust(32, b"\0")
    note += told.SERIAL.encode().ljust(32, b"\0") + b"2023-10-0608:30:00" + bytes(8 + 2)
    note += b"\1" * 64 + bytes(190)
    place = f"<BWFXML><LOCATION><GPS>{POSITION}</GPS></LOCATION></BWFXML>".encode()
    extra = riff(b"bext", note) + riff(b"iXML", place) + riff(b"id3 ", id3())
    return _with_chunks(sound("wav", "pcm_s16le"), extra)


def mp3(ape: Mapping[str, str] | None = None) -> bytes:
    """An MP3 with tags in front and behind, and a cover; on request with an APE tag, too."""
    audio = sound("mp3", "libmp3lame")
    at = 10 + int.from_bytes(audio[6:10], "big") if audio.startswith(b"ID3") else 0
    last = b"TAG" + b"Evening".ljust(30, b"\0") + b"Ann Artist".ljust(30, b"\0") + bytes(65)
    return id3() + audio[at:] + (_ape(ape) if ape else b"") + last


def id3() -> bytes:
    """A tag of version 2.4."""

    def text(name: bytes, value: str) -> bytes:
        return _frame(name, b"\3" + value.encode())

    cover = b"\3image/jpeg\0\3\0" + told.photo("jpeg")
    frames = (
        text(b"TIT2", "Evening"),
        text(b"TPE1", "Ann Artist"),
        text(b"TOWN", told.OWNER),
        text(b"TXXX", f"LOCATION\0{POSITION}"),
        text(b"TXXX", "MOOD\0calm"),
        _frame(b"PRIV", b"maker\0" + told.SERIAL.encode()),
        _frame(b"APIC", cover),
    )
    body = b"".join(frames) + bytes(64)
    return b"ID3\4\0\0" + _synchsafe(len(body)) + body


def flac() -> bytes:
    """A FLAC with comments, a cover and a program's own block."""
    plain = sound("flac", "flac")
    photo = told.photo("jpeg")
    cover = struct.pack(">II", 3, 10) + b"image/jpeg" + bytes(20) + struct.pack(">I", len(photo))
    more = _flac_block(6, cover + photo) + _flac_block(2, b"SNsn" + told.SERIAL.encode())
    return plain[: 8 + 34] + more + plain[8 + 34 :]


def m4a() -> bytes:
    """An M4A with tags, and one that a program named itself."""
    return sound("ipod", "aac")


def _flac_block(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3, "big") + content


def riff(name: bytes, content: bytes) -> bytes:
    """A chunk."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _with_chunks(data: bytes, extra: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8 + len(extra)) + data[8:] + extra


def _frame(name: bytes, content: bytes) -> bytes:
    return name + _synchsafe(len(content)) + b"\0\0" + content


def _synchsafe(number: int) -> bytes:
    return bytes(number >> 7 * n & 0x7F for n in (3, 2, 1, 0))


def _ape(tags: Mapping[str, str]) -> bytes:
    items = b"".join(
        struct.pack("<II", len(value), 0) + key.encode() + b"\0" + value.encode()
        for key, value in tags.items()
    )
    foot = b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, len(tags), 0) + bytes(8)
    return items + foot


# By the name the file would have.
TALKATIVE: Mapping[str, Callable[[], bytes]] = {
    "moving.gif": gif,
    "camera.dng": dng,
    "film.mkv": lambda: film("matroska", sound="flac"),
    "film.webm": lambda: film("webm", "libvpx-vp9"),
    "film.avi": avi,
    "sound.mka": lambda: sound("matroska", "flac"),
    "sound.wav": wav,
    "sound.mp3": mp3,
    "sound.flac": flac,
    "sound.m4a": m4a,
    "sound.opus": lambda: sound("ogg", "libopus"),
    "beside.xmp": lambda: told.XMP,
}
