"""The film factory: short films with whatever a camera or phone puts into them.

Made by the same FFmpeg that the product uses, wastefully coded so that there is something to save.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipeline.codecs import ffmpeg

HDR10 = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
_MASTERING = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":max-cll=1000,400:hdr10=1:hdr10-opt=0"
)


def film(
    path: Path,
    *,
    size: str = "192x108",
    seconds: float = 2.0,
    rate: int = 24,
    keys: int = 12,
    sound: bool = True,
    encoder: Sequence[str] = ("libx264", "-preset", "ultrafast", "-crf", "4"),
    filters: str = "null",
    more: Sequence[str] = (),
) -> Path:
    """A film of moving test pictures at `path`, whose suffix is its container."""
    noise = "noise=alls=12:allf=t,boxblur=1"
    pictures = f"testsrc2=size={size}:rate={rate}:duration={seconds},{noise},{filters}"
    command = ["-f", "lavfi", "-i", pictures]
    if sound:
        command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    command += ["-c:v", *encoder, "-g", str(keys), "-c:a", "aac", *more, str(path)]
    ran(command)
    return path


def phone(path: Path, **options: object) -> Path:
    """As a phone held upright writes it: turned, with place, date, names and a pairing id."""
    told = {
        "com.apple.quicktime.content.identifier": "8D0D0E4C-2F0B-4E06-9F3A-5B9A6A5D2F11",
        "com.apple.quicktime.location.ISO6709": "+48.2082+016.3738+171.000/",
        "com.apple.quicktime.creationdate": "2023-07-14T18:03:12+0200",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 15",
    }
    plain = path.with_name(f"plain-{path.name}")
    film(plain, **options)  # type: ignore[arg-type]  # passed through as they came
    keys = [word for key, value in told.items() for word in ("-metadata", f"{key}={value}")]
    turned = ["-display_rotation", "90", "-i", str(plain), "-map", "0", "-c", "copy", *keys]
    ran([*turned, "-metadata", "creation_time=2023-07-14T16:03:12Z",
         "-movflags", "use_metadata_tags", str(path)])  # fmt: skip
    return path


def hdr10(path: Path, **options: object) -> Path:
    """Ten bits, PQ, with the display it was mastered on and its brightest light."""
    params = f"log-level=none:pools=none:{_MASTERING}"
    coding = (
        "libx265",
        "-preset",
        "ultrafast",
        "-crf",
        "4",
        "-tag:v",
        "hvc1",
        "-x265-params",
        params,
    )
    wide = f"hue=s=0.2,format=yuv420p10le,{HDR10}"  # natural colours: none outside of sRGB
    return film(path, encoder=coding, filters=wide, **options)  # type: ignore[arg-type]


def uneven(path: Path) -> Path:
    """Pictures at uneven times, as phones write them in poor light."""
    filters = "select='not(eq(mod(n,5),2))+gt(n,40)'"
    return film(path, filters=filters, more=("-fps_mode", "passthrough"))


def ran(arguments: Sequence[str]) -> None:
    """Run FFmpeg and fail with its words."""
    command = [ffmpeg.program(), "-nostdin", "-v", "error", "-y", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SUBTITLES = """1
00:00:00,200 --> 00:00:00,900
Look, <i>a seal</i>

2
00:00:01,000 --> 00:00:01,800
Where?
Over there!
"""
CHAPTERS = """;FFMETADATA1
title=Holiday
artist=Anna
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=The beach
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=2000
title=The way home
"""


def spoken(path: Path, *, more: Sequence[str] = ()) -> Path:
    """A film that says much of itself: subtitles, chapters, languages, a title and a date."""
    folder = path.parent / f"parts-of-{path.name}"
    folder.mkdir()
    plain = film(folder / "plain.mkv")
    (folder / "words.srt").write_text(SUBTITLES)
    (folder / "chapters.txt").write_text(CHAPTERS)
    ran(["-i", str(plain), "-i", str(folder / "words.srt"), "-i", str(folder / "chapters.txt"),
         "-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2", "-c", "copy",
         "-metadata:s:a:0", "language=deu", "-metadata:s:a:0", "title=Ton",
         "-metadata:s:s:0", "language=eng", "-metadata", "creation_time=2019-05-04T10:11:12Z",
         *more, str(path)])  # fmt: skip
    return path


# Container -> how its films are coded, as the programs and cameras of its time did.
OLD: dict[str, tuple[str, ...]] = {
    "camera.avi": ("-c:v", "mjpeg", "-q:v", "1", "-c:a", "pcm_s16le"),
    "divx.avi": ("-c:v", "mpeg4", "-q:v", "1", "-bf", "2", "-c:a", "mp3"),
    "browser.webm": ("-c:v", "libvpx", "-crf", "4", "-b:v", "9M", "-c:a", "libvorbis"),
    "windows.wmv": ("-c:v", "wmv2", "-q:v", "1", "-c:a", "wmav2"),
    "flash.flv": ("-c:v", "flv", "-q:v", "1", "-c:a", "mp3", "-ar", "44100"),
    "camcorder.mts": ("-vf", "tinterlace=interleave_top", "-c:v", "libx264", "-crf", "4",
                      "-flags", "+ilme+ildct", "-c:a", "ac3", "-mpegts_m2ts_mode", "1",
                      "-f", "mpegts"),
    "disc.mpg": ("-c:v", "mpeg2video", "-q:v", "1", "-c:a", "mp2"),
    "stream.mp4": ("-c:v", "libx264", "-crf", "4", "-c:a", "aac",
                   "-movflags", "frag_keyframe+empty_moov"),
    "studio.mov": ("-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le",
                   "-c:a", "pcm_s24le"),
}  # fmt: skip


def old(path: Path) -> Path:
    """One of `OLD`, by the name of `path`."""
    noise = "testsrc2=size=192x108:rate=24:duration=2,noise=alls=12:allf=t,boxblur=1"
    ran(["-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", "sine=frequency=440:duration=2",
         "-g", "12", *OLD[path.name], "-metadata", "title=Old times", str(path)])  # fmt: skip
    return path


def person(path: Path, portrait: Path, *, turned: bool = False) -> Path:
    """Somebody walks through the picture from left to right, and is not in it at the end."""
    face = Image.open(portrait).convert("RGB")
    face.thumbnail((150, 150))
    size, count = (320, 216), 18
    raw = path.with_suffix(".raw")
    with raw.open("wb") as pictures:
        for n in range(count):
            picture = Image.new("RGB", size, (90, 110, 130))
            picture.paste(face, (-60 + n * 24, 20))
            still = picture.rotate(90, expand=True) if turned else picture
            pictures.write(still.tobytes())
    face.close()
    width, height = reversed(size) if turned else size
    plain = path.with_name(f"plain-{path.name}")
    ran(["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}",
         "-framerate", "12", "-i", str(raw), "-f", "lavfi", "-i", "sine=frequency=440:duration=1.5",
         "-c:v", "libx264", "-crf", "10", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "12",
         "-c:a", "aac", str(plain)])  # fmt: skip
    raw.unlink()
    told = ["-metadata", "com.apple.quicktime.location.ISO6709=+48.2082+016.3738+171.000/",
            "-metadata", "creation_time=2023-07-14T16:03:12Z"]  # fmt: skip
    ran([*(("-display_rotation", "-90") if turned else ()), "-i", str(plain), "-c", "copy", *told,
         "-movflags", "use_metadata_tags", str(path)])  # fmt: skip
    return path
